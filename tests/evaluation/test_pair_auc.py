"""The area under the recall curve: worked out by hand, and equal to a fine numerical integration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmcam.evaluation.pair_auc import pose_auc, share_below


def test_three_errors_by_hand() -> None:
    """Recall rises to 1/3 at 2 and to 2/3 at 4 degrees, then stays: areas 1/3, 1 and 2/3 per degree; the third error comes at 30."""
    areas = pose_auc(np.array([30.0, 2.0, 4.0]))
    assert areas == pytest.approx(((4 / 3 + 2 / 3) / 5, (4 / 3 + 6 * 2 / 3) / 10, (4 / 3 + 16 * 2 / 3) / 20))
    assert share_below(np.array([30.0, 2.0, 4.0, 5.0])) == (0.5, 0.75, 0.75)


@pytest.mark.parametrize(
    ("errors", "areas"),
    [
        ([0.0, 0.0], (1.0, 1.0, 1.0)),
        ([180.0], (0.0, 0.0, 0.0)),
        ([5.0], (0.0, (2.5 + 5) / 10, (2.5 + 15) / 20)),  # an error that equals the threshold is not below it
        ([7.0], (0.0, (3.5 + 3) / 10, (3.5 + 13) / 20)),
    ],
)
def test_edges(errors: list[float], areas: tuple[float, ...]) -> None:
    assert pose_auc(np.array(errors)) == pytest.approx(areas)


@given(st.lists(st.floats(0, 180), min_size=1, max_size=40))
def test_between_0_and_1_and_no_larger_than_the_share_below(errors: list[float]) -> None:
    values = np.array(errors)
    for area, share in zip(pose_auc(values), share_below(values), strict=True):
        assert -1e-12 <= area <= share + 1e-12


def test_equal_to_a_numerical_integration() -> None:
    errors = np.sort(np.random.default_rng(3).gamma(2.0, 4.0, size=200))
    for threshold, area in zip((5, 10, 20), pose_auc(errors), strict=True):
        x = np.linspace(0, threshold, 200_001)
        below = errors[errors < threshold]
        curve = np.interp(x, np.concatenate([[0], below]), np.arange(len(below) + 1) / len(errors))
        assert area == pytest.approx(curve.mean(), abs=1e-5)
