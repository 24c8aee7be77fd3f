"""The inner loops of filling in the frames between keyframes, compiled.

Positions and focal lengths are in long sides of the picture, relative to the principal point; a camera sees the homogeneous point
(d, rho) at f (X_1, X_2) / X_3 with X = R d + rho t, as in `kernels`. Observations are sorted by frame; those of frame n are rows
frame_start[n] to frame_start[n + 1]. `point` gives the row of each observation in the table of points, or -1.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sfmcam.estimators.vo.kernels import CAMERA, COMPILED, MIN_DEPTH

COLUMNS, ROWS = 10, 6  # cells of the picture for spreading points and for the scene depth
MAX_TURN = 0.2  # rad and log focal, of one step
SHRINK = 0.5  # of the robust scale from one step to the next, at least (graduated non-convexity: Blake and Zisserman 1987)
STILL = 1e-5  # a step smaller than this, in rad, units and log focal, ends the descent


@njit(**COMPILED)
def solve_normal(h, g, step):  # type: ignore[no-untyped-def]
    """Write the solution of h step = -g into `step`; the lower triangle of h (symmetric, positive) becomes its Cholesky factor."""
    size = len(g)
    for i in range(size):
        for j in range(i + 1):
            total = h[i, j]
            for k in range(j):
                total -= h[i, k] * h[j, k]
            h[i, j] = np.sqrt(max(total, 1e-12)) if i == j else total / h[j, j]
    for i in range(size):
        total = -g[i]
        for k in range(i):
            total -= h[i, k] * step[k]
        step[i] = total / h[i, i]
    for i in range(size - 1, -1, -1):
        total = step[i]
        for k in range(i + 1, size):
            total -= h[k, i] * step[k]
        step[i] = total / h[i, i]


@njit(**COMPILED)
def nth_smallest(values, n):  # type: ignore[no-untyped-def]
    """Return the n-th smallest (from 0) of `values`, whose order is changed (Hoare 1961); compiles in a tenth of numpy's time."""
    low, high = 0, len(values) - 1
    while low < high:
        pivot, i, j = values[(low + high) // 2], low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i, j = i + 1, j - 1
        if n <= j:
            high = j
        elif n >= i:
            low = i
        else:
            break
    return values[n]


@njit(**COMPILED)
def _turn(rotation, vector, out):  # type: ignore[no-untyped-def]
    """Write exp(vector) rotation into `out`, both (3, n) (Rodrigues' formula)."""
    x, y, z = vector[0], vector[1], vector[2]
    a2 = x * x + y * y + z * z
    a = np.sqrt(a2)
    s = np.sin(a) / a if a > 1e-6 else 1.0
    c = (1.0 - np.cos(a)) / a2 if a > 1e-4 else 0.5
    for j in range(rotation.shape[1]):
        p, q, r = rotation[0, j], rotation[1, j], rotation[2, j]
        dot = c * (x * p + y * q + z * r)
        out[0, j] = p + s * (y * r - z * q) + x * dot - c * a2 * p
        out[1, j] = q + s * (z * p - x * r) + y * dot - c * a2 * q
        out[2, j] = r + s * (x * q - y * p) + z * dot - c * a2 * r


@njit(**COMPILED)
def _copy_pose(rotation, translation, rotation_out, translation_out):  # type: ignore[no-untyped-def]
    for i in range(3):  # not by slices: those take seconds to compile
        translation_out[i] = translation[i]
        for j in range(3):
            rotation_out[i, j] = rotation[i, j]


@njit(**COMPILED)
def _cell(x, y, half_width, half_height):  # type: ignore[no-untyped-def]
    column = min(max(int((x + half_width) / (2.0 * half_width) * COLUMNS), 0), COLUMNS - 1)
    row = min(max(int((y + half_height) / (2.0 * half_height) * ROWS), 0), ROWS - 1)
    return row * COLUMNS + column


@njit(**COMPILED)
def _spread(rows, cells, limit):  # type: ignore[no-untyped-def]
    """Keep about `limit` of `rows` in place, crowded cells giving up theirs first; return how many remain."""
    counts, taken = np.zeros(COLUMNS * ROWS, np.int64), np.zeros(COLUMNS * ROWS, np.int64)
    for i in range(len(cells)):
        counts[cells[i]] += 1
    cap, total, kept = 0, 0, 0
    while total < min(limit, len(rows)):
        cap += 1
        for cell in range(len(counts)):
            total += 1 if counts[cell] >= cap else 0
    for i in range(len(rows)):
        taken[cells[i]] += 1
        if taken[cells[i]] <= cap:
            rows[kept] = rows[i]
            kept += 1
    return kept


@njit(**COMPILED)
def _select(begin, end, xy, point, static, half, limit, rows, cells):  # type: ignore[no-untyped-def]
    """Write rows begin..end that show points that are rather static than not into `rows`, well spread; return how many."""
    count = 0
    for m in range(begin, end):
        p = point[m]
        if p >= 0 and static[p] >= 0.5:
            rows[count] = m
            cells[count] = _cell(xy[m, 0], xy[m, 1], half[0], half[1])
            count += 1
    return _spread(rows[:count], cells[:count], limit)


@njit(**COMPILED)
def _errors(rows, xy, point, direction, rho, rotation, translation, focal, seen, size):  # type: ignore[no-untyped-def]
    """Write where the camera sees each row's point and how far off it is: `seen` (., 6) = a, b, fz rho, u, v, e^2; return the median e."""
    for i in range(len(rows)):
        m = rows[i]
        p = point[m]
        dx, dy, dz, q = direction[p, 0], direction[p, 1], direction[p, 2], rho[p]
        x = rotation[0, 0] * dx + rotation[0, 1] * dy + rotation[0, 2] * dz + q * translation[0]
        y = rotation[1, 0] * dx + rotation[1, 1] * dy + rotation[1, 2] * dz + q * translation[1]
        z = max(rotation[2, 0] * dx + rotation[2, 1] * dy + rotation[2, 2] * dz + q * translation[2], MIN_DEPTH)
        u, v = focal * x / z - xy[m, 0], focal * y / z - xy[m, 1]
        seen[i, 0], seen[i, 1], seen[i, 2], seen[i, 3], seen[i, 4], seen[i, 5] = x / z, y / z, focal * q / z, u, v, u * u + v * v
        size[i] = seen[i, 5]
    if len(rows) == 0:
        return 0.0
    return np.sqrt(nth_smallest(size[: len(rows)], len(rows) // 2))


@njit(**COMPILED)
def _accumulate(seen, weight, focal, scale2, information, h, g):  # type: ignore[no-untyped-def]
    """Add what the observations say to the lower triangle of `h` (7, 7) and to `g` (7)."""
    j0, j1 = np.zeros(CAMERA), np.zeros(CAMERA)
    for i in range(len(seen)):
        a, b, near, u, v = seen[i, 0], seen[i, 1], seen[i, 2], seen[i, 3], seen[i, 4]
        w = information * weight[i] * (scale2 / (scale2 + seen[i, 5])) ** 2
        j0[0], j0[1], j0[2], j0[3], j0[5], j0[6] = -focal * a * b, focal * (1.0 + a * a), -focal * b, near, -near * a, focal * a
        j1[0], j1[1], j1[2], j1[4], j1[5], j1[6] = -focal * (1.0 + b * b), focal * a * b, focal * a, near, -near * b, focal * b
        for row in range(CAMERA):
            p, q = w * j0[row], w * j1[row]
            g[row] += p * u + q * v
            for column in range(row + 1):
                h[row, column] += p * j0[column] + q * j1[column]


@njit(**COMPILED)
def _pull(rotation, translation, log_focal, start, sigma, h, g):  # type: ignore[no-untyped-def]
    """Add the prior: rotation, centre (in the camera's axes) and log focal stay near those of `start` (13: rotation, centre, log focal).

    What has a sigma of 0 does not move.
    """
    off = np.zeros(CAMERA)
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        for c in range(3):
            off[i] += 0.5 * (rotation[k, c] * start[3 * j + c] - rotation[j, c] * start[3 * k + c])
            off[3 + i] += rotation[i, c] * start[9 + c]
        off[3 + i] += translation[i]
    off[6] = log_focal - start[12]
    for i in range(CAMERA):
        if sigma[i] > 0.0:
            h[i, i] += 1.0 / sigma[i] ** 2
            g[i] += off[i] / sigma[i] ** 2
        else:
            for j in range(CAMERA):
                h[i, j] = h[j, i] = 0.0
            h[i, i], g[i] = 1.0, 0.0


@njit(**COMPILED)
def _descend(rows, xy, point, direction, rho, static, rotation, translation, log_focal, sigma, noise, iterations):  # type: ignore[no-untyped-def]
    """Refine `rotation` and `translation` in place; return the log focal. The robust scale shrinks from the first residuals' to 3 noise."""
    count = len(rows)
    seen, size, weight = np.empty((count, 6)), np.empty(count), np.empty(count)
    start, turned, moved, shifted = np.empty(13), np.empty((3, 3)), np.empty((3, 1)), np.empty((3, 1))
    for i in range(count):
        weight[i] = static[point[rows[i]]]
    for i in range(3):
        start[9 + i] = 0.0
        for j in range(3):
            start[3 * i + j] = rotation[i, j]
            start[9 + i] -= rotation[j, i] * translation[j]
    start[12], scale, step = log_focal, np.inf, np.empty(CAMERA)
    for _ in range(iterations):
        h, g, focal = np.zeros((CAMERA, CAMERA)), np.zeros(CAMERA), np.exp(log_focal)
        median = _errors(rows, xy, point, direction, rho, rotation, translation, focal, seen, size)
        scale = max(3.0 * noise, min(2.0 * median, SHRINK * scale))
        _accumulate(seen, weight, focal, scale * scale, (3.0 / scale) ** 2, h, g)
        _pull(rotation, translation, log_focal, start, sigma, h, g)
        solve_normal(h, g, step)
        largest = 0.0
        for i in range(CAMERA):
            step[i] = min(max(step[i], -MAX_TURN), MAX_TURN)
            largest = max(largest, abs(step[i]))
        for i in range(3):
            moved[i, 0] = translation[i] + step[3 + i]
        _turn(rotation, step, turned)
        _turn(moved, step, shifted)
        _copy_pose(turned, shifted[:, 0], rotation, translation)
        log_focal += step[6]
        if scale <= 3.0 * noise and largest < STILL:
            break
    return log_focal


@njit(**COMPILED)
def refine_frames(  # type: ignore[no-untyped-def]
    free, frame_start, xy, point, direction, rho, static, half, limit, min_seen, sound, sigma, noise, iterations, rotation, translation,
    log_focal, residual, count,
):  # fmt: skip
    """Refine the cameras of the `free` (N,) frames in place and measure all frames.

    Args:
        free: (N,) whether a frame's camera may move; others are only measured.
        frame_start, xy, point: observations.
        direction, rho, static: points.
        half: half the picture's width and height.
        limit: of observations used per frame.
        min_seen: with fewer observations the camera stays.
        sound: a camera whose median reprojection error comes out larger than this was misled, and stays too.
        sigma: (N, 7) of the prior about the given cameras, translation in units of length; 0 for what must not move.
        noise: of a coordinate.
        iterations: at most.
        rotation, translation, log_focal: (N, ...) cameras, overwritten.
        residual, count: (N,) written: median reprojection error over static points, and how many there are.
    """
    widest = 1
    for n in range(len(free)):
        widest = max(widest, frame_start[n + 1] - frame_start[n])
    rows, cells, seen, size = np.empty(widest, np.int64), np.empty(widest, np.int64), np.empty((widest, 6)), np.empty(widest)
    turned, moved = np.empty((3, 3)), np.empty(3)
    for n in range(len(free)):
        count[n] = _select(frame_start[n], frame_start[n + 1], xy, point, static, half, limit, rows, cells)
        used = rows[: count[n]]
        residual[n] = _errors(used, xy, point, direction, rho, rotation[n], translation[n], np.exp(log_focal[n]), seen, size)
        if not free[n] or count[n] < min_seen:
            continue
        _copy_pose(rotation[n], translation[n], turned, moved)
        zoomed = _descend(used, xy, point, direction, rho, static, turned, moved, log_focal[n], sigma[n], noise, iterations)
        after = _errors(used, xy, point, direction, rho, turned, moved, np.exp(zoomed), seen, size)
        if after < min(residual[n], sound):
            _copy_pose(turned, moved, rotation[n], translation[n])
            log_focal[n], residual[n] = zoomed, after


@njit(**COMPILED)
def scene_nearness(frame_start, xy, point, direction, rho, static, half, rotation, translation, far, out):  # type: ignore[no-untyped-def]
    """Write the inverse of each frame's scene depth into `out` (N,), 0 where no static point is seen.

    It is the median over cells of the picture of the medians in them, so that a patch rich in points does not count for more. Points
    behind the camera or at infinity count as `far`, the smallest inverse depth.
    """
    cells = COLUMNS * ROWS
    medians, first = np.empty(cells), np.empty(cells + 1, np.int64)
    for n in range(len(out)):
        begin, end = frame_start[n], frame_start[n + 1]
        near, cell, sorted_near = np.empty(end - begin), np.empty(end - begin, np.int64), np.empty(end - begin)
        first[:] = 0
        r, t, total = rotation[n], translation[n], 0
        for m in range(begin, end):
            p = point[m]
            if p >= 0 and static[p] >= 0.5:
                z = r[2, 0] * direction[p, 0] + r[2, 1] * direction[p, 1] + r[2, 2] * direction[p, 2] + rho[p] * t[2]
                near[total] = max(rho[p] / z, far) if z > 0.0 else far
                cell[total] = _cell(xy[m, 0], xy[m, 1], half[0], half[1])
                first[cell[total] + 1] += 1
                total += 1
        filled = 0
        for c in range(cells):
            first[c + 1] += first[c]
        for i in range(total):
            first[cell[i]] += 1
            sorted_near[first[cell[i]] - 1] = near[i]
        for c in range(cells):  # `first` is now where each cell ends
            start = first[c - 1] if c else 0
            if first[c] > start:
                medians[filled] = nth_smallest(sorted_near[start : first[c]], (first[c] - start) // 2)
                filled += 1
        out[n] = nth_smallest(medians[:filled], filled // 2) if filled else 0.0
