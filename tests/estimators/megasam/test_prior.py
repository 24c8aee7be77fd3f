"""Depth priors: the published fit number by number, and what it must do with outliers, units, sky and gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from shared_data import SHARED, needs_shared

from sfmcam.errors import InputError
from sfmcam.estimators.megasam.prior import (
    Affine,
    SkyRule,
    fit_clip,
    fit_frame,
    fit_frames_robustly,
    grid_disparity,
    near_norm,
    tracker_depth,
)
from sfmcam.estimators.megasam.resize import nearest_map, resize_map, working_size
from sfmcam.types import Float

FIXTURE = "parity_prep_graph.npz"


def scene(seed: int, shape: tuple[int, int] = (24, 32)) -> Float:
    """Return relative disparities with a gradient, objects and some noise."""
    rng = np.random.default_rng(seed)
    da = np.linspace(0.3, 1.2, shape[0])[:, None] + 0.1 * rng.random(shape)
    for _ in range(4):
        row, column = rng.integers(0, shape[0] - 6), rng.integers(0, shape[1] - 6)
        da[row : row + 6, column : column + 6] += rng.uniform(0.2, 1.0)
    return da


@pytest.mark.shared
@needs_shared("megasam", FIXTURE)
@pytest.mark.parametrize("case", ["down", "up"])
def test_every_step_is_that_of_the_released_script(case: str) -> None:
    assert SHARED is not None
    with np.load(SHARED / "megasam" / FIXTURE) as npz:
        truth = {key.removeprefix(f"{case}."): npz[key].astype(float) for key in npz if key.startswith(f"{case}.")}
    metric, full = truth["metric_depth_f16"], truth["relative_disparity_f16"]
    relative = nearest_map(full, metric.shape[1:])
    fits = np.array([fit_frame(da, depth) for da, depth in zip(relative, metric, strict=True)])
    assert_allclose(fits[:, 0], truth["per_frame_scale"], rtol=1e-5)
    assert_allclose(fits[:, 1], truth["per_frame_shift"], rtol=1e-5)

    affine = fit_clip(fits[:, 0], fits[:, 1])
    inverse = affine(relative)
    norm = near_norm(inverse)
    assert_allclose([affine.scale, affine.shift, norm], truth["align_scale_shift_norm"], rtol=1e-5)

    size = working_size((full.shape[2], full.shape[1]))
    depth = resize_map(tracker_depth(inverse, norm), size)
    assert_allclose(depth, truth["out_depth_f32"], rtol=1e-4)
    if "disp8_prior" in truth:
        prior = grid_disparity(depth, sampling="block_mean", count_invalid=True)
        assert_allclose(prior, truth["disp8_prior"], rtol=1e-4)
        assert_allclose(np.where(prior > 0, prior, 1e-3), truth["disp8_init"], rtol=1e-4)


@given(st.integers(0, 50), st.floats(0.05, 3.0), st.floats(-0.01, 0.3))
@settings(max_examples=30, deadline=None)
def test_exact_data_give_the_exact_line(seed: int, scale: float, shift: float) -> None:
    da = scene(seed)
    metric = 1.0 / (scale * da + shift)
    a, b = fit_frame(da, metric)
    assert_allclose([a, b], [scale, shift], rtol=1e-3, atol=1e-4)
    robust = fit_frames_robustly(da[None], metric[None])
    assert_allclose([robust.scale[0], robust.shift[0]], [scale, shift], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_outliers_do_not_carry_the_line_away(seed: int) -> None:
    """A fifth of the pixels, all too far: the published medians bend, plain least squares is lost, the trimmed fit stands."""
    rng, da, (scale, shift) = np.random.default_rng(seed), scene(seed), (0.4, 0.05)
    metric = 1.0 / (scale * da + shift)
    wrong = rng.random(da.shape) < 0.2
    metric[wrong] *= rng.uniform(2.0, 5.0, wrong.sum())  # all to one side
    right = scale * da + shift

    def error(a: float, b: float) -> float:
        return float(np.abs((a * da + b) / right - 1).max())

    robust = fit_frames_robustly(da[None], metric[None])
    plain = np.polyfit(da.ravel(), 1.0 / metric.ravel(), 1)
    assert error(robust.scale[0], robust.shift[0]) < 0.01
    assert error(*fit_frame(da, metric)) < 0.6
    assert error(*plain) > 0.1


@given(st.floats(0.1, 50.0), st.floats(0.1, 20.0))
@settings(max_examples=30, deadline=None)
def test_units_do_not_matter(relative_unit: float, metric_unit: float) -> None:
    relative = np.stack([scene(seed) for seed in range(3)])
    metric = 1.0 / (0.3 * relative + 0.02)

    def clip(da: Float, depth: Float) -> tuple[Float, float]:
        fits = np.array([fit_frame(*pair, failed_below=0.0) for pair in zip(da, depth, strict=True)])
        inverse = fit_clip(fits[:, 0], fits[:, 1])(da)
        return tracker_depth(inverse, near_norm(inverse)), near_norm(inverse)

    (depth, norm), (same, other_norm) = clip(relative, metric), clip(relative * relative_unit, metric * metric_unit)
    assert_allclose(same, depth, rtol=1e-4)
    assert_allclose(other_norm, norm / metric_unit, rtol=1e-4)
    assert_allclose(depth / norm, metric, rtol=1e-3)  # the metric factor leads back to metres


def test_the_clip_takes_the_frame_in_the_middle() -> None:
    affine = fit_clip(np.array([1.0, 2.0, 10.0]), np.array([0.1, 0.2, 3.0]))
    assert (affine.scale, affine.shift) == (2.0, 0.2)
    assert_allclose(Affine(np.array([1.0, 2.0]), np.array([0.0, 1.0]))(np.ones((2, 1, 1))).ravel(), [1.0, 3.0])


def test_sky_is_left_out_where_the_rule_says_so() -> None:
    da = scene(1)
    metric = 1.0 / (0.4 * da + 0.05)
    da[:16], metric[:16] = 0.005, 12.0  # two thirds of sky, which the metric model takes for a wall
    without, with_rule = fit_frame(da, metric), fit_frame(da, metric, sky=SkyRule())
    assert_allclose(with_rule, (0.4, 0.05), rtol=1e-3)
    assert abs(without[0] / 0.4 - 1) > 0.05
    assert fit_frame(da, metric, sky=SkyRule(share=0.8)) == without  # there is not so much of it
    all_sky = np.where(da < 0.02, da, 0.001 * da)
    assert fit_frame(all_sky, metric, sky=SkyRule()) == fit_frame(all_sky, metric)  # nothing else to go by


def test_a_metric_model_that_fails_on_the_sky_is_overruled() -> None:
    da = scene(2)
    metric = 1.0 / (0.4 * da + 0.05)
    da[:8] = np.linspace(0, 0.01, da.shape[1])
    metric[:8] = 1.2
    trusting, careful = fit_frame(da, metric, failed_below=0.0), fit_frame(da, metric)
    assert abs(careful[0] / 0.4 - 1) < abs(trusting[0] / 0.4 - 1)


def test_pixels_without_depth_do_not_count() -> None:
    da = scene(3)
    metric = 1.0 / (0.4 * da + 0.05)
    expected = fit_frame(da[:, :20], metric[:, :20])
    for nothing in (0.0, -1.0, np.nan, np.inf):
        holed = np.where(np.arange(32) < 20, metric, nothing)
        assert fit_frame(da, holed) == expected
        assert np.isfinite(fit_frames_robustly(da[None], holed[None]).scale).all()


def test_frames_are_averaged_both_ways() -> None:
    relative = np.stack([scene(seed) for seed in range(5)])
    scales = np.array([0.3, 0.3, 0.6, 0.3, 0.3])
    metric = 1.0 / (scales[:, None, None] * relative + 0.05)
    alone, calm = fit_frames_robustly(relative, metric, memory=0.0), fit_frames_robustly(relative, metric, memory=0.99)
    assert_allclose(alone.scale, scales, rtol=1e-5)
    assert np.ptp(calm.scale) < 0.01
    assert abs(calm.scale.mean() - scales.mean()) < 0.01
    assert_allclose(calm.scale, calm.scale[::-1], rtol=1e-5)


def test_depths_that_cannot_be_are_none() -> None:
    inverse = np.array([[0.5, -0.1, 0.0, 1e-9, 1e3, np.nan, np.inf]])
    assert_allclose(tracker_depth(inverse, 1.0), [[2.0, 0.0, 0.0, 1e4, 0.0, 0.0, 0.0]])


def test_cells_at_the_edge_of_the_sky_keep_their_depth() -> None:
    depth = np.full((16, 16), 5.0)
    depth[:3] = 0.0
    assert_allclose(grid_disparity(depth, sampling="block_mean"), 0.2)
    assert_allclose(grid_disparity(depth, sampling="block_mean", count_invalid=True)[0], 8 / (5 * 5))
    depth[:5] = 0.0
    assert_allclose(grid_disparity(depth, sampling="block_mean"), [[0, 0], [0.2, 0.2]])
    assert_allclose(grid_disparity(depth, sampling="point"), [[0, 0], [0.2, 0.2]])


@pytest.mark.parametrize(("sampling", "offset"), [("point", 0.0), ("centred_mean", -0.5), ("block_mean", 3.5)])
def test_where_a_cell_looks(sampling: str, offset: float) -> None:
    depth = np.broadcast_to(10.0 + np.arange(64.0), (16, 64)).copy()
    columns = 8 * np.arange(8)
    assert_allclose(1 / grid_disparity(depth, sampling=sampling)[1][1:], 10.0 + columns[1:] + offset)


@pytest.mark.parametrize(("da", "depth"), [(np.arange(16.0), 0.0), (np.arange(16.0), np.nan), (np.ones(16), 1.0)])
def test_a_frame_without_any_depth_is_refused(da: Float, depth: float) -> None:
    relative, metric = da.reshape(4, 4), np.full((4, 4), depth)
    with pytest.raises(InputError, match="no depth, or the same one everywhere"):
        fit_frame(relative, metric)
    with pytest.raises(InputError, match="no depth, or the same one everywhere"):
        fit_frames_robustly(relative[None], metric[None])


def test_a_clip_at_infinity_is_refused() -> None:
    with pytest.raises(InputError, match="infinity"):
        near_norm(np.full((1, 4, 4), -1.0))
