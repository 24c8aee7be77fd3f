"""The curve behind an average precision: precision at every recall that a threshold reaches."""

from __future__ import annotations

import numpy as np

from sfmcam.evaluation.average_precision import undefined_because
from sfmcam.types import Bool, Float, Int


def precision_recall(labels: Bool, ranks: Int) -> tuple[Float, Float]:
    """Return (k,) recall, ascending and without 0, and (k,) precision at it, at scikit-learn's thresholds.

    Both are empty for a pool of one class.

    Drawn as steps, precision `p[i]` from recall `r[i-1]` (0 before the first) to `r[i]`, the area under it is the average precision.

    Args:
        labels: (n,) of one task.
        ranks: (n,) `rank_failed_last`: higher is more evidence, equal ranks share a threshold.
    """
    if undefined_because(labels):
        return np.empty(0), np.empty(0)
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(labels, ranks)
    precision, recall = precision[-2::-1], recall[-2::-1]  # scikit-learn falls to (recall 0, precision 1), which no threshold reaches
    first = np.diff(recall, prepend=0.0) > 0  # later thresholds of the same recall only add false positives
    return recall[first], precision[first]


def thinned(recall: Float, precision: Float, most: int) -> tuple[Float, Float]:
    """Return at most `most` points of a curve, its ends among them, for drawing alone."""
    if len(recall) <= most:
        return recall, precision
    kept = np.unique(np.linspace(0, len(recall) - 1, most).round().astype(int))
    return recall[kept], precision[kept]
