"""Fitting a point to each track that took no part in solving the cameras, compiled.

Positions and focal lengths are in long sides of the picture, relative to the principal point. A point is (a, b, 1) / rho in the camera of
its anchor, a frame in the middle of its life: a camera with rotation R and shift t from there sees it at f (X_1, X_2) / X_3 with
X = R (a, b, 1) + rho t (inverse depth: Civera et al. 2008).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sfmcam.estimators.vo.fill_kernels import nth_smallest, solve_normal
from sfmcam.estimators.vo.kernels import COMPILED, MIN_DEPTH


@njit(**COMPILED)
def _relative(anchor, frame, rotation, translation, turn, shift):  # type: ignore[no-untyped-def]
    """Write the transform frame_from_anchor into `turn` (3, 3) and `shift` (3)."""
    for i in range(3):
        shift[i] = translation[frame, i]
        for j in range(3):
            turn[i, j] = 0.0
            for k in range(3):
                turn[i, j] += rotation[frame, i, k] * rotation[anchor, j, k]
            shift[i] -= turn[i, j] * translation[anchor, j]


@njit(**COMPILED)
def _point_step(seen, turn, shift, focal, state, expected, scale2, noise, h, g, squared):  # type: ignore[no-untyped-def]
    """Fill the normal equations of one point (a, b, rho in its anchor camera) and its squared errors; `expected` is the usual rho."""
    h[:, :] = 0.0
    g[:] = 0.0
    jacobian = np.empty((2, 3))
    for i in range(len(seen)):
        r, t, f = turn[i], shift[i], focal[i]
        z = max(r[2, 0] * state[0] + r[2, 1] * state[1] + r[2, 2] + state[2] * t[2], MIN_DEPTH)
        for axis in range(2):
            x = (r[axis, 0] * state[0] + r[axis, 1] * state[1] + r[axis, 2] + state[2] * t[axis]) / z
            jacobian[axis, 0] = f * (r[axis, 0] - x * r[2, 0]) / z
            jacobian[axis, 1] = f * (r[axis, 1] - x * r[2, 1]) / z
            jacobian[axis, 2] = f * (t[axis] - x * t[2]) / z
            seen[i, 2 + axis] = f * x - seen[i, axis]
        squared[i] = seen[i, 2] ** 2 + seen[i, 3] ** 2
        w = (scale2 / (scale2 + squared[i])) ** 2 / noise**2
        for row in range(3):
            g[row] += w * (jacobian[0, row] * seen[i, 2] + jacobian[1, row] * seen[i, 3])
            for column in range(row + 1):
                h[row, column] += w * (jacobian[0, row] * jacobian[0, column] + jacobian[1, row] * jacobian[1, column])
    h[2, 2] += 1.0 / expected**2
    g[2] += (state[2] - expected) / expected**2


@njit(**COMPILED)
def _fit_point(seen, turn, shift, focal, state, expected, noise, iterations, squared):  # type: ignore[no-untyped-def]
    """Fit one point to `seen` (S, 4; the first two columns are positions) from `state`, in place; leave its errors in `squared` (S,)."""
    h, g, step = np.empty((3, 3)), np.empty(3), np.empty(3)
    scale2 = 1e6
    for _ in range(iterations):
        _point_step(seen, turn, shift, focal, state, expected, scale2, noise, h, g, squared)
        scale2 = max(9.0 * noise * noise, 4.0 * nth_smallest(squared, len(squared) // 2))
        solve_normal(h, g, step)
        for i in range(3):
            state[i] += step[i]
        state[2] = min(max(state[2], -0.02 * expected), 20.0 * expected)
        if max(abs(step[0]), abs(step[1]), abs(step[2])) < 1e-5:
            break
    _point_step(seen, turn, shift, focal, state, expected, scale2, noise, h, g, squared)


@njit(**COMPILED)
def track_residuals(  # type: ignore[no-untyped-def]
    chosen, track_start, order, frame, xy, usable, rotation, translation, log_focal, nearness, noise, limit, quantile, error, count
):
    """Fit a point to each of the `chosen` tracks and write the `quantile` of its reprojection errors, and how many frames it was fitted to.

    Args:
        chosen: (C,) track numbers.
        track_start, order: rows of track i are order[track_start[i]:track_start[i + 1]], in order of time.
        frame, xy: (M, ...) observations.
        usable: (N,) frames whose camera is known.
        rotation, translation, log_focal: (N, ...) cameras.
        nearness: (N,) inverse depth of each frame's scene, the usual for a point.
        noise: of a coordinate.
        limit: of observations used per track, spread over its life.
        quantile: of the errors, 0 to 1.
        error, count: (C,) written; the error is corrected for the three numbers fitted.
    """
    seen, turn, shift = np.empty((limit, 4)), np.empty((limit, 3, 3)), np.empty((limit, 3))
    focal, squared, state, rows = np.empty(limit), np.empty(limit), np.empty(3), np.empty(limit, np.int64)
    for c in range(len(chosen)):
        begin, end = track_start[chosen[c]], track_start[chosen[c] + 1]
        used = 0
        for i in range(min(limit, end - begin)):
            row = order[begin + i * (end - begin) // min(limit, end - begin)]
            if usable[frame[row]]:
                rows[used] = row
                used += 1
        count[c], error[c] = used, 0.0
        if used < 2:
            continue
        anchor = frame[rows[used // 2]]
        for i in range(used):
            n = frame[rows[i]]
            _relative(anchor, n, rotation, translation, turn[i], shift[i])
            focal[i] = np.exp(log_focal[n])
            seen[i, 0], seen[i, 1] = xy[rows[i], 0], xy[rows[i], 1]
        expected = max(nearness[anchor], 1e-6)
        state[0], state[1], state[2] = seen[used // 2, 0] / focal[used // 2], seen[used // 2, 1] / focal[used // 2], expected
        _fit_point(seen[:used], turn[:used], shift[:used], focal[:used], state, expected, noise, 6, squared[:used])
        high = nth_smallest(squared[:used], min(int(quantile * used), used - 1))
        error[c] = np.sqrt(high * 2.0 * used / (2.0 * used - 3.0))
