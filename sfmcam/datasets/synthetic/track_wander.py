"""Random curves that change smoothly over time."""

from __future__ import annotations

import numpy as np

from sfmcam.types import Float

NUM_WAVES = 10


def wander(times_s: Float, similar_s: float, count: int, rng: np.random.Generator) -> Float:
    """Return `count` independent curves (N, count) of mean square 1 that stay similar for about `similar_s`.

    A Gaussian process with a Gaussian covariance, by random Fourier features (Rahimi and Recht 2007).
    """
    frequency = rng.normal(0, 1 / similar_s, (NUM_WAVES, count))
    offset = rng.uniform(0, 2 * np.pi, (NUM_WAVES, count))
    return np.sqrt(2 / NUM_WAVES) * np.cos(times_s[:, None, None] * frequency + offset).sum(axis=1)
