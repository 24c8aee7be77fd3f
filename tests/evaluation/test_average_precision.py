"""Average precision is scikit-learn's, with failed clips last, and says nothing about a pool of one class."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sfmcam.evaluation.average_precision import NO_NEGATIVE, NO_POSITIVE, average_precision, rank_failed_last, roc_auc, undefined_because

NAN = float("nan")
Y, N = True, False

# labels, scores, AP, AUC: by hand, from the definition
BY_HAND = {
    "perfect": ([Y, Y, N, N], [4, 3, 2, 1], 1.0, 1.0),
    "reversed": ([N, N, Y, Y], [4, 3, 2, 1], (1 / 3 + 2 / 4) / 2, 0.0),
    "second and fourth": ([N, Y, N, Y], [4, 3, 2, 1], (1 / 2 + 2 / 4) / 2, 0.25),
    "constant score: prevalence": ([Y, N, N, N], [7, 7, 7, 7], 0.25, 0.5),
    "tie at the top": ([Y, N, N], [2, 2, 1], 1 / 2, 0.75),
    "failed positive is last": ([Y, Y, N, N], [3, NAN, 2, -1e9], (1 + 2 / 4) / 2, 0.5),
    "failed clips tie": ([Y, Y, N, N], [3, NAN, 2, NAN], (1 + 2 / 4) / 2, (2 + 0.5) / 4),
    "all failed: prevalence": ([Y, N, N, N, N], [NAN] * 5, 0.2, 0.5),
}


@pytest.mark.parametrize(("labels", "scores", "ap", "auc"), BY_HAND.values(), ids=BY_HAND.keys())
def test_by_hand(labels: list[bool], scores: list[float], ap: float, auc: float) -> None:
    truth, ranks = np.array(labels), rank_failed_last(np.array(scores, dtype=float))
    assert average_precision(truth, ranks) == pytest.approx(ap, abs=1e-12)
    assert roc_auc(truth, ranks) == pytest.approx(auc, abs=1e-12)


def test_roc_auc_is_scikit_learns_ties_included() -> None:
    rng = np.random.default_rng(4)
    for levels in (2, 5, 1000):
        labels, ranks = rng.random(150) < 0.3, rng.integers(0, levels, 150)
        assert roc_auc(labels, ranks) == pytest.approx(roc_auc_score(labels, ranks), abs=1e-12)


@pytest.mark.parametrize(("labels", "reason"), [([Y, Y], NO_NEGATIVE), ([N, N], NO_POSITIVE), ([], NO_POSITIVE), ([Y, N], "")])
def test_a_pool_of_one_class_is_undefined_never_zero(labels: list[bool], reason: str) -> None:
    truth = np.array(labels, dtype=bool)
    assert undefined_because(truth) == reason
    ranks = rank_failed_last(np.arange(len(labels), dtype=float))
    assert np.isnan(average_precision(truth, ranks)) == bool(reason)
    assert np.isnan(roc_auc(truth, ranks)) == bool(reason)


def test_ranks_order_as_scores_do_and_keep_ties() -> None:
    scores = np.array([1.0, 1.0 + 2**-52, -1.7e308, 5e-324, 0.0, -0.0, NAN, 1.7e308, NAN])
    assert rank_failed_last(scores).tolist() == [4, 5, 1, 3, 2, 2, 0, 6, 0]


def test_only_the_order_of_scores_matters() -> None:
    rng = np.random.default_rng(0)
    labels, scores = rng.random(200) < 0.3, rng.normal(size=200)
    expected = average_precision(labels, rank_failed_last(scores))
    for changed in (np.exp(scores), 1e300 * scores, 1e-300 * scores, scores - 1e6):
        assert average_precision(labels, rank_failed_last(changed)) == pytest.approx(expected, abs=1e-12)
    order = rng.permutation(200)
    assert average_precision(labels[order], rank_failed_last(scores[order])) == pytest.approx(expected, abs=1e-12)
