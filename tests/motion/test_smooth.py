"""Claims: smoothing keeps straight lines and single samples, takes spikes and shake out, and does not depend on regular sampling."""

from __future__ import annotations

import time

import numpy as np
import pytest

from sfmcam.motion.smooth import despike, samples_per_window, smooth

IRREGULAR_S = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.3, 60))


@pytest.mark.parametrize("times_s", [np.arange(30) / 8, IRREGULAR_S, np.array([0.0, 1.0]), np.array([0.0, 0.1, 9.0, 9.1])])
def test_a_straight_line_stays_as_it_is(times_s: np.ndarray) -> None:
    line = np.stack([3 - 2 * times_s, 0.5 * times_s], axis=1)
    np.testing.assert_allclose(smooth(times_s, line), line, atol=1e-9)


def test_a_spike_goes_and_a_step_stays() -> None:
    times_s = np.arange(40) / 8
    step = np.where(times_s > 2.5, 1.0, 0.0)[:, None]
    spiky = step.copy()
    spiky[[5, 30]] += [[9.0], [-9.0]]
    np.testing.assert_array_equal(despike(times_s, spiky), step)
    assert smooth(times_s, spiky)[[0, -1], 0] == pytest.approx([0, 1], abs=0.01)


@pytest.mark.parametrize("end", [0, -1])
def test_a_spike_at_an_end_goes(end: int) -> None:
    times_s = np.arange(20) / 8
    line = times_s[:, None].copy()
    line[end] += 5.0
    np.testing.assert_allclose(smooth(times_s, line), times_s[:, None], atol=0.3)


def test_shake_goes_and_slow_motion_stays() -> None:
    times_s = np.arange(0, 6, 1 / 16)
    fast, slow = (np.sin(2 * np.pi * hertz * times_s)[:, None] for hertz in (3.0, 0.2))
    assert np.abs(smooth(times_s, fast))[8:-8].max() < 0.2
    np.testing.assert_allclose(smooth(times_s, slow)[8:-8], slow[8:-8], atol=0.02)


def test_a_sample_without_neighbours_keeps_its_value() -> None:
    times_s = np.array([0.0, 0.1, 0.2, 50.0, 99.8, 99.9, 100.0])
    values = np.arange(7.0)[:, None] ** 2
    assert smooth(times_s, values)[3, 0] == pytest.approx(9.0)


def test_averaging_grows_with_the_frame_rate() -> None:
    assert samples_per_window(np.arange(10.0)) < 3 < samples_per_window(np.arange(100) / 30) < 40


def test_a_long_path_takes_well_under_a_second() -> None:
    times_s = np.arange(20_000) / 30
    begin = time.perf_counter()
    smooth(times_s, np.random.default_rng(0).normal(size=(20_000, 7)))
    assert time.perf_counter() - begin < 5.0  # 0.3 s alone on one core; quadratic work takes a minute
