"""What learned features need before a clip is opened: PyTorch with kornia, and files of weights. Imports neither."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from sfmcam.errors import InputError, MissingDependencyError
from sfmcam.estimators.colmap.options import ColmapOptions
from sfmcam.io.weights import weights_path

WEIGHTS: dict[str, tuple[str, ...]] = {  # names in third_party/weights.toml
    "disk": ("disk", "lightglue-disk"),
    "aliked": ("aliked", "lightglue-aliked"),
    "loftr": ("loftr-outdoor",),
}


def require_ready(options: ColmapOptions) -> None:
    """Check that the features of `options` can be had on this machine; see `require_learned`."""
    require_learned(options.features)


def require_learned(features: str) -> None:
    """Check that `features` can be used on this machine.

    Raises:
        MissingDependencyError: PyTorch or kornia is not installed.
        InputError: weights are missing.
    """
    if features not in WEIGHTS:
        return
    if missing := [package for package in ("torch", "kornia") if find_spec(package) is None]:
        raise MissingDependencyError(
            f"features '{features}' need {' and '.join(missing)}, not installed here: pip install 'sfmcam[learned]'"
        )
    weights_of(features)


def weights_of(features: str) -> dict[str, Path]:
    """Return the files of weights of `features` by name.

    Raises:
        InputError: one is missing.
    """
    paths = {name: weights_path(name) for name in WEIGHTS[features]}
    if missing := [name for name, path in paths.items() if not path.is_file()]:
        commands = " and ".join(f"`sfmcam weights get {name}`" for name in missing)
        raise InputError(f"features '{features}' need weights that are not in {paths[missing[0]].parent}; fetch them with {commands}")
    return paths
