"""Which pairs of keyframes get an edge."""

from __future__ import annotations

import torch
from torch import Tensor

from sfmcam.estimators.megasam.state import State


def band(rows: tuple[int, int], columns: tuple[int, int], radius: int) -> tuple[Tensor, Tensor]:
    """Return the edges (E,), both ways, between keyframes of `rows` and of `columns` (first, past) at most `radius` apart."""
    pairs = sorted({(i, j) for i in range(*rows) for j in range(*columns) if 0 < abs(i - j) <= radius} | {(j, i) for i in range(*rows) for j in range(*columns) if 0 < abs(i - j) <= radius})
    ii, jj = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T
    return ii, jj


def not_yet(state: State, ii: Tensor, jj: Tensor) -> tuple[Tensor, Tensor]:
    """Return the edges that the state does not have yet, active or retired."""
    count = len(state.keyframes) + 1
    have = torch.cat([e.ii * count + e.jj for e in (state.active, state.retired)])
    new = ~torch.isin(ii * count + jj, have)
    return ii[new], jj[new]
