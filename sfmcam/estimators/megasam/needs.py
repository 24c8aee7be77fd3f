"""What `dense` and `megasam` need before a clip is opened: PyTorch, a device, a file of weights. Imports nothing heavy."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from sfmcam.errors import ConfigError, InputError, MissingDependencyError
from sfmcam.estimators.megasam.options import MegasamOptions, TrackerOptions
from sfmcam.io.weights import weights_path

WEIGHTS = "megasam"  # name in third_party/weights.toml


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
    """Return the file of weights: that of the options, or the one that `sfmcam weights get megasam` put in its place.

    Raises:
        InputError: it is not there.
    """
    path = options.weights or weights_path(WEIGHTS)
    if not path.is_file():
        told = (
            "" if options.weights else f"; fetch them with `sfmcam weights get {WEIGHTS}`, or take the estimator `dense`, which needs none"
        )
        raise InputError(f"the weights of megasam are not at {path}{told}")
    return path


def require_cuda(name: str) -> None:
    """Check that there is a CUDA device, by the driver's own file: PyTorch is not imported for it.

    Raises:
        ConfigError: there is none.
    """
    if not any(Path(place).exists() for place in ("/dev/nvidiactl", "/dev/dxg", "/dev/nvidia0")):
        raise ConfigError(f'\'{name}\' is asked to run on CUDA, and this machine shows no NVIDIA device; take `device = "cpu"` or `"auto"`')
