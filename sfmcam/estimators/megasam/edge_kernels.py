"""What `linearise.linearise` does, compiled: one pass over the pixels of an edge, without gradients, several times quicker on a CPU.

Constants come in arrays, since a literal would make float64 of float32. Loops over the pixels of a block are simple, so that they become
vector code.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from sfmcam.compiled import can_keep_machine_code

BLOCK = 256  # pixels whose derivatives are held at a time: the first-level cache holds them
CAMERA = 21  # numbers of an edge, see linearise_edges


def _here() -> None:
    """Do nothing, in this file, beside which machine code is to be kept."""


COMPILED: dict[str, Any] = {
    "cache": can_keep_machine_code(_here),
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "arcp", "nsz"},
}  # quick, but NaN stays NaN


@njit(**COMPILED)
def linearise_edges(cameras, points, target, weight, edges, limits, gram, rows, diagonal):  # type: ignore[no-untyped-def]
    """Linearise the edges of a batch: B source frames, K edges each, m unknowns of an edge. All of one type but gram, in float64.

    Args:
        cameras: (B, K, 21) of each edge: matrix (3, 4) of cam_j_from_cam_i; fx fy cx cy of the target; by what share the focal parameter
            changes (fx, fy) of the target and of the source; 1 if the edge is meant, 0 if it fills up.
        points: (B, 4, n) pixels as x/z, y/z, 1, 1/z.
        target: (E, n, 2).
        weight: (E, n, 2).
        edges: (B, K) rows of the two before.
        limits: (6,) near plane, least depth, scale of the weights, Huber's threshold in pixels, one, zero.
        gram: (B, K, m + 1, m + 1), written to, zero before: sums of W J J^T, the residual being the last column of J.
        rows: (B, K m, n), written to: sum W dJ/dd J; (B, 0, n) where depths are held.
        diagonal: (B, 2, n), written to, zero before: curvature and slope of the disparities.

    Returns:
        How many weights are positive.
    """
    frames, degree = edges.shape
    unknowns = gram.shape[2] - 1
    view, weights = np.empty((4, BLOCK), points.dtype), np.empty((2, BLOCK), points.dtype)
    along_x, along_y = np.empty((unknowns + 1, BLOCK), points.dtype), np.empty((unknowns + 1, BLOCK), points.dtype)
    count = 0
    for b in range(frames):
        for k in range(degree):
            camera, e = cameras[b, k], edges[b, k]
            row = rows[b, k * unknowns : (k + 1) * unknowns]
            if camera[20] == 0:
                row[:] = limits[5]
                continue
            for start in range(0, points.shape[2], BLOCK):
                past = min(start + BLOCK, points.shape[2])
                pixels = points[b, :, start:past]
                _look(camera, pixels, limits, view)
                count += _weigh(
                    camera, target[e, start:past], weight[e, start:past], limits, view, along_x[unknowns], along_y[unknowns], weights
                )
                _pose_rates(pixels, view, limits, along_x, along_y)
                if unknowns > 6:
                    _focal_rates(camera, pixels, view, unknowns, along_x, along_y)
                if len(row):
                    _eliminate(camera, view, weights, along_x, along_y, row[:, start:past], diagonal[b, :, start:past])
                _add_products(along_x, along_y, weights, past - start, limits, gram[b, k])
    return count


@njit(**COMPILED)
def _look(camera, points, limits, view):  # type: ignore[no-untyped-def]
    """Write p, q, s and whether the point is beyond the near plane, as 1 or 0."""
    near, least, one, zero = limits[0], limits[1], limits[4], limits[5]
    for c in range(points.shape[1]):
        x, y, d = points[0, c], points[1, c], points[3, c]
        z = camera[8] * x + camera[9] * y + camera[10] + camera[11] * d
        s = one / max(z, least)
        view[0, c] = (camera[0] * x + camera[1] * y + camera[2] + camera[3] * d) * s
        view[1, c] = (camera[4] * x + camera[5] * y + camera[6] + camera[7] * d) * s
        view[2, c] = s
        view[3, c] = one if z >= near else zero


@njit(**COMPILED)
def _weigh(camera, target, weight, limits, view, residual_x, residual_y, weights):  # type: ignore[no-untyped-def]
    """Write the residual and the weight of both axes, in units of the focal lengths; return how many weights are positive."""
    fx, fy, cx, cy = camera[12], camera[13], camera[14], camera[15]
    scale, huber, one, zero = limits[2], limits[3], limits[4], limits[5]
    per_x, per_y = one / fx, one / fy
    count = 0
    for c in range(len(target)):
        residual_x[c] = (target[c, 0] - cx) * per_x - view[0, c]
        residual_y[c] = (target[c, 1] - cy) * per_y - view[1, c]
        weights[0, c] = weight[c, 0] * (scale * fx * fx) * view[3, c]
        weights[1, c] = weight[c, 1] * (scale * fy * fy) * view[3, c]
        count += int(weights[0, c] > zero) + int(weights[1, c] > zero)
    if huber > zero:
        for c in range(len(target)):
            x, y = residual_x[c] * fx, residual_y[c] * fy
            less = huber / max(np.sqrt(x * x + y * y), huber)
            weights[0, c] *= less
            weights[1, c] *= less
    return count


@njit(**COMPILED)
def _pose_rates(points, view, limits, along_x, along_y):  # type: ignore[no-untyped-def]
    """Write d(p, q) by the tangent of the target's pose."""
    one, zero = limits[4], limits[5]
    for c in range(points.shape[1]):
        p, q, parallax = view[0, c], view[1, c], points[3, c] * view[2, c]
        along_x[0, c] = parallax
        along_y[0, c] = zero
        along_x[1, c] = zero
        along_y[1, c] = parallax
        along_x[2, c] = -p * parallax
        along_y[2, c] = -q * parallax
        along_x[3, c] = -p * q
        along_y[3, c] = -one - q * q
        along_x[4, c] = one + p * p
        along_y[4, c] = p * q
        along_x[5, c] = -q
        along_y[5, c] = p


