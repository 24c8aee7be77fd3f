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

from sfmcam.compiled import can_keep_machine_code
from sfmcam.types import Float, Int

MIN_DEPTH = 0.05  # of a point, over its distance in the first keyframe: keeps the projection finite while the solution is searched
CAMERA = 7


def _here() -> None:
    """Do nothing, in this file, beside which machine code is to be kept."""


COMPILED: dict[str, Any] = {
    "cache": can_keep_machine_code(_here),
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "arcp", "nsz"},
}  # quick, but NaN stays NaN; several threads at a time


INLINED = {**COMPILED, "inline": "always"}  # for what is called from one place: compiles and runs quicker


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
        h_point: (P, 3, 3) blocks of the points; the lower triangle counts.
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
def dot(a, b):  # type: ignore[no-untyped-def]
    """Return the scalar product of two vectors of three."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(**COMPILED)
def clip(value, most):  # type: ignore[no-untyped-def]
    """Return the number between -most and most that is nearest to `value`."""
    return min(max(value, -most), most)


@njit(**COMPILED)
def rotation_rows(x, y, z):  # type: ignore[no-untyped-def]
    """Return the rows of exp of a rotation vector (Rodrigues' formula)."""
    angle2 = x * x + y * y + z * z
    if angle2 < 1e-8:  # series: what is left out is below 1e-18
        s, c = 1.0 - angle2 / 6.0, 0.5 - angle2 / 24.0
    else:
        angle = np.sqrt(angle2)
        s, c = np.sin(angle) / angle, (1.0 - np.cos(angle)) / angle2
    return (
        (1.0 - c * (y * y + z * z), c * x * y - s * z, c * x * z + s * y),
        (c * x * y + s * z, 1.0 - c * (x * x + z * z), c * y * z - s * x),
        (c * x * z - s * y, c * y * z + s * x, 1.0 - c * (x * x + y * y)),
    )


@njit(**COMPILED)
def project(r, t, d, rho):  # type: ignore[no-untyped-def]
    """Return X_1 / X_3, X_2 / X_3 and X_3, which is never less than MIN_DEPTH."""
    z = max(dot(r[2], d) + rho * t[2], MIN_DEPTH)
    return (dot(r[0], d) + rho * t[0]) / z, (dot(r[1], d) + rho * t[1]) / z, z


@njit(**INLINED)
def focal_lengths(pose):  # type: ignore[no-untyped-def]
    """Return (K,) the cameras' focal lengths; a loop compiles in a tenth of numpy's time."""
    focal = np.empty(len(pose.log_focal))
    for k in range(len(focal)):
        focal[k] = np.exp(pose.log_focal[k])
    return focal


@njit(**COMPILED)
def robust_cost(rows, pose, scale2, squared):  # type: ignore[no-untyped-def]
    """Return sum of w c^2 e^2 / (c^2 + e^2) (Geman and McClure 1985) and write e^2 of every observation into `squared`."""
    total, focal = 0.0, focal_lengths(pose)
    for p in range(len(pose.rho)):
        d = (pose.direction[p, 0], pose.direction[p, 1], pose.direction[p, 2])
        for m in range(rows.point_start[p], rows.point_start[p + 1]):
            k = rows.key[m]
            a, b, _ = project(pose.rotation[k], pose.translation[k], d, pose.rho[p])
            u, v = focal[k] * a - rows.xy[m, 0], focal[k] * b - rows.xy[m, 1]
            e2 = u * u + v * v
            squared[m] = e2
            total += rows.weight[m] * scale2 * e2 / (scale2 + e2)
    return total


@njit(**INLINED)
def tangent_plane(d):  # type: ignore[no-untyped-def]
    """Return two unit vectors at right angles to the unit vector `d` and to each other."""
    if abs(d[2]) < 0.9:  # z x d, else x x d
        x, y, z = -d[1], d[0], 0.0
    else:
        x, y, z = 0.0, -d[2], d[1]
    norm = np.sqrt(x * x + y * y + z * z)
    x, y, z = x / norm, y / norm, z / norm
    return (x, y, z), (d[1] * z - d[2] * y, d[2] * x - d[0] * z, d[0] * y - d[1] * x)


@njit(**INLINED)
def jacobians(r, t, focal, d, rho, tangent):  # type: ignore[no-untyped-def]
    """Return a picture position, and the rows of its derivatives by its camera, (2, 7), and by its point, (2, 3)."""
    a, b, z = project(r, t, d, rho)
    x, y, fz = focal * a, focal * b, focal / z
    q0, q1 = tangent
    z0, z1 = dot(r[2], q0), dot(r[2], q1)
    by_camera = (
        (-x * b, focal + x * a, -y, fz * rho, 0.0, -fz * rho * a, x),
        (-focal - y * b, x * b, x, 0.0, fz * rho, -fz * rho * b, y),
    )
    by_point = (
        (fz * (dot(r[0], q0) - a * z0), fz * (dot(r[0], q1) - a * z1), fz * (t[0] - a * t[2])),
        (fz * (dot(r[1], q0) - b * z0), fz * (dot(r[1], q1) - b * z1), fz * (t[1] - b * t[2])),
    )
    return x, y, by_camera, by_point


@njit(**COMPILED)
def linearise(rows, pose, scale2, information, normal):  # type: ignore[no-untyped-def]
    """Fill `normal` at the current state, with the weights of the robust cost times `information`."""
    normal.h_cam[:] = 0.0
    normal.g_cam[:] = 0.0
    normal.h_point[:] = 0.0
    normal.g_point[:] = 0.0
    focal = focal_lengths(pose)
    for p in range(len(pose.rho)):
        d = (pose.direction[p, 0], pose.direction[p, 1], pose.direction[p, 2])
        tangent = tangent_plane(d)
        for i in range(3):
            normal.tangent[p, 0, i], normal.tangent[p, 1, i] = tangent[0][i], tangent[1][i]
        for m in range(rows.point_start[p], rows.point_start[p + 1]):
            k = rows.key[m]
            x, y, by_camera, by_point = jacobians(pose.rotation[k], pose.translation[k], focal[k], d, pose.rho[p], tangent)
            u, v = x - rows.xy[m, 0], y - rows.xy[m, 1]
            w = information * rows.weight[m] * (scale2 / (scale2 + u * u + v * v)) ** 2
            _add(normal, by_camera, by_point, (w, u, v), (p, k, m))


@njit(**INLINED)
def _add(normal, by_camera, by_point, residual, place):  # type: ignore[no-untyped-def]
    """Add one observation of point p by camera k, row m, with residuals u and v and weight w, to the normal equations."""
    c0, c1 = by_camera
    p0, p1 = by_point
    w, u, v = residual
    p, k, m = place
    for i in range(CAMERA):
        j0, j1 = w * c0[i], w * c1[i]
        normal.g_cam[k, i] += j0 * u + j1 * v
        for j in range(i + 1):
            normal.h_cam[k, i, j] += j0 * c0[j] + j1 * c1[j]
        for j in range(3):
            normal.h_cross[m, i, j] = j0 * p0[j] + j1 * p1[j]
    for i in range(3):
        j0, j1 = w * p0[i], w * p1[i]
        normal.g_point[p, i] += j0 * u + j1 * v
        for j in range(i + 1):
            normal.h_point[p, i, j] += j0 * p0[j] + j1 * p1[j]
