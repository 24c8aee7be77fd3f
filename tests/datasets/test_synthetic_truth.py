"""Truth is true: pictures agree with the poses, focal lengths and depths that are stated for them, and content moves the right way."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest

from sfmcam.datasets.synthetic.camera_path import Arc, Curve, DollyZoom, Ease, dolly, pan, pedestal, roll, tilt, truck, zoom
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.datasets.synthetic.stage import Stage, build_stage
from sfmcam.geometry.projection import intrinsics, project
from sfmcam.geometry.rigid import inverse, transform_points
from sfmcam.types import Float

SIZE = (320, 180)
BEGIN_S, END_S = 0.0, 1.0

MOTIONS: dict[str, tuple[Curve, ...]] = {
    "pan": (pan(5),),
    "tilt": (tilt(-4),),
    "roll": (roll(2.5),),
    "truck": (truck(0.04),),
    "pedestal": (pedestal(0.04),),
    "dolly": (dolly(0.05),),
    "zoom": (zoom(1.05),),
    "arc": (Arc(np.radians(4)),),
    "dolly zoom": (DollyZoom(0.1),),
    "all at once": (pan(-2), tilt(1), roll(-1.5), truck(0.02), pedestal(-0.02), dolly(-0.02), zoom(0.98)),
}


@dataclass(frozen=True)
class Tracks:
    """Corners followed by KLT: `start` (M, 2) in pixels, their `shift` (M, 2), and the scene's `depth` (M,) at each."""

    start: Float
    shift: Float
    depth: Float


@pytest.fixture(scope="module", params=["room", "street"])
def still_stage(request: pytest.FixtureRequest) -> Stage:
    return build_stage(ClipSpec("truth", request.param, 5, size_px=SIZE, noise=0.0, fps=2.0, seconds=1.5))


def with_motion(stage: Stage, *curves: Curve) -> Stage:
    linear = tuple(replace(curve, ease=Ease.LINEAR) for curve in curves)
    return replace(stage, path=replace(stage.path, curves=linear))


def gray(stage: Stage, time_s: float) -> np.ndarray:
    return cv2.cvtColor(stage.frame(time_s, np.random.default_rng(0)), cv2.COLOR_RGB2GRAY)


def predicted_shift(stage: Stage, points: Float, depth: Float) -> Float:
    """Where points (M, 2) of the first picture move to until the last one, by depth, poses and focal lengths alone."""
    first, last = stage.view(BEGIN_S), stage.view(END_S)
    rays = np.column_stack([points, np.ones(len(points))]) @ np.linalg.inv(intrinsics(first.focal_px, SIZE)).T
    last_from_first = last.cam_from_world @ inverse(first.cam_from_world)
    return project(transform_points(last_from_first, rays * depth[:, None]), last.focal_px, SIZE) - points


def tracked(stage: Stage) -> Tracks:
    """Follow corners with KLT, forth and back, by OpenCV: it knows nothing of the scene."""
    before, after = gray(stage, BEGIN_S), gray(stage, END_S)
    corners = cv2.goodFeaturesToTrack(before, 300, 0.005, 5)
    how = {"winSize": (15, 15), "maxLevel": 4, "criteria": (3, 40, 0.003)}
    found, ok, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, None, **how)
    again, ok_again, _ = cv2.calcOpticalFlowPyrLK(after, before, found, None, **how)
    kept = ((ok & ok_again)[:, 0] == 1) & (np.linalg.norm((again - corners)[:, 0], axis=1) < 0.3)
    depth = stage.renderer.depth(stage.view(BEGIN_S))
    columns, rows = np.rint(corners[kept, 0]).astype(int).T
    depth_there = depth[rows, columns].astype(float)
    solid = np.isfinite(depth_there)
    start = corners[kept, 0][solid] + 0.5  # OpenCV counts from the first pixel's centre, K from the picture's corner
    return Tracks(start.astype(float), (found - corners)[kept, 0][solid].astype(float), depth_there[solid])


@pytest.mark.parametrize("motion", MOTIONS)
def test_an_independent_tracker_agrees_with_depth_pose_and_focal(still_stage: Stage, motion: str) -> None:
    stage = with_motion(still_stage, *MOTIONS[motion])
    tracks = tracked(stage)
    error = tracks.shift - predicted_shift(stage, tracks.start, tracks.depth)
    assert len(error) > 100
    assert np.median(np.linalg.norm(tracks.shift, axis=1)) > 0.8  # there is motion to be wrong about
    assert np.median(np.linalg.norm(error, axis=1)) < 0.25
    assert np.abs(np.median(error, axis=0)).max() < 0.05  # a wrong pixel centre or principal point would be a bias


