"""From a camera path to numbers: seven degrees of freedom per step and per clip, with jitter and uncertainty."""

from __future__ import annotations

import numpy as np

from sfmcam.errors import InputError
from sfmcam.geometry.rigid import camera_centers
from sfmcam.geometry.rotation import vector_from_rotation
from sfmcam.motion.depth import scene_depth
from sfmcam.motion.measurement import MotionMeasurement
from sfmcam.motion.primitive import Dof
from sfmcam.motion.smooth import samples_per_window, smooth
from sfmcam.types import Bool, CameraTrajectory, Evidence, Float

NOMINAL_FOCAL_OVER_WIDTH = 0.85  # a horizontal field of view of 61 degrees
DEFAULT_ROTATION_SIGMA_RAD = 0.004  # 0.23 deg; these three stand in where the estimator cannot say
DEFAULT_TRANSLATION_SIGMA = 0.01
DEFAULT_LOG_FOCAL_SIGMA = 0.01
INDEPENDENT_POINTS = 25  # a pose rests on at least so many points whose errors have nothing to do with one another


def measure(trajectory: CameraTrajectory) -> MotionMeasurement:
    """Measure how the camera moved, relative to its first valid frame.

    Rotation is the running sum of the steps' rotation vectors in the camera's own axes (integrated body rates), not the
    Euler angles of the net rotation: Euler angles wrap at 180 degrees, so that a full-circle pan would count as nothing,
    they mix near a tilt of 90 degrees, and for a camera that is pitched or rolled they are not what its operator does.
    `net_rotation_rad` gives them for checking. Translation steps are taken along the INITIAL camera's axes (CameraBench
    judges "with respect to the initial frame"), each over the scene depth at its time. Zoom is log(focal / first focal).

    Raises:
        InputError: fewer than two frames have a pose.
    """
    require_two_poses(trajectory)
    valid = trajectory.valid
    times_s, poses = trajectory.timestamps_s[valid], trajectory.cam_from_world[valid]
    centers = (camera_centers(poses) - camera_centers(poses[:1])) @ poses[0, :3, :3].T
    depth, depth_source = scene_depth(trajectory, centers)
    steps = np.hstack([_rotation_steps(poses), _translation_steps(centers, depth), _zoom_steps(trajectory.focal_px[valid])])
    path = np.vstack([np.zeros(7), np.cumsum(steps, axis=0)])
    path[:, Dof.ZOOM] = _zoom_path(trajectory.focal_px[valid])
    smoothed = _smooth_known(times_s, path)
    jitter = np.sqrt(_nan_mean((path - smoothed) ** 2))
    noise = _noise(trajectory.evidence)
    return MotionMeasurement(
        timestamps_s=trajectory.timestamps_s,
        valid=valid,
        steps=steps,
        path=_spread(path, valid),
        smooth=_spread(smoothed, valid),
        net=_net(smoothed),
        rise=_largest_increase(smoothed),
        fall=_largest_increase(-smoothed),
        jitter=jitter,
        noise=noise,
        sigma=np.hypot(noise, jitter / np.sqrt(samples_per_window(times_s))),
        net_rotation_rad=_tilt_pan_roll(poses[0, :3, :3] @ poses[-1, :3, :3].T),
        depth=_spread(depth, valid),
        depth_source=depth_source,
        scale=trajectory.scale,
        focal_over_width=_focal_over_width(trajectory),
        picture_noise_widths=_picture_noise_widths(trajectory),
    )


def require_two_poses(trajectory: CameraTrajectory) -> None:
    """Refuse a trajectory from which no motion can be had.

    Raises:
        InputError: fewer than two frames have a pose.
    """
    if trajectory.num_valid < 2:
        raise InputError(f"the trajectory has a pose for {trajectory.num_valid} of {len(trajectory)} frames; motion needs at least two")


def _rotation_steps(poses: Float) -> Float:
    """Rotation vectors (M-1, 3) of cam_i_from_cam_{i+1}."""
    rotations = poses[:, :3, :3]
    return vector_from_rotation(rotations[:-1] @ rotations[1:].transpose(0, 2, 1))


