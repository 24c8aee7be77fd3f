"""Levenberg and Marquardt's descent of the bundle adjustment, compiled: eliminate the points, solve for the cameras, step.

What a motion model leaves free are F numbers: those of camera k stand in a row from begin[k], one after the other in the order of
`kernels`, and a focal length that all cameras share comes last. `Layout` says where each is. Of symmetric
matrices the lower triangle counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from sfmcam.estimators.vo.dense_kernels import copy, factorise, solve_factorised, subtract_outer, subtract_row
from sfmcam.estimators.vo.kernels import CAMERA, COMPILED, INLINED, Normal, Pose, Rows, clip, dot, linearise, robust_cost, rotation_rows
from sfmcam.types import Float, Int

MAX_TURN = 0.3  # of one step, in rad and in log focal
MAX_MOVE = 0.5  # of one step, in scene depths
MIN_RHO, MAX_RHO = -0.02, 8.0  # inverse depth in units of the median; a little below zero, for points at infinity seen with noise
FIRST_DAMPING = 1e-3
LEAST_DAMPING = 1e-7
HOLD = 1e-9  # information that every unknown has at least, so that what nothing speaks of stays
TRIALS = 5  # of a step with more and more damping before a minimum is accepted


class Layout(NamedTuple):
    """Where the free numbers of a motion model are, and what is believed about them.

    Attributes:
        column: (K, 7) place of each camera parameter among the free numbers, -1 where it is held.
        begin: (K + 1,) first place of each camera's own numbers.
        use: which camera parameters those are; the first camera has only the last of them, if it has any.
        prior: (F, F) information of the priors about the free numbers.
        focal_prior: (K, K) the same about the log focal lengths.
        log_focal: mean of the prior of these.
        move_information: about each coordinate of a translation.
        rho_information: about each inverse depth.
        moves: whether translations are free, so that these and the depths cost something.
    """

    column: Int
    begin: Int
    use: Int
    prior: Float
    focal_prior: Float
    log_focal: float
    move_information: float
    rho_information: float
    moves: bool


class Problem(NamedTuple):
    """What a descent minimises: observations under a motion model with a noise.

    Attributes:
        rows: the observations.
        layout: the motion model.
        scale2: squared scale of the robust function.
        information: of one observation.
    """

    rows: Rows
    layout: Layout
    scale2: float
    information: float


class Work(NamedTuple):
    """Arrays that a descent writes.

    Attributes:
        normal: normal equations.
        full: (F, F) information about the free numbers, points held.
        full_gradient: (F,) of the cost by them.
        reduced: (F + 1, F + 1) the same information with the points eliminated; then its Cholesky factor.
        gradient: (F,) the gradient with the points eliminated; then the step, backwards.
        half: (6, F + 1) cross blocks of two points over their Cholesky factors, from the first column that is not zero.
        pair: (2, 6) gradients of two points, and cross blocks with the shared focal length, over the factors.
        half_gradient: (P, 3) gradients of the points over their factors.
        camera_step: (K, 7)
        point_step: (P, 3)
        trial: cameras and points after the step.
        trial_squared: (M,) their squared errors.
    """

    normal: Normal
    full: Float
    full_gradient: Float
    reduced: Float
    gradient: Float
    half: Float
    pair: Float
    half_gradient: Float
    camera_step: Float
    point_step: Float
    trial: Pose
    trial_squared: Float


def new_work(problem: Problem) -> Work:
    """Return arrays for one descent at a time."""
    cameras, points, observations = len(problem.layout.column), len(problem.rows.point_start) - 1, len(problem.rows.key)
    free = len(problem.layout.prior)
    return Work(
        normal=Normal(
            h_cam=np.empty((cameras, CAMERA, CAMERA)),
            g_cam=np.empty((cameras, CAMERA)),
            h_point=np.empty((points, 3, 3)),
            g_point=np.empty((points, 3)),
            h_cross=np.empty((observations, CAMERA, 3)),
            tangent=np.empty((points, 2, 3)),
        ),
        full=np.empty((free, free)),
        full_gradient=np.empty(free),
        reduced=np.empty((free + 1, free + 1)),
        gradient=np.empty(free),
        half=np.empty((6, free + 1)),
        pair=np.empty((2, 6)),
        half_gradient=np.empty((points, 3)),
        camera_step=np.empty((cameras, CAMERA)),
        point_step=np.empty((points, 3)),
        trial=Pose(np.empty((cameras, 3, 3)), np.empty((cameras, 3)), np.empty(cameras), np.empty((points, 3)), np.empty(points)),
        trial_squared=np.empty(observations),
    )


@njit(**COMPILED)
def descend(problem, iterations, tolerance, pose, squared, work):  # type: ignore[no-untyped-def]
    """Return the least twice negative log posterior found, and where: cameras and points, and the squared errors (M,) there.

    Begins at `pose`; it and `squared` serve as room.
    """
    cost, damping = posterior(problem, pose, squared), FIRST_DAMPING
    trial, trial_squared = work.trial, work.trial_squared
    for _ in range(iterations):
        accumulate(problem, pose, work)
        lower = cost
        for _ in range(TRIALS):
            if _find_step(problem, damping, work):
                _move(pose, work.normal.tangent, work.camera_step, work.point_step, trial)
                lower = posterior(problem, trial, trial_squared)
                if lower < cost:
                    break
            damping = max(damping, 1e-6) * 6
        if not lower < cost:
            break
        pose, trial, squared, trial_squared = trial, pose, trial_squared, squared
        gain, cost, damping = cost - lower, lower, max(damping / 5, LEAST_DAMPING)
        if gain < tolerance * cost:
            break
    return cost, pose, squared


@njit(**COMPILED)
def posterior(problem, pose, squared):  # type: ignore[no-untyped-def]
    """Return twice the negative log posterior (without constants) and write the squared errors into `squared`."""
    layout = problem.layout
    cost = problem.information * robust_cost(problem.rows, pose, problem.scale2, squared)
    for k in range(len(pose.log_focal)):
        cost += (pose.log_focal[k] - layout.log_focal) * _focal_pull(layout, pose, k)
    if layout.moves:
        for k in range(len(pose.log_focal)):
            for i in range(3):
                cost += layout.move_information * pose.translation[k, i] ** 2
        for p in range(len(pose.rho)):
            cost += layout.rho_information * (pose.rho[p] - 1.0) ** 2
    return cost


@njit(**COMPILED)
def accumulate(problem, pose, work):  # type: ignore[no-untyped-def]
    """Fill the normal equations at `pose`, points' priors included, and the cameras' information and gradient, points held."""
    layout, normal = problem.layout, work.normal
    linearise(problem.rows, pose, problem.scale2, problem.information, normal)
    for p in range(len(pose.rho)):
        normal.h_point[p, 2, 2] += layout.rho_information
        normal.g_point[p, 2] += layout.rho_information * (pose.rho[p] - 1.0)
    full, gradient = work.full, work.full_gradient
    for j in range(len(gradient)):
        copy(layout.prior[j], full[j])
        gradient[j] = 0.0
    for k in range(len(pose.log_focal)):
        for i in range(3):
            normal.g_cam[k, 3 + i] += layout.move_information * pose.translation[k, i]
        normal.g_cam[k, 6] += _focal_pull(layout, pose, k)
        _fold(layout.column[k], normal.h_cam[k], normal.g_cam[k], full, gradient)


@njit(**INLINED)
def _focal_pull(layout, pose, k):  # type: ignore[no-untyped-def]
    """Return half the derivative of the priors' cost by the log focal length of camera k."""
    pull = 0.0
    for j in range(len(pose.log_focal)):
        pull += layout.focal_prior[k, j] * (pose.log_focal[j] - layout.log_focal)
    return pull


