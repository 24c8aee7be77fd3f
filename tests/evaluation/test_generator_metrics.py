"""RotErr, TransErr and CamMC: equal to CamI2V's formulas worked out number by number, blind to gauge and scale, and symmetric."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import SHARED, needs_shared
from trajectory_samples import random_poses, smooth_poses

from sfmcam.evaluation.generator_metrics import generator_errors
from sfmcam.geometry.rigid import inverse, rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.io.tum import read_tum
from sfmcam.types import Float

FIELDS = ("rotation_rad", "translation", "matrix", "translation_abs", "matrix_abs")
ROUNDING_RAD = 2e-8  # an arc cosine near 1 knows an angle to no better


def sums(estimate: Float, reference: Float) -> dict[str, float]:
    errors = generator_errors(estimate, reference)
    return {name: float(getattr(errors, name).sum()) for name in FIELDS}


def poses_of(rotations_z_deg: list[float], centers: list[tuple[float, float, float]]) -> Float:
    """Cameras at `centers`, rolled by angles about z; `cam_from_world`."""
    turns = rotation_from_vector(np.radians([[0, 0, angle] for angle in rotations_z_deg]))
    return inverse(rigid_from_parts(turns, np.array(centers, float)))


def by_hand(estimate: Float, reference: Float) -> dict[str, float]:
    """The formulas of CamI2V (evaluation/glomap_evaluation.py, utils/common.py), one number at a time, without this package."""
    paths = []
    for world_to_camera in (estimate, reference):
        first = np.linalg.inv(np.linalg.inv(world_to_camera[0]))
        paths.append([np.eye(4)] + [first @ np.linalg.inv(matrix) for matrix in world_to_camera[1:]])
    scales = [max(math.sqrt(sum(x * x for x in pose[:3, 3])) for pose in path) + 1e-9 for path in paths]
    total = dict.fromkeys(FIELDS, 0.0)
    for own, true in zip(*paths, strict=True):
        trace = sum(true[k, i] * own[k, i] for i in range(3) for k in range(3))
        total["rotation_rad"] += math.acos(min(1.0, max(-1.0, (trace - 1) / 2)))
        turned = sum((own[i, k] - true[i, k]) ** 2 for i in range(3) for k in range(3))
        for own_scale, ending in ((scales[0], ""), (scales[1], "_abs")):
            moved = sum((own[i, 3] / own_scale - true[i, 3] / scales[1]) ** 2 for i in range(3))
            total["translation" + ending] += math.sqrt(moved)
            total["matrix" + ending] += math.sqrt(turned + moved)
    return total


def test_three_frames_by_hand() -> None:
    """The truth walks 1, 2 to the right; the estimate 2, 4 upwards, rolled by 90 and then 180 degrees too far.

    Scaled by the farthest camera both are 1/2 and 1 away. RotErr = pi/2 + pi. TransErr = sqrt(1/4 + 1/4) + sqrt(1 + 1).
    |R(a) - 1|^2 = 4 (1 - cos a) = 4 and 8, so CamMC = sqrt(4 + 1/2) + sqrt(8 + 2). In the reference's scale the estimate is 1
    and 2 away: TransErr_abs = sqrt(1/4 + 1) + sqrt(1 + 4).
    """
    truth = poses_of([0, 0, 0], [(0, 0, 0), (1, 0, 0), (2, 0, 0)])
    estimate = poses_of([0, 90, 180], [(0, 0, 0), (0, -2, 0), (0, -4, 0)])
    assert sums(estimate, truth) == pytest.approx(
        {
            "rotation_rad": 1.5 * math.pi,
            "translation": math.sqrt(0.5) + math.sqrt(2),
            "matrix": math.sqrt(4.5) + math.sqrt(10),
            "translation_abs": math.sqrt(1.25) + math.sqrt(5),
            "matrix_abs": math.sqrt(5.25) + math.sqrt(13),
        }
    )


def test_an_estimate_that_stays_is_as_far_off_as_the_truth_goes() -> None:
    truth = poses_of([0, 0, 0], [(5, 5, 5), (6, 5, 5), (9, 5, 5)])
    assert sums(poses_of([0, 0, 0], [(1e6 / 3, 7, 1)] * 3), truth)["translation"] == pytest.approx(0.25 + 1)


def test_the_first_frame_has_no_error_and_one_frame_none_at_all() -> None:
    errors = generator_errors(smooth_poses(5, seed=1), smooth_poses(5, seed=2))
    assert [float(getattr(errors, name)[0]) for name in FIELDS] == pytest.approx([0.0] * 5, abs=1e-12)
    assert sums(smooth_poses(1, seed=1), smooth_poses(1, seed=2)) == pytest.approx(dict.fromkeys(FIELDS, 0.0), abs=1e-12)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_equal_to_the_formulas(seed: int) -> None:
    estimate, truth = random_poses(7, seed=seed), random_poses(7, seed=seed + 1)
    assert sums(estimate, truth) == pytest.approx(by_hand(estimate, truth), abs=7 * ROUNDING_RAD)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.01, 100))
def test_gauge_and_scale_of_either_do_not_matter_and_swapping_changes_nothing(seed: int, scale: float) -> None:
    estimate, truth = smooth_poses(9, seed=seed), smooth_poses(9, seed=seed + 1)
    plain = sums(estimate, truth)
    moved = estimate @ random_poses(1, seed=seed + 2)
    assert sums(moved, truth @ random_poses(1, seed=seed + 3)) == pytest.approx(plain, rel=1e-6)
    moved[:, :3, 3] *= scale
    relative = ("rotation_rad", "translation", "matrix")
    for changed in (sums(moved, truth), sums(truth, estimate)):
        assert [changed[name] for name in relative] == pytest.approx([plain[name] for name in relative], rel=1e-6)


@needs_shared("trajectories")
@pytest.mark.parametrize(
    ("estimate", "reference"),
    [("I_0p2x", "I"), ("O", "I"), ("L", "R"), ("U", "D"), ("Round-RI", "Round-RI_90"), ("SPIN-CW-60", "Round-ZoomIn"),
     ("018f7907401f2fef", "088b93f15ca8745d"), ("d971457c81bca597", "b133a504fc90a2d1")],
)  # fmt: skip
def test_the_paths_that_motionctrl_publishes(estimate: str, reference: str) -> None:
    assert SHARED is not None
    folder = SHARED / "trajectories"
    own, true = (read_tum(folder / f"motionctrl_{name}.tum").cam_from_world for name in (estimate, reference))
    assert sums(own, true) == pytest.approx(by_hand(own, true), abs=16 * ROUNDING_RAD)


@needs_shared("trajectories")
def test_a_dolly_out_against_a_dolly_in_by_hand() -> None:
    """Both go 1.3125 in 15 even steps: frame i is 2 i / 15 apart, which sums to 16; at a fifth of the speed the dolly in is the same."""
    assert SHARED is not None
    paths = {name: read_tum(SHARED / "trajectories" / f"motionctrl_{name}.tum").cam_from_world for name in ("I", "O", "I_0p2x", "R")}
    assert sums(paths["O"], paths["I"])["translation"] == pytest.approx(16, abs=1e-6)
    assert sums(paths["R"], paths["I"])["translation"] == pytest.approx(8 * math.sqrt(2), abs=1e-6)
    assert sums(paths["I_0p2x"], paths["I"])["matrix"] == pytest.approx(0, abs=1e-6)
