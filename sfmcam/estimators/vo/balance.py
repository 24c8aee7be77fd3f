"""Points weighed by the picture area that they stand for, so that a textured mover does not outvote a bare background."""

from __future__ import annotations

import numpy as np

from sfmcam.estimators.vo.bundle import Observations
from sfmcam.types import Float

CELLS_ACROSS = 8  # of the grid over the long side in which neighbours are counted
EVENNESS = 0.35  # 0: every point counts alike; 1: every cell that has points counts alike
WEIGHT_RANGE = (0.25, 4.0)


def area_weights(seen: Observations) -> Float:
    """Return (P,) weights with mean 1: the mean over a point's observations of (points in its cell of that keyframe) ^ -EVENNESS."""
    cell = np.floor((seen.xy + 0.5) * CELLS_ACROSS).astype(np.int64).clip(0, CELLS_ACROSS - 1)
    place = (seen.key * CELLS_ACROSS + cell[:, 1]) * CELLS_ACROSS + cell[:, 0]
    crowd = np.bincount(place, minlength=seen.num_keys * CELLS_ACROSS**2)[place]
    weight = np.add.reduceat(crowd**-EVENNESS, seen.point_start[:-1]) / np.diff(seen.point_start)
    return np.asarray((weight / weight.mean()).clip(*WEIGHT_RANGE), np.float64)