@njit(**INLINED)
def _fold(column, h, g, full, gradient):  # type: ignore[no-untyped-def]
    """Add the block of one camera to the free numbers' information and gradient."""
    for i in range(CAMERA):
        if column[i] < 0:
            continue
        gradient[column[i]] += g[i]
        for j in range(i + 1):
            if column[j] >= 0:
                full[column[i], column[j]] += h[i, j]


@njit(**COMPILED)
def eliminate(problem, damping, work):  # type: ignore[no-untyped-def]
    """Eliminate the points, their blocks damped, from `work.full` into `work.reduced` and `work.gradient`.

    With L L^T the damped block of a point and A = H_cross L^-T, the reduced system is H - A A^T and g - A L^-1 g_point (Schur complement:
    Triggs et al. 2000, eq. 23).
    """
    point_start, key, begin = problem.rows.point_start, problem.rows.key, problem.layout.begin
    half, reduced, gradient = work.half, work.reduced, work.gradient
    y, s = work.pair[0], work.pair[1]
    num_points, shared = len(point_start) - 1, len(gradient) - 1
    for j in range(len(gradient)):
        copy(work.full[j], reduced[j])
    copy(work.full_gradient, gradient)
    for p in range(0, num_points, 2):  # two at a time, since the reduced matrix is too large for the nearest memory
        last = min(p + 1, num_points - 1)
        low = min(begin[key[point_start[p]]], begin[key[point_start[last]]])
        size = max(begin[key[point_start[p + 1] - 1] + 1], begin[key[point_start[last + 1] - 1] + 1]) - low
        for i in range(6):
            half[i, : size + 1] = 0.0
            y[i] = s[i] = 0.0
        for q in range(p, last + 1):
            _fill_half(problem, q, damping, low, 3 * (q - p), work)
        subtract_outer(half, size, low, reduced)
        subtract_row(y, half, size, gradient[low:])
        if begin[-1] == shared:
            subtract_row(s, half, size, reduced[shared, low:])
            for i in range(6):
                gradient[shared] -= s[i] * y[i]
                reduced[shared, shared] -= s[i] * s[i]


