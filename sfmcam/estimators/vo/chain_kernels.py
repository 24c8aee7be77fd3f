"""The inner loop of the chain of rotations, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit

from sfmcam.estimators.vo.dense_kernels import factorise, solve_factorised
from sfmcam.estimators.vo.kernels import COMPILED, INLINED, clip, project, rotation_rows

MAX_STEP = 1.0  # rad and log focal, of one step: keeps points that say nothing from throwing the camera about
HOLD = 1e-6  # added to the diagonal of the normal equations, so that what nothing speaks of stays


@njit(**COMPILED)
def fit_turn(before, after, weight, scales, turn):  # type: ignore[no-untyped-def]
    """Turn `turn` (3, 3), the identity at first, into the rotation from rays `before` to rays `after`; return the log zoom.

    Rays (N, 2) are positions over the focal length of the first picture; one step of Gauss and Newton is done for each of `scales` of
    Geman and McClure's function, in the same unit.
    """
    zoom, still = 0.0, np.zeros(3)
    h, g = np.empty((4, 4)), np.empty(4)
    for scale in scales:
        h[:] = 0.0
        g[:] = 0.0
        gain = np.exp(zoom)
        for n in range(len(before)):
            x, y, _ = project(turn, still, (before[n, 0], before[n, 1], 1.0), 0.0)
            u, v = gain * x - after[n, 0], gain * y - after[n, 1]
            trust = weight[n] / (1.0 + (u * u + v * v) / (scale * scale)) ** 2
            _add(h, g, (-x * y, 1.0 + x * x, -y, x), gain * trust * gain, gain * trust * u)
            _add(h, g, (-1.0 - y * y, x * y, x, y), gain * trust * gain, gain * trust * v)
        for i in range(4):
            h[i, i] += HOLD
        if not factorise(h, len(g)):
            break
        solve_factorised(h, g)
        _turn_back(turn, g)
        zoom -= clip(g[3], MAX_STEP)
    return zoom


@njit(**COMPILED)
def _add(h, g, row, information, pull):  # type: ignore[no-untyped-def]
    for i in range(4):
        g[i] += pull * row[i]
        for j in range(i + 1):
            h[i, j] += information * row[i] * row[j]


@njit(**INLINED)
def _turn_back(turn, vector):  # type: ignore[no-untyped-def]
    """Apply the inverse of a rotation vector to `turn` from the left."""
    rows = rotation_rows(-clip(vector[0], MAX_STEP), -clip(vector[1], MAX_STEP), -clip(vector[2], MAX_STEP))
    for j in range(3):
        x, y, z = turn[0, j], turn[1, j], turn[2, j]
        for i in range(3):
            turn[i, j] = rows[i][0] * x + rows[i][1] * y + rows[i][2] * z
