"""Which part of a split a clip is in, by its name alone: the same for every method, pool and run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from sfmcam.types import Int


def folds_of(names: Sequence[str], folds: int) -> Int:
    """Return (n,) the fold of each name, 0 to `folds` - 1; equal names fall into one."""
    return np.array([int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % folds for name in names], dtype=np.int64)
