"""Errors of relative poses over all pairs of frames: they need no alignment, and drift cannot hide in one."""

from __future__ import annotations

import numpy as np

from sfmcam.geometry.rigid import camera_centers
from sfmcam.geometry.rotation import quaternion_xyzw_from_rotation
from sfmcam.types import Float, Int

MAX_FRAMES = 2000  # beyond this, evenly chosen ones: two million pairs tell as much as ten
UNDEFINED_DIRECTION_RAD = np.pi / 2  # what a random direction is off on average
ROUNDING = 1e-12  # of the coordinates: a displacement below this is one of exactly zero


def pair_rotation_errors_rad(estimate: Float, reference: Float) -> Float:
    """Return (P,) the angle between estimated and true relative rotation of every pair i < j.

    With D_i = R_ref,i^T R_est,i the error of a pair is the angle from D_i to D_j, free of both worlds' orientation.

    Args:
        estimate: (N, 4, 4) `cam_from_world`.
        reference: (N, 4, 4) `cam_from_world` of the same frames.
    """
    chosen = _evenly_chosen(len(estimate))
    offsets = reference[chosen, :3, :3].transpose(0, 2, 1) @ estimate[chosen, :3, :3]
    quaternions = quaternion_xyzw_from_rotation(offsets)
    errors = [np.empty(0)]
    for i in range(len(quaternions) - 1):
        apart = np.linalg.norm(quaternions[i + 1 :] - quaternions[i], axis=1)
        mirrored = np.linalg.norm(quaternions[i + 1 :] + quaternions[i], axis=1)
        errors.append(4 * np.arcsin(np.minimum(apart, mirrored).clip(0, 2) / 2))
    return np.concatenate(errors)


def pair_direction_errors_rad(estimate: Float, reference: Float, *, negligible: float) -> Float:
    """Return (P,) the angle in [0, pi] between estimated and true translation of pairs i < j, seen from camera i.

    Pairs whose true translation is no longer than `negligible` are left out. Where the estimate does not move, the angle
    is undefined and counts as a quarter turn.

    Args:
        estimate: (N, 4, 4) `cam_from_world`.
        reference: (N, 4, 4) `cam_from_world` of the same frames.
        negligible: in the reference's unit.
    """
    angles = directions_of_all_pairs_rad(estimate, reference, negligible=negligible)
    return angles[~np.isnan(angles)]


def directions_of_all_pairs_rad(estimate: Float, reference: Float, *, negligible: float) -> Float:
    """Return the same for all pairs, in the order of `pair_rotation_errors_rad`; NaN where the true translation is negligible."""
    chosen = _evenly_chosen(len(estimate))
    estimate, reference = estimate[chosen], reference[chosen]
    centers, true_centers = camera_centers(estimate), camera_centers(reference)
    rounding = ROUNDING * np.abs(centers).max(initial=0.0)
    errors = [np.empty(0)]
    for i in range(len(chosen) - 1):
        true = (true_centers[i + 1 :] - true_centers[i]) @ reference[i, :3, :3].T
        moved = np.linalg.norm(true, axis=1) > negligible
        own = (centers[i + 1 :] - centers[i]) @ estimate[i, :3, :3].T
        angles = np.where(np.linalg.norm(own, axis=1) > rounding, _angles_rad(own, true), UNDEFINED_DIRECTION_RAD)
        errors.append(np.where(moved, angles, np.nan))
    return np.concatenate(errors)


def _evenly_chosen(n: int) -> Int:
    return np.linspace(0, n - 1, min(n, MAX_FRAMES)).round().astype(int)


def _angles_rad(a: Float, b: Float) -> Float:
    """Angles (K,) between vectors (K, 3), accurate near 0 and pi."""
    return np.arctan2(np.linalg.norm(np.cross(a, b), axis=1), np.sum(a * b, axis=1))
