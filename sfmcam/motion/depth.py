"""The scene depth by which translation is divided, and what stands in for it where no depth is known."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from sfmcam.motion.smooth import local_line, smooth, window_sigma_s
from sfmcam.types import CameraTrajectory, Float, Scale

NOMINAL_EXTENT = 0.3  # scene depths: what the extent of a path of unknown scale counts as
NOMINAL_METRIC_DEPTH_M = 3.0  # a room, a group of people; used for metric paths without depth
NOISE_RATIO = 3.0  # a path must reach this many times its own residual noise before half of NOMINAL_EXTENT is granted
ROUNDING = 1e-6  # of the coordinates: smaller extents are the rounding of a text file


class DepthSource(StrEnum):
    """Where the scene depth came from; only POINTS relates translation to the scene."""

    POINTS = "points"
    PATH_EXTENT = "path extent"
    NOMINAL_METRIC = "nominal metric"
    NONE = "none"


def scene_depth(trajectory: CameraTrajectory, centers: Float) -> tuple[Float, DepthSource]:
    """Return the depth (M,) at each valid frame in the trajectory's unit, and where it came from.

    Args:
        trajectory: the path; only its valid frames count.
        centers: (M, 3) camera centres of the valid frames, relative to the first.

    Known depths are smoothed over time in the logarithm, and frames without one take the clip's median. With no depth at
    all, a metric path is set against NOMINAL_METRIC_DEPTH_M, and a path of arbitrary scale is scaled such that its extent
    (diagonal of its bounding box, smoothed) counts as NOMINAL_EXTENT, less where the extent is hardly above the path's own
    residual noise: a still camera with pose noise must not become a mover. Without translation the depth is infinite.
    """
    times_s = trajectory.timestamps_s[trajectory.valid]
    depth = trajectory.median_depth[trajectory.valid]
    if np.isfinite(depth).any():
        log_depth = np.log(np.where(np.isfinite(depth), depth, np.nanmedian(depth)))
        return np.exp(local_line(times_s, log_depth[:, None], sigma_s=window_sigma_s(times_s))[:, 0]), DepthSource.POINTS
    origin = np.abs(trajectory.cam_from_world[trajectory.valid, :3, 3]).max()
    smoothed = smooth(times_s, centers)
    extent = float(np.linalg.norm(np.ptp(smoothed, axis=0)))
    if extent <= max(ROUNDING * origin, 1e-9):
        return np.full(len(depth), np.inf), DepthSource.NONE
    if trajectory.scale is Scale.METRIC:
        return np.full(len(depth), NOMINAL_METRIC_DEPTH_M), DepthSource.NOMINAL_METRIC
    noise = NOISE_RATIO * float(np.sqrt(((centers - smoothed) ** 2).sum(axis=1).mean()))
    granted = NOMINAL_EXTENT * extent**2 / (extent**2 + noise**2)
    return np.full(len(depth), extent / granted), DepthSource.PATH_EXTENT
