"""What wrong truth would explain the errors of all clips together: a principal point, a focal length, a depth that is off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from clip_agreement import ALONGSIDE, ClipAgreement

from sfmcam.types import Float

HUBER_PX = 0.2
ROUNDS = 10
RESAMPLES = 400


def explain(clips: Sequence[ClipAgreement]) -> dict[str, list[float]]:
    """Return, per name in ALONGSIDE, the value that explains the tracker's errors best, and its standard deviation by bootstrap over clips.

    Least squares with Huber's weights, every clip counting as much as every other. Zero is what it should be.
    """
    measured = [clip for clip in clips if clip.is_measured]
    if not measured:
        return {}
    values = np.zeros(len(ALONGSIDE))
    for _ in range(ROUNDS):
        normals = [_normal(clip, values) for clip in measured]
        values = _solved(normals)
    rng = np.random.default_rng(0)
    draws = [_solved([normals[i] for i in rng.integers(len(normals), size=len(normals))]) for _ in range(RESAMPLES)]
    spread = np.std(draws, axis=0)
    return {name: [float(value), float(sigma)] for name, value, sigma in zip(ALONGSIDE, values, spread, strict=True)}


def _normal(clip: ClipAgreement, values: Float) -> tuple[Float, Float]:
    """Return the normal equations (4, 4) and (4,) of a clip, per point."""
    left = clip.tracker_px - clip.slopes @ values
    weight = np.minimum(1, HUBER_PX / np.maximum(np.linalg.norm(left, axis=1), 1e-9)) / len(left)
    slopes, errors = clip.slopes.reshape(-1, len(ALONGSIDE)), clip.tracker_px.ravel()
    weighted = slopes * np.repeat(weight, 2)[:, None]
    return weighted.T @ slopes, weighted.T @ errors


def _solved(normals: Sequence[tuple[Float, Float]]) -> Float:
    matrix, right = (np.sum(part, axis=0) for part in zip(*normals, strict=True))
    return np.linalg.lstsq(matrix, right, rcond=1e-10)[0]
