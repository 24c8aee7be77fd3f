"""The inner loops of the bundle adjustment, compiled (docs/adr/0012-*.md has the measurement against numpy).

Camera k sees point p, a direction d (unit vector in the first keyframe's axes) with inverse depth rho, at

    X = R_k d + rho t_k,    x = f_k (X_1, X_2) / X_3    (Hartley and Zisserman 2004, eq. 6.8; inverse depth: Civera et al. 2008)

Picture positions and focal lengths are in units of the picture's long side, relative to the principal point. A camera has seven
parameters in the order rotation vector (acting from the left on R and t), translation, log focal; a point has three: two along its tangent
plane and rho. Observations are sorted by point; those of point p are rows point_start[p] to point_start[p + 1].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

MIN_DEPTH = 0.05  # of a point, over its distance in the first keyframe: keeps the projection finite while the solution is searched
CAMERA = 7
COMPILED: dict[str, Any] = {
    "cache": True,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "arcp", "nsz"},
}  # quick, but NaN stays NaN


@njit(**COMPILED)
def robust_cost(point_start, key, xy, weight, rotation, translation, log_focal, direction, rho, scale2, squared):  # type: ignore[no-untyped-def]
    """Return sum of w c^2 e^2 / (c^2 + e^2) (Geman and McClure 1985) and write e^2 of every observation into `squared`."""
    total = 0.0
    focal = np.exp(log_focal)
    for p in range(len(rho)):
        dx, dy, dz, inverse = direction[p, 0], direction[p, 1], direction[p, 2], rho[p]
        for m in range(point_start[p], point_start[p + 1]):
            k = key[m]
            r = rotation[k]
            t = translation[k]
            z = max(r[2, 0] * dx + r[2, 1] * dy + r[2, 2] * dz + inverse * t[2], MIN_DEPTH)
            u = focal[k] * (r[0, 0] * dx + r[0, 1] * dy + r[0, 2] * dz + inverse * t[0]) / z - xy[m, 0]
            v = focal[k] * (r[1, 0] * dx + r[1, 1] * dy + r[1, 2] * dz + inverse * t[1]) / z - xy[m, 1]
            e2 = u * u + v * v
            squared[m] = e2
            total += weight[m] * scale2 * e2 / (scale2 + e2)
    return total


@njit(**COMPILED)
def linearise(  # type: ignore[no-untyped-def]
    point_start, key, xy, weight, rotation, translation, log_focal, direction, tangent, rho, scale2, h_cam, g_cam, h_point, g_point, h_cross
):
    """Fill the normal equations at the current state, weights of the robust cost included.

    `h_cam` (K, 7, 7), `g_cam` (K, 7), `h_point` (P, 3, 3), `g_point` (P, 3) and `h_cross` (M, 7, 3) are overwritten; `tangent` (P, 2, 3)
    spans each direction's tangent plane.
    """
    h_cam[:] = 0.0
    g_cam[:] = 0.0
    h_point[:] = 0.0
    g_point[:] = 0.0
    focal = np.exp(log_focal)
    jc = np.zeros((2, CAMERA))
    jp = np.zeros((2, 3))
    for p in range(len(rho)):
        dx, dy, dz, inverse = direction[p, 0], direction[p, 1], direction[p, 2], rho[p]
        for m in range(point_start[p], point_start[p + 1]):
            k = key[m]
            r = rotation[k]
            t = translation[k]
            f = focal[k]
            z = max(r[2, 0] * dx + r[2, 1] * dy + r[2, 2] * dz + inverse * t[2], MIN_DEPTH)
            a = (r[0, 0] * dx + r[0, 1] * dy + r[0, 2] * dz + inverse * t[0]) / z
            b = (r[1, 0] * dx + r[1, 1] * dy + r[1, 2] * dz + inverse * t[1]) / z
            u = f * a - xy[m, 0]
            v = f * b - xy[m, 1]
            e2 = u * u + v * v
            w = weight[m] * (scale2 / (scale2 + e2)) ** 2
            fz = f / z
            jc[0, 0], jc[0, 1], jc[0, 2] = -f * a * b, f * (1.0 + a * a), -f * b
            jc[1, 0], jc[1, 1], jc[1, 2] = -f * (1.0 + b * b), f * a * b, f * a
            jc[0, 3], jc[0, 5] = fz * inverse, -fz * inverse * a
            jc[1, 4], jc[1, 5] = fz * inverse, -fz * inverse * b
            jc[0, 6], jc[1, 6] = f * a, f * b
            for i in range(2):
                q0, q1, q2 = tangent[p, i, 0], tangent[p, i, 1], tangent[p, i, 2]
                tz = r[2, 0] * q0 + r[2, 1] * q1 + r[2, 2] * q2
                jp[0, i] = fz * (r[0, 0] * q0 + r[0, 1] * q1 + r[0, 2] * q2 - a * tz)
                jp[1, i] = fz * (r[1, 0] * q0 + r[1, 1] * q1 + r[1, 2] * q2 - b * tz)
            jp[0, 2] = fz * (t[0] - a * t[2])
            jp[1, 2] = fz * (t[1] - b * t[2])
            for i in range(CAMERA):
                j0, j1 = w * jc[0, i], w * jc[1, i]
                g_cam[k, i] += j0 * u + j1 * v
                for j in range(i, CAMERA):
                    h_cam[k, i, j] += j0 * jc[0, j] + j1 * jc[1, j]
                for j in range(3):
                    h_cross[m, i, j] = j0 * jp[0, j] + j1 * jp[1, j]
            for i in range(3):
                j0, j1 = w * jp[0, i], w * jp[1, i]
                g_point[p, i] += j0 * u + j1 * v
                for j in range(i, 3):
                    h_point[p, i, j] += j0 * jp[0, j] + j1 * jp[1, j]
    for k in range(h_cam.shape[0]):
        for i in range(1, CAMERA):
            for j in range(i):
                h_cam[k, i, j] = h_cam[k, j, i]


@njit(**COMPILED)
def eliminate(point_start, key, h_point, g_point, h_cross, damping, half, half_g):  # type: ignore[no-untyped-def]
    """Eliminate the points: with L L^T the damped block of a point, fill `half` (7 K, 3 P) with H_cross L^-T and `half_g` (3 P) with L^-1 g.

    The reduced camera system is H_cam - half half^T and g_cam - half half_g (Schur complement: Triggs et al. 2000, eq. 23). Returns the
    sum of log diag(L), half the log determinant of the points' blocks.
    """
    half[:] = 0.0
    log_det = 0.0
    for p in range(h_point.shape[0]):
        h = h_point[p]
        l00 = np.sqrt(h[0, 0] * (1.0 + damping) + 1e-9)
        l10 = h[0, 1] / l00
        l20 = h[0, 2] / l00
        l11 = np.sqrt(max(h[1, 1] * (1.0 + damping) + 1e-9 - l10 * l10, 1e-9))
        l21 = (h[1, 2] - l20 * l10) / l11
        l22 = np.sqrt(max(h[2, 2] * (1.0 + damping) + 1e-9 - l20 * l20 - l21 * l21, 1e-9))
        log_det += np.log(l00 * l11 * l22)
        g = g_point[p]
        y0 = g[0] / l00
        y1 = (g[1] - l10 * y0) / l11
        half_g[3 * p] = y0
        half_g[3 * p + 1] = y1
        half_g[3 * p + 2] = (g[2] - l20 * y0 - l21 * y1) / l22
        for m in range(point_start[p], point_start[p + 1]):
            row = CAMERA * key[m]
            for i in range(CAMERA):
                c0 = h_cross[m, i, 0] / l00
                c1 = (h_cross[m, i, 1] - l10 * c0) / l11
                half[row + i, 3 * p] = c0
                half[row + i, 3 * p + 1] = c1
                half[row + i, 3 * p + 2] = (h_cross[m, i, 2] - l20 * c0 - l21 * c1) / l22
    return log_det


@njit(**COMPILED)
def point_steps(point_start, key, h_point, h_cross, damping, half_g, camera_step, out):  # type: ignore[no-untyped-def]
    """Fill `out` (P, 3) with the points' steps that go with `camera_step` (K, 7): -L^-T (L^-1 g + L^-1 H_cross^T step)."""
    for p in range(h_point.shape[0]):
        h = h_point[p]
        l00 = np.sqrt(h[0, 0] * (1.0 + damping) + 1e-9)
        l10 = h[0, 1] / l00
        l20 = h[0, 2] / l00
        l11 = np.sqrt(max(h[1, 1] * (1.0 + damping) + 1e-9 - l10 * l10, 1e-9))
        l21 = (h[1, 2] - l20 * l10) / l11
        l22 = np.sqrt(max(h[2, 2] * (1.0 + damping) + 1e-9 - l20 * l20 - l21 * l21, 1e-9))
        b0 = b1 = b2 = 0.0
        for m in range(point_start[p], point_start[p + 1]):
            for i in range(CAMERA):
                s = camera_step[key[m], i]
                b0 += h_cross[m, i, 0] * s
                b1 += h_cross[m, i, 1] * s
                b2 += h_cross[m, i, 2] * s
        y0 = b0 / l00
        y1 = (b1 - l10 * y0) / l11
        y2 = (b2 - l20 * y0 - l21 * y1) / l22
        y0, y1, y2 = -y0 - half_g[3 * p], -y1 - half_g[3 * p + 1], -y2 - half_g[3 * p + 2]
        x2 = y2 / l22
        x1 = (y1 - l21 * x2) / l11
        out[p, 0] = (y0 - l10 * x1 - l20 * x2) / l00
        out[p, 1] = x1
        out[p, 2] = x2
