"""Still, turning or moving: the matches decide, and a map must explain them clearly better than a turning camera."""

from __future__ import annotations

import numpy as np
import pytest
from test_rotation_fit import FOCAL_PX, MOTIONS, NUM_FRAMES, PRIOR, SIZE_PX, turning_matches

from sfmcam.estimators.colmap.motion_model import PARALLAX_GAIN, MotionModel, corner_motion_px, model_before_mapping, moving_gain
from sfmcam.estimators.colmap.rotation_fit import Matches, fit_rotation
from sfmcam.geometry.rigid import rigid_from_parts


def moving_matches(step, *, noise_px=0.3, seed=0) -> tuple[Matches, np.ndarray]:
    """Matches of points at depths 1 to 6 seen by a camera that moves by `step` (in units of the nearest depth) per frame."""
    rng = np.random.default_rng(seed)
    centers = np.arange(NUM_FRAMES)[:, None] * np.asarray(step, float)
    poses = rigid_from_parts(np.tile(np.eye(3), (NUM_FRAMES, 1, 1)), -centers)
    rows = []
    for i in range(NUM_FRAMES):
        for j in range(i + 1, NUM_FRAMES):
            depth = rng.uniform(1, 6, 40)
            points = np.concatenate([rng.uniform(-0.5, 0.5, (40, 2)) * SIZE_PX / FOCAL_PX * depth[:, None], depth[:, None]], axis=1)
            there = points + centers[i] - centers[j]
            seen = there[:, 2] > 0.2
            ends = [FOCAL_PX * p[seen, :2] / p[seen, 2:] + rng.normal(0, noise_px, (seen.sum(), 2)) for p in (points, there)]
            rows.append((np.full(seen.sum(), i), np.full(seen.sum(), j), *ends))
    return Matches(*(np.concatenate(column) for column in zip(*rows, strict=True))), poses


def fitted(matches):
    return fit_rotation(matches, num_frames=NUM_FRAMES, prior=PRIOR)


@pytest.mark.parametrize(("name", "expected"), [("still", MotionModel.STILL), ("pan", MotionModel.TURNING), ("zoom", MotionModel.TURNING)])
def test_no_map_is_needed_for_a_camera_that_does_not_travel(name, expected):
    angles, zoom = MOTIONS[name]
    matches = turning_matches(angles, np.linspace(0, zoom, NUM_FRAMES), noise_px=0.3)
    fit = fitted(matches)
    corner_px = corner_motion_px(fit.cam_from_world, fit.focal_px, (512, 288))
    assert model_before_mapping(matches, fit.residual_px, corner_px, unit_px=1.0) is expected


def test_a_still_camera_stays_still_beside_a_mover():
    matches = turning_matches(MOTIONS["still"][0], np.zeros(NUM_FRAMES), noise_px=0.2, outliers=0.4)
    fit = fitted(matches)
    corner_px = corner_motion_px(fit.cam_from_world, fit.focal_px, (512, 288))
    assert model_before_mapping(matches, fit.residual_px, corner_px, unit_px=1.0) is MotionModel.STILL


@pytest.mark.parametrize("step", [(0.05, 0, 0), (0, 0.05, 0), (0, 0, 0.05)], ids=["truck", "pedestal", "dolly"])
def test_parallax_shows(step):
    matches, poses = moving_matches(step)
    fit = fitted(matches)
    assert model_before_mapping(matches, fit.residual_px, 100.0, unit_px=1.0) is MotionModel.MOVING
    gain = moving_gain(
        matches, fit.residual_px, cam_from_world=poses, focal_px=np.full(NUM_FRAMES, FOCAL_PX), valid=np.ones(NUM_FRAMES, bool), unit_px=1.0
    )
    assert gain.gric > PARALLAX_GAIN
    assert gain.num_matches == len(matches)
    assert gain.parallax_px > 1.0


@pytest.mark.parametrize("noise_px", [0.3, 1.0, 2.0])
def test_an_invented_translation_does_not_win(noise_px):
    """The true rotation with any translation leaves a small epipolar error on a pan; GRIC must see through it."""
    angles, _ = MOTIONS["pan"]
    matches = turning_matches(angles, np.zeros(NUM_FRAMES), noise_px=noise_px)
    fit = fitted(matches)
    invented = rigid_from_parts(fit.cam_from_world, np.arange(NUM_FRAMES)[:, None] * [0.1, 0.02, 0.05])
    gain = moving_gain(
        matches, fit.residual_px, cam_from_world=invented, focal_px=fit.focal_px, valid=np.ones(NUM_FRAMES, bool), unit_px=1.0
    )
    assert gain.gric < PARALLAX_GAIN


def test_without_common_frames_nothing_is_gained():
    matches, poses = moving_matches((0.05, 0, 0))
    valid = np.zeros(NUM_FRAMES, bool)
    gain = moving_gain(
        matches, np.ones(len(matches)), cam_from_world=poses, focal_px=np.full(NUM_FRAMES, FOCAL_PX), valid=valid, unit_px=1.0
    )
    assert gain.gric == -np.inf
    assert gain.num_matches == 0


def test_corners_travel_with_the_roll():
    roll = fitted(turning_matches(MOTIONS["roll"][0], np.zeros(NUM_FRAMES)))
    expected = 2 * np.hypot(256, 144) * np.sin(np.radians(30))
    assert corner_motion_px(roll.cam_from_world, roll.focal_px, (512, 288)) == pytest.approx(expected, rel=0.02)
