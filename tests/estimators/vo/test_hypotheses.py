"""The motions that a shot may have gone through: choices of a model per window, their weights, and focal lengths that agree."""

from __future__ import annotations

import numpy as np
import pytest

from sfmcam.estimators.vo.bundle import Freedom
from sfmcam.estimators.vo.hypotheses import MOST, couple, weighed_paths, with_even_focal
from sfmcam.estimators.vo.reading import Reading
from sfmcam.estimators.vo.windows import WindowPath


def belief(**shares: float) -> dict[Reading, float]:
    return {Reading(f): shares.get(f.name.lower(), 0.0) for f in Freedom}


def window(start: int, log_focal: float, *, zoom: float = 0.0, sigma: float = 0.2, right: float = 0.0) -> WindowPath:
    """Ten keyframes from `start` on, of a camera that zooms and moves evenly."""
    share = np.linspace(0, 1, 10)
    poses = np.tile(np.eye(4), (10, 1, 1))
    poses[:, 0, 3] = -right * share
    none = np.zeros(0)
    noise = np.tile([0.01] * 6 + [sigma], (10, 1))
    return WindowPath(np.arange(start, start + 10), poses, log_focal + zoom * share, noise, none.astype(int), np.zeros((0, 3)), none, none)


def test_one_window_has_its_models_with_their_weights() -> None:
    found = {choice: weight for weight, choice in couple([belief(rotation=0.5, rotation_zoom=0.3, all=0.2)])}
    assert found == pytest.approx({(Reading(Freedom.ROTATION),): 0.5, (Reading(Freedom.ROTATION_ZOOM),): 0.3, (Reading(Freedom.ALL),): 0.2})


def test_what_weighs_next_to_nothing_is_left_out() -> None:
    (only,) = couple([belief(rotation=0.99, all=0.01)])
    assert only == (1.0, (Reading(Freedom.ROTATION),))


def test_windows_that_believe_alike_move_together() -> None:
    both = [belief(rotation=0.4, rotation_translation=0.6)] * 2
    found = {choice: weight for weight, choice in couple(both)}
    assert found == pytest.approx({(Reading(Freedom.ROTATION),) * 2: 0.4, (Reading(Freedom.ROTATION_TRANSLATION),) * 2: 0.6})


def test_each_window_keeps_its_own_weights() -> None:
    """Whatever the coupling, a window takes each model as often as it believes in it."""
    beliefs = [belief(rotation=0.3, all=0.7), belief(static=0.6, rotation_zoom=0.4), belief(translation=1.0)]
    found = couple(beliefs)
    assert sum(weight for weight, _ in found) == pytest.approx(1)
    for number, of_window in enumerate(beliefs):
        for reading, weight_of_reading in of_window.items():
            share = sum(weight for weight, choice in found if choice[number] == reading)
            assert share == pytest.approx(weight_of_reading, abs=0.02)


def test_windows_may_have_different_readings() -> None:
    """Where one window has a second background and the next has none, the freest of the first goes with the second."""
    one = {Reading(Freedom.ROTATION): 0.5, Reading(Freedom.ROTATION, swapped=True): 0.3, Reading(Freedom.ALL, flipped=True): 0.2}
    found = {choice: weight for weight, choice in couple([one, belief(rotation=0.6, all=0.4)])}
    assert sum(found.values()) == pytest.approx(1)
    assert found[Reading(Freedom.ROTATION, swapped=True), Reading(Freedom.ALL)] == pytest.approx(0.3)
    assert found[Reading(Freedom.ROTATION), Reading(Freedom.ROTATION)] == pytest.approx(0.5)


def test_all_readings_of_one_window_are_kept_apart() -> None:
    readings = [Reading(f, flipped, swapped) for swapped in (False, True) for f in Freedom for flipped in (False, True)]
    found = couple([dict.fromkeys(readings, 1 / len(readings))])
    assert len(found) == len(readings) > MOST


def test_many_windows_have_few_hypotheses() -> None:
    rng = np.random.default_rng(0)
    found = couple([dict(zip(map(Reading, Freedom), rng.dirichlet(np.ones(6)).tolist(), strict=True)) for _ in range(30)])
    assert len(found) <= MOST
    assert sum(weight for weight, _ in found) == pytest.approx(1)


def test_weights_that_sum_to_a_little_less_than_one_are_no_trouble() -> None:
    found = couple([belief(rotation=1 / 3 - 1e-12, all=2 / 3 - 1e-12)] * 2)
    assert {choice[0] for _, choice in found} == {Reading(Freedom.ROTATION), Reading(Freedom.ALL)}


def test_focal_lengths_that_disagree_are_no_zoom() -> None:
    paths = [window(0, -0.4), window(6, -0.1), window(12, -0.7)]
    even = with_even_focal(paths)
    assert np.ptp(np.concatenate([path.log_focal for path in even])) < 1e-12
    assert even[0].log_focal[0] == pytest.approx(-0.4)  # the mean of the three


def test_the_surer_window_sets_the_level() -> None:
    even = with_even_focal([window(0, -0.4, sigma=0.01), window(6, 0.4, sigma=1.0)])
    assert even[1].log_focal[0] == pytest.approx(-0.4, abs=0.01)


def test_a_zoom_within_a_window_stays() -> None:
    even = with_even_focal([window(0, -0.4), window(6, 0.3, zoom=0.9)])
    assert np.ptp(even[1].log_focal) == pytest.approx(0.9)
    shared = [even[0].log_focal[6:], even[1].log_focal[:4]]
    assert shared[0].mean() == pytest.approx(shared[1].mean())


def test_paths_are_joined_under_each_choice() -> None:
    models = [{Reading(f): window(start, -0.4, right=0.5 if f.moves else 0.0) for f in Freedom} for start in (0, 6)]
    found = weighed_paths([belief(rotation=0.4, rotation_translation=0.6)] * 2, models)
    travelled = {round(p.weight, 6): float(np.abs(p.path.cam_from_world[-1, :3, 3]).max()) for p in found}
    assert travelled[0.4] == 0
    assert travelled[0.6] > 0.5
    assert all(p.path.frames.tolist() == list(range(16)) for p in found)
