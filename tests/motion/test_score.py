"""Claims: the signs are right on real files, still and shaky cameras score near zero, and one scale serves all clips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import SHARED, needs_shared
from simulated_paths import build, motion, shake

from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_quaternion_xyzw
from sfmcam.motion.measure import measure
from sfmcam.motion.primitive import PRIMITIVE_BY_ID, PRIMITIVES, Dof, Group
from sfmcam.motion.score import score_primitives
from sfmcam.types import CameraTrajectory, Evidence, Float

# MotionCtrl's file -> primitive. It says "pan" for a truck or pedestal and "zoom" for a dolly; the manifest's notes translate.
NAMED = {
    "D": "move_down",
    "U": "move_up",
    "L": "move_left",
    "R": "move_right",
    "SPIN-CW-60": "roll_clockwise",
    "SPIN-ACW-60": "roll_counterclockwise",
    **{f"I{speed}": "move_in" for speed in ("", "_0p2x", "_0p4x", "_1p0x", "_2p0x")},
    **{f"O{speed}": "move_out" for speed in ("", "_0p2x", "_0p4x", "_1p0x", "_2p0x")},
}
DIRECTED = [p for p in PRIMITIVES if p.dof is not None]
SWAPPED_BY_MIRROR = {"pan_left": "pan_right", "move_left": "move_right", "roll_clockwise": "roll_counterclockwise"}
SWAPPED_UPSIDE_DOWN = {"pan_left": "pan_right", "move_left": "move_right", "tilt_up": "tilt_down", "move_up": "move_down"}
MIXED = motion({Dof.TILT: 0.1, Dof.PAN: 0.3, Dof.ROLL: -0.2, Dof.RIGHT: 0.3, Dof.DOWN: -0.15, Dof.IN: 0.4, Dof.ZOOM: 0.2})


def scores_of(dofs: Float, **how: object) -> dict[str, float]:
    return score_primitives(measure(build(dofs, **how)))  # type: ignore[arg-type]


def directed(scores: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in scores.items() if name != "static"}


def read_tum(name: str) -> CameraTrajectory:
    """The rows `t x y z qx qy qz qw` (camera-to-world) of one shared file; read here so that only motion is tested."""
    assert SHARED is not None
    rows = np.loadtxt(SHARED / "trajectories" / f"motionctrl_{name}.tum")
    poses = np.linalg.inv(rigid_from_parts(rotation_from_quaternion_xyzw(rows[:, 4:]), rows[:, 1:4]))
    unknown = np.full(len(rows), np.nan)
    return CameraTrajectory(rows[:, 0], poses, unknown, np.ones(len(rows), bool), unknown)


def mirrored(trajectory: CameraTrajectory) -> CameraTrajectory:
    flip = np.diag([-1.0, 1.0, 1.0, 1.0])
    return replace(trajectory, cam_from_world=flip @ trajectory.cam_from_world @ flip)


def reversed_in_time(trajectory: CameraTrajectory) -> CameraTrajectory:
    return replace(
        trajectory,
        timestamps_s=trajectory.timestamps_s[-1] - trajectory.timestamps_s[::-1],
        **{name: getattr(trajectory, name)[::-1] for name in ("cam_from_world", "focal_px", "valid", "median_depth")},
    )


@needs_shared("trajectories")
@pytest.mark.shared
@pytest.mark.parametrize(("name", "primitive"), NAMED.items())
def test_named_paths_score_their_name_highest_and_its_opposite_lowest(name: str, primitive: str) -> None:
    path = read_tum(name)
    for trajectory, expected in (
        (path, primitive),
        (mirrored(path), _swap(SWAPPED_BY_MIRROR, primitive)),
        (reversed_in_time(path), PRIMITIVE_BY_ID[primitive].opposite),
    ):
        scores = score_primitives(measure(trajectory))
        row = PRIMITIVE_BY_ID[str(expected)]
        group = {p.id: scores[p.id] for p in PRIMITIVES if p.group is row.group}
        assert max(group, key=lambda k: group[k]) == row.id
        assert min(group, key=lambda k: group[k]) == row.opposite
        assert scores[row.id] == max(directed(scores).values())


@pytest.mark.parametrize("p", DIRECTED, ids=lambda p: p.id)
@pytest.mark.parametrize("size", [0.5, 1.0, 2.0])
def test_a_pure_motion_scores_only_itself(p, size: float) -> None:
    amount = p.sign * size * {Group.ROTATION: 0.3, Group.TRANSLATION: 0.3, Group.INTRINSIC: 0.4}[p.group]
    scores = directed(scores_of(motion({p.dof: amount})))
    assert max(scores, key=lambda k: scores[k]) == p.id
    assert min(scores, key=lambda k: scores[k]) == p.opposite
    assert scores[p.id] > 0.05
    assert scores[p.opposite] < -0.02
    assert all(abs(v) < 1e-3 for k, v in scores.items() if k not in (p.id, p.opposite))


@pytest.mark.parametrize("p", DIRECTED, ids=lambda p: p.id)
def test_more_motion_is_more_evidence_without_ties(p) -> None:
    values = [scores_of(motion({p.dof: p.sign * amount}))[p.id] for amount in np.geomspace(0.005, 20, 30)]
    assert (np.diff(values) > 0).all()


def test_every_score_is_finite_and_all_are_there() -> None:
    for trajectory in (build(np.zeros((10, 7))), build(MIXED, focal=False, depth=None), build(MIXED * 1e3), build(MIXED[[0, -1]])):
        scores = score_primitives(measure(trajectory))
        assert list(scores) == [p.id for p in PRIMITIVES]
        assert np.isfinite(list(scores.values())).all()


def _swap(pairs: dict[str, str], name: str) -> str:
    return (pairs | {b: a for a, b in pairs.items()}).get(name, name)


def test_a_mirror_swaps_left_and_right_and_the_rolls() -> None:
    plain, mirror = score_primitives(measure(build(MIXED))), score_primitives(measure(mirrored(build(MIXED))))
    for name, value in plain.items():
        assert mirror[_swap(SWAPPED_BY_MIRROR, name)] == pytest.approx(value, abs=1e-9)


def test_a_camera_mounted_upside_down_swaps_left_right_up_down_but_not_roll() -> None:
    turned = np.diag([-1.0, -1.0, 1.0, 1.0])
    plain = build(MIXED)
    upside_down = score_primitives(measure(replace(plain, cam_from_world=turned @ plain.cam_from_world)))
    for name, value in score_primitives(measure(plain)).items():
        assert upside_down[_swap(SWAPPED_UPSIDE_DOWN, name)] == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("p", DIRECTED, ids=lambda p: p.id)
def test_reversed_time_swaps_opposites(p) -> None:
    trajectory = build(motion({p.dof: p.sign * 0.3}, end=0.7))
    plain, back = score_primitives(measure(trajectory)), score_primitives(measure(reversed_in_time(trajectory)))
    assert back[p.opposite] == pytest.approx(plain[p.id], rel=0.02)
    assert back[p.id] == pytest.approx(plain[p.opposite], rel=0.02)
    assert back["static"] == pytest.approx(plain["static"], rel=0.02)


@given(rotation=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1), size=st.floats(0.01, 100))
@settings(max_examples=25, deadline=None)
def test_the_worlds_frame_and_scale_do_not_change_a_score(rotation: tuple[float, ...], size: float) -> None:
    plain = build(MIXED)
    old_from_new = rigid_from_parts(rotation_from_quaternion_xyzw(np.array(rotation)), np.array([3.0, -20.0, 7.0]))
    poses = plain.cam_from_world @ old_from_new
    poses[:, :3, 3] *= size
    moved = replace(plain, cam_from_world=poses, median_depth=plain.median_depth * size)
    assert score_primitives(measure(moved)) == pytest.approx(score_primitives(measure(plain)), abs=1e-7)


@given(seed=st.integers(0, 10_000), dof=st.sampled_from(list(Dof)), amount=st.floats(0.05, 1.0))
@settings(max_examples=40, deadline=None)
def test_a_one_way_motion_never_scores_its_opposite(seed: int, dof: Dof, amount: float) -> None:
    rng = np.random.default_rng(seed)
    speed = rng.uniform(0, 1, 24)  # uneven, but never backwards
    dofs = np.zeros((25, 7))
    dofs[1:, dof] = amount * np.cumsum(speed) / speed.sum()
    forward = next(p for p in DIRECTED if p.dof is dof and p.sign > 0)
    scores = scores_of(dofs)
    assert scores[forward.id] > 0
    assert scores[str(forward.opposite)] < 0


@pytest.mark.parametrize("seed", range(5))
def test_still_and_shaky_cameras_score_near_zero(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shaky = shake(rng, 48, fps=8.0)
    weak = motion({Dof.PAN: np.radians(10)}, n=48)
    for dofs in (np.zeros((48, 7)), rng.normal(0, 0.002, (48, 7)), shaky):
        assert max(map(abs, directed(scores_of(dofs)).values())) < 0.25 * scores_of(weak)["pan_right"]
    assert scores_of(weak + shaky)["pan_right"] > 2 * abs(scores_of(shaky)["pan_right"])


def test_static_ranks_still_above_shaky_above_moving() -> None:
    rng = np.random.default_rng(0)
    still, noisy = np.zeros((48, 7)), rng.normal(0, 2e-4, (48, 7))
    ranked = [scores_of(d)["static"] for d in (still, noisy, shake(rng, 48, fps=8.0), motion({Dof.PAN: 0.5}, n=48))]
    assert (np.diff(ranked) < -0.5).all()


def test_noise_that_the_estimator_states_is_not_motion() -> None:
    dofs = np.zeros((30, 7))
    dofs[:, Dof.RIGHT] = np.random.default_rng(0).normal(0, 0.05, 30)
    certain, honest = Evidence(translation_sigma=0.001), Evidence(translation_sigma=0.1)
    assert scores_of(dofs, evidence=honest)["static"] > scores_of(dofs, evidence=certain)["static"] + 1


@pytest.mark.parametrize("dof", list(Dof))
def test_there_and_back_keeps_evidence_for_both(dof: Dof) -> None:
    there = motion({dof: 0.4}, n=21)
    both = scores_of(np.vstack([there, there[-2::-1]]))
    forth, back = (next(p.id for p in DIRECTED if p.dof is dof and p.sign == sign) for sign in (1, -1))
    alone = scores_of(there)[forth]
    assert both[forth] > 0.3 * alone
    assert both[back] > 0.3 * alone


def test_a_sequence_keeps_the_evidence_of_its_parts() -> None:
    parts = motion({Dof.PAN: 0.4}, n=40, end=0.45) + motion({Dof.IN: 0.5}, n=40, start=0.55)
    scores = directed(scores_of(parts))
    assert sorted(scores, key=lambda k: -scores[k])[:2] == ["pan_right", "move_in"]


@pytest.mark.parametrize(
    ("small", "large", "primitive"),
    [
        ({Dof.RIGHT: 0.1}, {Dof.PAN: np.radians(40)}, "move_right"),
        ({Dof.DOWN: 0.1}, {Dof.TILT: np.radians(-30)}, "move_down"),
        ({Dof.ZOOM: 0.15}, {Dof.IN: 0.8}, "zoom_in"),
        ({Dof.IN: 0.15}, {Dof.ZOOM: 0.8}, "move_in"),
    ],
)
def test_a_small_motion_beside_a_large_one_is_less_evidence(small: dict, large: dict, primitive: str) -> None:
    alone, beside = scores_of(motion(small))[primitive], scores_of(motion(small) + motion(large))[primitive]
    assert 0 < beside < 0.5 * alone


def test_two_motions_that_shift_the_picture_alike_are_trusted_less_together() -> None:
    pan = {Dof.PAN: np.radians(40)}
    truck, pedestal = scores_of(motion(pan | {Dof.RIGHT: 0.15})), scores_of(motion(pan | {Dof.DOWN: 0.15}))
    assert 0 < truck["move_right"] < 0.6 * pedestal["move_down"]


def test_dominance_holds_between_motions_that_cannot_be_confused() -> None:
    alone, beside = (scores_of(motion({Dof.ROLL: 0.3} | more))["roll_clockwise"] for more in ({}, {Dof.PAN: 0.6, Dof.TILT: 0.5}))
    assert 0 < beside < 0.7 * alone


def test_what_is_uncertain_is_less_evidence() -> None:
    dofs = motion({Dof.RIGHT: 0.2})
    values = [scores_of(dofs, evidence=Evidence(translation_sigma=sigma))["move_right"] for sigma in (0.001, 0.05, 0.2, 1.0)]
    assert (np.diff(values) < 0).all()
    assert values[-1] < 0.25 * values[0]


def test_an_unknown_focal_length_leaves_zoom_neutral() -> None:
    unknown, no_zoom = scores_of(MIXED, focal=False), scores_of(np.zeros((10, 7)))
    assert unknown["zoom_in"] == unknown["zoom_out"] == no_zoom["zoom_in"] == 0.0
    zooming = scores_of(motion({Dof.ZOOM: 0.4}))
    assert zooming["zoom_in"] > unknown["zoom_in"] > zooming["zoom_out"]


def test_twice_the_frame_rate_changes_a_score_little() -> None:
    coarse, fine = scores_of(motion({Dof.PAN: 0.4, Dof.IN: 0.3}, n=25)), scores_of(motion({Dof.PAN: 0.4, Dof.IN: 0.3}, n=49), fps=16.0)
    assert fine == pytest.approx(coarse, abs=0.01)


def test_lost_frames_change_a_score_little() -> None:
    whole = build(MIXED)
    valid = np.ones(len(whole), bool)
    valid[[1, 2, 9, 10, 11, 12, 20]] = False
    assert score_primitives(measure(replace(whole, valid=valid))) == pytest.approx(score_primitives(measure(whole)), abs=0.03)


def test_a_translation_gone_astray_does_not_drown_the_rotation() -> None:
    astray = motion({Dof.PAN: 0.6, Dof.RIGHT: 20.0})
    assert scores_of(astray)["pan_right"] > 0.25