def _translation_steps(centers: Float, depth: Float) -> Float:
    """Steps (M-1, 3) of the centres over the geometric mean of the depths at both ends, so that reversing time only flips signs."""
    return np.diff(centers, axis=0) / np.sqrt(depth[:-1] * depth[1:])[:, None]


def _zoom_steps(focal_px: Float) -> Float:
    return np.diff(np.log(focal_px))[:, None]


def _zoom_path(focal_px: Float) -> Float:
    """Log focal over the first known focal (M,); NaN where unknown, and everywhere if fewer than two are known."""
    known = np.isfinite(focal_px)
    if known.sum() < 2:
        return np.full(len(focal_px), np.nan)
    return np.log(focal_px / focal_px[known][0])


def _smooth_known(times_s: Float, path: Float) -> Float:
    """Return the smooth path (M, 7); the zoom column over the frames whose focal length is known."""
    out = np.full_like(path, np.nan)
    out[:, : Dof.ZOOM] = smooth(times_s, path[:, : Dof.ZOOM])
    known = np.isfinite(path[:, Dof.ZOOM])
    if known.any():
        out[known, Dof.ZOOM] = smooth(times_s[known], path[known, Dof.ZOOM :])[:, 0]
    return out


def _net(smoothed: Float) -> Float:
    out = np.full(smoothed.shape[1], np.nan)
    for d, column in enumerate(smoothed.T):
        known = column[np.isfinite(column)]
        if len(known):
            out[d] = known[-1] - known[0]
    return out


def _largest_increase(smoothed: Float) -> Float:
    """Return max over i <= j of x_j - x_i for each column (7,); NaN for a column without values."""
    return np.fmax.reduce(smoothed - np.fmin.accumulate(smoothed, axis=0), axis=0)


def _nan_mean(values: Float) -> Float:
    known = np.isfinite(values)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)


def _noise(evidence: Evidence) -> Float:
    """(7,) the estimator's own noise figures, the defaults where it has none."""
    given = (evidence.rotation_sigma_rad, evidence.translation_sigma, evidence.log_focal_sigma)
    default = (DEFAULT_ROTATION_SIGMA_RAD, DEFAULT_TRANSLATION_SIGMA, DEFAULT_LOG_FOCAL_SIGMA)
    rotation, translation, log_focal = (g if np.isfinite(g) else d for g, d in zip(given, default, strict=True))
    return np.array([rotation] * 3 + [translation] * 3 + [log_focal])


def _tilt_pan_roll(rotation: Float) -> Float:
    """Angles (3,) of R = R_y(pan) R_x(tilt) R_z(roll)."""
    tilt = np.arcsin(np.clip(-rotation[1, 2], -1.0, 1.0))
    return np.array([tilt, np.arctan2(rotation[0, 2], rotation[2, 2]), np.arctan2(rotation[1, 0], rotation[1, 1])])


def _focal_over_width(trajectory: CameraTrajectory) -> float:
    focal_px = trajectory.focal_px[trajectory.valid & np.isfinite(trajectory.focal_px)]
    if trajectory.image_size_px is None or len(focal_px) == 0:
        return NOMINAL_FOCAL_OVER_WIDTH
    return float(np.exp(np.median(np.log(focal_px)))) / trajectory.image_size_px[0]


def _picture_noise_widths(trajectory: CameraTrajectory) -> float:
    """Mean of independent reprojection errors, in picture widths; NaN where the estimator has none or the picture's size is unknown."""
    if trajectory.image_size_px is None:
        return float("nan")
    return trajectory.evidence.reprojection_error_px / trajectory.image_size_px[0] / float(np.sqrt(INDEPENDENT_POINTS))


def _spread(values: Float, valid: Bool) -> Float:
    """Put rows of valid frames (M, ...) among all frames (N, ...), NaN elsewhere."""
    out = np.full((len(valid), *values.shape[1:]), np.nan)
    out[valid] = values
    return out
