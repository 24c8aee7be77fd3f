"""Small dense linear algebra, compiled: quicker than BLAS at a hundred unknowns, in one thread, and without its calling costs.

Of symmetric matrices only the lower triangle counts.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sfmcam.estimators.vo.kernels import COMPILED

TOO_SMALL = 1e-14  # of what a pivot was: below, nothing but rounding is left of it


@njit(**COMPILED)
def copy(values, out):  # type: ignore[no-untyped-def]
    """Write `values` (N,) into the beginning of `out`; compiles in a tenth of the time of a slice assigned."""
    for i in range(len(values)):
        out[i] = values[i]


@njit(**COMPILED)
def subtract_outer(half, size, low, out):  # type: ignore[no-untyped-def]
    """Subtract half^T half from the block of `out` that begins at row and column `low`; what is above the diagonal is lost.

    `half` (6, size) has a further column of zeros where `size` is odd, and `out` room for it.
    """
    a, b, c, d, e, f = half[0], half[1], half[2], half[3], half[4], half[5]
    for i in range(0, size, 2):  # two rows at a time, so that what is loaded serves twice
        a0, b0, c0, d0, e0, f0 = a[i], b[i], c[i], d[i], e[i], f[i]
        a1, b1, c1, d1, e1, f1 = a[i + 1], b[i + 1], c[i + 1], d[i + 1], e[i + 1], f[i + 1]
        row0, row1 = out[low + i, low:], out[low + i + 1, low:]
        for j in range(i + 2):
            row0[j] -= a0 * a[j] + b0 * b[j] + c0 * c[j] + d0 * d[j] + e0 * e[j] + f0 * f[j]
            row1[j] -= a1 * a[j] + b1 * b[j] + c1 * c[j] + d1 * d[j] + e1 * e[j] + f1 * f[j]


@njit(**COMPILED)
def subtract_row(factor, half, size, out):  # type: ignore[no-untyped-def]
    """Subtract `factor` (6,) times `half` (6, size) from the beginning of `out`."""
    a, b, c, d, e, f = half[0], half[1], half[2], half[3], half[4], half[5]
    for j in range(size):
        out[j] -= factor[0] * a[j] + factor[1] * b[j] + factor[2] * c[j] + factor[3] * d[j] + factor[4] * e[j] + factor[5] * f[j]


@njit(**COMPILED)
def factorise(h, size):  # type: ignore[no-untyped-def]
    """Replace the first `size` rows and columns of `h` by their Cholesky factor; tell whether they were positive definite."""
    for i in range(size):
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
