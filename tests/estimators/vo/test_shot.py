"""From tracks to a camera for every frame: windows fitted, weighed, joined and filled."""

from __future__ import annotations

import numpy as np
import pytest
from track_clips import TrackClip, clip

from sfmcam.estimators.vo.belief import shipped_belief
from sfmcam.estimators.vo.bundle import Freedom
from sfmcam.estimators.vo.options import ModelBelief, VoOptions
from sfmcam.estimators.vo.reading import Reading
from sfmcam.estimators.vo.shot import FittedWindow, SolvedShot, fit_windows, solve_shot
from sfmcam.geometry.rigid import camera_centers
from sfmcam.types import PointTracks


def fitted(given: TrackClip, options: VoOptions) -> list[FittedWindow]:
    found = fit_windows(given.tracks, given.timestamps_s, options)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def truck() -> tuple[TrackClip, list[FittedWindow]]:
    return clip("truck"), fitted(clip("truck"), VoOptions())


def solve(case: tuple[TrackClip, list[FittedWindow]], options: VoOptions) -> SolvedShot:
    given, windows = case
    return solve_shot(windows, given.tracks, given.timestamps_s, options=options, belief=shipped_belief())


def test_a_window_has_every_model_with_noise_and_weights(truck: tuple[TrackClip, list[FittedWindow]]) -> None:
    (window,) = truck[1]
    assert set(window.found) >= {Reading(f) for f in Freedom}
    assert not any(reading.swapped for reading in window.found)  # nothing moves by itself
    assert window.window.frames[[0, -1]].tolist() == [0, 35]
    assert 0.1 < window.noise.sigma * 384 < 1.0  # 0.15 px of noise and some drift were put in
    assert np.ptp(window.window.seen.weight) > 0
    keys, points = window.window.seen.num_keys, window.window.seen.num_points
    for found in window.found.values():
        assert found.sigma.shape == (keys, 7)
        assert found.static.shape == (points,)
        assert (found.static >= 0).all()
        assert (found.static <= 1).all()
        assert found.squared.shape == window.window.seen.key.shape


@pytest.mark.parametrize("freedom", list(Freedom))
def test_a_model_holds_what_it_does_not_leave_free(truck: tuple[TrackClip, list[FittedWindow]], freedom: Freedom) -> None:
    state = truck[1][0].found[Reading(freedom)].state
    if not freedom.turns:
        np.testing.assert_allclose(state.rotation, np.tile(np.eye(3), (len(state.rotation), 1, 1)), atol=1e-9)
    if not freedom.moves:
        np.testing.assert_allclose(state.centers, 0, atol=1e-12)
    if not freedom.zooms:
        assert np.ptp(state.log_focal) < 1e-9
    np.testing.assert_allclose(state.rotation[0], np.eye(3), atol=1e-9)
    np.testing.assert_allclose(state.centers[0], 0, atol=1e-9)


def test_every_frame_gets_a_camera_and_every_track_a_probability(truck: tuple[TrackClip, list[FittedWindow]]) -> None:
    solved = solve(truck, VoOptions())
    assert solved.filled.valid.all()
    assert np.isfinite(solved.filled.cam_from_world).all()
    assert sum(solved.belief.values()) == pytest.approx(1)
    static = solved.filled.static_probability
    assert static.shape == (len(truck[0].tracks),)
    assert (static >= 0).all()
    assert (static <= 1).all()
    assert 0.1 < solved.noise_px < 1.0


def test_the_hypotheses_are_the_readings_of_a_single_window(truck: tuple[TrackClip, list[FittedWindow]]) -> None:
    solved = solve(truck, VoOptions())
    assert sum(h.weight for h in solved.hypotheses) == pytest.approx(1)
    found, paths = truck[1][0].found, [h.keyframes for h in solved.hypotheses]
    for path in paths:
        assert any(np.array_equal(path.cam_from_world[:, :3, 3], c.state.translation) for c in found.values())
    for hypothesis in solved.hypotheses:
        at_keys = hypothesis.filled.cam_from_world[hypothesis.keyframes.frames]
        np.testing.assert_allclose(at_keys, hypothesis.keyframes.cam_from_world, atol=1e-5)
    moving = sum(h.weight for h in solved.hypotheses if np.abs(camera_centers(h.keyframes.cam_from_world)).max() > 0.1)
    assert moving > 0.8  # a truck before a scene of many depths


@pytest.mark.parametrize("freedom", [Freedom.ROTATION_TRANSLATION, Freedom.STATIC])
def test_the_hedged_frames_follow_the_models_that_are_believed(truck: tuple[TrackClip, list[FittedWindow]], freedom: Freedom) -> None:
    """Who believes in one model alone gets its path, a truck or a camera at rest, whatever decides on the poses."""
    priors = {f.name.lower(): 1.0 if f is freedom else 1e-30 for f in Freedom}
    solved = solve(truck, VoOptions(belief=ModelBelief(**priors, observations=1.0)))
    assert truck[1][0].judged(ModelBelief(**priors, observations=1.0)).belief[freedom] == pytest.approx(1, abs=1e-6)
    at_keys = solved.hedged.cam_from_world[solved.keyframes.frames]
    np.testing.assert_allclose(at_keys, solved.keyframes.cam_from_world, atol=1e-5)
    travelled = np.linalg.norm(camera_centers(solved.hedged.cam_from_world)[-1])
    assert travelled > 0.1 if freedom.moves else travelled < 1e-9


def test_the_poses_are_those_of_the_model_that_is_decided_for(truck: tuple[TrackClip, list[FittedWindow]]) -> None:
    still = VoOptions(pose_belief=ModelBelief(static=1e30))
    solved = solve(truck, still)
    np.testing.assert_allclose(camera_centers(solved.filled.cam_from_world), 0, atol=1e-9)
    assert np.linalg.norm(camera_centers(solved.hedged.cam_from_world)[-1]) > 0.1
    at_keys = solve(truck, VoOptions()).filled.cam_from_world[solved.keyframes.frames]
    np.testing.assert_allclose(at_keys, solve(truck, VoOptions()).points.cam_from_world, atol=1e-9)


@pytest.mark.parametrize(("name", "valid"), [("pan", 1.0), ("truck", 0.9)])  # of a slow truck, 0.95 is measured
def test_a_long_shot_is_solved_in_windows(name: str, valid: float) -> None:
    given = clip(name, num_frames=180, fps=6.0)
    windows = fitted(given, VoOptions())
    assert len(windows) > 1
    solved = solve((given, windows), VoOptions())
    assert solved.filled.valid.mean() >= valid
    assert solved.keyframes.frames[[0, -1]].tolist() == [0, 179]


def test_fewer_points_are_used_where_fewer_are_asked_for() -> None:
    assert all(w.window.seen.num_points <= 60 for w in fitted(clip("pan"), VoOptions(max_points=60)))


def test_a_window_with_hardly_a_point_is_none() -> None:
    frame, track = np.repeat(np.arange(10), 4), np.tile(np.arange(4), 10)
    tracks = PointTracks(frame, track, np.column_stack([40.0 * track + 20, 30.0 * track + 9]), (384, 216), np.full(4, np.nan))
    assert fit_windows(tracks, np.arange(10) / 12.0, VoOptions()) is None
