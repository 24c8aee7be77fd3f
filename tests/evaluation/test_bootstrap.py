"""The vectorised average precision of the bootstrap is scikit-learn's, ties included; resamples are whole draws of videos."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from sfmcam.evaluation.average_precision import average_precision, rank_failed_last
from sfmcam.evaluation.bootstrap import bootstrap_average_precision, mean_over_tasks, percentile_interval, resample_counts

NAN = float("nan")


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 40), st.integers(1, 8), st.floats(0.05, 0.95), st.integers(0, 10_000))
def test_equal_to_scikit_learn_on_the_resample_written_out(num: int, levels: int, share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.random(num) < share
    scores = rng.integers(0, levels, num).astype(float)
    scores[rng.random(num) < 0.2] = NAN
    ranks = rank_failed_last(scores)
    counts = resample_counts(num, resamples=7, seed=seed)
    for value, count in zip(bootstrap_average_precision(labels, ranks, counts), counts, strict=True):
        drawn, drawn_ranks = np.repeat(labels, count), np.repeat(ranks, count)
        if drawn.all() or not drawn.any():
            assert np.isnan(value)
        else:
            assert value == pytest.approx(average_precision_score(drawn, drawn_ranks), abs=1e-12)


def test_each_video_once_gives_the_plain_value() -> None:
    rng = np.random.default_rng(1)
    labels, ranks = rng.random(300) < 0.2, rng.integers(0, 50, 300)
    (value,) = bootstrap_average_precision(labels, ranks, np.ones((1, 300), dtype=np.uint16))
    assert value == pytest.approx(average_precision(labels, ranks), abs=1e-12)


def test_more_resamples_than_one_block_change_nothing() -> None:
    rng = np.random.default_rng(2)
    labels, ranks, counts = rng.random(30) < 0.4, rng.integers(0, 9, 30), resample_counts(30, resamples=4500, seed=2)
    whole = bootstrap_average_precision(labels, ranks, counts)
    single = [bootstrap_average_precision(labels, ranks, row[None])[0] for row in counts[::400]]
    np.testing.assert_allclose(whole[::400], single, rtol=1e-12)


@pytest.mark.parametrize(("num", "resamples"), [(0, 3), (5, 0), (0, 0)])
def test_nothing_to_draw(num: int, resamples: int) -> None:
    values = bootstrap_average_precision(np.ones(num, bool), np.ones(num, np.int64), np.ones((resamples, num), np.uint16))
    assert values.shape == (resamples,)
    assert np.isnan(values).all()


def test_resamples_are_draws_of_as_many_videos_and_follow_the_seed() -> None:
    counts = resample_counts(50, resamples=2000, seed=5)
    assert (counts.sum(axis=1) == 50).all()
    np.testing.assert_allclose(counts.mean(axis=0), 1.0, atol=0.1)  # one draw per video on average; 4 sigma of 2000 draws
    assert np.mean(counts == 0) == pytest.approx((1 - 1 / 50) ** 50, abs=0.01)
    np.testing.assert_array_equal(counts, resample_counts(50, resamples=2000, seed=5))
    assert (counts != resample_counts(50, resamples=2000, seed=6)).any()


def test_a_task_that_a_resample_cannot_rate_keeps_its_full_value() -> None:
    resampled = np.array([[0.2, NAN], [0.6, 0.8]])
    np.testing.assert_allclose(mean_over_tasks(resampled, np.array([0.5, 0.7])), [0.4, 0.65])


def test_the_interval_is_the_central_95_percent() -> None:
    assert percentile_interval(np.r_[NAN, np.arange(1001.0)]) == pytest.approx((25.0, 975.0))
    assert all(map(np.isnan, percentile_interval(np.array([NAN]))))
    assert all(map(np.isnan, percentile_interval(np.array([]))))


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """200 pools from one source, AP of the source known from a very large pool: about 95 % of the intervals hold it (percentile
    intervals of AP are a little narrow and high on small pools, so 88 to 99 % pass)."""
    rng = np.random.default_rng(7)

    def draw(num: int) -> tuple[np.ndarray, np.ndarray]:
        labels = rng.random(num) < 0.3
        return labels, rank_failed_last(labels + rng.normal(size=num))

    truth = average_precision(*draw(400_000))
    counts = resample_counts(150, resamples=200, seed=0)
    inside = 0
    for _ in range(200):
        low, high = percentile_interval(bootstrap_average_precision(*draw(150), counts))
        inside += low <= truth <= high
    assert 0.88 <= inside / 200 <= 0.99
