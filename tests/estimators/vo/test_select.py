"""The weights of the motion models, and the path that follows from all of them, on hand-made candidates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sfmcam.estimators.vo.bundle import Freedom, Noise, Observations, State
from sfmcam.estimators.vo.keyframes import Window
from sfmcam.estimators.vo.options import ModelBelief
from sfmcam.estimators.vo.select import Candidate, Judged, judge, model_weights
from sfmcam.geometry.rigid import camera_centers
from sfmcam.geometry.rotation import rotation_from_vector, vector_from_rotation
from sfmcam.types import Float

NUM_KEYS, NUM_POINTS = 5, 30
NOISE = Noise(0.001)
EVEN = ModelBelief(static=1, rotation=1, rotation_zoom=1, translation=1, rotation_translation=1, all=1, noises=3, bend=0, observations=40)


@pytest.fixture
def seen() -> Observations:
    rng = np.random.default_rng(0)
    start = np.arange(NUM_POINTS + 1) * NUM_KEYS
    xy = rng.uniform(-0.4, 0.4, (NUM_POINTS, 1, 2)) + np.linspace(0, 0.1, NUM_KEYS)[:, None]
    return Observations(start, np.tile(np.arange(NUM_KEYS), NUM_POINTS), xy.reshape(-1, 2), np.ones(NUM_POINTS * NUM_KEYS), NUM_KEYS)


def candidate(*, ahead: float = 0.0, pan: float = 0.0, zoom: float = 0.0, error: float = 0.001, sigma: float = 0.01) -> Candidate:
    """A camera that does a thing evenly over the window, with an error that is the same everywhere."""
    share = np.linspace(0, 1, NUM_KEYS)
    rotation = rotation_from_vector(np.outer(share, [0, pan, 0]))
    centers = np.outer(share, [0, 0, ahead])
    direction = np.tile([0.0, 0.0, 1.0], (NUM_POINTS, 1))
    state = State(rotation, -np.einsum("kij,kj->ki", rotation, centers), zoom * share, direction, np.ones(NUM_POINTS))
    return Candidate(state, np.full((NUM_KEYS, 7), sigma), np.ones(NUM_POINTS), np.full(NUM_POINTS * NUM_KEYS, error**2))


def verdict(seen: Observations, found: dict[Freedom, Candidate], belief: ModelBelief = EVEN) -> Judged:
    weighed = model_weights(seen, {f: c.squared for f, c in found.items()}, NOISE, belief)
    return judge(Window(np.arange(NUM_KEYS) * 3, seen, np.arange(NUM_POINTS)), found, weighed)


def weights(seen: Observations, errors: dict[Freedom, float], belief: ModelBelief = EVEN, noise: Noise = NOISE) -> dict[Freedom, float]:
    return model_weights(seen, {f: np.full(len(seen.key), e**2) for f, e in errors.items()}, noise, belief)


ERRORS = {f: 0.001 * (1 + i / 3) for i, f in enumerate(Freedom)}


@pytest.mark.parametrize("belief", [EVEN, ModelBelief()], ids=["even", "fitted"])
def test_weights_sum_to_one_and_fall_with_the_error(seen: Observations, belief: ModelBelief) -> None:
    found = weights(seen, ERRORS, belief)
    assert sum(found.values()) == pytest.approx(1, abs=1e-12)
    odds = [found[f] / belief.prior(f) for f in ERRORS]
    assert odds == sorted(odds, reverse=True)


def test_weights_do_not_depend_on_the_order_of_models_or_observations(seen: Observations) -> None:
    rng = np.random.default_rng(1)
    squared = {f: rng.exponential(1e-6, len(seen.key)) for f in Freedom}
    backwards = Observations(seen.point_start, seen.key[::-1], seen.xy[::-1], seen.weight, seen.num_keys)
    belief = EVEN.model_copy(update={"bend": 0.0})
    one = model_weights(seen, squared, NOISE, belief)
    other = model_weights(backwards, {f: squared[f][::-1] for f in reversed(Freedom)}, NOISE, belief)
    assert one == pytest.approx(other, abs=1e-12)


@pytest.mark.parametrize("factor", [0.1, 7.0])
def test_weights_do_not_depend_on_the_unit_of_the_picture(seen: Observations, factor: float) -> None:
    large = replace(seen, xy=seen.xy * factor)
    one = weights(seen, ERRORS, ModelBelief())
    other = weights(large, {f: e * factor for f, e in ERRORS.items()}, ModelBelief(), Noise(NOISE.sigma * factor))
    assert one == pytest.approx(other, rel=1e-9)


def test_equal_fits_are_weighed_by_the_prior_alone(seen: Observations) -> None:
    belief = EVEN.model_copy(update={"static": 3.0, "all": 0.5})
    found = weights(seen, dict.fromkeys(Freedom, 0.001), belief)
    assert found[Freedom.STATIC] / found[Freedom.ALL] == pytest.approx(6)


def test_what_bends_tracks_together_makes_models_equal_where_points_travel(seen: Observations) -> None:
    """An error of one hundredth of the way is none where lenses bend by as much."""
    sharp, bent = (weights(seen, ERRORS, EVEN.model_copy(update={"bend": b})) for b in (0.0, 0.05))
    first, last = Freedom.STATIC, Freedom.ALL
    assert sharp[first] / sharp[last] > 10 * bent[first] / bent[last]


def test_points_without_weight_have_no_say(seen: Observations) -> None:
    squared = {Freedom.STATIC: np.full(len(seen.key), 1e-6), Freedom.ROTATION: np.full(len(seen.key), 1e-6)}
    squared[Freedom.STATIC][:NUM_KEYS] = 1.0
    silent = replace(seen, weight=np.where(np.arange(len(seen.key)) < NUM_KEYS, 0.0, 1.0))
    found = model_weights(silent, squared, NOISE, EVEN)
    assert found[Freedom.STATIC] == pytest.approx(0.5, abs=1e-12)


def test_gross_errors_count_little(seen: Observations) -> None:
    """Cauchy's likelihood: a tenth of wild observations does not overrule the others."""
    better, worse = np.full(len(seen.key), 1e-6), np.full(len(seen.key), 9e-6)
    better[::10] = 0.02**2
    found = model_weights(seen, {Freedom.STATIC: better, Freedom.ROTATION: worse}, NOISE, EVEN)
    assert found[Freedom.STATIC] > 0.5


