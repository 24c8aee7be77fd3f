"""What `dense` and `megasam` need before a clip is opened: PyTorch, a device, a file of weights. Imports nothing heavy."""

from __future__ import annotations

from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from sfmcam.config import config_dir
from sfmcam.errors import ConfigError, InputError, MissingDependencyError
from sfmcam.estimators.megasam.options import MegasamOptions, TrackerOptions
from sfmcam.io.weights import weights_path

WEIGHTS = "megasam"  # name in third_party/weights.toml
# Weights of our own that come with the package, in configs/: `sfmcam train megasam`, docs/megasam.md
SHIPPED = {"megasam_small.pt": "dbcbda79ed643e69e1f8f1a8f669e067c815a2fb8e0961d71cc8dcfb58acb0ea"}


def require_ready(options: TrackerOptions) -> None:
    """Check that the options can be run on this machine.

    Raises:
        MissingDependencyError: PyTorch, or for a depth prior transformers, is not installed.
        ConfigError: CUDA is asked for and there is none.
        InputError: the weights are missing.
    """
    learned = isinstance(options, MegasamOptions)
    name = WEIGHTS if learned else "dense"
    wanted = ["torch", *(["transformers"] if options.has_prior else [])]
    if missing := [package for package in wanted if find_spec(package) is None]:
        raise MissingDependencyError(
            f"the estimator '{name}' needs {' and '.join(missing)}, not installed here: pip install 'sfmcam[learned]'"
        )
    if isinstance(options, MegasamOptions):
        weights_of(options)
    if options.device == "cuda":
        require_cuda(name)


def weights_of(options: MegasamOptions) -> Path:
    """Return the file of weights: that of the options, by the name of one that comes with the package too, or the published one.

    Raises:
        InputError: it is not there, or it came with the package and is not what it was.
    """
    if options.weights is not None and str(options.weights) in SHIPPED:
        return _shipped(str(options.weights))
    path = options.weights or weights_path(WEIGHTS)
    if not path.is_file():
        told = (
            "" if options.weights else f"; fetch them with `sfmcam weights get {WEIGHTS}`, or take the estimator `dense`, which needs none"
        )
        raise InputError(f"the weights of megasam are not at {path}{told}")
    return path


def _shipped(name: str) -> Path:
    path = config_dir() / name
    if not path.is_file() or sha256(path.read_bytes()).hexdigest() != SHIPPED[name]:
        raise InputError(f"{path} is missing or damaged; it comes with sfmcam: reinstall the package")
    return path


def require_cuda(name: str) -> None:
    """Check that there is a CUDA device, by the driver's own file: PyTorch is not imported for it.

    Raises:
        ConfigError: there is none.
    """
    if not any(Path(place).exists() for place in ("/dev/nvidiactl", "/dev/dxg", "/dev/nvidia0")):
        raise ConfigError(f'\'{name}\' is asked to run on CUDA, and this machine shows no NVIDIA device; take `device = "cpu"` or `"auto"`')
