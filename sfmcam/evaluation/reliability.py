"""How far probabilities can be believed: Brier score and expected calibration error."""

from __future__ import annotations

import numpy as np

from sfmcam.types import Bool, Float

BINS = 10


def brier_score(probabilities: Float, labels: Bool) -> float:
    """Return the mean squared difference between probability and answer, 0 to 1, lower is better (Brier 1950); NaN without labels."""
    return float(((probabilities - labels) ** 2).mean()) if len(labels) else float("nan")


def calibration_error(probabilities: Float, labels: Bool) -> float:
    """Return the expected calibration error, 0 to 1 (Naeini, Cooper and Hauskrecht 2015); NaN without labels.

    Ten bins of equal width: the difference between the mean probability and the share of yes in each, weighted by its labels.
    """
    if not len(labels):
        return float("nan")
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    gap = np.bincount(bins, weights=probabilities - labels, minlength=BINS)
    return float(np.abs(gap).sum() / len(labels))
