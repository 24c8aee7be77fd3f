"""Average precision (scikit-learn's) and ROC-AUC of one task, under both ways of treating a failed clip.

AP = sum over thresholds of (R_n - R_{n-1}) P_n, without interpolation; clips of equal score share one threshold. A score that is the same
for every clip therefore has the AP of the prevalence, the share of positives.
"""

from __future__ import annotations

import numpy as np

from sfmcam.types import Bool, Float, Int

NO_POSITIVE = "no positive clip"
NO_NEGATIVE = "no negative clip"


def undefined_because(labels: Bool) -> str:
    """Return why average precision says nothing about this pool, or an empty text where it does."""
    if not labels.any():
        return NO_POSITIVE
    return NO_NEGATIVE if labels.all() else ""


def rank_failed_last(scores: Float) -> Int:
    """Return (n,) dense ranks of `scores`, higher is better: equal scores share a rank, and every NaN (a failed clip) shares the lowest.

    Ranks order clips exactly as the scores do, and are immune to the rounding of very large, very small or very close scores.
    """
    failed = np.isnan(scores)
    ranks = np.zeros(len(scores), dtype=np.int64)
    ranks[~failed] = np.unique(scores[~failed], return_inverse=True)[1].reshape(-1) + 1
    return ranks


def average_precision(labels: Bool, ranks: Int | Float) -> float:
    """Return scikit-learn's average precision; NaN where `undefined_because` has a reason, never 0."""
    if undefined_because(labels):
        return float("nan")
    from sklearn.metrics import average_precision_score  # costs a second at import

    return float(average_precision_score(labels, ranks))


def roc_auc(labels: Bool, ranks: Int | Float) -> float:
    """Return the chance that a positive clip scores above a negative one, ties counting half; NaN for a pool of one class."""
    if undefined_because(labels):
        return float("nan")
    _, place, clips = np.unique(ranks, return_inverse=True, return_counts=True)
    middle = np.cumsum(clips) - (clips - 1) / 2  # rank of a tie, 1 for the lowest: the mean of those that it spans
    positives = int(labels.sum())
    above = middle[place.reshape(-1)][labels].sum() - positives * (positives + 1) / 2  # Mann and Whitney 1947
    return float(above / (positives * (len(labels) - positives)))
