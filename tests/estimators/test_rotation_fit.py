"""A turning, zooming camera is recovered from matches between its frames, whatever moves in front of it."""

from __future__ import annotations

import numpy as np
import pytest

from sfmcam.estimators.colmap.rotation_fit import FocalPrior, Matches, fit_rotation
from sfmcam.geometry.rotation import rotation_angle_rad, rotation_from_vector

SIZE_PX = (512.0, 288.0)
FOCAL_PX = 420.0
PRIOR = FocalPrior(410.0)
NUM_FRAMES = 8
RAYS_PER_PAIR = 40


def turning_matches(angles_rad, log_focal, *, noise_px=0.0, outliers=0.0, seed=0, reach=8) -> Matches:
    """Matches of random far points between all pairs of frames up to `reach` apart."""
    rng = np.random.default_rng(seed)
    rotation, focal = rotation_from_vector(np.asarray(angles_rad, float)), FOCAL_PX * np.exp(np.asarray(log_focal, float))
    rows = []
    for i in range(len(rotation)):
        for j in range(i + 1, min(i + 1 + reach, len(rotation))):
            xy_i = rng.uniform(-0.5, 0.5, (RAYS_PER_PAIR, 2)) * SIZE_PX
            ray = np.concatenate([xy_i / focal[i], np.ones((RAYS_PER_PAIR, 1))], axis=1) @ rotation[i] @ rotation[j].T
            xy_j = focal[j] * ray[:, :2] / ray[:, 2:]
            seen = (ray[:, 2] > 0) & (np.abs(xy_j) < np.asarray(SIZE_PX) / 2).all(1)
            wild = rng.random(RAYS_PER_PAIR) < outliers
            xy_j[wild] += [25.0, -12.0]  # one mover, the same way for all its points
            xy_j += rng.normal(0, noise_px, xy_j.shape)
            rows.append((np.full(seen.sum(), i), np.full(seen.sum(), j), xy_i[seen], xy_j[seen]))
    return Matches(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def ramp(tilt=0.0, pan=0.0, roll=0.0):
    """Angles that grow evenly; cam_from_world turns the other way than the camera."""
    return -np.linspace(0, 1, NUM_FRAMES)[:, None] * np.radians([tilt, pan, roll])


MOTIONS = {
    "still": (ramp(), 0.0),
    "pan": (ramp(pan=30), 0.0),
    "tilt": (ramp(tilt=-20), 0.0),
    "roll": (ramp(roll=60), 0.0),
    "zoom": (ramp(), 0.5),
    "zoom out with pan": (ramp(pan=-12, tilt=4), -0.4),
}


@pytest.mark.parametrize("name", MOTIONS)
def test_exact_matches_give_exact_angles_and_zoom(name):
    angles, zoom = MOTIONS[name]
    log_focal = np.linspace(0, zoom, NUM_FRAMES)
    fit = fit_rotation(turning_matches(angles, log_focal), num_frames=NUM_FRAMES, prior=PRIOR)
    error = rotation_angle_rad(fit.cam_from_world @ rotation_from_vector(angles).transpose(0, 2, 1))
    # 1e-2: a small turn leaves the focal length to the prior, which is off by 2.4 %, and the angle with it
    assert np.degrees(error).max() < 0.03 * max(np.degrees(np.abs(angles)).max(), 1e-3) + 0.02
    np.testing.assert_allclose(np.log(fit.focal_px / fit.focal_px[0]), log_focal, atol=0.02)
    assert np.median(fit.residual_px) < 0.05


@pytest.mark.parametrize("share", [0.15, 0.3])
def test_a_mover_does_not_pull_the_camera(share):
    angles, _ = MOTIONS["pan"]
    matches = turning_matches(angles, np.zeros(NUM_FRAMES), noise_px=0.3, outliers=share)
    fit = fit_rotation(matches, num_frames=NUM_FRAMES, prior=PRIOR)
    error = rotation_angle_rad(fit.cam_from_world @ rotation_from_vector(angles).transpose(0, 2, 1))
    assert np.degrees(error).max() < 0.5


def test_one_focal_length_when_the_prior_says_so():
    angles, zoom = MOTIONS["zoom"]
    matches = turning_matches(angles, np.linspace(0, zoom, NUM_FRAMES))
    fit = fit_rotation(matches, num_frames=NUM_FRAMES, prior=FocalPrior(410.0, step_log_sigma=0.0))
    assert np.ptp(np.log(fit.focal_px)) < 1e-3


def test_a_frame_without_matches_is_not_linked_and_harms_no_other():
    angles, _ = MOTIONS["pan"]
    matches = turning_matches(angles, np.zeros(NUM_FRAMES))
    keep = (matches.frame_i != 4) & (matches.frame_j != 4)
    matches = Matches(matches.frame_i[keep], matches.frame_j[keep], matches.xy_i_px[keep], matches.xy_j_px[keep])
    fit = fit_rotation(matches, num_frames=NUM_FRAMES, prior=PRIOR)
    linked = matches.linked_frames(NUM_FRAMES)
    assert linked.tolist() == [True] * 4 + [False] + [True] * 3
    error = rotation_angle_rad(fit.cam_from_world @ rotation_from_vector(angles).transpose(0, 2, 1))
    assert np.degrees(error[linked]).max() < 1.0


def test_reversing_time_reverses_the_motion():
    angles, zoom = MOTIONS["zoom out with pan"]
    matches = turning_matches(angles, np.linspace(0, zoom, NUM_FRAMES), noise_px=0.3)
    last = NUM_FRAMES - 1
    mirrored = Matches(last - matches.frame_j, last - matches.frame_i, matches.xy_j_px, matches.xy_i_px)
    ahead = fit_rotation(matches, num_frames=NUM_FRAMES, prior=PRIOR)
    back = fit_rotation(mirrored, num_frames=NUM_FRAMES, prior=PRIOR)
    there, again = ahead.cam_from_world[-1], back.cam_from_world[-1]
    assert rotation_angle_rad(there @ again) < np.radians(0.3)
    assert abs(np.log(ahead.focal_px[-1] / ahead.focal_px[0]) + np.log(back.focal_px[-1] / back.focal_px[0])) < 0.02


def test_the_stated_noise_covers_the_error():
    angles, _ = MOTIONS["pan"]
    errors = []
    for seed in range(12):
        matches = turning_matches(angles, np.zeros(NUM_FRAMES), noise_px=0.5, seed=seed)
        fit = fit_rotation(matches, num_frames=NUM_FRAMES, prior=PRIOR)
        sigma = np.sqrt(fit.covariance[-1, 3, 3])
        errors.append(np.log(fit.focal_px[-1] / fit.focal_px[0]) / sigma)
    assert 0.4 < np.std(errors) < 2.0  # independent matches: the covariance is right up to the robust weights
