"""Frames are taken evenly in time, ends included, never faster than asked; time stamps come out ascending whatever the file says."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmcam.video.sampling import pick, presentation_times

GAPS_MS = st.lists(st.integers(1, 400), min_size=0, max_size=80)
RATES = st.one_of(st.none(), st.floats(0.2, 60))


@given(GAPS_MS, RATES, st.integers(2, 40))
def test_first_and_last_are_kept_and_the_cap_holds(gaps_ms: list[int], fps: float | None, max_frames: int) -> None:
    times_s = np.cumsum([0, *gaps_ms]) / 1000
    chosen = pick(times_s, fps, max_frames)
    assert chosen[0] == 0
    assert chosen[-1] == len(times_s) - 1
    assert len(chosen) <= max_frames
    assert (np.diff(chosen) > 0).all()
    if fps is not None:
        assert len(chosen) <= max(2, (times_s[-1] - times_s[0]) * fps + 1.5)


@given(GAPS_MS, RATES, st.integers(2, 40))
def test_every_wanted_time_gets_its_nearest_frame(gaps_ms: list[int], fps: float | None, max_frames: int) -> None:
    times_s = np.cumsum([0, *gaps_ms]) / 1000
    chosen = pick(times_s, fps, max_frames)
    wanted = len(times_s) if fps is None else max(2, round((times_s[-1] - times_s[0]) * fps) + 1)
    targets = np.linspace(times_s[0], times_s[-1], min(wanted, max_frames, len(times_s)))
    if len(targets) < len(times_s):
        best = np.abs(times_s[:, None] - targets).min(axis=0)
        got = np.abs(times_s[chosen][:, None] - targets).min(axis=0)
        np.testing.assert_allclose(got, best, atol=1e-9)


@pytest.mark.parametrize(
    ("num_frames", "source_fps", "fps", "max_frames", "expected"),
    [
        (300, 30, 6, 100, list(range(0, 300, 5))),  # 9.97 s at 6 fps: 61 wanted times, nearest frames
        (31, 30, 6, 24, [0, 5, 10, 15, 20, 25, 30]),
        (31, 30, None, 4, [0, 10, 20, 30]),
        (16, 8, 6, 24, [0, 1, 3, 4, 5, 7, 8, 10, 11, 12, 14, 15]),
        (5, 2, 6, 24, [0, 1, 2, 3, 4]),  # a slow source gives what it has
        (10, 30, 0.5, 24, [0, 9]),  # two at least
        (1, 30, 6, 24, [0]),
        (2, 30, 6, 24, [0, 1]),
        (0, 30, 6, 24, []),
    ],
)
def test_table(num_frames: int, source_fps: float, fps: float | None, max_frames: int, expected: list[int]) -> None:
    chosen = pick(np.arange(num_frames) / source_fps, fps, max_frames).tolist()
    if num_frames == 300:
        assert len(chosen) == 61
        assert set(np.diff(chosen)) <= {4, 5}
    else:
        assert chosen == expected


def test_a_held_frame_is_taken_once() -> None:
    times_s = np.array([0.0, 0.1, 0.2, 5.0, 5.1])
    assert pick(times_s, 3.0, 4).tolist() == [0, 2, 3, 4]


@pytest.mark.parametrize(
    ("stamps", "expected_s", "replaced"),
    [
        ([0, 40, 80], [0, 0.04, 0.08], 0),
        ([5000, 5040], [5.0, 5.04], 0),
        ([-40, 0, 40], [-0.04, 0, 0.04], 0),
        ([40, 120, 160, 80, 200], [0.04, 0.08, 0.12, 0.16, 0.2], 0),  # out of order: AVI with B-frames
        ([0, 40, 40, 80], [0, 0.04, 0.08, 0.12], 2),  # repeated
        ([0, None, 80], [0, 0.04, 0.08], 1),
        ([None, None, None], [0, 0.04, 0.08], 3),
        ([0, 40, 80, 0, 40, 80, 200], [0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24], 4),  # clock set back
        ([], [], 0),
    ],
)
def test_presentation_times(stamps: list[int | None], expected_s: list[float], replaced: int) -> None:
    times_s, count = presentation_times(stamps, Fraction(1, 1000), fps=25)
    np.testing.assert_allclose(times_s, expected_s, atol=1e-12)
    assert count == replaced


@given(st.lists(st.one_of(st.none(), st.integers(-10_000, 100_000)), max_size=60))
def test_presentation_times_ascend_whatever_the_stamps(stamps: list[int | None]) -> None:
    times_s, _ = presentation_times(stamps, Fraction(1, 1000), fps=25)
    assert (np.diff(times_s) > 0).all()
