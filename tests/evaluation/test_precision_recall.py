"""The area under the drawn curve is the average precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmcam.evaluation.average_precision import average_precision, rank_failed_last
from sfmcam.evaluation.precision_recall import precision_recall, thinned


def test_by_hand() -> None:
    """Ranked yes, no, yes, no: recall 1/2 at precision 1, recall 1 at 2/3."""
    recall, precision = precision_recall(np.array([True, False, True, False]), np.array([4, 3, 2, 1]))
    assert recall == pytest.approx([0.5, 1.0])
    assert precision == pytest.approx([1.0, 2 / 3])


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=60))
def test_the_area_is_the_average_precision(rows: list[tuple[bool, int]]) -> None:
    labels, ranks = np.array([label for label, _ in rows]), np.array([rank for _, rank in rows])
    recall, precision = precision_recall(labels, ranks)
    if labels.all() or not labels.any():
        assert not len(recall)
        return
    assert (np.diff(recall, prepend=0.0) > 0).all()
    assert np.sum(np.diff(recall, prepend=0.0) * precision) == pytest.approx(average_precision(labels, ranks))


def test_failed_clips_are_the_last_step() -> None:
    labels, scores = np.array([True, False, True]), np.array([0.9, 0.1, np.nan])
    recall, precision = precision_recall(labels, rank_failed_last(scores))
    assert (recall[-1], precision[-1]) == pytest.approx((1.0, 2 / 3))


def test_thinned_keeps_both_ends() -> None:
    recall, precision = np.linspace(0.001, 1, 1000), np.linspace(1, 0.1, 1000)
    few, of = thinned(recall, precision, 50)
    assert len(few) == len(of) == 50
    assert (few[0], few[-1], of[-1]) == (recall[0], 1.0, precision[-1])
    assert thinned(recall[:5], precision[:5], 50)[0] is not None
