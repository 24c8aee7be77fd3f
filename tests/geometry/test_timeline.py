"""Frames pair with their mutual nearest: one-to-one, symmetric, exact where the times are the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmcam.geometry.timeline import half_interval_s, match_times
from sfmcam.types import Float

times = st.lists(st.floats(0, 100), max_size=20, unique=True).map(lambda values: np.array(sorted(values), dtype=float))


@pytest.mark.parametrize(
    ("a", "b", "tolerance_s", "pairs"),
    [
        ([0, 1, 2], [0, 1, 2], 0.0, [(0, 0), (1, 1), (2, 2)]),
        ([0, 1, 2], [0.4, 2.4], 0.5, [(0, 0), (2, 1)]),
        ([0, 1, 2], [0.4, 2.4], 0.3, []),
        ([0, 0.1, 0.2], [0.11], 0.5, [(1, 0)]),
        ([0.5], [0, 1], 0.5, [(0, 0)]),
        ([10, 11], [0, 1], 5.0, []),
        ([], [0, 1], 5.0, []),
    ],
)
def test_pairs_by_hand(a: list[float], b: list[float], tolerance_s: float, pairs: list[tuple[int, int]]) -> None:
    i, j = match_times(np.array(a, float), np.array(b, float), tolerance_s=tolerance_s)
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == pairs


@given(a=times, b=times, tolerance_s=st.floats(0, 10))
def test_every_pair_is_close_and_no_frame_pairs_twice(a: Float, b: Float, tolerance_s: float) -> None:
    i, j = match_times(a, b, tolerance_s=tolerance_s)
    assert (np.abs(a[i] - b[j]) <= tolerance_s + 1e-12).all()
    assert (np.diff(i) > 0).all()
    assert (np.diff(j) > 0).all()


def test_half_of_the_median_interval() -> None:
    assert half_interval_s(np.array([0, 1, 2, 10.0])) == 0.5
    assert half_interval_s(np.array([3.0])) == 0.0
