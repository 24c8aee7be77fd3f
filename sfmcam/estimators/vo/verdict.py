"""What is said of a shot whose camera is known under several motions: did it travel, turn or rest, and its path for all frames.

Shared by `vo` and by `dense` and `megasam`, so that a bound means the same in all of them.
"""

from __future__ import annotations

import numpy as np

from sfmcam.estimators.vo.fill import FilledPath
from sfmcam.estimators.vo.windows import WindowPath
from sfmcam.geometry.rigid import camera_centers, inverse, transform_points
from sfmcam.types import CameraTrajectory, Evidence, Float, Frames, Scale, Status

STILL_PX = 0.35  # picture motion at the corners, at 384 px, below which a camera is called still
LONG_SIDE_PX = 384.0
BOUND_SIGMAS = 1.96  # of the stated 95 % bound
SIGMA_FACTOR = 1.9  # on the spread of the models, which all share what bends the tracks
MIN_TRANSLATION_SIGMA = 0.004  # scene depths: about a quarter of a pixel


def trajectory_of(filled: FilledPath, frames: Frames, evidence: Evidence, *, metres: float | None = None) -> CameraTrajectory:
    """Return the cameras of all frames; `metres` of one unit of the path, where they are known."""
    unit = 1.0 if metres is None else metres
    poses = np.where(filled.valid[:, None, None], filled.cam_from_world, np.nan)
    poses[:, :3, 3] *= unit
    return CameraTrajectory(
        timestamps_s=frames.timestamps_s,
        cam_from_world=poses,
        focal_px=np.where(filled.valid, np.exp(filled.log_focal) * max(frames.size_px), np.nan),
        valid=filled.valid,
        median_depth=np.where(filled.valid & (filled.median_depth > 0), filled.median_depth * unit, np.nan),
        scale=Scale.ARBITRARY if metres is None else Scale.METRIC,
        image_size_px=frames.size_px,
        evidence=evidence,
    )


def translation_sigma(path: WindowPath) -> Float:
    """Return (K,) one-sigma error of the keyframes' positions on a path, in scene depths.

    How much the models disagree and the noise of each, widened by what clips that do not travel ask for
    (`benchmarks/never_invents.py`).
    """
    return np.asarray(np.hypot(SIGMA_FACTOR * path.sigma[:, 3:6].max(axis=1), MIN_TRANSLATION_SIGMA), np.float64)


def verdict(path: WindowPath, bounded: WindowPath, *, likely: WindowPath, size_px: tuple[int, int]) -> tuple[Status, str]:
    """Say whether a translation was found beyond its bound, and the figures that say so.

    Args:
        path: whose positions are held against the bound, keyframe by keyframe.
        bounded: whose sigma gives the bound.
        likely: whose motion of the picture tells a camera that rests from one that turns.
        size_px: (width, height) of the frames.
    """
    moved = np.linalg.norm(camera_centers(path.cam_from_world) - camera_centers(path.cam_from_world[:1]), axis=1)
    bound = BOUND_SIGMAS * translation_sigma(bounded)
    worst = int(np.argmax(moved - bound)) if (moved > bound).any() else int(np.argmax(bound))
    told = f"translation {moved[worst]:.3f} scene depths, 95 % bound of its error {bound[worst]:.3f}"
    if moved[worst] > bound[worst]:
        return Status.OK, told
    motion_px = corner_motion_px(likely, size_px) * LONG_SIDE_PX / max(size_px)
    if motion_px < STILL_PX:
        return Status.STILL, f"the picture moves by {motion_px:.2f} px at most; {told}"
    return Status.ROTATION_ONLY, told


def corner_motion_px(path: WindowPath, size_px: tuple[int, int]) -> float:
    """Return how far the camera moves the corners of its first picture at most, seen on a wall at one scene depth, in pixels."""
    half = np.array(size_px) / max(size_px) / 2
    corners = np.array([[sx * half[0], sy * half[1]] for sx in (-1, 1) for sy in (-1, 1)])
    focal, poses = np.exp(path.log_focal), path.cam_from_world @ inverse(path.cam_from_world[0])
    wall = np.column_stack([corners / focal[0], np.ones(4)])
    seen = transform_points(poses, wall)
    xy = focal[:, None, None] * seen[..., :2] / np.maximum(seen[..., 2:], 1e-3)
    return float(np.linalg.norm(xy - corners, axis=-1).max()) * max(size_px)
