"""p-values by hand, of no difference, and of a difference; Holm's correction as its author has it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sfmcam.evaluation.average_precision import average_precision
from sfmcam.evaluation.bootstrap import bootstrap_average_precision, resample_counts
from sfmcam.evaluation.paired import holm, paired_difference, two_sided_p


def test_p_by_hand() -> None:
    assert two_sided_p(np.array([1.0, 2.0, 3.0])) == pytest.approx(2 * 1 / 4)  # none at or below zero, one counted
    assert two_sided_p(np.array([-1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])) == pytest.approx(2 * 2 / 8)
    assert two_sided_p(-np.array([-1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])) == pytest.approx(2 * 2 / 8)  # the same seen from the other side
    assert two_sided_p(np.zeros(50)) == 1.0
    assert math.isnan(two_sided_p(np.empty(0)))
    assert two_sided_p(np.ones(999)) == pytest.approx(0.002)  # as small as 999 resamples can tell


def test_p_is_below_five_percent_where_the_interval_leaves_zero_out() -> None:
    rng = np.random.default_rng(0)
    for mean in (0.0, 1.0, 1.8, 2.2, 3.0):
        gaps = rng.normal(mean, 1.0, 4999)
        found = paired_difference(mean, 0.0, gaps, np.zeros(4999))
        assert (found.interval.low > 0) == (found.p < 0.05)


def test_undefined_resamples_are_left_out_and_counted() -> None:
    found = paired_difference(0.5, 0.2, np.array([0.4, math.nan, 0.6]), np.array([0.1, 0.1, math.nan]))
    assert found.draws == 1
    assert found.difference == pytest.approx(0.3)
    assert math.isnan(paired_difference(math.nan, 0.2, np.ones(3), np.zeros(3)).p)


def test_holm_by_hand() -> None:
    """0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, none smaller than the one before (Holm 1979)."""
    np.testing.assert_allclose(holm(np.array([0.04, 0.01, math.nan, 0.03, 0.02])), [0.06, 0.04, math.nan, 0.06, 0.06])
    np.testing.assert_allclose(holm(np.array([0.6, 0.9])), [1.0, 1.0])
    assert len(holm(np.empty(0))) == 0


def test_equal_methods_are_told_apart_about_as_often_as_the_level_says() -> None:
    """Two methods of equal worth on 150 pools: p < 0.05 in about 5 % of them (the bootstrap of AP is a little off: 1 to 11 % pass)."""
    rng = np.random.default_rng(5)
    found = []
    for pool in range(150):
        labels = rng.random(150) < 0.3
        scores = [labels + rng.normal(0, 1.0, 150) for _ in range(2)]
        ranks = [np.argsort(np.argsort(s)) for s in scores]
        counts = resample_counts(150, resamples=199, seed=pool)
        draws = [bootstrap_average_precision(labels, r, counts) for r in ranks]
        a, b = (average_precision(labels, r) for r in ranks)
        found.append(paired_difference(a, b, *draws).p < 0.05)
    assert 0.01 <= np.mean(found) <= 0.11


def test_a_clear_difference_is_seen() -> None:
    rng = np.random.default_rng(6)
    labels = rng.random(200) < 0.3
    good, poor = (np.argsort(np.argsort(labels + rng.normal(0, noise, 200))) for noise in (0.3, 2.0))
    counts = resample_counts(200, resamples=500, seed=1)
    draws = [bootstrap_average_precision(labels, ranks, counts) for ranks in (good, poor)]
    found = paired_difference(average_precision(labels, good), average_precision(labels, poor), *draws)
    assert found.p == pytest.approx(2 / 501)
    assert found.interval.low > 0.2