@njit(**INLINED)
def _fill_half(problem, p, damping, low, at, work):  # type: ignore[no-untyped-def]
    """Fill rows `at` to `at` + 3 of `work.half` and of `work.pair` for one point."""
    point_start, key, begin, use = problem.rows.point_start, problem.rows.key, problem.layout.begin, problem.layout.use
    h_cross, half, pair = work.normal.h_cross, work.half, work.pair
    factor = _point_factor(work.normal.h_point[p], damping)
    b0 = b1 = b2 = 0.0
    for m in range(point_start[p], point_start[p + 1]):
        cross = h_cross[m]
        b0, b1, b2 = b0 + cross[6, 0], b1 + cross[6, 1], b2 + cross[6, 2]
        first, count = begin[key[m]], begin[key[m] + 1] - begin[key[m]]
        for j in range(count):
            column = _forward(factor, cross[use[len(use) - count + j]])
            for i in range(3):
                half[at + i, first - low + j] = column[i]
    gradient, shared = _forward(factor, work.normal.g_point[p]), _forward(factor, (b0, b1, b2))
    for i in range(3):
        work.half_gradient[p, i] = pair[0, at + i] = gradient[i]
        pair[1, at + i] = shared[i]


@njit(**COMPILED)
def _point_factor(h, damping):  # type: ignore[no-untyped-def]
    """Return the Cholesky factor of the damped block of a point, row by row, with the reciprocals of its diagonal."""
    d0 = 1.0 / np.sqrt(h[0, 0] * (1.0 + damping) + HOLD)
    l10 = h[1, 0] * d0
    l20 = h[2, 0] * d0
    d1 = 1.0 / np.sqrt(max(h[1, 1] * (1.0 + damping) + HOLD - l10 * l10, HOLD))
    l21 = (h[2, 1] - l20 * l10) * d1
    d2 = 1.0 / np.sqrt(max(h[2, 2] * (1.0 + damping) + HOLD - l20 * l20 - l21 * l21, HOLD))
    return d0, l10, d1, l20, l21, d2


