"""Small dense linear algebra, compiled: quicker than BLAS at a hundred unknowns, in one thread, and without its calling costs.

Of symmetric matrices only the lower triangle counts.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sfmcam.estimators.vo.kernels import COMPILED

TOO_SMALL = 1e-14  # of what a pivot was: below, nothing but rounding is left of it


@njit(**COMPILED)
def subtract_outer(half, low, high, out):  # type: ignore[no-untyped-def]
    """Subtract half^T half, `half` (3, F), from `out` (F, F) in rows and columns `low` to `high`; what is above the diagonal is lost."""
    a, b, c = half[0, low:high], half[1, low:high], half[2, low:high]
    size = len(a)
    i = 0
    while i + 4 <= size:  # four rows at a time, so that what is loaded serves four times
        x0, x1, x2, x3 = a[i], a[i + 1], a[i + 2], a[i + 3]
        y0, y1, y2, y3 = b[i], b[i + 1], b[i + 2], b[i + 3]
        z0, z1, z2, z3 = c[i], c[i + 1], c[i + 2], c[i + 3]
        row0, row1 = out[low + i, low:high], out[low + i + 1, low:high]
        row2, row3 = out[low + i + 2, low:high], out[low + i + 3, low:high]
        for j in range(i + 4):
            u, v, w = a[j], b[j], c[j]
            row0[j] -= x0 * u + y0 * v + z0 * w
            row1[j] -= x1 * u + y1 * v + z1 * w
            row2[j] -= x2 * u + y2 * v + z2 * w
            row3[j] -= x3 * u + y3 * v + z3 * w
        i += 4
    while i < size:
        subtract_row(a[i], b[i], c[i], half, low, low + i + 1, out[low + i])
        i += 1


@njit(**COMPILED)
def subtract_row(x, y, z, half, low, high, row):  # type: ignore[no-untyped-def]
    """Subtract (x, y, z) half, `half` (3, F), from `row` (F,), in columns `low` to `high`."""
    a, b, c, out = half[0, low:high], half[1, low:high], half[2, low:high], row[low:high]
    for j in range(len(a)):
        out[j] -= x * a[j] + y * b[j] + z * c[j]


@njit(**COMPILED)
def factorise(h):  # type: ignore[no-untyped-def]
    """Replace `h` (F, F) by its Cholesky factor; tell whether it was positive definite."""
    for i in range(len(h)):
        row = h[i]
        for j in range(i):
            row[j] = (row[j] - _dot(row, h[j], j)) / h[j, j]
        left = row[i] - _dot(row, row, i)
        if not left > TOO_SMALL * row[i]:  # NaN as well
            return False
        row[i] = np.sqrt(left)
    return True


@njit(**COMPILED)
def _dot(a, b, size):  # type: ignore[no-untyped-def]
    total = 0.0
    for k in range(size):
        total += a[k] * b[k]
    return total


@njit(**COMPILED)
def solve_factorised(factor, b):  # type: ignore[no-untyped-def]
    """Replace `b` (F,) by (L L^T)^-1 b."""
    for i in range(len(b)):
        b[i] = (b[i] - _dot(factor[i], b, i)) / factor[i, i]
    for i in range(len(b) - 1, -1, -1):
        b[i] /= factor[i, i]
        row = factor[i]
        for k in range(i):
            b[k] -= b[i] * row[k]
