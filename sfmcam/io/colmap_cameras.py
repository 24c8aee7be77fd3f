"""COLMAP's camera models: how many parameters each one has, and which of them are focal lengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.errors import TrajectoryFileError


@dataclass(frozen=True)
class CameraModel:
    """`num_focals` parameters come first: f, or fx fy, or none for a panorama."""

    name: str
    num_params: int
    num_focals: int


# by the number that binary files use; held against pycolmap's own list by a test
CAMERA_MODELS: dict[int, CameraModel] = {
    0: CameraModel("SIMPLE_PINHOLE", 3, 1),
    1: CameraModel("PINHOLE", 4, 2),
    2: CameraModel("SIMPLE_RADIAL", 4, 1),
    3: CameraModel("RADIAL", 5, 1),
    4: CameraModel("OPENCV", 8, 2),
    5: CameraModel("OPENCV_FISHEYE", 8, 2),
    6: CameraModel("FULL_OPENCV", 12, 2),
    7: CameraModel("FOV", 5, 2),
    8: CameraModel("SIMPLE_RADIAL_FISHEYE", 4, 1),
    9: CameraModel("RADIAL_FISHEYE", 5, 1),
    10: CameraModel("THIN_PRISM_FISHEYE", 12, 2),
    11: CameraModel("RAD_TAN_THIN_PRISM_FISHEYE", 16, 2),
    12: CameraModel("SIMPLE_DIVISION", 4, 1),
    13: CameraModel("DIVISION", 5, 2),
    14: CameraModel("SIMPLE_FISHEYE", 3, 1),
    15: CameraModel("FISHEYE", 4, 2),
    16: CameraModel("EUCM", 6, 2),
    17: CameraModel("EQUIRECTANGULAR", 2, 0),
}
MODEL_BY_NAME = {model.name: model for model in CAMERA_MODELS.values()}


@dataclass(frozen=True)
class ColmapCamera:
    """One camera of a model: picture size in pixels, and the mean of its focal lengths (NaN where it has none)."""

    size_px: tuple[int, int]
    focal_px: float


def make_camera(model: CameraModel, size_px: tuple[int, int], params: list[float], *, where: str) -> ColmapCamera:
    """Make a camera from the parameters in the file.

    Raises:
        TrajectoryFileError: a wrong count of parameters, or a size or focal length that is not a positive number.
    """
    if len(params) != model.num_params:
        raise TrajectoryFileError(f"{where}: {len(params)} parameters, but the model {model.name} has {model.num_params}")
    focals = params[: model.num_focals]
    if min(size_px) <= 0 or not all(np.isfinite(f) and f > 0 for f in focals):
        raise TrajectoryFileError(f"{where}: a picture size or focal length is not a positive number")
    return ColmapCamera(size_px, float(np.mean(focals)) if focals else float("nan"))
