"""Where a point of one frame is in another, by what is stored alone: depth, poses, focal lengths, lens and shutter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.interpolate import CubicSpline, make_interp_spline
from scipy.spatial.transform import Rotation, RotationSpline

from sfmcam.datasets.synthetic.lens import distorted, undistorted
from sfmcam.datasets.synthetic.stored_truth import StoredTruth
from sfmcam.geometry.projection import project
from sfmcam.geometry.rigid import camera_centers, inverse, rigid_from_parts, transform_points
from sfmcam.types import CameraTrajectory, Float

ROW_STEPS = 6  # the row at which a point arrives decides when it is seen; each step brings it nearer by a factor of the picture's speed


def carried(truth: StoredTruth, points_px: Float, depth_m: Float, *, source: int, target: int) -> tuple[Float, Float]:
    """Carry points of the static scene from one frame to another.

    Args:
        truth: of the clip.
        points_px: (M, 2) positions in frame `source`, the first pixel's centre being (0.5, 0.5).
        depth_m: (M,) their depths along the optical axis.
        source: number of a frame.
        target: number of another one.

    Returns:
        (M, 2) positions in frame `target` and (M,) depths there; NaN where the depth is unknown or the point falls behind the camera.
    """
    size, focals = np.array(truth.size_px, float), truth.trajectory.focal_px
    half_diagonal, k = float(np.hypot(*size)) / 2, truth.finish.distortion
    straight = undistorted((points_px - size / 2) / half_diagonal, k) * half_diagonal
    in_source = np.column_stack([straight / focals[source], np.ones(len(straight))]) * depth_m[:, None]
    poses = _poses_of_rows(truth)
    in_world = transform_points(inverse(poses(source, points_px[:, 1])), in_source[:, None])[:, 0]
    end = points_px
    for _ in range(ROW_STEPS if truth.finish.readout else 1):
        in_target = transform_points(poses(target, end[:, 1]), in_world[:, None])[:, 0]
        flat = (project(in_target, float(focals[target]), truth.size_px) - size / 2) / half_diagonal
        end = distorted(flat, k) * half_diagonal + size / 2
    return end, in_target[:, 2]


def _poses_of_rows(truth: StoredTruth) -> Callable[[int, Float], Float]:
    """Return what tells cam_from_world (M, 4, 4) of a frame at heights (M,); with a rolling shutter each row has its own time."""
    if not truth.finish.readout:
        return lambda frame, y_px: np.broadcast_to(truth.trajectory.cam_from_world[frame], (len(y_px), 4, 4))
    path = poses_between(truth.trajectory)

    def poses(frame: int, y_px: Float) -> Float:
        late = np.nan_to_num(y_px / truth.size_px[1] - 0.5).clip(-1, 1) * truth.finish.readout
        return path(frame + late)

    return poses


def poses_between(trajectory: CameraTrajectory) -> Callable[[Float], Float]:
    """Return what tells cam_from_world (M, 4, 4) at frame numbers (M,) with fractions.

    Cubic splines through the poses; positions are carried on past the ends, directions stay as they are there.
    """
    numbers, centers = np.arange(len(trajectory), dtype=float), camera_centers(trajectory.cam_from_world)
    positions = CubicSpline(numbers, centers) if len(trajectory) > 2 else make_interp_spline(numbers, centers, k=1)
    directions = RotationSpline(numbers, Rotation.from_matrix(trajectory.cam_from_world[:, :3, :3].transpose(0, 2, 1)))
    return lambda frames: inverse(rigid_from_parts(directions(frames.clip(0, numbers[-1])).as_matrix(), positions(frames)))
