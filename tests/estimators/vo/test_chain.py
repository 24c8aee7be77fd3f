"""The chain of turns finds how a turning, zooming camera went, whatever some of the points do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_windows import ODD, seen_by, true_state

from sfmcam.estimators.vo.bundle import Observations
from sfmcam.estimators.vo.chain import chain_rotations
from sfmcam.geometry.rotation import rotation_angle_rad
from sfmcam.types import Bool, Float

FOCAL = 0.7  # of the first keyframe of `true_state`


def _turning(
    *, seed: int = 0, turn: float = 0.2, zoom: float = 0.3, seen: Bool | None = None, noise: float = 0.0
) -> tuple[Observations, Float, Float]:
    """Return a window of a camera that only turns and zooms, its rotations and its log zooms."""
    rng = np.random.default_rng(seed)
    truth = true_state(rng, keys=9, points=60, turn=turn, move=0.0, zoom=zoom)
    return seen_by(truth, rng=rng, noise=noise, seen=seen), truth.rotation, truth.log_focal - truth.log_focal[0]


def _error_rad(found: Float, truth: Float) -> float:
    return float(rotation_angle_rad(found @ truth.transpose(0, 2, 1)).max())


@pytest.mark.parametrize("zoom", [0.0, 0.3, -0.3])
@pytest.mark.parametrize("turn", [0.0, 0.1, 0.4])
def test_exact_points_give_the_exact_turn(turn: float, zoom: float) -> None:
    seen, rotation, log_zoom = _turning(turn=turn, zoom=zoom)
    if zoom == 0:
        found, found_zoom = chain_rotations(seen, FOCAL)
        assert _error_rad(found, rotation) < 1e-7
        assert np.abs(found_zoom).max() < 1e-7
    else:  # the focal length is taken for that of the first keyframe throughout, so the angles follow only roughly
        found, found_zoom = chain_rotations(seen, FOCAL)
        assert _error_rad(found, rotation) < 0.3 * turn + 1e-6
        assert np.abs(found_zoom - log_zoom).max() < 0.1 * turn + 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_a_third_of_movers_does_not_turn_the_camera(seed: int) -> None:
    seen, rotation, _ = _turning(seed=seed, zoom=0.0, noise=0.0005)
    mover = seen.point % 3 == 0
    spoiled = replace(seen, xy=seen.xy + np.where(mover, 0.02 * seen.key, 0)[:, None] * np.array([1, 0.3]))
    found, zoom = chain_rotations(spoiled, FOCAL)
    assert _error_rad(found, rotation) < 0.004
    assert np.abs(zoom).max() < 0.01


def test_points_without_weight_count_for_nothing() -> None:
    seen, rotation, _ = _turning(zoom=0.0)
    mover = seen.point % 2 == 0
    spoiled = replace(seen, xy=seen.xy + np.where(mover, 0.01 * seen.key, 0)[:, None], weight=np.where(mover, 0.0, 1.0))
    assert _error_rad(chain_rotations(spoiled, FOCAL)[0], rotation) < 1e-7


def test_with_too_few_points_the_camera_rests() -> None:
    visible = np.ones((60, 9), bool)
    visible[3:, 4] = False  # three points tie keyframe 4 to its neighbours
    seen, rotation, _ = _turning(zoom=0.0, seen=visible)
    found, zoom = chain_rotations(seen, FOCAL)
    assert np.array_equal(found[3], found[5])
    assert _error_rad(found[:4], rotation[:4]) < 1e-7
    assert _error_rad(found[6:] @ found[5].T, rotation[6:] @ rotation[5].T) < 1e-7
    assert np.isfinite(zoom).all()


def test_a_keyframe_that_sees_nothing_is_passed_over() -> None:
    visible = np.ones((60, 9), bool)
    visible[:, [0, 4, 5, 8]] = False
    seen, rotation, _ = _turning(zoom=0.0, seen=visible)
    found, _ = chain_rotations(seen, FOCAL)
    known = [1, 2, 3, 6, 7]
    assert _error_rad(found[known], rotation[known] @ rotation[1].T) < 1e-7
    assert np.array_equal(found[[0, 4, 5, 8]], found[[1, 3, 3, 7]])


@pytest.mark.parametrize("points", [2, 6, 40])
@pytest.mark.parametrize("keys", [2, 3, 24])
@pytest.mark.parametrize("kind", ODD)
def test_odd_windows_give_rotations(kind: str, keys: int, points: int) -> None:
    seen = ODD[kind](np.random.default_rng(keys), points, keys)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        rotation, zoom = chain_rotations(seen, 0.65)
    assert np.isfinite(zoom).all()
    assert np.allclose(rotation @ rotation.transpose(0, 2, 1), np.eye(3), atol=1e-9)
    assert np.allclose(np.linalg.det(rotation), 1)
