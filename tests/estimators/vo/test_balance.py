"""Points are weighed by the picture area that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from sfmcam.estimators.vo.balance import EVENNESS, WEIGHT_RANGE, area_weights
from sfmcam.estimators.vo.bundle import Observations
from sfmcam.types import Float, Int


def at(xy: Float, keys: Int | None = None) -> Observations:
    """Observations of points (P, 2), each at the same place in all keyframes of `keys`."""
    keys = np.arange(2) if keys is None else keys
    return Observations(
        np.arange(len(xy) + 1) * len(keys),
        np.tile(keys, len(xy)),
        np.repeat(xy, len(keys), axis=0),
        np.ones(len(xy) * len(keys)),
        int(keys.max()) + 1,
    )


def crowd(count: int) -> Float:
    """A crowd of points in one cell, and one point alone in each of eight others."""
    alone = np.column_stack([np.linspace(-0.45, 0.45, 8), np.full(8, -0.3)])
    return np.concatenate([np.full((count, 2), 0.2) + np.linspace(0, 0.01, count)[:, None], alone])


def test_points_that_share_the_picture_evenly_count_alike() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(-0.4375, 0.5, 0.125)] * 2), axis=-1).reshape(-1, 2)
    np.testing.assert_allclose(area_weights(at(grid)), 1)


@pytest.mark.parametrize("count", [2, 4, 6])
def test_a_crowd_counts_less_per_point_and_more_in_all(count: int) -> None:
    weight = area_weights(at(crowd(count)))
    assert weight[0] / weight[-1] == pytest.approx(count**-EVENNESS)
    assert weight[:count].sum() / weight[-1] == pytest.approx(count ** (1 - EVENNESS))
    assert weight.mean() == pytest.approx(1)


def test_weights_stay_within_bounds_however_dense_the_crowd() -> None:
    weight = area_weights(at(crowd(500)))
    assert weight.min() >= WEIGHT_RANGE[0]
    assert weight.max() == WEIGHT_RANGE[1]


def test_keyframes_are_counted_apart() -> None:
    """Two points that are at one place in different keyframes are no crowd."""
    xy = np.array([[0.1, 0.1], [0.1, 0.1], [0.3, 0.1]])
    apart = Observations(np.array([0, 1, 2, 3]), np.array([0, 1, 0]), xy, np.ones(3), 2)
    np.testing.assert_allclose(area_weights(apart), 1)


def test_what_leaves_the_picture_a_little_is_counted_at_its_border() -> None:
    weight = area_weights(at(np.array([[-0.51, 0.52], [0.6, -0.6], [0.0, 0.0]])))
    np.testing.assert_allclose(weight, 1)


def test_the_order_of_points_does_not_matter() -> None:
    xy, order = crowd(5), np.random.default_rng(0).permutation(13)
    np.testing.assert_allclose(area_weights(at(xy[order])), area_weights(at(xy))[order])