@njit(**COMPILED)
def _forward(factor, b):  # type: ignore[no-untyped-def]
    """Return L^-1 b."""
    d0, l10, d1, l20, l21, d2 = factor
    y0 = b[0] * d0
    y1 = (b[1] - l10 * y0) * d1
    return y0, y1, (b[2] - l20 * y0 - l21 * y1) * d2


@njit(**INLINED)
def _find_step(problem, damping, work):  # type: ignore[no-untyped-def]
    """Solve the damped equations for the steps of cameras and points; tell whether they were positive definite."""
    eliminate(problem, damping, work)
    column, full, reduced, gradient, camera_step = problem.layout.column, work.full, work.reduced, work.gradient, work.camera_step
    for j in range(len(gradient)):
        reduced[j, j] += damping * full[j, j] + HOLD
    if not factorise(reduced, len(gradient)):
        return False
    solve_factorised(reduced, gradient)
    for k in range(len(column)):
        for i in range(CAMERA):
            camera_step[k, i] = -gradient[column[k, i]] if column[k, i] >= 0 else 0.0
    for p in range(len(work.point_step)):
        _point_step(problem.rows, damping, work, p)
    return True


@njit(**INLINED)
def _point_step(rows, damping, work, p):  # type: ignore[no-untyped-def]
    """Write the step of point p that goes with the cameras' steps: -L^-T (L^-1 g + L^-1 H_cross^T step)."""
    h_cross, out, known = work.normal.h_cross, work.point_step[p], work.half_gradient[p]
    b0 = b1 = b2 = 0.0
    for m in range(rows.point_start[p], rows.point_start[p + 1]):
        cross, step = h_cross[m], work.camera_step[rows.key[m]]
        for i in range(CAMERA):
            b0, b1, b2 = b0 + cross[i, 0] * step[i], b1 + cross[i, 1] * step[i], b2 + cross[i, 2] * step[i]
    d0, l10, d1, l20, l21, d2 = factor = _point_factor(work.normal.h_point[p], damping)
    y0, y1, y2 = _forward(factor, (b0, b1, b2))
    out[2] = -(y2 + known[2]) * d2
    out[1] = (-(y1 + known[1]) - l21 * out[2]) * d1
    out[0] = (-(y0 + known[0]) - l10 * out[1] - l20 * out[2]) * d0


@njit(**INLINED)
def _move(pose, tangent, camera_step, point_step, out):  # type: ignore[no-untyped-def]
    """Write `pose` with the steps (K, 7) and (P, 3) applied, none of them too far, into `out`."""
    for k in range(len(camera_step)):
        _move_camera(pose.rotation[k], pose.translation[k], camera_step[k], out.rotation[k], out.translation[k])
        out.log_focal[k] = pose.log_focal[k] + clip(camera_step[k, 6], MAX_TURN)
    for p in range(len(point_step)):
        length = _move_direction(pose.direction[p], tangent[p], point_step[p], out.direction[p])
        out.rho[p] = min(max((pose.rho[p] + clip(point_step[p, 2], 1.0)) / length, MIN_RHO), MAX_RHO)


@njit(**INLINED)
def _move_camera(r, t, step, r_out, t_out):  # type: ignore[no-untyped-def]
    turn = rotation_rows(clip(step[0], MAX_TURN), clip(step[1], MAX_TURN), clip(step[2], MAX_TURN))
    for i in range(3):
        for j in range(3):
            r_out[i, j] = turn[i][0] * r[0, j] + turn[i][1] * r[1, j] + turn[i][2] * r[2, j]
        t_out[i] = dot(turn[i], t) + clip(step[3 + i], MAX_MOVE)


@njit(**INLINED)
def _move_direction(d, tangent, step, out):  # type: ignore[no-untyped-def]
    """Write the unit vector that a direction becomes into `out`; return the length it had before."""
    for i in range(3):
        out[i] = d[i] + step[0] * tangent[0, i] + step[1] * tangent[1, i]
    length = np.sqrt(dot(out, out))
    for i in range(3):
        out[i] /= length
    return length
