"""Decisions agree with scikit-learn; a failed clip is a mistake; thresholds make the fewest mistakes, and are those of other videos."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, precision_recall_curve

from sfmcam.evaluation.decisions import Outcome, best_f1, cross_validated_thresholds, fewest_mistakes, outcome, outcome_kinds

NAN = float("nan")
pools = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=2, max_size=40)  # label, says yes, answered


@settings(deadline=None, max_examples=80)
@given(pools)
def test_equal_to_scikit_learn_with_failed_clips_as_mistakes(rows: list[tuple[bool, bool, bool]]) -> None:
    labels, says, answered = (np.array(column, dtype=bool) for column in zip(*rows, strict=True))
    found = outcome(outcome_kinds(labels, says, answered))
    as_mistakes = np.where(answered, says, ~labels)
    assert found.clips == len(rows)
    assert found.accuracy == pytest.approx(accuracy_score(labels, as_mistakes))
    if labels.any() and not labels.all():
        assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels, as_mistakes))
    else:
        assert math.isnan(found.balanced_accuracy)
    if labels.any():  # a failed clip claims nothing: for F1 it is a No
        assert found.f1 == pytest.approx(f1_score(labels, says & answered, zero_division=0))
    else:
        assert math.isnan(found.f1)
    if answered.any():
        assert found.accuracy_answered == pytest.approx(accuracy_score(labels[answered], says[answered]))


def test_by_hand() -> None:
    found = Outcome(tp=3, fp=1, fn=1, tn=4, failed_yes=1, failed_no=2)
    assert found.accuracy == pytest.approx(7 / 12)
    assert found.accuracy_answered == pytest.approx(7 / 9)
    assert found.balanced_accuracy == pytest.approx((3 / 5 + 4 / 7) / 2)
    assert found.f1 == pytest.approx(6 / 9)


def test_nothing_answered_is_nothing_right() -> None:
    nothing = np.zeros(3, bool)
    found = outcome(outcome_kinds(np.array([True, False, False]), nothing, nothing))
    assert (found.accuracy, found.balanced_accuracy, found.f1) == (0.0, 0.0, 0.0)
    assert math.isnan(found.accuracy_answered)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=30))
def test_no_threshold_makes_fewer_mistakes(rows: list[tuple[int, bool]]) -> None:
    scores, labels = np.array([s for s, _ in rows], float), np.array([y for _, y in rows])
    threshold = fewest_mistakes(scores, labels)
    tried = np.arange(-0.5, 7.0, 1.0)
    assert ((scores > threshold) != labels).sum() == min(((scores > t) != labels).sum() for t in tried)
    assert threshold not in scores  # half-way between two, so that rounding decides nothing


def test_the_highest_of_equally_good_thresholds() -> None:
    assert fewest_mistakes(np.array([1.0, 2.0]), np.array([True, False])) == math.inf  # one mistake whatever is said: say no
    assert fewest_mistakes(np.full(5, 0.3), np.array([True, False, False, False, False])) == math.inf  # a constant score
    assert fewest_mistakes(np.array([1.0, 3.0]), np.array([True, True])) < 1.0  # yes to all
    assert fewest_mistakes(np.empty(0), np.empty(0, bool)) == math.inf
    assert fewest_mistakes(np.array([-1e308, 1e308]), np.array([False, True])) == 0.0  # no overflow
    next_to = np.array([1.0, np.nextafter(1.0, 2.0)])
    assert ((next_to > fewest_mistakes(next_to, np.array([False, True]))) == [False, True]).all()
    assert (np.array([1e300]) > fewest_mistakes(np.array([1e300]), np.array([True]))).all()


def test_a_clip_never_decides_its_own_threshold() -> None:
    scores = np.array([0.0, 1.0, 2.0, 3.0, NAN, 9.0])
    labels = np.array([False, False, True, True, True, False])
    folds = np.array([0, 1, 0, 1, 0, 2])
    found = cross_validated_thresholds(scores, labels, folds)
    assert found == {
        0: fewest_mistakes(scores[[1, 3, 5]], labels[[1, 3, 5]]),
        1: fewest_mistakes(scores[[0, 2, 5]], labels[[0, 2, 5]]),
        2: fewest_mistakes(scores[[0, 1, 2, 3]], labels[[0, 1, 2, 3]]),
    }
    assert found[2] == 1.5


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=30))
def test_best_f1_is_that_of_the_precision_recall_curve(rows: list[tuple[int, bool]]) -> None:
    scores, labels = np.array([s for s, _ in rows], float), np.array([y for _, y in rows])
    if not labels.any():
        assert math.isnan(best_f1(scores, labels))
        return
    precision, recall, _ = precision_recall_curve(labels, scores)
    with np.errstate(invalid="ignore"):
        assert best_f1(scores, labels) == pytest.approx(np.nanmax(2 * precision * recall / (precision + recall)))


def test_best_f1_misses_the_failed_positives() -> None:
    assert best_f1(np.array([2.0, 1.0, NAN]), np.array([True, False, True])) == pytest.approx(2 / 3)
    assert best_f1(np.array([NAN, NAN]), np.array([True, False])) == 0.0
