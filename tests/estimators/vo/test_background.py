"""A mover that wins the robust fit leaves the scene outside, where the second background finds it."""

from __future__ import annotations

import numpy as np
import pytest

from sfmcam.estimators.vo import background
from sfmcam.estimators.vo.bundle import Freedom, Observations, Priors, Solution
from sfmcam.estimators.vo.keyframes import Window
from sfmcam.estimators.vo.reading import Reading
from sfmcam.estimators.vo.shot import FittedWindow, fit_window
from sfmcam.estimators.vo.solve import Fits, fit_models, fit_simple_models
from sfmcam.estimators.vo.support import SUPPORT, belonging, support_features
from sfmcam.types import Bool, Float

KEYS, FOCAL = 9, 0.8
BEHIND, ON_MOVER = 70, 110
NOISE = 0.0003


def _seen(points: Float, moves: Bool, rng: np.random.Generator) -> Observations:
    """A camera pans to the right, and the points of the mover keep their place in the picture: it is followed."""
    share = np.linspace(0, 1, KEYS)
    angle = 0.25 * share
    rotation = np.stack([[[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]] for a in angle])
    turned = np.einsum("kij,pj->pki", rotation, points)
    turned[moves] = points[moves][:, None] + np.stack([0.02 * share, 0.01 * share**2, 0 * share], axis=1)
    xy = FOCAL * turned[..., :2] / turned[..., 2:] + NOISE * rng.standard_normal((len(points), KEYS, 2))
    start = np.arange(len(points) + 1) * KEYS
    return Observations(start, np.tile(np.arange(KEYS), len(points)), xy.reshape(-1, 2), np.ones(len(points) * KEYS), KEYS)


@pytest.fixture(scope="module")
def followed() -> FittedWindow:
    """A mover in the middle of the picture with more points than all that is around it."""
    rng = np.random.default_rng(3)
    edge = rng.uniform(-0.5, 0.5, (BEHIND, 2))
    edge[:, 0] = np.where(rng.random(BEHIND) < 0.5, -1, 1) * rng.uniform(0.3, 0.5, BEHIND)
    behind = np.column_stack([edge / FOCAL, np.ones(BEHIND)]) * rng.uniform(2, 8, (BEHIND, 1))
    mover = np.column_stack([rng.uniform(-0.2, 0.2, (ON_MOVER, 2)) / FOCAL, np.ones(ON_MOVER)]) * rng.uniform(0.9, 1.1, (ON_MOVER, 1))
    moves = np.arange(BEHIND + ON_MOVER) >= BEHIND
    seen = _seen(np.vstack([behind, mover]), moves, rng)
    return fit_window(Window(np.arange(KEYS) * 3, seen, np.arange(len(moves))), Priors(), threads=1)


def _pan(window: FittedWindow, *, swapped: bool) -> float:
    rotation = window.found[Reading(Freedom.ROTATION, swapped=swapped)].state.rotation[-1]
    return float(np.arctan2(-rotation[0, 2], rotation[2, 2]))


def test_the_scene_behind_a_large_mover_is_the_second_background(followed: FittedWindow) -> None:
    pans = {swapped: _pan(followed, swapped=swapped) for swapped in (False, True)}
    assert pans[True] == pytest.approx(0.25, abs=0.02)
    assert abs(pans[False]) < 0.05  # the mover, which stays where it is, wins the first fit


def test_the_backgrounds_hold_different_points(followed: FittedWindow) -> None:
    first, second = (belonging(followed.found[Reading(Freedom.ROTATION_TRANSLATION, swapped=s)].static) for s in (False, True))
    assert second[:BEHIND].mean() > 0.8
    assert second[BEHIND:].mean() < 0.3
    assert first[BEHIND:].mean() > 0.7


def test_what_surrounds_the_mover_reaches_the_border(followed: FittedWindow) -> None:
    seen = followed.window.seen
    first, second = (
        dict(zip(SUPPORT, support_features(seen, followed.found[Reading(Freedom.ALL, swapped=s)].static).tolist(), strict=True))
        for s in (False, True)
    )
    assert second["at_border"] > first["at_border"]
    assert second["spread"] > first["spread"]


def test_all_share_one_noise_and_all_points(followed: FittedWindow) -> None:
    assert 0.5 * NOISE < followed.noise.sigma < 3 * NOISE
    for candidate in followed.found.values():
        assert candidate.squared.shape == followed.window.seen.key.shape
        assert candidate.static.shape == (BEHIND + ON_MOVER,)


def test_without_a_mover_there_is_one_background() -> None:
    rng = np.random.default_rng(4)
    points = np.column_stack([rng.uniform(-0.5, 0.5, (120, 2)) / FOCAL, np.ones(120)]) * rng.uniform(2, 8, (120, 1))
    seen = _seen(points, np.zeros(120, bool), rng)
    window = fit_window(Window(np.arange(KEYS) * 3, seen, np.arange(120)), Priors(), threads=1)
    assert not any(reading.swapped for reading in window.found)


def test_tracks_that_wander_each_on_its_own_are_not_fitted_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    points = np.column_stack([rng.uniform(-0.5, 0.5, (160, 2)) / FOCAL, np.ones(160)]) * rng.uniform(2, 8, (160, 1))
    seen = _seen(points, np.zeros(160, bool), rng)
    wandering = np.arange(160) >= 90
    astray = 0.05 * rng.standard_normal((70, KEYS, 2)).cumsum(axis=1)
    seen.xy.reshape(160, KEYS, 2)[wandering] += astray - astray[:, :1]
    whole = []

    def counted(part: Observations, priors: Priors, *, simple: dict[Freedom, Solution], threads: int) -> Fits:
        whole.append(part.num_points)
        return fit_models(part, priors, simple=simple, threads=threads)

    monkeypatch.setattr(background, "fit_models", counted)
    window = fit_window(Window(np.arange(KEYS) * 3, seen, np.arange(160)), Priors(), threads=1)
    outside = window.found[Reading(Freedom.ALL)].static < background.OUTSIDE
    assert outside[wandering].mean() > 0.9  # there is enough outside to be asked about
    assert not any(reading.swapped for reading in window.found)
    assert not whole


def test_the_simple_models_may_be_handed_in(followed: FittedWindow) -> None:
    seen, priors = followed.window.seen, Priors()
    handed, alone = fit_models(seen, priors, simple=fit_simple_models(seen, priors)), fit_models(seen, priors)
    assert {f: s.cost for f, s in handed.best.items()} == {f: s.cost for f, s in alone.best.items()}
