"""MegaSAM's result archives: `outputs/<scene>_droid.npz` (tracker) and `outputs_cvd/<scene>_sgd_cvd_hr.npz` (depth optimisation)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sfmcam.errors import TrajectoryFileError
from sfmcam.io.npz import NpzReader, open_npz
from sfmcam.io.poses import cam_from_world_of_matrices, complete_trajectory, median_positive, times_of_indices
from sfmcam.types import CameraTrajectory, Float

NO_DEPTH = 1e-5  # the tracker's archive holds 1e-6 where MegaSAM has no depth


def read_megasam(path: Path, fps: float) -> CameraTrajectory:
    """Read an archive of MegaSAM; pose i gets the time i / fps.

    What is read, and nothing else:
        cam_c2w: (N, 4, 4) camera-to-world.
        intrinsic: (3, 3), or (N, 3, 3), pixels of MegaSAM's own working size; the focal length is the mean of fx and fy.
        depths: (N, H, W), optional; gives the median depth per frame and the working size (H, W).
        images: (N, H, W, 3), optional; gives the working size, its content is not read.
    The unit of the translation is MegaSAM's own, hence arbitrary.

    Raises:
        TrajectoryFileError: not an npz file, an array that is missing, damaged or of a wrong shape, poses that are no rotations.
    """
    with open_npz(path) as npz:
        poses = npz.array("cam_c2w", (None, 4, 4))
        n = len(poses)
        if n == 0:
            raise TrajectoryFileError(f"{path} holds no pose")
        intrinsic = npz.array("intrinsic", (3, 3), (n, 3, 3)).astype(float)
        size_px = _working_size(npz, n)
        median_depth = _median_depths(npz) if "depths" in npz else None
    return complete_trajectory(
        times_of_indices(np.arange(n), fps),
        cam_from_world_of_matrices(poses, lambda i: f"{path}, pose {i} of cam_c2w"),
        focal_px=np.broadcast_to((intrinsic[..., 0, 0] + intrinsic[..., 1, 1]) / 2, n),
        median_depth=median_depth,
        image_size_px=size_px,
    )


def _median_depths(npz: NpzReader) -> Float:
    return np.array([median_positive(depth, above=NO_DEPTH) for depth in npz.frames("depths")])


def _working_size(npz: NpzReader, n: int) -> tuple[int, int] | None:
    """Return (width, height) after `depths` or `images`, or None where the archive has neither."""
    for key, ndim in (("depths", 3), ("images", 4)):
        if key not in npz:
            continue
        shape = npz.shape(key)
        if len(shape) != ndim or shape[0] != n:
            raise TrajectoryFileError(f"{npz.path}: '{key}' has shape {shape}, which does not fit {n} poses")
        return shape[2], shape[1]
    return None
