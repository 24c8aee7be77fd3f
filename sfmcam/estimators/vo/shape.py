"""What the depths of a solution look like, compared with scenes in general: it tells a solution from its mirror image."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from sfmcam.estimators.vo.bundle import State
from sfmcam.types import Float

LEAST_COSINE = 0.1  # of the angle off the optical axis: a wide lens sees no further


def ground_correlation(state: State) -> float:
    """Return the correlation of inverse depth with the height in the picture: positive where what lies lower is nearer.

    The ground is below and the sky above in nearly every scene. It decides between a solution and its mirror image (`bundle.mirrored`)
    where the observations hardly do.
    """
    return _correlation(state.direction[:, 1], state.rho)


def depths_from_centre(state: State) -> float:
    """Return the rank correlation of inverse depth with the distance from the middle: positive where the middle is farthest.

    So it is along corridors and streets, and in rooms, which is where cameras move in and out.
    """
    plane = state.direction[:, :2] / np.maximum(state.direction[:, 2:], LEAST_COSINE)
    off = np.linalg.norm(plane - np.median(plane, axis=0), axis=1)
    return _correlation(rankdata(state.rho), rankdata(off))


def _correlation(one: Float, other: Float) -> float:
    one, other = one - one.mean(), other - other.mean()
    norm = np.linalg.norm(one) * np.linalg.norm(other)
    return float(one @ other / norm) if norm > 0 else 0.0
