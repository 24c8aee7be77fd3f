"""Windows of a long shot lie over one another where they were cut: poses, scale, focal length, points."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from window_scene import Shot, center_gap, path_poses, scene_points, shoot, window

from sfmcam.estimators.vo.windows import WindowPath, choose_windows, join_windows
from sfmcam.geometry.rigid import camera_centers, inverse
from sfmcam.geometry.rotation import rotation_angle_rad, rotation_from_vector


@pytest.mark.parametrize(
    ("num_keyframes", "size", "overlap", "expected"),
    [
        (0, 16, 4, []),
        (1, 16, 4, [(0, 1)]),
        (16, 16, 4, [(0, 16)]),
        (17, 16, 4, [(0, 10), (6, 17)]),
        (28, 16, 4, [(0, 16), (12, 28)]),
        (40, 16, 4, [(0, 16), (12, 28), (24, 40)]),
    ],
)
def test_windows_chosen(num_keyframes: int, size: int, overlap: int, expected: list[tuple[int, int]]) -> None:
    assert [(r.start, r.stop) for r in choose_windows(num_keyframes, size, overlap)] == expected


@pytest.mark.parametrize("overlap", [1, 4, 15])
@pytest.mark.parametrize("num_keyframes", [17, 18, 31, 100, 361])
def test_windows_cover_everything_share_enough_and_are_of_near_equal_length(num_keyframes: int, overlap: int) -> None:
    windows = choose_windows(num_keyframes, 16, overlap)
    lengths = [len(w) for w in windows]
    assert windows[0].start == 0
    assert windows[-1].stop == num_keyframes
    assert all(before.stop - after.start == overlap for before, after in pairwise(windows))
    assert max(lengths) <= 16
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize(("size", "overlap"), [(8, 0), (8, 8), (1, 1)])
def test_windows_that_cannot_go_on_are_refused(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="cannot share"):
        choose_windows(20, size, overlap)


@pytest.fixture(scope="module")
def walk() -> Shot:
    rng = np.random.default_rng(3)
    s = np.linspace(0, 1, 61)
    poses = path_poses(np.column_stack([0.1 * s, 0.3 * s, 0.05 * s]), np.column_stack([0.5 * s, 0.1 * s**2, 0.3 * s]))
    return shoot(poses, np.full(61, -0.05) + 0.1 * s, scene_points(rng, 500, turn_rad=0.3), rng)


@pytest.mark.parametrize("units", [(1.0, 1.0, 1.0), (1.0, 2.5, 0.3), (0.7, 0.7, 1.9)])
def test_joined_path_is_the_true_one_in_the_first_unit(walk: Shot, units: tuple[float, float, float]) -> None:
    joined = _join(walk, units, noise=False)
    first = walk.cam_from_world[0]
    true = walk.cam_from_world[joined.frames] @ inverse(first)
    true[:, :3, 3] /= units[0]
    assert center_gap(joined.cam_from_world, true) < 1e-9
    assert rotation_angle_rad(joined.cam_from_world[:, :3, :3] @ true[:, :3, :3].transpose(0, 2, 1)).max() < 1e-7
    np.testing.assert_allclose(joined.log_focal, walk.log_focal[joined.frames], atol=1e-12)
    points = joined.direction / joined.rho[:, None] * units[0]
    np.testing.assert_allclose(points, (walk.points @ first[:3, :3].T + first[:3, 3])[joined.track], atol=1e-7)


@pytest.mark.parametrize("units", [(1.0, 1.0, 1.0), (1.0, 2.5, 0.3)])
def test_joined_path_is_true_to_within_the_noise_of_the_windows(walk: Shot, units: tuple[float, float, float]) -> None:
    joined = _join(walk, units, noise=True)
    true = walk.cam_from_world[joined.frames] @ inverse(walk.cam_from_world[0])
    assert center_gap(joined.cam_from_world, true) < 0.03 * np.linalg.norm(camera_centers(true)[-1])
    assert rotation_angle_rad(joined.cam_from_world[:, :3, :3] @ true[:, :3, :3].transpose(0, 2, 1)).max() < 1.5e-3


def test_noise_adds_up_from_window_to_window(walk: Shot) -> None:
    joined = _join(walk, (1.0, 1.0, 1.0), noise=False)
    assert (joined.sigma[0] == 0).all()
    assert (np.diff(joined.sigma, axis=0) >= -1e-12).all()
    np.testing.assert_allclose(joined.sigma[-1], joined.sigma[1] * np.sqrt(3), rtol=1e-9)


def test_few_wrong_depths_and_a_wrong_keyframe_do_not_spoil_the_join(walk: Shot) -> None:
    paths = _windows(walk, (1.0, 2.0, 1.0), noise=False)
    rho = paths[1].rho.copy()
    rho[::5] *= 3
    poses = paths[1].cam_from_world.copy()
    poses[1, :3, :3] = rotation_from_vector(np.array([0.0, 0.02, 0.0])) @ poses[1, :3, :3]
    joined = join_windows([paths[0], replace(paths[1], rho=rho, cam_from_world=poses), paths[2]])
    true = walk.cam_from_world[joined.frames] @ inverse(walk.cam_from_world[0])
    angle = rotation_angle_rad(joined.cam_from_world[-10:, :3, :3] @ true[-10:, :3, :3].transpose(0, 2, 1))
    assert angle.max() < 2e-3
    assert np.linalg.norm(camera_centers(joined.cam_from_world)[-1] - camera_centers(true)[-1]) < 0.02


def test_a_turning_window_beside_a_moving_one_keeps_the_scene_as_unit() -> None:
    rng = np.random.default_rng(5)
    s = np.clip(np.arange(41) / 20 - 1, 0, 1)  # stands and turns for 20 frames, then walks
    poses = path_poses(np.column_stack([0 * s, 0.01 * np.arange(41), 0 * s]), np.column_stack([0.4 * s, 0 * s, 0.2 * s]))
    shot = shoot(poses, np.zeros(41), scene_points(rng, 500, turn_rad=0.4), rng)
    keys = np.arange(0, 41, 2)
    turning = window(shot, keys[:11], moves=False)
    depth = float(np.median(1 / window(shot, keys[8:]).inverse_depths(1, np.arange(50))))
    moving = window(shot, keys[8:], unit=depth)
    for paths in ([turning, moving], [_reversed(moving), _reversed(turning)]):
        joined = join_windows(paths)
        length = np.linalg.norm(camera_centers(joined.cam_from_world)[-1] - camera_centers(joined.cam_from_world)[0])
        assert length == pytest.approx(np.linalg.norm([0.4, 0.2]) / depth, rel=0.15)
        depths = joined.inverse_depths(0, np.flatnonzero(np.isin(joined.track, moving.track)))
        assert np.ptp(np.log(depths[depths > 0])) > 1  # the depths that the moving window measured are not levelled by the other


def test_a_pan_beyond_a_full_turn_goes_on() -> None:
    rng = np.random.default_rng(7)
    angle = np.radians(np.linspace(0, 400, 201))
    shot = shoot(path_poses(np.outer(angle, [0, 1, 0]), np.zeros((201, 3))), np.zeros(201), _ring(rng), rng)
    keys = np.arange(0, 201, 2)
    paths = [window(shot, keys[list(r)], rng=rng, moves=False) for r in choose_windows(len(keys), 21, 5)]
    joined = join_windows(paths)
    turned = rotation_from_vector(np.array([0, np.radians(40), 0])).T
    assert len(paths) == 6
    assert np.degrees(rotation_angle_rad(joined.cam_from_world[-1, :3, :3] @ turned.T)) < 0.5
    np.testing.assert_allclose(camera_centers(joined.cam_from_world), 0, atol=1e-9)


def test_focal_lengths_that_differ_fade_without_a_step() -> None:
    rng = np.random.default_rng(9)
    shot = shoot(path_poses(np.zeros((31, 3)), np.zeros((31, 3))), np.zeros(31), scene_points(rng, 200), rng)
    one, other = window(shot, np.arange(0, 20), moves=False), window(shot, np.arange(15, 31), moves=False)
    joined = join_windows([one, replace(other, log_focal=other.log_focal + 0.06)])
    np.testing.assert_allclose(joined.log_focal[[14, 15, 19, 20]], [0, 0.01, 0.05, 0.06], atol=1e-12)
    assert np.diff(joined.log_focal).max() < 0.0101


def test_nothing_shared_but_keyframes_keeps_the_unit(walk: Shot) -> None:
    one, other, _ = _windows(walk, (1.0, 1.0, 1.0), noise=False)
    joined = join_windows([one, replace(other, track=other.track + len(walk.points))])
    true = walk.cam_from_world[joined.frames] @ inverse(walk.cam_from_world[0])
    assert center_gap(joined.cam_from_world, true) < 1e-9


def test_static_probability_of_a_shared_track_is_the_mean(walk: Shot) -> None:
    one, other, _ = _windows(walk, (1.0, 1.0, 1.0), noise=False)
    joined = join_windows([one, replace(other, static=np.full(len(other.track), 0.15))])
    shared = np.isin(joined.track, one.track) & np.isin(joined.track, other.track)
    np.testing.assert_allclose(joined.static[shared], 0.55)


def test_what_cannot_be_joined_is_refused(walk: Shot) -> None:
    with pytest.raises(ValueError, match="no window"):
        join_windows([])
    with pytest.raises(ValueError, match="share no keyframe"):
        join_windows([window(walk, np.arange(0, 10)), window(walk, np.arange(10, 20))])


def test_one_window_is_itself(walk: Shot) -> None:
    only = window(walk, np.arange(0, 10))
    assert join_windows([only]) is only


def _windows(shot: Shot, units: tuple[float, float, float], *, noise: bool) -> list[WindowPath]:
    rng = np.random.default_rng(11)
    keys = np.arange(0, 61, 3)
    ranges = choose_windows(len(keys), 10, 4)
    return [window(shot, keys[list(r)], unit=unit, rng=rng if noise else None) for r, unit in zip(ranges, units, strict=True)]


def _join(shot: Shot, units: tuple[float, float, float], *, noise: bool) -> WindowPath:
    return join_windows(_windows(shot, units, noise=noise))


def _reversed(path: WindowPath) -> WindowPath:
    """Return the window as it would be had the shot run backwards: its last keyframe is its world."""
    last = path.cam_from_world[-1]
    direction = path.direction @ last[:3, :3].T + path.rho[:, None] * last[:3, 3]
    length = np.linalg.norm(direction, axis=1)
    return replace(
        path,
        frames=1000 - path.frames[::-1],
        cam_from_world=(path.cam_from_world @ inverse(last))[::-1],
        log_focal=path.log_focal[::-1],
        direction=direction / length[:, None],
        rho=path.rho / length,
    )


def _ring(rng: np.random.Generator) -> np.ndarray:
    """Return points all around the camera."""
    bearing, depth = rng.uniform(0, 2 * np.pi, 1500), rng.uniform(1, 4, 1500)
    return np.column_stack([np.sin(bearing) * depth, rng.uniform(-0.4, 0.4, 1500) * depth, np.cos(bearing) * depth])
