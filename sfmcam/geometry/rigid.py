"""Rigid transforms, (..., 4, 4) float64 `target_from_source` matrices."""

from __future__ import annotations

import numpy as np

from sfmcam.types import Float


def rigid_from_parts(rotation: Float, translation: Float) -> Float:
    """Assemble (..., 4, 4) transforms from rotations (..., 3, 3) and translations (..., 3)."""
    rotation, translation = np.asarray(rotation, float), np.asarray(translation, float)
    out = np.zeros((*np.broadcast_shapes(rotation.shape[:-2], translation.shape[:-1]), 4, 4))
    out[..., :3, :3], out[..., :3, 3], out[..., 3, 3] = rotation, translation, 1.0
    return out


def inverse(target_from_source: Float) -> Float:
    """Return `source_from_target`, (..., 4, 4)."""
    rotation_t = np.swapaxes(target_from_source[..., :3, :3], -1, -2)
    translation = -(rotation_t @ target_from_source[..., :3, 3:])[..., 0]
    return rigid_from_parts(rotation_t, translation)


def transform_points(target_from_source: Float, points_in_source: Float) -> Float:
    """Move points (M, 3) by one transform (4, 4), or by each of (..., 4, 4) giving (..., M, 3)."""
    rotated = points_in_source @ np.swapaxes(target_from_source[..., :3, :3], -1, -2)
    return rotated + target_from_source[..., None, :3, 3]


def camera_centers(cam_from_world: Float) -> Float:
    """Return the camera centres (..., 3) in the world."""
    rotation_t = np.swapaxes(cam_from_world[..., :3, :3], -1, -2)
    return -(rotation_t @ cam_from_world[..., :3, 3:])[..., 0]
