"""Similarity transforms: rotation, translation and scale that lay one set of points onto another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.geometry.rotation import nearest_rotation, rotation_from_vector
from sfmcam.types import Float


@dataclass(frozen=True)
class Similarity:
    """target = scale * rotation @ source + translation."""

    scale: float
    rotation: Float
    translation: Float

    def apply(self, points: Float) -> Float:
        """Move points (M, 3)."""
        return self.scale * points @ self.rotation.T + self.translation


STRAIGHT = 1e-7  # width over length below which points are a line but for rounding
ROUNDING = 1e-12  # of the coordinates: points no farther apart are one spot
UNRELATED = 1e-12  # second over first singular value of a covariance that tells of one direction only


def fit_similarity(source: Float, target: Float, *, with_scale: bool = True) -> Similarity:
    """Return the similarity with the least squared distance from the moved `source` (M, 3) to `target` (M, 3).

    Umeyama 1991, eq. 34-43; without scale, the same with scale 1. Where the rotation is not unique (all points on a line, or on
    one spot) any of the best ones is returned; points that all lie on one spot are moved
    onto the target's centroid with scale 1.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source_off, target_off = source - source_mean, target - target_mean
    u, d, vt = np.linalg.svd(target_off.T @ source_off / len(source))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = u * sign @ vt
    variance = float(np.mean(np.sum(source_off**2, axis=1)))
    scale = float(d @ sign) / variance if with_scale and variance > 0 else 1.0
    return Similarity(scale, rotation, target_mean - scale * rotation @ source_mean)


def free_turns(source: Float, target: Float) -> Float:
    """Return the axes (k, 3), in the target's world, about which a moved `source` (M, 3) turns without coming off `target` (M, 3).

    k is 0 where the best rotation is unique, 1 where either is a line, and 3, any turn, where either is a spot.
    """
    source_off, target_off = source - source.mean(axis=0), target - target.mean(axis=0)
    if any(np.abs(off).max() <= ROUNDING * np.abs(points).max() for off, points in ((source_off, source), (target_off, target))):
        return np.eye(3)
    u, d, _ = np.linalg.svd(target_off.T @ source_off)
    widths = [np.linalg.svd(off, compute_uv=False) for off in (source_off, target_off)]
    is_line = d[1] <= UNRELATED * d[0] or any(len(width) < 2 or width[1] <= STRAIGHT * width[0] for width in widths)
    return u[:, :1].T if is_line else np.empty((0, 3))


def nearest_turn(own: Float, true: Float, axes: Float) -> Float:
    """Return the rotation (3, 3) about `axes` (see `free_turns`) that brings rotations `own` (N, 3, 3) nearest to `true` (N, 3, 3).

    Nearest is the least sum of squared Frobenius norms, which is the largest trace of turn @ sum(own @ true^T).
    """
    if len(axes) == 0:
        return np.eye(3)
    both = np.sum(own @ true.transpose(0, 2, 1), axis=0)
    if len(axes) > 1:
        return nearest_rotation(both.T)
    axis = axes[0]
    crossed = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    angle = np.arctan2(np.trace(crossed @ both), np.trace(both) - axis @ both @ axis)  # of Rodrigues' formula
    return rotation_from_vector(angle * axis)
