"""All metrics of a comparison: evo's own command line says the same under every alignment, and what is undefined has a reason."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import SHARED, needs_shared
from trajectory_samples import random_poses, smooth_poses, trajectory_of

from sfmcam.evaluation.compare import Comparison, compare_trajectories
from sfmcam.evaluation.evo_bridge import Alignment
from sfmcam.evaluation.frame_pairs import Pairing, pair_by_index, pair_by_time
from sfmcam.geometry.rigid import inverse, rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.io.tum import read_tum
from sfmcam.types import CameraTrajectory, Float

EVO_OPTIONS = {"sim3": ["-as"], "se3": ["-a"], "scale": ["-s"], "none": []}
FREE_OF_GAUGE = ("RotErr", "TransErr", "CamMC", "RPE_rot_rmse_deg", "RRE_mean_deg", "RTE_mean_deg", "AUC_5", "AUC_20", "direction_mean_deg")


def compare(estimate: CameraTrajectory, reference: CameraTrajectory, align: str = "sim3", pairing: str = "time") -> Comparison:
    pairs = pair_by_time(estimate, reference) if pairing == Pairing.TIME else pair_by_index(estimate, reference)
    return compare_trajectories(estimate, reference, pairs, alignment=Alignment(align))


def reasons(compared: Comparison) -> dict[str, str]:
    return {metric.name: metric.reason for metric in compared.metrics if metric.reason}


def still(n: int, *, turning: bool = False) -> CameraTrajectory:
    turns = rotation_from_vector(np.outer(np.arange(n) * turning, [0, 0.1, 0]))
    return trajectory_of(rigid_from_parts(turns, np.zeros(3)) @ rigid_from_parts(np.eye(3), [1.0, 2, 3]))


def noisy(poses: Float, *, seed: int = 1) -> Float:
    rng = np.random.default_rng(seed)
    return rigid_from_parts(rotation_from_vector(rng.normal(size=(len(poses), 3)) * 0.02), rng.normal(size=(len(poses), 3)) * 0.05) @ poses


def test_a_path_has_no_error_against_itself() -> None:
    trajectory = trajectory_of(smooth_poses(12), focal_px=np.full(12, 500.0), image_size_px=(640, 480))
    for align in Alignment:
        compared = compare(trajectory, trajectory, align)
        for key, value in compared.figures.items():
            if key.startswith(("AUC", "RRA", "RTA")):
                assert value == pytest.approx(1, abs=1e-6), key
            elif not math.isnan(value):
                assert value == pytest.approx(0, abs=1e-5), key
        assert reasons(compared).keys() == ({"TransErr_abs", "CamMC_abs"} if Alignment(align).scales else set())
        assert (compared.coverage, compared.scale) == pytest.approx((1, 1))


def test_by_hand() -> None:
    """Corners of a square against the same twice as large, the last camera turned by 30 degrees about z.

    sim3: scale 1/2 and no distance. se3: the corners of sides 1 and 2 about one centre are sqrt(2) - sqrt(2)/2 = sqrt(1/2) apart.
    Of 6 pairs the 3 with the last camera are off by 30 degrees, seen from the earlier camera no direction is.
    """
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    upright = np.broadcast_to(np.eye(3), (4, 3, 3))
    truth = trajectory_of(inverse(rigid_from_parts(upright, corners)))
    turned = upright.copy()
    turned[3] = rotation_from_vector(np.radians([0.0, 0, 30]))
    estimate = trajectory_of(inverse(rigid_from_parts(turned, 2 * corners)))
    similar, rigid = compare(estimate, truth), compare(estimate, truth, "se3")
    assert similar.scale == pytest.approx(0.5)
    assert similar.figures["APE_rmse"] == pytest.approx(0, abs=1e-12)
    assert rigid.figures["APE_rmse"] == pytest.approx(math.sqrt(0.5))
    assert rigid.figures["RPE_trans_rmse"] == pytest.approx(1)
    assert rigid.figures["TransErr_abs"] == pytest.approx((1 + math.sqrt(2) + 1) / math.sqrt(2))
    assert similar.figures["RotErr"] == pytest.approx(math.pi / 6)
    assert similar.figures["RotErr_mean"] == pytest.approx(math.pi / 24)
    assert similar.figures["RPE_rot_rmse_deg"] == pytest.approx(30 / math.sqrt(3))
    assert (similar.figures["RRE_mean_deg"], similar.figures["RTE_mean_deg"]) == pytest.approx((15, 0), abs=1e-9)
    assert [similar.figures[f"RRA_{threshold}"] for threshold in (5, 10, 20)] == [0.5, 0.5, 0.5]
    assert [similar.figures[f"AUC_{threshold}"] for threshold in (5, 10, 20)] == pytest.approx([0.5, 0.5, 0.5])
    counts = {metric.name: (metric.count, metric.counted) for metric in similar.metrics}
    assert (counts["RotErr"], counts["RPE_trans"], counts["AUC"]) == ((4, "frames"), (3, "steps"), (6, "pairs"))


def test_backwards_is_told_by_the_signed_figures() -> None:
    there, back = (
        trajectory_of(inverse(rigid_from_parts(np.broadcast_to(np.eye(3), (4, 3, 3)), [[0, 0, sign * z] for z in range(4)])))
        for sign in (1, -1)
    )
    compared = compare(back, there)
    assert (compared.figures["RTE_mean_deg"], compared.figures["direction_mean_deg"]) == pytest.approx((0, 180), abs=1e-6)
    assert (compared.figures["AUC_5"], compared.figures["AUC_signed_20"]) == pytest.approx((1, 0), abs=1e-9)
    assert compared.figures["APE_rot_min_deg"] == pytest.approx(180)


def test_a_straight_path_that_evo_refuses_by_hand() -> None:
    """0 2 4 6 against 0 1 2 3: with the middles on one another the cameras are 1.5 and 0.5 apart; by scale alone they are not."""
    short, long = (
        trajectory_of(inverse(rigid_from_parts(np.broadcast_to(np.eye(3), (4, 3, 3)), [[step * i, 0, 0] for i in range(4)])))
        for step in (1.0, 2.0)
    )
    assert compare(long, short, "se3").figures["APE_rmse"] == pytest.approx(math.sqrt(1.25))
    assert compare(long, short, "none").figures["APE_max"] == pytest.approx(3)
    for align in ("scale", "sim3"):
        assert compare(long, short, align).figures["APE_rmse"] == pytest.approx(0, abs=1e-12)
        assert compare(long, short, align).scale == pytest.approx(0.5)


@pytest.mark.parametrize("spread", [[[0.0, 0, 0]] * 5, [[i, 0.5 * i, 0] for i in range(5)]], ids=["spot", "line"])
@pytest.mark.parametrize("seed", range(3))
def test_what_positions_leave_open_is_taken_from_the_orientations(spread: list[list[float]], seed: int) -> None:
    """A path in another world comes back onto itself, orientations too, although its positions alone do not say how."""
    poses = smooth_poses(5, seed=seed)
    truth = inverse(rigid_from_parts(inverse(poses)[:, :3, :3], np.add(spread, [1, 2, 3])))
    compared = compare(trajectory_of(truth @ random_poses(1, seed=seed)), trajectory_of(truth), "se3")
    assert compared.aligned is not None
    assert not compared.aligned.is_unique
    assert (compared.figures["APE_max"], compared.figures["APE_rot_max_deg"]) == pytest.approx((0, 0), abs=1e-5)


def test_rotations_that_are_too_coarse_for_evo_are_good_enough() -> None:
    coarse = smooth_poses(6)
    coarse[:, :3, :3] *= 1 + 3e-5
    assert compare(trajectory_of(coarse), trajectory_of(smooth_poses(6))).figures["APE_rot_max_deg"] < 0.1


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.01, 100))
def test_what_an_alignment_takes_out_does_not_matter(seed: int, scale: float) -> None:
    truth = smooth_poses(9, seed=seed)
    estimate = noisy(truth, seed=seed + 1)
    moved = estimate @ random_poses(1, seed=seed + 2)
    scaled = estimate.copy()
    scaled[:, :3, 3] *= scale
    both = moved.copy()
    both[:, :3, 3] *= scale
    for align, changed in (("sim3", both), ("se3", moved), ("scale", scaled)):
        plain, other = (compare(trajectory_of(poses), trajectory_of(truth), align) for poses in (estimate, changed))
        for key in (*FREE_OF_GAUGE, "APE_rmse", "APE_rot_mean_deg", "RPE_trans_rmse", "RPE_trans_max"):
            assert other.figures[key] == pytest.approx(plain.figures[key], rel=1e-5, abs=1e-6), (align, key)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6), shift_s=st.floats(-1e4, 1e4))
def test_a_shift_of_both_clocks_changes_nothing(seed: int, shift_s: float) -> None:
    truth = smooth_poses(9, seed=seed)
    times_s = np.arange(9) / 10
    plain, shifted = (
        compare(trajectory_of(noisy(truth), timestamps_s=times_s + by), trajectory_of(truth, timestamps_s=times_s + by)).figures
        for by in (0, shift_s)
    )
    assert shifted == pytest.approx(plain, nan_ok=True)


def test_swapping_leaves_the_errors_of_rotation() -> None:
    one, other = trajectory_of(smooth_poses(9)), trajectory_of(noisy(smooth_poses(9)))
    for key in ("RotErr", "TransErr", "CamMC", "RRE_mean_deg", "RPE_rot_rmse_deg"):
        assert compare(one, other).figures[key] == pytest.approx(compare(other, one).figures[key]), key


@pytest.mark.parametrize("align", Alignment)
@pytest.mark.parametrize("turning", [True, False])
def test_a_true_camera_that_stays_in_place(align: str, turning: bool) -> None:
    compared = compare(trajectory_of(smooth_poses(5)), still(5, turning=turning), align)
    for key in ("RotErr", "RPE_rot_rmse_deg", "RRE_mean_deg", "RRA_5"):
        assert math.isfinite(compared.figures[key]), key
    for name in ("TransErr", "CamMC", "RTE", "AUC", "direction", "APE_relative"):
        assert "does not translate" in reasons(compared)[name], name
    assert ("APE" in reasons(compared)) is (align in ("sim3", "scale"))
    assert ("RPE_trans" in reasons(compared)) is (align in ("sim3", "scale"))
    assert math.isnan(compared.scale) is (align in ("sim3", "scale"))


def test_what_counts_as_still_can_be_said() -> None:
    truth = smooth_poses(5)
    truth[:, :3, 3] *= 0.001
    pair = trajectory_of(smooth_poses(5, seed=1)), trajectory_of(truth)
    assert "TransErr" not in reasons(compare(*pair))
    said = compare_trajectories(*pair, pair_by_time(*pair), alignment=Alignment.SIM3, still_extent=0.1)
    assert {"TransErr", "CamMC", "APE", "RPE_trans", "RTE", "AUC", "AUC_signed", "direction"} <= reasons(said).keys()
    assert math.isfinite(said.figures["RotErr"])


def test_an_estimate_that_stays_in_place() -> None:
    compared = compare(still(5), trajectory_of(smooth_poses(5)))
    assert compared.figures["APE_relative"] == pytest.approx(1)
    assert compared.figures["direction_mean_deg"] == compared.figures["RTE_mean_deg"] == pytest.approx(90)
    assert compared.figures["AUC_20"] == 0


@pytest.mark.parametrize(
    ("num_common", "align", "undefined", "defined"),
    [
        (0, "none", ["RotErr", "APE", "RPE_rot", "AUC", "focal"], []),
        (1, "sim3", ["RotErr", "TransErr", "APE", "RPE_trans", "RRE", "direction"], []),
        (1, "none", ["RotErr", "RPE_trans", "RPE_rot"], ["APE", "APE_rot"]),
        (2, "sim3", ["APE", "RPE_trans"], ["RotErr", "TransErr", "RPE_rot", "AUC"]),
        (2, "scale", [], ["APE", "RPE_trans", "RotErr"]),
    ],
)
def test_few_frames(num_common: int, align: str, undefined: list[str], defined: list[str]) -> None:
    valid = np.arange(5) < num_common
    poses = np.where(valid[:, None, None], smooth_poses(5, seed=1), np.nan)
    compared = compare(trajectory_of(poses, valid=valid), trajectory_of(smooth_poses(5)), align)
    assert len(compared.pairs) == num_common
    for metric in compared.metrics:
        assert all(math.isnan(value) for value in metric.figures.values()) is bool(metric.reason), metric.name
    assert set(undefined) <= reasons(compared).keys()
    assert not set(defined) & reasons(compared).keys()


def test_frames_without_a_pose_are_left_out_and_counted() -> None:
    valid = np.arange(10) % 3 != 1
    truth = trajectory_of(smooth_poses(10))
    poses = np.where(valid[:, None, None], truth.cam_from_world, np.nan)
    for pairing in ("time", "index"):
        compared = compare(trajectory_of(poses, valid=valid), truth, pairing=pairing)
        assert (len(compared.pairs), compared.num_estimate, compared.num_reference, compared.coverage) == (7, 7, 10, 0.7)
        assert compared.figures["CamMC"] == pytest.approx(0, abs=1e-6)


def test_focal_lengths_are_compared_at_one_size() -> None:
    truth = trajectory_of(smooth_poses(4), focal_px=np.full(4, 500.0), image_size_px=(1000, 500))
    estimate = replace(truth, focal_px=np.array([100.0, 110, 120, np.nan]), image_size_px=(200, 100))
    figures = compare(estimate, truth).figures
    assert [figures[f"focal_{name}_percent"] for name in ("mean", "median", "max")] == pytest.approx([10, 10, 20])
    assert figures["fov_max_deg"] == pytest.approx(90 - math.degrees(2 * math.atan(100 / 120)))


# Golden values: what evo 1.38.1 prints for `evo_ape tum GT EST [-as, -a, -s] --t_max_diff 0.005001`, with `-r angle_deg`, and for `evo_rpe`
# with the same two (rmse); 0.005 s is half the reference's frame interval.
GOLDEN = {
    ("orb_kf", "sim3"): (0.009758, 2.375777, 0.014088, 0.898711),
    ("orb_kf", "se3"): (0.024509, 2.375777, 0.025719, 0.898711),
    ("orb_kf", "scale"): (2.018308, 148.287531, 0.014088, 0.898711),
    ("orb_kf", "none"): (2.026824, 148.287531, 0.025719, 0.898711),
    ("rgbdslam", "sim3"): (0.013327, 2.066781, 0.005827, 0.352862),
    ("rgbdslam", "se3"): (0.013409, 2.066781, 0.005785, 0.352862),
    ("rgbdslam", "scale"): (0.017191, 0.699880, 0.005827, 0.352862),
    ("rgbdslam", "none"): (0.020043, 0.699880, 0.005785, 0.352862),
}
GOLDEN_KEYS = ("APE_rmse", "APE_rot_rmse_deg", "RPE_trans_rmse", "RPE_rot_rmse_deg")


def shared_path(name: str) -> CameraTrajectory:
    assert SHARED is not None
    return read_tum(SHARED / "trajectories" / f"{name}.tum")


@needs_shared("trajectories")
@pytest.mark.parametrize(("estimate", "align"), GOLDEN)
def test_evos_command_line_said_the_same(estimate: str, align: str) -> None:
    figures = compare(shared_path(f"evo_fr1_xyz_{estimate}"), shared_path("evo_fr1_xyz_gt"), align).figures
    assert [figures[key] for key in GOLDEN_KEYS] == pytest.approx(GOLDEN[estimate, align], abs=5.1e-7)


@pytest.mark.slow
@needs_shared("trajectories")
@pytest.mark.parametrize("align", Alignment)
def test_evos_command_line_says_the_same_of_kitti_00(align: str, tmp_path: Path) -> None:
    """By number, since the estimate's times were made up; every statistic that evo prints, to its six digits."""
    truth, estimate = shared_path("evo_kitti00_gt"), shared_path("evo_kitti00_orb")
    for name, trajectory in (("gt", truth), ("est", estimate)):
        rows = inverse(trajectory.cam_from_world)[:, :3].reshape(-1, 12).tolist()
        (tmp_path / name).write_text("\n".join(" ".join(map(repr, row)) for row in rows), encoding="utf-8")
    figures = compare(estimate, truth, align, pairing="index").figures
    for command, relation, key in (
        ("evo_ape", "trans_part", "APE_{}"),
        ("evo_ape", "angle_deg", "APE_rot_{}_deg"),
        ("evo_rpe", "trans_part", "RPE_trans_{}"),
        ("evo_rpe", "angle_deg", "RPE_rot_{}_deg"),
    ):
        printed = run_evo(command, tmp_path, "kitti", "gt", "est", *EVO_OPTIONS[align], "-r", relation)
        assert printed.keys() == {"rmse", "mean", "median", "std", "min", "max", "sse"}
        for statistic, value in printed.items():
            assert figures[key.format(statistic)] == pytest.approx(value, abs=1e-6), (command, relation, statistic)


def run_evo(command: str, folder: Path, *arguments: str) -> dict[str, float]:
    """Return the statistics that a command of evo prints; it keeps its settings in `folder`."""
    environment = os.environ | {"HOME": str(folder), "MPLBACKEND": "agg"}
    call = [str(Path(sys.executable).with_name(command)), *arguments]
    done = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, timeout=250, check=True)
    return {name: float(value) for name, value in re.findall(r"^\s*(\w+)\t([-+.e\d]+)$", done.stdout, re.MULTILINE)}