@pytest.mark.parametrize("motion", MOTIONS)
def test_the_last_picture_warped_back_is_the_first(still_stage: Stage, motion: str) -> None:
    stage = with_motion(still_stage, *MOTIONS[motion])
    x, y = np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5)
    depth = stage.renderer.depth(stage.view(BEGIN_S)).astype(float)
    shift = predicted_shift(stage, np.column_stack([x.ravel(), y.ravel()]), np.nan_to_num(depth, nan=1500.0).ravel()).reshape(
        *depth.shape, 2
    )
    target = np.stack([x, y], axis=-1) + shift - 0.5
    inside = ((target >= 1) & (target <= np.array(SIZE) - 2)).all(axis=-1)
    before, after = gray(stage, BEGIN_S), gray(stage, END_S)
    warped = cv2.remap(after, target.astype(np.float32), None, cv2.INTER_CUBIC)
    error = np.abs(warped.astype(float) - before)[inside]
    unwarped = np.abs(after.astype(float) - before)[inside]
    assert np.median(error) <= 2
    assert error.mean() < 0.4 * unwarped.mean()


def outward(tracks: Tracks) -> Float:
    """Return how fast each track leaves the centre, in shares of its distance to it."""
    arm = tracks.start - np.array(SIZE) / 2
    return (tracks.shift * arm).sum(axis=1) / (arm**2).sum(axis=1)


def turning(tracks: Tracks) -> Float:
    """Return how far each track turns about the centre, in radians, clockwise on the screen."""
    arm = tracks.start - np.array(SIZE) / 2
    return (arm[:, 0] * tracks.shift[:, 1] - arm[:, 1] * tracks.shift[:, 0]) / (arm**2).sum(axis=1)


SIGNS = {
    "pan right: content moves left": (pan(5), lambda t: -t.shift[:, 0]),
    "pan left: content moves right": (pan(-5), lambda t: t.shift[:, 0]),
    "tilt up: content moves down": (tilt(4), lambda t: t.shift[:, 1]),
    "tilt down: content moves up": (tilt(-4), lambda t: -t.shift[:, 1]),
    "roll clockwise: content turns counterclockwise": (roll(6), lambda t: -turning(t)),
    "roll counterclockwise: content turns clockwise": (roll(-6), turning),
    "move right: content moves left": (truck(0.04), lambda t: -t.shift[:, 0]),
    "move left: content moves right": (truck(-0.04), lambda t: t.shift[:, 0]),
    "move up: content moves down": (pedestal(0.04), lambda t: t.shift[:, 1]),
    "move down: content moves up": (pedestal(-0.04), lambda t: -t.shift[:, 1]),
    "move in: content expands": (dolly(0.08), outward),
    "move out: content shrinks": (dolly(-0.08), lambda t: -outward(t)),
    "zoom in: content expands": (zoom(1.1), outward),
    "zoom out: content shrinks": (zoom(1 / 1.1), lambda t: -outward(t)),
}


@pytest.mark.parametrize("claim", SIGNS)
def test_content_moves_the_other_way(still_stage: Stage, claim: str) -> None:
    curve, positive = SIGNS[claim]
    values = positive(tracked(with_motion(still_stage, curve)))
    assert np.quantile(values, 0.1) > 0


@pytest.mark.parametrize(("curve", "speed"), [(truck(0.04), lambda t: -t.shift[:, 0]), (dolly(0.08), outward)])
def test_near_things_move_faster_than_far_ones_when_the_camera_moves(still_stage: Stage, curve: Curve, speed) -> None:
    tracks = tracked(with_motion(still_stage, curve))
    near, far = tracks.depth < np.quantile(tracks.depth, 0.2), tracks.depth > np.quantile(tracks.depth, 0.8)
    assert np.median(speed(tracks)[near]) > 1.15 * np.median(speed(tracks)[far])


def test_a_zoom_has_no_parallax(still_stage: Stage) -> None:
    tracks = tracked(with_motion(still_stage, zoom(1.1)))
    far_from_center = np.linalg.norm(tracks.start - np.array(SIZE) / 2, axis=1) > 40
    assert outward(tracks)[far_from_center] == pytest.approx(0.1, abs=0.02)


def test_a_dolly_zoom_keeps_its_subject_and_moves_the_rest(still_stage: Stage) -> None:
    stage = with_motion(still_stage, DollyZoom(0.15, subject=1.0))
    tracks = tracked(stage)
    growth, relative = outward(tracks), tracks.depth / stage.path.depth_m
    at_subject = np.abs(relative - 1) < 0.04
    assert at_subject.any()
    assert np.abs(np.median(growth[at_subject])) < 0.01
    assert np.median(growth[relative < 0.8]) > 0.02
