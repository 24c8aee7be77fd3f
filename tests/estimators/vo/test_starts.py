"""Where the bundle adjustment starts from: flat, moving, or grown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_windows import ODD, is_finite, seen_by, short_lived, true_state

from sfmcam.estimators.vo.bundle import Adjuster, Freedom, Noise, Observations, Priors, State
from sfmcam.estimators.vo.starts import flat_start, grown_start, moving_start
from sfmcam.geometry.rotation import rotation_angle_rad, rotation_from_vector
from sfmcam.types import Float

NOISE = Noise(0.0009, 3.0)
LEVEL = -0.4


def _resting(seen: Observations) -> State:
    return flat_start(seen, np.tile(np.eye(3), (seen.num_keys, 1, 1)), np.full(seen.num_keys, LEVEL))


def _turns(angle_rad: Float) -> Float:
    """Return rotations (N, 3, 3) about the vertical."""
    return rotation_from_vector(np.column_stack([0 * angle_rad, angle_rad, 0 * angle_rad]))


def test_a_flat_start_of_a_turning_camera_is_the_truth() -> None:
    truth = true_state(np.random.default_rng(1), keys=6, points=30, move=0.0)
    start = flat_start(seen_by(truth), truth.rotation, truth.log_focal)
    assert np.allclose(start.direction, truth.direction)
    assert np.array_equal(start.translation, np.zeros((6, 3)))
    assert np.array_equal(start.rho, np.ones(30))


def test_a_start_shares_no_memory_with_what_it_is_made_from() -> None:
    truth = true_state(np.random.default_rng(1), keys=6, points=30)
    start = flat_start(seen_by(truth), truth.rotation, truth.log_focal)
    assert not np.shares_memory(start.rotation, truth.rotation)
    assert not np.shares_memory(start.log_focal, truth.log_focal)


@pytest.mark.parametrize("turn_rad", [0.05, -0.2])
@pytest.mark.parametrize("zoom", [0.0, 0.3])
def test_a_moving_start_shows_a_wall_as_turning_and_zooming_does(turn_rad: float, zoom: float) -> None:
    """To first order: in the middle of the picture, where turning shifts all points alike."""
    share = np.linspace(0, 1, 6)
    turning = State(
        _turns(turn_rad * share),
        np.zeros((6, 3)),
        LEVEL + zoom * share,
        np.array([[0, 0, 1.0], [0.05, 0, 0.99874922], [0, -0.05, 0.99874922]]),
        np.ones(3),
    )
    seen = seen_by(turning)
    start = moving_start(seen, turning, LEVEL)
    shown = seen_by(start)
    assert np.array_equal(start.rotation, np.tile(np.eye(3), (6, 1, 1)))
    assert np.array_equal(start.log_focal, np.full(6, LEVEL))
    assert np.abs(shown.xy - seen.xy).max() < 0.15 * np.abs(np.tan(turn_rad)) * np.exp(LEVEL + zoom)
    assert start.centers[-1][2] > 0.2 if zoom else abs(start.centers[-1][2]) < 0.1
    assert np.sign(start.centers[-1][0]) == -np.sign(turn_rad)


@pytest.mark.parametrize("turn_rad", [1.5, np.pi / 2, 1.7, np.pi])
def test_a_turn_too_far_for_a_translation_still_gives_numbers(turn_rad: float) -> None:
    turning = replace(true_state(np.random.default_rng(1), keys=6, points=30, move=0), rotation=_turns(turn_rad * np.linspace(0, 1, 6)))
    seen = seen_by(true_state(np.random.default_rng(1), keys=6, points=30))
    with np.errstate(all="raise"):
        start = moving_start(seen, turning, LEVEL)
    assert is_finite(start)
    assert np.abs(start.translation).max() < 10


@pytest.mark.parametrize("freedom", [Freedom.ROTATION_TRANSLATION, Freedom.ALL])
def test_a_long_path_grows_where_a_flat_start_is_lost(freedom: Freedom) -> None:
    rng = np.random.default_rng(4)
    truth = true_state(rng, keys=20, points=160, turn=0.0, move=0.0, zoom=0.0)
    share = np.linspace(0, 1, 20)[:, None]
    rotation = _turns(0.5 * share[:, 0])
    truth = replace(truth, rotation=rotation, translation=-np.einsum("kij,kj->ki", rotation, share * np.array([2.0, 0.0, 0.3])))
    seen = seen_by(truth, rng=rng, noise=0.0005, seen=short_lived(rng, keys=20, points=160, length=6))
    priors, adjuster = Priors(log_focal=float(truth.log_focal[0])), Adjuster(seen, Priors(log_focal=float(truth.log_focal[0])))
    flat = flat_start(seen, truth.rotation[:1].repeat(20, axis=0), truth.log_focal)
    grown = grown_start(seen, priors, flat, freedom=freedom, noise=NOISE)
    assert is_finite(grown)
    from_flat, from_grown = (adjuster.solve(freedom, s, NOISE, iterations=20) for s in (flat, grown))
    assert from_grown.cost < 0.5 * from_flat.cost
    assert np.degrees(rotation_angle_rad(from_grown.state.rotation @ truth.rotation.transpose(0, 2, 1))).max() < 6


@pytest.mark.parametrize("points", [6, 40])
@pytest.mark.parametrize("keys", [2, 3, 5, 6, 9, 20])
@pytest.mark.parametrize("kind", ODD)
def test_growing_ends_in_numbers_whatever_is_seen(kind: str, keys: int, points: int) -> None:
    seen = ODD[kind](np.random.default_rng(keys), points, keys)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        for freedom in (Freedom.ROTATION_TRANSLATION, Freedom.ALL):
            assert is_finite(grown_start(seen, Priors(), _resting(seen), freedom=freedom, noise=NOISE))


def test_turns_stay_turns_over_a_very_long_path() -> None:
    """Going on as before, 65 keyframes in a row, would blow up the rounding errors of a product of rotations."""
    seen = ODD["at rest"](np.random.default_rng(1), 6, 70)
    assert is_finite(grown_start(seen, Priors(), _resting(seen), freedom=Freedom.ROTATION_TRANSLATION, noise=NOISE))


def test_a_path_grows_from_the_first_keyframes_that_see_something() -> None:
    truth = true_state(np.random.default_rng(1), keys=9, points=40, move=0.2)
    late = np.ones((40, 9), bool)
    late[:, :6] = False
    seen = seen_by(truth, seen=late)
    grown = grown_start(seen, Priors(), _resting(seen), freedom=Freedom.ALL, noise=NOISE)
    assert is_finite(grown)
    assert np.allclose(grown.rotation[:6], grown.rotation[6])
    assert np.allclose(grown.centers[:6], grown.centers[6])
