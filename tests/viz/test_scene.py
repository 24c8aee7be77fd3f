"""A scene holds the path in the first camera's frame and in scene depths, and stays readable for every kind of motion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from viz_paths import arc, cloud, path

from sfmcam.errors import InputError
from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import CameraTrajectory, Scale
from sfmcam.viz.cameras import MAX_FRUSTA
from sfmcam.viz.frustum import camera_frustum
from sfmcam.viz.scene import build_scene
from sfmcam.viz.viewpoint import choose_viewpoint

SIZE_PX = (1280, 800)
MOTIONS = {
    "static": path(),
    "pan": path((0, 30, 0)),
    "tilt": path((-20, 0, 0)),
    "roll": path((0, 0, 40)),
    "zoom": path(zoom=2.0),
    "dolly": path(move=(0, 0, 0.5)),
    "truck": path(move=(-0.4, 0, 0)),
    "pedestal": path(move=(0, -0.4, 0)),
    "far": path(move=(0, 0, 50.0)),
    "arc": arc(),
    "gap": path((0, 20, 0), (0.2, 0, 0), num_invalid=3),
    "one": path(num_invalid=11),
    "no_depth": path((0, 20, 0), (0.2, 0, 0), has_depth=False),
    "no_depth_no_motion": path(has_depth=False),
    "no_focal": path((0, 20, 0), has_focal=False),
}


@pytest.mark.parametrize("name", MOTIONS)
def test_every_motion_gives_a_finite_scene_inside_the_picture(name: str) -> None:
    scene = build_scene(MOTIONS[name], cloud())
    assert np.isfinite(scene.strokes.ends).all()
    assert ((scene.strokes.colors >= 0) & (scene.strokes.colors <= 1)).all()
    for points in (scene.points[:0], scene.points):
        view = choose_viewpoint(scene.in_view, scene.trails, points, size_px=SIZE_PX)
        pixels = view.pixels(scene.in_view)
        assert np.isfinite(pixels).all()
        assert (pixels >= 0).all()
        assert (pixels <= SIZE_PX).all()
        assert (np.ptp(pixels, axis=0) / SIZE_PX).max() > 0.3  # large enough to be seen


@pytest.mark.parametrize(("name", "axis", "sign"), [("truck", 0, -1), ("pedestal", 1, -1), ("dolly", 2, 1)])
def test_the_path_lies_along_the_named_axis_in_scene_depths(name: str, axis: int, sign: int) -> None:
    trajectory = MOTIONS[name]
    scene = build_scene(trajectory, None)
    expected = np.zeros(3)
    expected[axis] = sign * (0.5 if name == "dolly" else 0.4)
    np.testing.assert_allclose(scene.dots.centers[0], 0, atol=1e-12)
    np.testing.assert_allclose(scene.dots.centers[1], expected, atol=1e-12)
    assert scene.unit == "scene depths"


@pytest.mark.parametrize("name", ["truck", "dolly", "pedestal", "arc"])
def test_the_picture_s_right_is_the_camera_s_right_and_its_top_is_up(name: str) -> None:
    scene = build_scene(MOTIONS[name], None)
    view = choose_viewpoint(scene.in_view, scene.trails, scene.points, size_px=SIZE_PX)
    right, down, inward = view.eye_from_scene[:3, :3].T
    assert right[0] > 0.5
    assert down[1] > 0.5
    assert inward[2] > 0  # the first camera looks away from the viewer


def test_frames_without_a_pose_are_left_out_and_counted() -> None:
    scene = build_scene(MOTIONS["gap"], None)
    assert scene.facts[0] == "9 of 12 frames placed"
    assert scene.span_s == pytest.approx((0.5, 11 / 6))


def test_a_trajectory_without_poses_is_refused() -> None:
    with pytest.raises(InputError, match="no frame with a pose"):
        build_scene(path(num_invalid=12), None)


def test_few_frusta_of_many_cameras() -> None:
    count = 5000
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, 0, 3] = np.linspace(0, -3, count)
    nan = np.full(count, np.nan)
    trajectory = CameraTrajectory(np.arange(count) * 0.1, poses, nan, np.ones(count, bool), nan, scale=Scale.METRIC)
    scene = build_scene(trajectory, None)
    assert scene.unit == "m"
    assert len(scene.in_view) < 3000
    assert len(scene.strokes.ends) < 4200
    assert len(scene.in_view) > MAX_FRUSTA * 8


def test_points_far_outside_are_cut_and_the_rest_is_in_scene_depths() -> None:
    scene = build_scene(MOTIONS["static"], cloud(outliers=10))
    assert 0.8 * 800 < len(scene.points) < 800
    assert np.abs(scene.points).max() < 3
    assert np.median(scene.points[:, 2]) == pytest.approx(1.0, abs=0.05)


def test_a_still_camera_with_noise_is_drawn_still() -> None:
    rng = np.random.default_rng(1)
    still = path()
    shaken = still.cam_from_world.copy()
    shaken[:, :3, 3] += rng.normal(size=(12, 3)) * 0.004  # a thousandth of the scene depth
    scene = build_scene(replace(still, cam_from_world=shaken), None)
    view = choose_viewpoint(scene.in_view, scene.trails, scene.points, size_px=SIZE_PX)
    centers = view.pixels(scene.dots.centers)
    assert np.linalg.norm(centers[1] - centers[0]) < 20


def test_a_longer_focal_length_narrows_the_frustum_and_a_roll_moves_the_tick_to_the_right() -> None:
    wide, narrow = (camera_frustum(np.eye(4), ratio, aspect=0.5, depth=1.0) for ratio in (0.5, 1.0))
    assert np.ptp(wide.vertices[1:5, 0]) == pytest.approx(2 * np.ptp(narrow.vertices[1:5, 0]))
    rolled = camera_frustum(rigid_from_parts(rotation_from_vector(np.array([0, 0, 0.3])), np.zeros(3)), 0.5, aspect=0.5, depth=1.0)
    assert wide.tip[0] == pytest.approx(0)
    assert rolled.tip[0] > 0.1  # clockwise: the top goes right
