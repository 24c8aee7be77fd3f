"""Claims: CameraBench's first-to-last scoring as published, its signs, its conventions for missing values, its known flaw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from simulated_paths import build, motion

from sfmcam.errors import InputError
from sfmcam.motion.camerabench import camerabench_scores, first_to_last
from sfmcam.motion.primitive import PRIMITIVES, Dof


def test_golden_values_of_a_hand_made_pair() -> None:
    """Pan right by 30 degrees while moving by (3, 0, 4) units, focal 1.5 times as long: worked out by hand from research A.6."""
    pair = build(motion({Dof.PAN: np.radians(30), Dof.RIGHT: 1.5, Dof.IN: 2.0, Dof.ZOOM: np.log(1.5)})[[0, -1]])
    expected = {
        "move_in": 0.8, "move_out": -0.8, "move_up": 0, "move_down": 0, "move_right": 0.6, "move_left": -0.6,
        "zoom_in": 1.5, "zoom_out": -1.5, "pan_right": 30, "pan_left": -30, "tilt_up": 0, "tilt_down": 0,
        "roll_clockwise": 0, "roll_counterclockwise": 0, "static": -0.8,
    }  # fmt: skip
    assert camerabench_scores(pair) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("p", [p for p in PRIMITIVES if p.dof is not None], ids=lambda p: p.id)
def test_each_direction_scores_itself(p) -> None:
    scores = camerabench_scores(build(motion({p.dof: p.sign * 0.4})))
    neutral = 1.0 if p.dof is Dof.ZOOM else 0.0
    assert scores[p.id] > (neutral if p.id == "zoom_in" else -1.0 if p.id == "zoom_out" else 0.0)
    assert scores[p.id] > camerabench_scores(build(motion({p.dof: -p.sign * 0.4})))[p.id]


@pytest.mark.parametrize(
    ("dofs", "static"),
    [({Dof.ROLL: np.pi / 2}, -0.5), ({Dof.ZOOM: np.log(1.25)}, -0.25), ({}, 0.0)],
)
def test_static_is_minus_the_largest_part(dofs: dict, static: float) -> None:
    assert camerabench_scores(build(motion(dofs)))["static"] == pytest.approx(static, abs=1e-9)


def test_unknown_focal_length_is_a_ratio_of_one() -> None:
    scores = camerabench_scores(build(motion({Dof.PAN: 0.2}), focal=False))
    assert (scores["zoom_in"], scores["zoom_out"]) == (1.0, -1.0)


def test_only_the_first_and_last_valid_frame_count() -> None:
    there_and_back = motion({Dof.PAN: 0.5}, n=11)
    loop = build(np.vstack([there_and_back, there_and_back[-2::-1]]))
    assert camerabench_scores(loop)["pan_right"] == pytest.approx(0, abs=1e-9)
    valid = np.ones(len(loop), bool)
    valid[11:] = False
    assert camerabench_scores(replace(loop, valid=valid))["pan_right"] == pytest.approx(np.degrees(0.5))


def test_the_known_flaw_noise_becomes_a_unit_translation() -> None:
    dofs = np.zeros((10, 7))
    dofs[-1, 3:6] = 1e-6
    delta, _ = first_to_last(build(dofs))
    assert np.linalg.norm(delta[3:]) == pytest.approx(1)
    assert camerabench_scores(build(dofs))["static"] < -0.5


def test_one_pose_is_not_enough() -> None:
    trajectory = build(motion({}))
    valid = np.zeros(len(trajectory), bool)
    valid[0] = True
    with pytest.raises(InputError, match="needs at least two"):
        camerabench_scores(replace(trajectory, valid=valid))
