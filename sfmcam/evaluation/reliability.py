"""How far probabilities can be believed: Brier score, expected calibration error, and the curve behind it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sfmcam.types import Bool, Float, Int

BINS = 10


class Bin(NamedTuple):
    """Labels whose probability lies from `low` to below `high` (1 belongs to the last bin): their number, their mean probability, and the
    share of yes among them; NaN for an empty bin."""

    low: float
    high: float
    labels: int
    probability: float
    share_yes: float


def bin_of(probabilities: Float) -> Int:
    """Return (n,) the number of the bin, of BINS of equal width, that each probability lies in."""
    return np.minimum((probabilities * BINS).astype(int), BINS - 1)


def reliability_curve(probabilities: Float, labels: Bool) -> tuple[Bin, ...]:
    """Return the BINS bins behind `calibration_error`: a curve on the diagonal is that of probabilities that hold."""
    bins = bin_of(probabilities)
    counts = np.bincount(bins, minlength=BINS)
    sums = (np.bincount(bins, weights=values, minlength=BINS) for values in (probabilities, labels.astype(float)))
    probability, yes = (np.where(counts, total / np.maximum(counts, 1), np.nan) for total in sums)
    return tuple(Bin(k / BINS, (k + 1) / BINS, int(counts[k]), float(probability[k]), float(yes[k])) for k in range(BINS))


def brier_score(probabilities: Float, labels: Bool) -> float:
    """Return the mean squared difference between probability and answer, 0 to 1, lower is better (Brier 1950); NaN without labels."""
    return float(((probabilities - labels) ** 2).mean()) if len(labels) else float("nan")


def calibration_error(probabilities: Float, labels: Bool) -> float:
    """Return the expected calibration error, 0 to 1 (Naeini, Cooper and Hauskrecht 2015); NaN without labels.

    Ten bins of equal width: the difference between the mean probability and the share of yes in each, weighted by its labels.
    """
    if not len(labels):
        return float("nan")
    bins = bin_of(probabilities)
    gap = np.bincount(bins, weights=probabilities - labels, minlength=BINS)
    return float(np.abs(gap).sum() / len(labels))
