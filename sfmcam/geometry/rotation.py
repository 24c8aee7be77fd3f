"""Rotations: conversions between matrices, rotation vectors and quaternions, on (..., 3, 3) float64 arrays."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from sfmcam.types import Float


def rotation_from_vector(rotation_vector_rad: Float) -> Float:
    """Turn rotation vectors (..., 3), axis times angle in radians, into matrices (..., 3, 3)."""
    flat = np.asarray(rotation_vector_rad, float).reshape(-1, 3)
    return Rotation.from_rotvec(flat).as_matrix().reshape(*np.shape(rotation_vector_rad)[:-1], 3, 3)


def vector_from_rotation(rotation: Float) -> Float:
    """Turn matrices (..., 3, 3) into rotation vectors (..., 3), angle in [0, pi]."""
    flat = np.asarray(rotation, float).reshape(-1, 3, 3)
    return Rotation.from_matrix(flat).as_rotvec().reshape(*np.shape(rotation)[:-2], 3)


def rotation_from_quaternion_xyzw(quaternion_xyzw: Float) -> Float:
    """Turn quaternions (..., 4), scalar last, into matrices (..., 3, 3); they are normalised first."""
    flat = np.asarray(quaternion_xyzw, float).reshape(-1, 4)
    return Rotation.from_quat(flat).as_matrix().reshape(*np.shape(quaternion_xyzw)[:-1], 3, 3)


def quaternion_xyzw_from_rotation(rotation: Float) -> Float:
    """Turn matrices (..., 3, 3) into unit quaternions (..., 4), scalar last and not negative."""
    flat = np.asarray(rotation, float).reshape(-1, 3, 3)
    return Rotation.from_matrix(flat).as_quat(canonical=True).reshape(*np.shape(rotation)[:-2], 4)


def rotation_angle_rad(rotation: Float) -> Float:
    """Return the angle (...,) in [0, pi] of rotations (..., 3, 3)."""
    return np.linalg.norm(vector_from_rotation(rotation), axis=-1)


def nearest_rotation(matrix: Float) -> Float:
    """Project matrices (..., 3, 3) onto SO(3) in the Frobenius norm (Umeyama 1991, eq. 39-43)."""
    u, _, vt = np.linalg.svd(np.asarray(matrix, float))
    sign = np.sign(np.linalg.det(u @ vt))
    u[..., :, 2] *= sign[..., None]
    return u @ vt