@njit(**COMPILED)
def _focal_rates(camera, points, view, unknowns, along_x, along_y):  # type: ignore[no-untyped-def]
    """Write d(p, q) by the focal parameter: one column for both frames, or target and source."""
    for c in range(points.shape[1]):
        p, q, s = view[0, c], view[1, c], view[2, c]
        x0, y0 = points[0, c] * camera[18], points[1, c] * camera[19]
        x, y, z = camera[0] * x0 + camera[1] * y0, camera[4] * x0 + camera[5] * y0, camera[8] * x0 + camera[9] * y0
        along_x[6, c] = p * camera[16]
        along_y[6, c] = q * camera[17]
        if unknowns == 8:
            along_x[7, c] = s * (p * z - x)
            along_y[7, c] = s * (q * z - y)
        else:
            along_x[6, c] += s * (p * z - x)
            along_y[6, c] += s * (q * z - y)


@njit(**COMPILED)
def _eliminate(camera, view, weights, along_x, along_y, rows, diagonal):  # type: ignore[no-untyped-def]
    """Write the rows of E of the edge; add to the curvature and the slope of the disparities."""
    tx, ty, tz = camera[3], camera[7], camera[11]
    unknowns, pixels = rows.shape
    pull_x, pull_y = np.empty(pixels, rows.dtype), np.empty(pixels, rows.dtype)
    residual_x, residual_y = along_x[unknowns], along_y[unknowns]
    for c in range(pixels):
        x, y = view[2, c] * (tx - tz * view[0, c]), view[2, c] * (ty - tz * view[1, c])
        pull_x[c] = weights[0, c] * x
        pull_y[c] = weights[1, c] * y
        diagonal[0, c] += pull_x[c] * x + pull_y[c] * y
        diagonal[1, c] += pull_x[c] * residual_x[c] + pull_y[c] * residual_y[c]
    for i in range(unknowns):
        for c in range(pixels):
            rows[i, c] = pull_x[c] * along_x[i, c] + pull_y[c] * along_y[i, c]


@njit(**COMPILED)
def _add_products(along_x, along_y, weights, pixels, limits, gram):  # type: ignore[no-untyped-def]
    """Add sum W J J^T of a block of pixels, both halves."""
    weighed_x, weighed_y = np.empty(BLOCK, along_x.dtype), np.empty(BLOCK, along_x.dtype)
    for i in range(len(along_x)):
        for c in range(pixels):
            weighed_x[c] = weights[0, c] * along_x[i, c]
            weighed_y[c] = weights[1, c] * along_y[i, c]
        for j in range(i + 1):
            total = limits[5]
            for c in range(pixels):
                total += weighed_x[c] * along_x[j, c] + weighed_y[c] * along_y[j, c]
            gram[i, j] += total
            if j < i:
                gram[j, i] += total
