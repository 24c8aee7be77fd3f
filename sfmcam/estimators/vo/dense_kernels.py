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
    """Write `values` into `out`, both contiguous and of one shape; compiles in a tenth of the time of a slice assigned."""
    source, target = values.ravel(), out.ravel()
    for i in range(len(source)):
        target[i] = source[i]


@njit(**COMPILED)
def subtract_outer(half, low, high, out):  # type: ignore[no-untyped-def]
    """Subtract half^T half, `half` (3, F), from `out` (F, F) in rows and columns `low` to `high`; what is above the diagonal is lost."""
    a, b, c = half[0, low:high], half[1, low:high], half[2, low:high]
    for i in range(0, len(a) - 1, 2):  # two rows at a time, so that what is loaded serves twice
        x0, y0, z0, x1, y1, z1 = a[i], b[i], c[i], a[i + 1], b[i + 1], c[i + 1]
        row0, row1 = out[low + i, low:high], out[low + i + 1, low:high]
        for j in range(i + 2):
            row0[j] -= x0 * a[j] + y0 * b[j] + z0 * c[j]
            row1[j] -= x1 * a[j] + y1 * b[j] + z1 * c[j]
    if len(a) % 2 == 1:
        subtract_row((a[-1], b[-1], c[-1]), half, low, high, out[high - 1])


@njit(**COMPILED)
def subtract_row(factors, half, low, high, row):  # type: ignore[no-untyped-def]
    """Subtract `factors` (3,) times `half` (3, F) from `row` (F,), in columns `low` to `high`."""
    x, y, z = factors
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