def test_the_mean_path_lies_between_the_candidates_by_their_weights(seen: Observations) -> None:
    found = {Freedom.ROTATION_ZOOM: candidate(zoom=0.2), Freedom.ROTATION_TRANSLATION: candidate(ahead=0.4, pan=0.1, error=0.0012)}
    judged = verdict(seen, found)
    share = judged.belief[Freedom.ROTATION_TRANSLATION]
    assert 0.05 < share < 0.45
    np.testing.assert_allclose(camera_centers(judged.mean.cam_from_world)[-1], [0, 0, 0.4 * share], atol=1e-9)
    np.testing.assert_allclose(judged.mean.log_focal[-1], 0.2 * (1 - share), atol=1e-9)
    np.testing.assert_allclose(vector_from_rotation(judged.mean.cam_from_world[:, :3, :3])[-1], [0, 0.1 * share, 0], atol=1e-9)


def test_the_likeliest_path_is_that_of_the_best_model_as_it_is(seen: Observations) -> None:
    best = candidate(zoom=0.2, sigma=0.02)
    judged = verdict(seen, {Freedom.ROTATION_ZOOM: best, Freedom.ROTATION_TRANSLATION: candidate(ahead=0.4, error=0.0015)})
    np.testing.assert_array_equal(judged.likely.log_focal, best.state.log_focal)
    np.testing.assert_array_equal(judged.likely.cam_from_world[:, :3, 3], 0)
    np.testing.assert_array_equal(judged.likely.sigma, best.sigma)
    np.testing.assert_array_equal(judged.likely.frames, np.arange(NUM_KEYS) * 3)


@pytest.mark.parametrize("gap", [0.0, 0.1, 0.4, 1.0])
def test_sigma_grows_with_how_much_the_models_disagree(seen: Observations, gap: float) -> None:
    """Two models of equal weight: the variance is theirs, and half the gap squared on top."""
    judged = verdict(seen, {Freedom.ROTATION_ZOOM: candidate(), Freedom.ROTATION_TRANSLATION: candidate(ahead=gap)})
    sigma: Float = judged.mean.sigma
    np.testing.assert_allclose(sigma[-1, 5], np.hypot(0.01, gap / 2), rtol=1e-9)
    np.testing.assert_allclose(sigma[:, :3], 0.01, rtol=1e-9)


def test_a_model_that_nobody_believes_adds_nothing(seen: Observations) -> None:
    wild = candidate(ahead=100.0, error=0.05)
    judged = verdict(seen, {Freedom.STATIC: candidate(), Freedom.ALL: wild})
    assert judged.belief[Freedom.ALL] < 0.01
    np.testing.assert_array_equal(camera_centers(judged.mean.cam_from_world), 0)
    np.testing.assert_allclose(judged.mean.sigma, 0.01, rtol=1e-9)


def test_one_model_alone_is_the_answer(seen: Observations) -> None:
    only = candidate(pan=0.3)
    judged = verdict(seen, {Freedom.ROTATION: only})
    assert judged.belief == {Freedom.ROTATION: 1.0}
    np.testing.assert_allclose(judged.mean.cam_from_world, judged.likely.cam_from_world, atol=1e-12)
