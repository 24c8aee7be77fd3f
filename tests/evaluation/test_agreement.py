"""Leanings compare unlike scores by rank; disagreement names the task on which two sides are farthest apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmcam.evaluation.agreement import disagreement, leanings, mean_error, mean_leaning, spread

NAN = float("nan")


def test_by_hand_the_clip_where_yes_begins_leans_neither_way() -> None:
    """Four clips, one labelled yes: the middles of their ranks are 1/8 ... 7/8, and 3/4 of the scale lies below one half."""
    leaning = leanings(np.array([10.0, 20.0, 30.0, 40.0]), np.array([False, True, False, False]))
    assert leaning == pytest.approx([0.5 * 0.125 / 0.75, 0.5 * 0.375 / 0.75, 0.5 * 0.625 / 0.75, 0.5 + 0.5 * 0.125 / 0.25])
    assert (leaning > 0.5).sum() == 1  # as many yes as people said, though on another clip


def test_equal_scores_lean_alike_and_failed_ones_not_at_all() -> None:
    labels = np.array([True, False, False, False, False])
    leaning = leanings(np.array([3.0, 3.0, 3.0, NAN, 3.0]), labels)
    assert np.isnan(leaning[3])
    assert len(set(leaning[[0, 1, 2, 4]])) == 1
    assert leaning[0] < 0.5  # a constant score says yes to nobody


@pytest.mark.parametrize("labels", [[True, True, True], [False, False, False]])
def test_a_pool_of_one_class_still_has_leanings(labels: list[bool]) -> None:
    leaning = leanings(np.array([1.0, 2.0, 3.0]), np.array(labels))
    assert (np.diff(leaning) > 0).all()
    assert ((leaning >= 0) & (leaning <= 1)).all()


def test_all_failed() -> None:
    assert np.isnan(leanings(np.full(3, NAN), np.array([True, False, False]))).all()


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=30), st.integers(0, 2**31))
def test_only_the_order_of_scores_matters(scores: list[int], seed: int) -> None:
    labels = np.random.default_rng(seed).random(len(scores)) < 0.3
    plain = leanings(np.array(scores, float), labels)
    assert leanings(np.exp(np.array(scores, float) / 10), labels) == pytest.approx(plain)
    assert (np.argsort(plain, kind="stable") == np.argsort(scores, kind="stable")).all()


def test_the_largest_gap_and_its_side() -> None:
    first = np.array([[0.9, 0.2, NAN], [0.1, 0.5, 0.5], [NAN, NAN, 0.3]])
    second = np.array([[0.5, 0.8, 0.1], [0.2, 0.5, NAN], [0.4, NAN, NAN]])
    found = disagreement(first, second)
    assert found.gap == pytest.approx([0.6, 0.1, NAN], nan_ok=True)
    assert found.task.tolist() == [1, 0, -1]
    assert found.signed == pytest.approx([-0.6, -0.1, NAN], nan_ok=True)


def test_spread_needs_two_answers() -> None:
    found = spread([np.array([[0.2, NAN]]), np.array([[0.9, 0.4]]), np.array([[0.5, NAN]])])
    assert found.gap == pytest.approx([0.7])
    assert found.task.tolist() == [0]
    assert np.isnan(spread([np.array([[0.2]])]).gap).all()


def test_means_leave_out_what_is_unknown() -> None:
    assert mean_leaning([np.array([0.2, NAN, NAN]), np.array([0.4, 0.6, NAN])]) == pytest.approx([0.3, 0.6, NAN], nan_ok=True)
    error = mean_error(np.array([[0.9, 0.4], [0.5, NAN]]), np.array([[1.0, 0.0], [NAN, 1.0]]))
    assert error == pytest.approx([0.25, NAN], nan_ok=True)


def test_no_task_at_all() -> None:
    assert np.isnan(disagreement(np.empty((2, 0)), np.empty((2, 0))).gap).all()
