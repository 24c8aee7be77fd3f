"""The camera model of the bundle adjustment and its derivatives, compiled (docs/adr/0012-*.md has the measurement against numpy).

Camera k sees point p, a direction d (unit vector in the first keyframe's axes) with inverse depth rho, at

    X = R_k d + rho t_k,    x = f_k (X_1, X_2) / X_3    (Hartley and Zisserman 2004, eq. 6.8; inverse depth: Civera et al. 2008)

Picture positions and focal lengths are in units of the picture's long side, relative to the principal point. A camera has seven
parameters in the order rotation vector (acting from the left on R and t), translation, log focal; a point has three: two along its tangent
plane and rho. Observations are sorted by point; those of point p are rows point_start[p] to point_start[p + 1].
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from sfmcam.types import Float, Int

MIN_DEPTH = 0.05  # of a point, over its distance in the first keyframe: keeps the projection finite while the solution is searched
CAMERA = 7


def _can_cache() -> bool:
    """Tell whether numba finds a folder to keep machine code in; a read-only installation without a home has none."""
    try:
        njit(cache=True)(_can_cache)
    except RuntimeError:
        return False
    return True


COMPILED: dict[str, Any] = {
    "cache": _can_cache(),
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "arcp", "nsz"},
}  # quick, but NaN stays NaN


class Rows(NamedTuple):
    """Observations as `bundle.Observations` has them: (P + 1,), (M,), (M, 2) and (M,)."""

    point_start: Int
    key: Int
    xy: Float
    weight: Float


class Pose(NamedTuple):
    """Cameras and points as `bundle.State` has them: (K, 3, 3), (K, 3), (K,), (P, 3) and (P,)."""

    rotation: Float
    translation: Float
    log_focal: Float
    direction: Float
    rho: Float


class Normal(NamedTuple):
    """Normal equations of the observations, before priors.

    Attributes:
        h_cam: (K, 7, 7) blocks of the cameras; the lower triangle counts.
        g_cam: (K, 7) gradients.
        h_point: (P, 3, 3) blocks of the points; the upper triangle counts.
        g_point: (P, 3) gradients.
        h_cross: (M, 7, 3) camera against point.
        tangent: (P, 2, 3) unit vectors at right angles to each direction, along which it moves.
    """

    h_cam: Float
    g_cam: Float
    h_point: Float
    g_point: Float
    h_cross: Float
    tangent: Float


@njit(**COMPILED)
def robust_cost(rows, pose, scale2, squared):  # type: ignore[no-untyped-def]
    """Return sum of w c^2 e^2 / (c^2 + e^2) (Geman and McClure 1985) and write e^2 of every observation into `squared`."""
    total = 0.0
    focal = np.exp(pose.log_focal)
    for p in range(len(pose.rho)):
        dx, dy, dz, inverse = pose.direction[p, 0], pose.direction[p, 1], pose.direction[p, 2], pose.rho[p]
        for m in range(rows.point_start[p], rows.point_start[p + 1]):
            k = rows.key[m]
            r = pose.rotation[k]
            t = pose.translation[k]
            z = max(r[2, 0] * dx + r[2, 1] * dy + r[2, 2] * dz + inverse * t[2], MIN_DEPTH)
            u = focal[k] * (r[0, 0] * dx + r[0, 1] * dy + r[0, 2] * dz + inverse * t[0]) / z - rows.xy[m, 0]
            v = focal[k] * (r[1, 0] * dx + r[1, 1] * dy + r[1, 2] * dz + inverse * t[1]) / z - rows.xy[m, 1]
            e2 = u * u + v * v
            squared[m] = e2
            total += rows.weight[m] * scale2 * e2 / (scale2 + e2)
    return total


@njit(**COMPILED)
def tangent_plane(d, out):  # type: ignore[no-untyped-def]
    """Write two unit vectors at right angles to the unit vector `d` and to each other into `out` (2, 3)."""
    if abs(d[2]) < 0.9:  # z x d, else x x d
        x, y, z = -d[1], d[0], 0.0
    else:
        x, y, z = 0.0, -d[2], d[1]
    norm = np.sqrt(x * x + y * y + z * z)
    x, y, z = x / norm, y / norm, z / norm
    out[0, 0], out[0, 1], out[0, 2] = x, y, z
    out[1, 0], out[1, 1], out[1, 2] = d[1] * z - d[2] * y, d[2] * x - d[0] * z, d[0] * y - d[1] * x


@njit(**COMPILED)
def jacobians(r, t, focal, d, rho, tangent, jc, jp):  # type: ignore[no-untyped-def]
    """Write the derivatives of a picture position by its camera, `jc` (2, 7), and its point, `jp` (2, 3); return the position."""
    z = max(r[2, 0] * d[0] + r[2, 1] * d[1] + r[2, 2] * d[2] + rho * t[2], MIN_DEPTH)
    a = (r[0, 0] * d[0] + r[0, 1] * d[1] + r[0, 2] * d[2] + rho * t[0]) / z
    b = (r[1, 0] * d[0] + r[1, 1] * d[1] + r[1, 2] * d[2] + rho * t[1]) / z
    fa, fb, fz = focal * a, focal * b, focal / z
    jc[0, 0], jc[0, 1], jc[0, 2] = -fa * b, focal + fa * a, -fb
    jc[1, 0], jc[1, 1], jc[1, 2] = -focal - fb * b, fa * b, fa
    jc[0, 3], jc[0, 4], jc[0, 5] = fz * rho, 0.0, -fz * rho * a
    jc[1, 3], jc[1, 4], jc[1, 5] = 0.0, fz * rho, -fz * rho * b
    jc[0, 6], jc[1, 6] = fa, fb
    for i in range(2):
        q = tangent[i]
        tz = r[2, 0] * q[0] + r[2, 1] * q[1] + r[2, 2] * q[2]
        jp[0, i] = fz * (r[0, 0] * q[0] + r[0, 1] * q[1] + r[0, 2] * q[2] - a * tz)
        jp[1, i] = fz * (r[1, 0] * q[0] + r[1, 1] * q[1] + r[1, 2] * q[2] - b * tz)
    jp[0, 2] = fz * (t[0] - a * t[2])
    jp[1, 2] = fz * (t[1] - b * t[2])
    return fa, fb


@njit(**COMPILED)
def linearise(rows, pose, scale2, information, normal):  # type: ignore[no-untyped-def]
    """Fill `normal` at the current state, with the weights of the robust cost times `information`."""
    normal.h_cam[:] = 0.0
    normal.g_cam[:] = 0.0
    normal.h_point[:] = 0.0
    normal.g_point[:] = 0.0
    focal = np.exp(pose.log_focal)
    jc, jp = np.zeros((2, CAMERA)), np.zeros((2, 3))
    for p in range(len(pose.rho)):
        tangent = normal.tangent[p]
        tangent_plane(pose.direction[p], tangent)
        for m in range(rows.point_start[p], rows.point_start[p + 1]):
            k = rows.key[m]
            x, y = jacobians(pose.rotation[k], pose.translation[k], focal[k], pose.direction[p], pose.rho[p], tangent, jc, jp)
            u, v = x - rows.xy[m, 0], y - rows.xy[m, 1]
            w = information * rows.weight[m] * (scale2 / (scale2 + u * u + v * v)) ** 2
            _add_camera(jc, jp, w, u, v, normal.h_cam[k], normal.g_cam[k], normal.h_cross[m])
            _add_point(jp, w, u, v, normal.h_point[p], normal.g_point[p])


@njit(**COMPILED)
def _add_camera(jc, jp, w, u, v, h, g, cross):  # type: ignore[no-untyped-def]
    for i in range(CAMERA):
        j0, j1 = w * jc[0, i], w * jc[1, i]
        g[i] += j0 * u + j1 * v
        for j in range(i + 1):
            h[i, j] += j0 * jc[0, j] + j1 * jc[1, j]
        for j in range(3):
            cross[i, j] = j0 * jp[0, j] + j1 * jp[1, j]


@njit(**COMPILED)
def _add_point(jp, w, u, v, h, g):  # type: ignore[no-untyped-def]
    for i in range(3):
        j0, j1 = w * jp[0, i], w * jp[1, i]
        g[i] += j0 * u + j1 * v
        for j in range(i, 3):
            h[i, j] += j0 * jp[0, j] + j1 * jp[1, j]
