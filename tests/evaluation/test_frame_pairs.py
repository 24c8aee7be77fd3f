"""Frames are paired by time or by number; what has no pose on one side has no partner."""

from __future__ import annotations

import numpy as np
import pytest
from trajectory_samples import smooth_poses, trajectory_of

from sfmcam.evaluation.frame_pairs import pair_by_index, pair_by_time
from sfmcam.types import CameraTrajectory


def with_gaps(n: int, *missing: int, first_s: float = 0.0) -> CameraTrajectory:
    valid = ~np.isin(np.arange(n), missing)
    return trajectory_of(np.where(valid[:, None, None], smooth_poses(n), np.nan), valid=valid, timestamps_s=first_s + np.arange(n) / 10)


def test_by_time() -> None:
    pairs = pair_by_time(with_gaps(6, 2, first_s=0.13), with_gaps(9, 4))
    assert pairs.own.tolist() == [0, 1, 4, 5]  # frame 2 has no pose, the partner of frame 3 has none
    assert pairs.true.tolist() == [1, 2, 5, 6]
    assert (pairs.tolerance_s, pairs.apart_s, pairs.answered) == pytest.approx((0.05, 0.03, 0.8))


def test_the_estimates_clock_can_be_shifted() -> None:
    late = with_gaps(5, first_s=1000.0)
    assert len(pair_by_time(late, with_gaps(5))) == 0
    assert pair_by_time(late, with_gaps(5), offset_s=-1000.1).own.tolist() == [1, 2, 3, 4]


def test_a_tolerance_can_be_given() -> None:
    assert len(pair_by_time(with_gaps(5, first_s=0.03), with_gaps(5), tolerance_s=0.02)) == 0
    assert len(pair_by_time(with_gaps(5, first_s=0.03), with_gaps(5), tolerance_s=0.03)) == 5


def test_by_number_the_shorter_one_ends_it() -> None:
    pairs = pair_by_index(with_gaps(4, 1), with_gaps(9, 0, first_s=77.0))
    assert pairs.own.tolist() == pairs.true.tolist() == [2, 3]
    assert pairs.answered == pytest.approx(2 / 3)
    assert np.isnan(pairs.tolerance_s)


def test_nothing_to_pair() -> None:
    nothing = with_gaps(3, 0, 1, 2)
    for pairs in (pair_by_time(with_gaps(3), nothing), pair_by_index(with_gaps(3), nothing), pair_by_index(nothing, with_gaps(3))):
        assert len(pairs) == 0
