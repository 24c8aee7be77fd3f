"""Every frame gets its camera, spoilt frames are told from sound ones, and tracks that move are told from the scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from window_scene import SIZE_PX, Shot, path_poses, scene_points, shoot, window

from sfmcam.estimators.vo.fill import FilledPath, fill_frames
from sfmcam.estimators.vo.windows import WindowPath
from sfmcam.geometry.rigid import camera_centers, inverse
from sfmcam.geometry.rotation import rotation_angle_rad
from sfmcam.types import Float, PointTracks

N = 41
TIMES_S = np.arange(N) / 24
KEYS = np.arange(0, N, 5)
NOISE_PX = 0.4
S = np.linspace(0, 1, N)


@pytest.fixture(scope="module")
def shaky() -> Shot:
    """A walk with the shake of a hand: half a degree and more from frame to frame, a little of it sideways."""
    rng = np.random.default_rng(1)
    turn = np.column_stack([0 * S, 0.25 * S, 0 * S]) + rng.normal(0, 0.008, (N, 3))
    center = np.column_stack([0.4 * S, 0 * S, 0.2 * S]) + rng.normal(0, 0.002, (N, 3))
    return shoot(path_poses(turn, center), np.full(N, -0.1) + 0.08 * S, scene_points(rng, 500, turn_rad=0.25), rng)


def test_shaky_frames_are_placed_far_better_than_by_interpolation(shaky: Shot) -> None:
    path = window(shaky, KEYS)
    filled, blind = _fill(path, shaky.tracks), _fill(path, _no_tracks(shaky.tracks))
    turn, shift = _errors(filled, shaky)
    turn_blind, shift_blind = _errors(blind, shaky)
    assert filled.valid.all()
    assert np.median(turn) < 1e-3
    assert np.median(turn) < np.median(turn_blind) / 10
    assert np.median(shift) < np.median(shift_blind) / 2
    assert np.abs(filled.log_focal - shaky.log_focal).max() < 5e-3
    assert np.median(filled.residual) == pytest.approx(1.18 * NOISE_PX, rel=0.15)


def test_keyframes_keep_their_poses(shaky: Shot) -> None:
    path = window(shaky, KEYS)
    filled = _fill(path, shaky.tracks)
    np.testing.assert_allclose(filled.cam_from_world[KEYS], path.cam_from_world, atol=1e-12)
    np.testing.assert_allclose(filled.log_focal[KEYS], path.log_focal, atol=1e-12)


@pytest.mark.parametrize("spoilt", [12, 20])
def test_a_frame_of_garbage_is_marked_and_hurts_nobody(shaky: Shot, spoilt: int) -> None:
    path, tracks = window(shaky, KEYS), _with_garbage(shaky.tracks, spoilt)
    clean, filled = _fill(path, shaky.tracks), _fill(path, tracks)
    others = np.arange(N) != spoilt
    assert not filled.valid[spoilt]
    assert filled.valid[others].all()
    assert filled.residual[spoilt] > 10
    np.testing.assert_allclose(filled.cam_from_world[others], clean.cam_from_world[others], atol=1e-12)
    turn, shift = _errors(filled, shaky)
    assert turn[spoilt] < 0.03
    assert shift[spoilt] < 0.03


@pytest.mark.parametrize(("black", "valid"), [([12], True), ([12, 13], True), ([11, 12, 13], False), ([38, 39, 40], False)])
def test_frames_without_tracks_are_bridged_where_few(shaky: Shot, black: list[int], valid: bool) -> None:
    tracks = _only(shaky.tracks, ~np.isin(shaky.tracks.frame, black))
    filled = _fill(window(shaky, KEYS), tracks)
    assert (filled.valid[black] == valid).all()
    assert np.delete(filled.valid, black).all()
    assert np.isnan(filled.residual[black]).all()
    assert np.isfinite(filled.cam_from_world).all()


def test_outliers_and_a_mover_do_not_pull(shaky: Shot) -> None:
    rng = np.random.default_rng(2)
    xy = shaky.tracks.xy_px.copy()
    wild = rng.random(len(xy)) < 0.2
    xy[wild] += rng.normal(0, 15, (wild.sum(), 2))
    turn, _ = _errors(_fill(window(shaky, KEYS), replace(shaky.tracks, xy_px=xy)), shaky)
    assert np.median(turn) < 1.2e-3
    assert turn.max() < 4e-3


def test_frames_outside_the_keyframes_have_no_pose(shaky: Shot) -> None:
    filled = _fill(window(shaky, KEYS[1:-1]), shaky.tracks)
    outside = (np.arange(N) < KEYS[1]) | (np.arange(N) > KEYS[-2])
    assert not filled.valid[outside].any()
    assert filled.valid[~outside].all()
    for values in (filled.cam_from_world, filled.log_focal, filled.median_depth):
        assert np.isnan(values[outside]).all()


def test_a_zoom_that_breathes_between_keyframes() -> None:
    rng = np.random.default_rng(4)
    log_focal = 0.5 * S**2 + 0.002 * np.sin(np.arange(N) * 1.3)
    shot = shoot(path_poses(rng.normal(0, 0.004, (N, 3)), np.zeros((N, 3))), log_focal, scene_points(rng, 500), rng)
    filled = _fill(window(shot, KEYS, moves=False), shot.tracks)
    assert np.abs(filled.log_focal - log_focal).max() < 2.5e-3
    assert _errors(filled, shot)[0].max() < 2e-3
    assert (camera_centers(filled.cam_from_world) == 0).all()
    assert filled.valid.all()


def test_a_path_without_zoom_gets_none() -> None:
    rng = np.random.default_rng(6)
    shot = shoot(path_poses(rng.normal(0, 0.004, (N, 3)), np.zeros((N, 3))), np.zeros(N), scene_points(rng, 500), rng)
    filled = _fill(window(shot, KEYS, moves=False), shot.tracks)
    np.testing.assert_allclose(filled.log_focal, 0, atol=1e-6)


def test_a_full_turn_between_few_keyframes_is_followed() -> None:
    rng = np.random.default_rng(8)
    angle = np.radians(400) * S
    bearing, depth = rng.uniform(0, 2 * np.pi, 1500), rng.uniform(1, 4, 1500)
    points = np.column_stack([np.sin(bearing) * depth, rng.uniform(-0.4, 0.4, 1500) * depth, np.cos(bearing) * depth])
    shot = shoot(path_poses(np.outer(angle, [0, 1, 0]), np.zeros((N, 3))), np.zeros(N), points, rng)
    blind = _fill(window(shot, KEYS, moves=False), _no_tracks(shot.tracks))
    assert _errors(blind, shot)[0].max() < 2e-3


def test_tracks_that_are_no_points_are_told_static_or_moving(shaky: Shot) -> None:
    rng = np.random.default_rng(10)
    path = window(shaky, KEYS)
    life = np.bincount(shaky.tracks.track, minlength=len(shaky.points))
    long_lived = np.flatnonzero(life > 20)
    spared = rng.permutation(long_lived)[:60]
    movers, resting = spared[:30], spared[30:]
    xy = shaky.tracks.xy_px.copy()
    for track in movers:
        rows = shaky.tracks.track == track
        xy[rows] += np.outer(np.linspace(0, 1, rows.sum()) ** 2, rng.normal([0, 12], 1))
    filled = _fill(_without(path, spared), replace(shaky.tracks, xy_px=xy))
    known = np.setdiff1d(path.track, spared)
    assert np.median(filled.static_probability[resting]) > 0.9
    assert (filled.static_probability[resting] > 0.7).all()
    assert np.median(filled.static_probability[movers]) < 0.2
    assert (filled.static_probability[movers] < 0.4).mean() > 0.9
    assert (filled.static_probability[life < 2] == 0.5).all()
    np.testing.assert_allclose(filled.static_probability[known], 0.95)


def test_scene_depth_counts_the_cells_of_the_picture_alike() -> None:
    rng = np.random.default_rng(12)
    near = np.column_stack([rng.uniform(-0.3, -0.25, 300), rng.uniform(-0.1, -0.05, 300), np.ones(300)])
    wall = np.column_stack([rng.uniform(-0.4, 0.4, 200), rng.uniform(-0.2, 0.2, 200), np.ones(200)]) * 3
    shot = shoot(
        path_poses(np.zeros((N, 3)), np.column_stack([0.02 * S, 0 * S, S])), np.zeros(N), np.vstack([near, wall]), rng, noise_px=0.1
    )
    filled = _fill(window(shot, KEYS), shot.tracks)
    np.testing.assert_allclose(filled.median_depth, 3 - S, rtol=0.02)


def test_points_at_infinity_make_a_far_scene_not_a_failure() -> None:
    rng = np.random.default_rng(14)
    shot = shoot(path_poses(np.outer(0.1 * S, [0, 1, 0]), np.zeros((N, 3))), np.zeros(N), scene_points(rng, 300), rng)
    path = window(shot, KEYS, moves=False)
    filled = _fill(replace(path, rho=np.where(np.arange(len(path.rho)) % 2, 0.0, -0.01)), shot.tracks)
    assert np.isfinite(filled.median_depth).all()
    assert (filled.median_depth > 50).all()
    assert filled.valid.all()


@pytest.mark.parametrize("num_frames", [1, 2, 3])
def test_very_short_shots(num_frames: int) -> None:
    rng = np.random.default_rng(16)
    poses = path_poses(np.zeros((num_frames, 3)), np.zeros((num_frames, 3)))
    shot = shoot(poses, np.zeros(num_frames), scene_points(rng, 100), rng)
    path = window(shot, np.unique([0, num_frames - 1]), moves=False)
    filled = fill_frames(path, shot.tracks, num_frames, np.arange(num_frames) / 10, noise_px=NOISE_PX)
    assert np.isfinite(filled.cam_from_world).all()
    assert len(filled.static_probability) == 100


def test_no_track_at_all_leaves_the_interpolation(shaky: Shot) -> None:
    path = window(shaky, KEYS)
    bare = replace(path, track=path.track[:0], direction=path.direction[:0], rho=path.rho[:0], static=path.static[:0])
    none = PointTracks(np.empty(0, int), np.empty(0, int), np.empty((0, 2)), SIZE_PX, np.empty(0))
    filled = _fill(bare, none)
    assert not filled.valid.any()
    assert np.isfinite(filled.cam_from_world).all()
    assert (filled.median_depth == 1).all()


@pytest.mark.parametrize("frames", [[-1, 5], [0, N], []])
def test_keyframes_that_are_not_of_the_shot_are_refused(shaky: Shot, frames: list[int]) -> None:
    with pytest.raises(ValueError, match="keyframes"):
        _fill(replace(window(shaky, KEYS), frames=np.array(frames, int)), shaky.tracks)


def _fill(path: WindowPath, tracks: PointTracks) -> FilledPath:
    return fill_frames(path, tracks, N, TIMES_S, noise_px=NOISE_PX)


def _errors(filled: FilledPath, shot: Shot) -> tuple[Float, Float]:
    """Return errors of orientation, in rad, and of position of the frames between keyframes; 0 at the keyframes."""
    true = shot.cam_from_world @ inverse(shot.cam_from_world[0])
    turn = rotation_angle_rad(filled.cam_from_world[:, :3, :3] @ true[:, :3, :3].transpose(0, 2, 1))
    return turn, np.linalg.norm(camera_centers(filled.cam_from_world) - camera_centers(true), axis=1)


def _only(tracks: PointTracks, rows: np.ndarray) -> PointTracks:
    return replace(tracks, frame=tracks.frame[rows], track=tracks.track[rows], xy_px=tracks.xy_px[rows])


def _no_tracks(tracks: PointTracks) -> PointTracks:
    return _only(tracks, np.zeros(len(tracks.frame), bool))


def _with_garbage(tracks: PointTracks, frame: int) -> PointTracks:
    rows, xy = tracks.frame == frame, tracks.xy_px.copy()
    xy[rows] = np.random.default_rng(0).uniform(5, 200, (rows.sum(), 2))
    return replace(tracks, xy_px=xy)


def _without(path: WindowPath, tracks: np.ndarray) -> WindowPath:
    keep = ~np.isin(path.track, tracks)
    return replace(path, track=path.track[keep], direction=path.direction[keep], rho=path.rho[keep], static=path.static[keep])
