"""Similarity transforms: rotation, translation and scale that lay one set of points onto another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


STRAIGHT = 1e-12  # second over first singular value: sideways by less than a millionth of the length in both paths


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


def rotation_is_unique(source: Float, target: Float) -> bool:
    """Tell whether a single rotation lays `source` (M, 3) best onto `target` (M, 3): not so where either is a line or a spot."""
    singular = np.linalg.svd((target - target.mean(axis=0)).T @ (source - source.mean(axis=0)), compute_uv=False)
    return bool(singular[1] > STRAIGHT * singular[0])
