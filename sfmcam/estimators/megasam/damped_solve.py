"""Cholesky solution of a damped system that raises the damping tenfold where the factorisation fails, without waiting for the device."""

from __future__ import annotations

import torch
from torch import Tensor

_LEVELS = 6  # powers of ten
_LARGE = 1500  # unknowns; beyond, trying all levels at once on a GPU costs more than asking after each


def solve(matrix: Tensor, right: Tensor, damping: Tensor) -> tuple[Tensor, Tensor]:
    """Solve (matrix + k diag(damping)) x = right in float64 with the smallest k of 1, 10, 100, ... that is positive definite.

    Args:
        matrix: (N, N) symmetric, undamped.
        right: (N,).
        damping: (N,).

    Returns:
        x (N,), zero where no level helped (values that are not finite, say), and whether it was solved, a bool tensor ().
    """
    lower, solved = factor(matrix, damping)
    solved = solved & right.detach().isfinite().all()
    right = torch.where(solved, right, torch.zeros_like(right))
    return torch.cholesky_solve(right[:, None], lower)[:, 0], solved


def factor(matrix: Tensor, damping: Tensor) -> tuple[Tensor, Tensor]:
    """Return the lower Cholesky factor of matrix + k diag(damping), the identity where no level helped, and whether one did."""
    with torch.no_grad():
        level, solved = _level(matrix.detach(), damping.detach())
    damped = matrix + torch.diag(level * damping)
    damped = torch.where(solved, damped, torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device))
    return torch.linalg.cholesky_ex(damped).L, solved


def _level(matrix: Tensor, damping: Tensor) -> tuple[Tensor, Tensor]:
    asking_is_cheap = matrix.device.type == "cpu" or len(matrix) > _LARGE
    return one_by_one(matrix, damping) if asking_is_cheap else at_once(matrix, damping)


def one_by_one(matrix: Tensor, damping: Tensor) -> tuple[Tensor, Tensor]:
    """Return the level of the damping that serves, a tensor (), and whether there is one, trying each in turn."""
    for level in _levels(matrix):
        good = _is_positive(matrix + torch.diag(level * damping))
        if bool(good):
            break
    return level, good


def at_once(matrix: Tensor, damping: Tensor) -> tuple[Tensor, Tensor]:
    """Do the same without waiting for the answer of the device."""
    levels = _levels(matrix)
    good = _is_positive(matrix + torch.diag_embed(levels[:, None] * damping))
    least = torch.where(good, levels, levels[-1]).min()  # not by an index, for which the host would wait
    return least, good.any()


def _levels(matrix: Tensor) -> Tensor:
    return 10 ** torch.arange(_LEVELS, dtype=matrix.dtype, device=matrix.device)


def _is_positive(matrix: Tensor) -> Tensor:
    factor, info = torch.linalg.cholesky_ex(matrix)
    return (info == 0) & factor.isfinite().flatten(-2).all(-1)
