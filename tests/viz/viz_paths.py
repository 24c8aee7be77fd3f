"""Camera paths for the tests of pictures: one per motion, 4 units in front of a scene."""

from __future__ import annotations

from typing import Any

import numpy as np

from sfmcam.geometry.rigid import inverse, rigid_from_parts, transform_points
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import CameraTrajectory, Float, PointCloud

DEPTH = 4.0
WORLD_FROM_FIRST = rigid_from_parts(rotation_from_vector(np.array([0.3, 1.0, 0.2])), np.array([3.0, 2.0, 1.0]))
SHARES = np.linspace(0.0, 1.0, 12)


def path(
    rotation_deg: tuple[float, float, float] = (0, 0, 0), move: tuple[float, float, float] = (0, 0, 0), **options: Any
) -> CameraTrajectory:
    """A steady motion that ends at `rotation_deg` (tilt, pan, roll) and `move` (right, down, in; scene depths)."""
    vectors = np.radians(np.outer(SHARES, rotation_deg))
    return from_first(rigid_from_parts(rotation_from_vector(vectors), np.outer(SHARES, move) * DEPTH), **options)


def from_first(
    first_from_cam: Float, *, zoom: float = 1.0, num_invalid: int = 0, has_depth: bool = True, has_focal: bool = True
) -> CameraTrajectory:
    """Wrap poses given in the first camera's frame, in an arbitrary world."""
    count = len(first_from_cam)
    cam_from_world = inverse(WORLD_FROM_FIRST @ first_from_cam)
    valid = np.arange(count) >= num_invalid
    cam_from_world[~valid] = np.nan
    focal = 450.0 * zoom ** np.linspace(0, 1, count) if has_focal else np.full(count, np.nan)
    depth = np.where(valid & has_depth, DEPTH, np.nan)
    return CameraTrajectory(np.arange(count) / 6, cam_from_world, focal, valid, depth, image_size_px=(512, 288))


def cloud(*, outliers: int = 10) -> PointCloud:
    """Green points in front of the first camera, some of them thrown far away."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(800, 3)) * [1.5, 1.0, 1.0] + [0, 0, DEPTH]
    points[:outliers] *= 1000.0
    return PointCloud(transform_points(WORLD_FROM_FIRST, points), np.tile(np.array([[40, 160, 60]], np.uint8), (len(points), 1)))


def arc() -> CameraTrajectory:
    """60 degrees around a point one scene depth ahead."""
    angle = np.radians(60 * SHARES)
    centers = np.stack([np.sin(angle), 0 * angle, 1 - np.cos(angle)], axis=1) * DEPTH
    return from_first(rigid_from_parts(rotation_from_vector(np.outer(angle, [0, -1, 0])), centers))
