"""Poses of other tools' files, checked and turned into this package's: every fault is reported with the place it stands at."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from sfmcam.errors import TrajectoryFileError
from sfmcam.geometry.rigid import inverse, rigid_from_parts
from sfmcam.geometry.rotation import nearest_rotation, rotation_from_quaternion_xyzw
from sfmcam.types import CameraTrajectory, Float, Scale

MATRIX_TOLERANCE = 1e-3  # on R R^T: lets through matrices multiplied up in float32 or printed with four digits
QUATERNION_TOLERANCE = 0.05  # on the norm: lets through quaternions printed with two digits

Where = Callable[[int], str]  # index of a pose -> where it stands, to begin a message with


def cam_from_world_of_matrices(world_from_cam: Float, where: Where) -> Float:
    """Invert camera-to-world matrices (N, 3, 4) or (N, 4, 4) into `cam_from_world` (N, 4, 4).

    A rotation within MATRIX_TOLERANCE of an exact one is replaced by the nearest exact one.

    Raises:
        TrajectoryFileError: a number is not finite, a matrix is no rotation, or the last row is not 0 0 0 1.
    """
    poses = np.asarray(world_from_cam, float)
    _refuse(~np.isfinite(poses).all(axis=(1, 2)), where, "the pose holds a number that is NaN or infinite")
    if poses.shape[1] == 4:
        _refuse(np.abs(poses[:, 3] - [0, 0, 0, 1]).max(axis=1) > MATRIX_TOLERANCE, where, "the last row of the pose is not 0 0 0 1")
    rotations = poses[:, :3, :3]
    with np.errstate(over="ignore", invalid="ignore"):
        off = np.abs(rotations @ rotations.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
    _refuse(~(off <= MATRIX_TOLERANCE), where, "the 3x3 part of the pose is not a rotation")
    _refuse(np.linalg.det(rotations) < 0, where, "the 3x3 part of the pose is a mirror image, not a rotation")
    return inverse(rigid_from_parts(nearest_rotation(rotations), poses[:, :3, 3]))


def rotations_of_quaternions(quaternions_xyzw: Float, where: Where) -> Float:
    """Turn quaternions (N, 4), scalar last and nearly of length one, into rotations (N, 3, 3).

    Raises:
        TrajectoryFileError: a quaternion's length is off by more than QUATERNION_TOLERANCE.
    """
    with np.errstate(over="ignore"):
        norms = np.linalg.norm(quaternions_xyzw, axis=1)
    for i in np.flatnonzero(~(np.abs(norms - 1) <= QUATERNION_TOLERANCE))[:1]:
        raise TrajectoryFileError(f"{where(int(i))}: the quaternion has length {norms[i]:.4g} instead of 1, so it is no rotation")
    return rotation_from_quaternion_xyzw(quaternions_xyzw)


def require_ascending(timestamps_s: Float, where: Where) -> None:
    """Refuse times that do not grow from one pose to the next.

    Raises:
        TrajectoryFileError: naming the first pose that comes too early, or whose time is not finite.
    """
    _refuse(~np.isfinite(timestamps_s), where, "the time is NaN or infinite")
    for i in np.flatnonzero(~(np.diff(timestamps_s) > 0))[:1]:
        before, here = float(timestamps_s[i]), float(timestamps_s[i + 1])
        fault = "repeats the time of the pose before it" if before == here else f"comes after {before!r}: times must ascend"
        raise TrajectoryFileError(f"{where(int(i) + 1)}: time {here!r} {fault}")


def complete_trajectory(
    timestamps_s: Float,
    cam_from_world: Float,
    *,
    focal_px: Float | None = None,
    median_depth: Float | None = None,
    scale: Scale = Scale.ARBITRARY,
    image_size_px: tuple[int, int] | None = None,
) -> CameraTrajectory:
    """Make a trajectory whose every frame has a pose; what is not given, or not a positive number, is NaN."""
    n = len(timestamps_s)
    return CameraTrajectory(
        timestamps_s=timestamps_s,
        cam_from_world=cam_from_world,
        focal_px=_positive_or_nan(focal_px, n),
        valid=np.ones(n, dtype=bool),
        median_depth=_positive_or_nan(median_depth, n),
        scale=scale,
        image_size_px=image_size_px,
    )


def times_of_indices(indices: ArrayLike, fps: float) -> Float:
    """Return timestamps (N,) for frames that the file only counts."""
    return np.asarray(indices, float) / fps


def median_positive(depth: Float, *, above: float = 0.0) -> float:
    """Return the median of the finite depths greater than `above`; NaN where there is none."""
    known = depth[np.isfinite(depth) & (depth > above)]
    return float(np.median(known.astype(np.float64))) if len(known) else float("nan")


def _positive_or_nan(values: Float | None, n: int) -> Float:
    if values is None:
        return np.full(n, np.nan)
    known = np.isfinite(values) & (values > 0)
    return np.where(known, values, np.nan)


def _refuse(faulty: np.ndarray, where: Where, fault: str) -> None:
    for i in np.flatnonzero(faulty)[:1]:
        raise TrajectoryFileError(f"{where(int(i))}: {fault}")
