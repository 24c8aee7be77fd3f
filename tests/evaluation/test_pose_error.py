"""Pose errors: equal to evo's command line where it has an answer, defined where it has none, blind to gauge and scale of the estimate."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import SHARED, needs_shared
from trajectory_samples import random_poses, smooth_poses, trajectory_of

from sfmcam.errors import MissingDependencyError
from sfmcam.evaluation.pair_error import pair_direction_errors_rad, pair_rotation_errors_rad
from sfmcam.evaluation.pose_error import PoseErrors, pose_errors
from sfmcam.geometry.rigid import camera_centers, inverse, rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.geometry.similarity import fit_similarity
from sfmcam.io.tum import read_tum
from sfmcam.types import CameraTrajectory, Float

NUMBERS = [
    "rotation_mean_deg",
    "rotation_median_deg",
    "direction_mean_deg",
    "direction_median_deg",
    "ate_rmse",
    "ate_relative",
    "rpe_translation_rmse",
    "rpe_rotation_rmse_deg",
]
ALIGNED = ["direction_mean_deg", "direction_median_deg", "ate_rmse", "ate_relative", "rpe_translation_rmse"]


def path_of(centers: list[tuple[float, float, float]]) -> CameraTrajectory:
    """A camera that never turns."""
    poses = rigid_from_parts(np.broadcast_to(np.eye(3), (len(centers), 3, 3)), np.array(centers, float))
    return trajectory_of(inverse(poses))


def noisy(poses: Float, *, seed: int = 1) -> Float:
    """Poses turned and shifted a little, each on its own."""
    rng = np.random.default_rng(seed)
    noise = rigid_from_parts(rotation_from_vector(rng.normal(size=(len(poses), 3)) * 0.02), rng.normal(size=(len(poses), 3)) * 0.05)
    return noise @ poses


def assert_zero(errors: PoseErrors, *, names: list[str] = NUMBERS) -> None:
    for name in names:
        assert getattr(errors, name) == pytest.approx(0, abs=1e-6), name


def test_a_path_has_no_error_against_itself() -> None:
    trajectory = trajectory_of(smooth_poses(12), focal_px=np.full(12, 500.0), image_size_px=(640, 480))
    errors = pose_errors(trajectory, trajectory)
    assert_zero(errors)
    assert (errors.num_compared, errors.num_reference, errors.coverage, errors.answered) == (12, 12, 1.0, 1.0)
    assert (errors.focal_percent, errors.note) == (0.0, "")


def test_one_wrong_turn_by_hand() -> None:
    """Of three frames the last is turned 10 degrees too far about z: two of the three pairs are off by 10 degrees."""
    truth = path_of([(0, 0, 0), (1, 0, 0), (1, 1, 0)])
    poses = truth.cam_from_world.copy()
    poses[2] = rigid_from_parts(rotation_from_vector([0, 0, math.radians(10)]), np.zeros(3)) @ poses[2]
    errors = pose_errors(trajectory_of(poses), truth)
    assert errors.rotation_mean_deg == pytest.approx(20 / 3)
    assert errors.rotation_median_deg == pytest.approx(10)
    assert errors.rpe_rotation_rmse_deg == pytest.approx(10 / math.sqrt(2))
    assert_zero(errors, names=["ate_rmse"])


def test_directions_by_hand() -> None:
    """The true camera goes right, then up; the estimated one right, then down. From frame 0 to 2: 45 up against 45 down."""
    errors = pose_errors(path_of([(0, 0, 0), (1, 0, 0), (1, 1, 0)]), path_of([(0, 0, 0), (1, 0, 0), (1, -1, 0)]))
    assert errors.direction_mean_deg == pytest.approx((0 + 180 + 90) / 3)
    assert errors.direction_median_deg == pytest.approx(90)


def test_backwards_is_180_degrees_off_although_alignment_hides_it() -> None:
    errors = pose_errors(path_of([(0, 0, -i) for i in range(4)]), path_of([(0, 0, i) for i in range(4)]))
    assert errors.direction_mean_deg == pytest.approx(180)
    assert errors.ate_rmse == pytest.approx(0, abs=1e-12)
    assert errors.rpe_translation_rmse == pytest.approx(2)


def test_absolute_error_of_a_straight_path_by_hand() -> None:
    """evo refuses to align straight lines. Best fit of 0 1 2 9 (mean 3) onto 0 1 2 3: scale 14/50, residuals by hand."""
    errors = pose_errors(path_of([(0, 0, z) for z in (0, 1, 2, 9)]), path_of([(0, 0, z) for z in range(4)]))
    source, target = np.array([-3, -2, -1, 6.0]), np.array([-1.5, -0.5, 0.5, 1.5])
    scale = source @ target / (source @ source)
    assert errors.ate_rmse == pytest.approx(np.sqrt(np.mean((scale * source - target) ** 2)))
    assert errors.ate_relative == pytest.approx(errors.ate_rmse / np.sqrt(1.25))


def test_an_estimate_that_does_not_move_is_as_wrong_as_the_path_is_large() -> None:
    truth = path_of([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)])
    errors = pose_errors(path_of([(5, 5, 5)] * 4), truth)
    assert errors.ate_relative == pytest.approx(1)
    assert errors.ate_rmse == pytest.approx(math.sqrt(0.5))
    assert errors.rpe_translation_rmse == pytest.approx(1)
    assert errors.direction_mean_deg == pytest.approx(90)
    assert_zero(errors, names=["rotation_mean_deg"])


@pytest.mark.parametrize("estimate_moves", [True, False])
def test_a_true_camera_that_stays_in_place_has_rotation_errors_only(estimate_moves: bool) -> None:
    poses = rigid_from_parts(rotation_from_vector(np.outer(np.arange(5), [0, 0.1, 0])), np.zeros(3))
    truth = trajectory_of(poses @ rigid_from_parts(np.eye(3), [1.0, 2, 3]))
    estimate = trajectory_of(smooth_poses(5)) if estimate_moves else truth
    errors = pose_errors(estimate, truth)
    assert all(math.isnan(getattr(errors, name)) for name in ALIGNED)
    assert math.isfinite(errors.rotation_mean_deg)
    assert math.isfinite(errors.rpe_rotation_rmse_deg)
    assert "does not translate" in errors.note


def test_a_shift_that_is_nothing_against_the_scene_depth_counts_as_still() -> None:
    truth = replace(path_of([(0, 0, 0), (1e-4, 0, 0), (2e-4, 0, 0)]), median_depth=np.full(3, 5.0))
    assert "does not translate" in pose_errors(trajectory_of(smooth_poses(3)), truth).note
    assert "does not translate" not in pose_errors(trajectory_of(smooth_poses(3)), replace(truth, median_depth=np.full(3, np.nan))).note


@pytest.mark.parametrize(
    ("num_common", "finite", "words"),
    [(0, [], "no frames in common"), (1, [], "1 frame in common"), (2, ["rotation_mean_deg", "direction_mean_deg"], "2 frames in common")],
)
def test_too_few_common_frames_give_nan_with_the_reason(num_common: int, finite: list[str], words: str) -> None:
    truth, poses = smooth_poses(5), smooth_poses(5)
    valid = np.arange(5) < num_common
    poses[~valid] = np.nan
    errors = pose_errors(trajectory_of(poses, valid=valid), trajectory_of(truth))
    assert [name for name in NUMBERS if math.isfinite(getattr(errors, name)) and "median" not in name] == finite
    assert words in errors.note
    assert (errors.num_compared, errors.coverage, errors.answered) == (num_common, num_common / 5, num_common / 5)


def test_no_overlap_in_time_gives_nan_with_the_reason() -> None:
    early, late = trajectory_of(smooth_poses(5)), trajectory_of(smooth_poses(5), timestamps_s=1000.0 + np.arange(5))
    errors = pose_errors(early, late)
    assert (errors.num_compared, errors.coverage) == (0, 0.0)
    assert math.isnan(errors.answered)
    assert "no frames in common" in errors.note


def test_a_reference_without_any_pose_gives_nan() -> None:
    nothing = trajectory_of(np.full((3, 4, 4), np.nan), valid=np.zeros(3, bool))
    errors = pose_errors(trajectory_of(smooth_poses(3)), nothing)
    assert errors.num_reference == 0
    assert math.isnan(errors.coverage)


def test_frames_are_compared_at_their_times_whatever_their_numbers() -> None:
    poses = smooth_poses(20)
    every_third = trajectory_of(poses[2::3], timestamps_s=np.arange(20)[2::3] / 10 + 0.02)
    errors = pose_errors(every_third, trajectory_of(poses))
    assert_zero(errors)
    assert (errors.num_compared, errors.coverage, errors.answered) == (6, 0.3, 1.0)


def test_frames_without_a_pose_on_either_side_are_left_out() -> None:
    poses = smooth_poses(10)
    own, true = np.arange(10) != 3, np.arange(10) != 7
    mine, truth = np.where(own[:, None, None], poses, np.nan), np.where(true[:, None, None], poses, np.nan)
    errors = pose_errors(trajectory_of(mine, valid=own), trajectory_of(truth, valid=true))
    assert_zero(errors)
    assert (errors.num_compared, errors.num_reference) == (8, 9)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), scale=st.floats(1e-3, 1e3))
def test_the_estimates_gauge_and_scale_do_not_matter(seed: int, scale: float) -> None:
    truth = smooth_poses(9, seed=seed)
    estimate = noisy(truth, seed=seed + 1)
    moved = estimate @ random_poses(1, seed=seed + 2)
    moved[:, :3, 3] *= scale
    plain, changed = (pose_errors(trajectory_of(poses), trajectory_of(truth)) for poses in (estimate, moved))
    for name in NUMBERS:
        assert getattr(changed, name) == pytest.approx(getattr(plain, name), rel=1e-5, abs=1e-6), name


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_the_references_gauge_does_not_matter_and_its_scale_is_the_unit(seed: int) -> None:
    truth = smooth_poses(9, seed=seed)
    estimate = trajectory_of(noisy(truth, seed=seed + 1))
    moved = truth @ random_poses(1, seed=seed + 2)
    moved[:, :3, 3] *= 10
    plain, changed = pose_errors(estimate, trajectory_of(truth)), pose_errors(estimate, trajectory_of(moved))
    for name in NUMBERS:
        unit = 10 if name in ("ate_rmse", "rpe_translation_rmse") else 1
        assert getattr(changed, name) == pytest.approx(getattr(plain, name) * unit, rel=1e-5, abs=1e-6), name


@pytest.mark.parametrize(
    ("own", "true", "percent", "words"),
    [
        ((500.0, (640, 480)), (500.0, (640, 480)), 0.0, ""),
        ((550.0, (640, 480)), (500.0, (640, 480)), 10.0, ""),
        ((250.0, (320, 240)), (500.0, (640, 480)), 0.0, ""),
        ((math.nan, (640, 480)), (500.0, (640, 480)), math.nan, "no focal length"),
        ((500.0, None), (500.0, (640, 480)), math.nan, "picture size"),
        ((500.0, (480, 640)), (500.0, (640, 480)), math.nan, "different shapes"),
    ],
)
def test_the_focal_error_is_taken_at_one_picture_size(own: tuple, true: tuple, percent: float, words: str) -> None:
    estimate, truth = (trajectory_of(smooth_poses(4), focal_px=np.array([f, f, f, np.nan]), image_size_px=size) for f, size in (own, true))
    errors = pose_errors(estimate, truth)
    assert errors.focal_percent == pytest.approx(percent, nan_ok=True)
    assert words in errors.note


def test_long_paths_are_thinned_for_the_pairs() -> None:
    poses = smooth_poses(5000)
    assert len(pair_rotation_errors_rad(poses, poses)) == 2000 * 1999 // 2
    assert len(pair_direction_errors_rad(poses, poses, negligible=0.0)) == 2000 * 1999 // 2


def test_half_turns_are_half_turns() -> None:
    poses = rigid_from_parts(rotation_from_vector([[0.0, 0, 0], [0, math.pi, 0]]), np.zeros((2, 3)))
    still = np.broadcast_to(np.eye(4), (2, 4, 4))
    np.testing.assert_allclose(pair_rotation_errors_rad(poses, still), [math.pi])


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.01, 100))
def test_a_similarity_is_found_again(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    source, pose = rng.normal(size=(6, 3)), random_poses(1, seed=seed)[0]
    fit = fit_similarity(source, scale * source @ pose[:3, :3].T + pose[:3, 3])
    assert fit.scale == pytest.approx(scale)
    np.testing.assert_allclose(fit.rotation, pose[:3, :3], atol=1e-9)
    np.testing.assert_allclose(fit.translation, pose[:3, 3], atol=1e-7)


def test_our_alignment_is_evos() -> None:
    from evo.core.geometry import umeyama_alignment

    source, target = camera_centers(smooth_poses(8)), camera_centers(noisy(smooth_poses(8)))
    rotation, translation, scale = umeyama_alignment(source.T, target.T, with_scale=True)
    fit = fit_similarity(source, target)
    np.testing.assert_allclose(fit.rotation, rotation, atol=1e-12)
    np.testing.assert_allclose(fit.translation, translation, atol=1e-12)
    assert fit.scale == pytest.approx(scale)


def test_without_evo_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "evo.core", None)
    trajectory = trajectory_of(smooth_poses(4))
    with pytest.raises(MissingDependencyError, match=r"pip install 'sfmcam\[metrics\]'"):
        pose_errors(trajectory, trajectory)


# Golden values from evo 1.38.1: `evo_ape tum <reference> <estimate> -as --t_max_diff 0.005001` (rmse), `evo_rpe` with the
# same options (rmse), and with `-r angle_deg`; 0.005 s is half the reference's frame interval. Six decimals are printed.
GOLDEN = {
    ("evo_fr1_xyz_gt", "evo_fr1_xyz_rgbdslam"): (783, 0.013327, 0.005827, 0.352862),
    ("evo_fr1_xyz_gt", "evo_fr1_xyz_orb_kf"): (31, 0.009758, 0.014088, 0.898711),
}


def shared_path(name: str) -> CameraTrajectory:
    assert SHARED is not None
    return read_tum(SHARED / "trajectories" / f"{name}.tum")


@needs_shared("trajectories")
@pytest.mark.parametrize(("names", "golden"), GOLDEN.items())
def test_evos_command_line_says_the_same(names: tuple[str, str], golden: tuple[int, float, float, float]) -> None:
    errors = pose_errors(shared_path(names[1]), shared_path(names[0]))
    got = (errors.num_compared, errors.ate_rmse, errors.rpe_translation_rmse, errors.rpe_rotation_rmse_deg)
    assert got == pytest.approx(golden, abs=5.1e-7)
    assert errors.rotation_median_deg < 1
    assert errors.direction_median_deg < 4


@needs_shared("trajectories")
def test_two_copies_of_one_ground_truth_agree_and_one_with_invented_times_does_not_overlap() -> None:
    truth = shared_path("evo_fr1_xyz_gt")
    assert_zero(pose_errors(shared_path("twitchslam_fr1_xyz_gt"), truth))
    assert "no frames in common" in pose_errors(shared_path("twitchslam_freiburgxyz525"), truth).note


@needs_shared("trajectories")
def test_a_dolly_at_another_speed_is_the_same_path_and_the_opposite_one_is_180_degrees_off() -> None:
    assert_zero(pose_errors(shared_path("motionctrl_I_0p2x"), shared_path("motionctrl_I")))
    assert pose_errors(shared_path("motionctrl_O"), shared_path("motionctrl_I")).direction_median_deg == pytest.approx(180)
