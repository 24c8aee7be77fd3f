"""Claims: a probability grows with its motion, obeys the symmetries, is the base rate where nothing was measured, ranks like the score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from simulated_paths import Noise, build, motion, random_clip
from sklearn.metrics import average_precision_score
from steadiness_paths import STRONG, filmed

from sfmcam.io.probability_file import shipped_probabilities
from sfmcam.motion.features import Family, family_of, feature_names, primitive_features, weighed_features
from sfmcam.motion.measure import measure
from sfmcam.motion.measurement import MotionMeasurement
from sfmcam.motion.primitive import PRIMITIVES, Dof, Primitive
from sfmcam.motion.probability import FamilyModel, probabilities, sigmoid
from sfmcam.motion.score import score_primitives
from sfmcam.motion.steadiness import measure_steadiness
from sfmcam.types import CameraTrajectory, Evidence

MODEL = shipped_probabilities().model_of("")
DIRECTED = [p for p in PRIMITIVES if p.dof is not None]
SURE = Evidence(rotation_sigma_rad=0.001, translation_sigma=0.003, log_focal_sigma=0.003)
CLEAR = {Dof.TILT: 0.35, Dof.PAN: 0.5, Dof.ROLL: 0.6, Dof.RIGHT: 0.4, Dof.DOWN: 0.4, Dof.IN: 0.6, Dof.ZOOM: 0.6}
MIXED = motion({Dof.PAN: 0.25, Dof.DOWN: -0.2, Dof.ROLL: 0.1, Dof.IN: 0.3}, n=30) + motion({Dof.ZOOM: -0.2, Dof.TILT: 0.1}, n=30, start=0.4)


def said_of(measurement: MotionMeasurement) -> dict[str, float]:
    features = weighed_features([measurement], [1.0], measure_steadiness(measurement), alone=True)
    return probabilities(features, MODEL, zoom_known=measurement.zoom_known)


def of(trajectory: CameraTrajectory) -> dict[str, float]:
    return said_of(measure(trajectory))


@pytest.mark.parametrize("p", DIRECTED, ids=lambda p: p.id)
def test_a_clear_motion_is_probable_and_everything_else_is_not(p: Primitive) -> None:
    found = of(build(motion({p.dof: p.sign * CLEAR[p.dof]}), evidence=SURE))
    assert found[p.id] > 0.8
    assert all(value < 0.25 for name, value in found.items() if name != p.id), found


def test_a_tripod_is_static_and_a_hand_is_not() -> None:
    assert of(build(np.zeros((25, 7)), evidence=SURE))["static"] > 0.8
    shaky = of(filmed(shake=STRONG))
    assert shaky["static"] < 0.1
    assert max(shaky.values()) < 0.4


@pytest.mark.parametrize("evidence", [SURE, Evidence(), Evidence(0.02, 0.05, 0.03)], ids=["sure", "silent", "unsure"])
@pytest.mark.parametrize("p", DIRECTED, ids=lambda p: p.id)
def test_more_of_a_motion_never_lowers_its_probability(p: Primitive, evidence: Evidence) -> None:
    company = motion({Dof.PAN: 0.1, Dof.IN: -0.1, Dof.ROLL: 0.05})
    values = [
        of(build(company + motion({p.dof: p.sign * amount}), evidence=evidence))[p.id]
        for amount in np.geomspace(0.005, 3, 40) + (0.15 if p.dof in (Dof.PAN, Dof.IN, Dof.ROLL) else 0.0)
    ]
    assert (np.diff(values) > -1e-6).all()
    assert values[-1] > values[0]


def test_features_grow_with_their_motion() -> None:
    """What makes non-negative weights mean that more is never less."""
    for p in DIRECTED:
        rows = np.array(
            [primitive_features(measure(build(motion({p.dof: p.sign * a}), evidence=SURE)))[p.id] for a in np.geomspace(0.01, 2, 20)]
        )
        assert (np.diff(rows, axis=0) > -1e-9).all(), p.id


def test_a_weight_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        FamilyModel(0.0, np.array([1.0, -0.1]), 0.5)
    with pytest.raises(ValueError, match="base rate"):
        FamilyModel(0.0, np.array([1.0]), 1.5)


def _swapped(found: dict[str, float], pairs: dict[str, str]) -> dict[str, float]:
    both = pairs | {b: a for a, b in pairs.items()}
    return {both.get(name, name): value for name, value in found.items()}


def test_a_mirror_swaps_left_and_right_and_the_rolls_exactly() -> None:
    plain = build(MIXED, evidence=SURE)
    mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
    pairs = {"pan_left": "pan_right", "move_left": "move_right", "roll_clockwise": "roll_counterclockwise"}
    mirrored = of(replace(plain, cam_from_world=mirror @ plain.cam_from_world @ mirror))
    assert mirrored == pytest.approx(_swapped(of(plain), pairs), abs=1e-9)


def test_upside_down_swaps_left_right_up_down_exactly() -> None:
    plain = build(MIXED, evidence=SURE)
    pairs = {"pan_left": "pan_right", "move_left": "move_right", "tilt_up": "tilt_down", "move_up": "move_down"}
    turned = of(replace(plain, cam_from_world=np.diag([-1.0, -1.0, 1.0, 1.0]) @ plain.cam_from_world))
    assert turned == pytest.approx(_swapped(of(plain), pairs), abs=1e-9)


@pytest.mark.parametrize("p", DIRECTED, ids=lambda p: p.id)
def test_reversed_time_swaps_opposites(p: Primitive) -> None:
    plain = build(motion({p.dof: p.sign * 0.2}, end=0.7), evidence=SURE)
    back = of(replace(plain, cam_from_world=plain.cam_from_world[::-1], focal_px=plain.focal_px[::-1]))
    pairs = {q.id: q.opposite for q in DIRECTED if q.sign > 0 and q.opposite}
    assert back == pytest.approx(_swapped(of(plain), pairs), abs=0.02)


def test_a_probability_is_the_mean_over_the_hypotheses() -> None:
    """Of a clip that is a zoom or a dolly, neither is sure and neither is denied."""
    zoomed, moved = (measure(build(motion({dof: 0.4}), evidence=SURE)) for dof in (Dof.ZOOM, Dof.IN))
    steadiness = measure_steadiness(zoomed)
    both, one, other = (
        probabilities(weighed_features(m, w, steadiness, alone=False), MODEL, zoom_known=True)
        for m, w in (([zoomed, moved], [0.3, 0.7]), ([zoomed], [1.0]), ([moved], [1.0]))
    )
    assert both == pytest.approx({name: 0.3 * one[name] + 0.7 * other[name] for name in one})
    assert one["zoom_in"] > both["zoom_in"] > other["zoom_in"]


def test_hypotheses_tell_by_themselves_what_may_be_mixed_up() -> None:
    names = feature_names(Family.TRANSLATION)
    found = primitive_features(measure(build(MIXED)), alone=False)
    mute = [names.index("over_partner"), names.index("picture")]
    assert all((found[p.id][mute] == 0).all() for p in DIRECTED)


def test_what_was_not_measured_is_neither_likely_nor_unlikely() -> None:
    found = of(build(MIXED, focal=False))
    assert found["zoom_in"] == found["zoom_out"] == MODEL[Family.ZOOM].base_rate


def test_all_are_there_whatever_the_path() -> None:
    for trajectory in (build(np.zeros((10, 7))), build(MIXED, focal=False, depth=None), build(MIXED * 1e3), build(MIXED[[0, -1]])):
        found = of(trajectory)
        assert list(found) == [p.id for p in PRIMITIVES]
        assert all(0 <= value <= 1 for value in found.values())


def test_features_have_names() -> None:
    features = primitive_features(measure(build(MIXED)))
    assert all(len(features[p.id]) == len(feature_names(family_of(p))) for p in PRIMITIVES)


def test_small_probabilities_do_not_tie() -> None:
    odds = np.linspace(-200, 30, 500)
    assert (np.diff([sigmoid(value) for value in odds]) > 0).all()
    assert sigmoid(0.0) == 0.5
    assert sigmoid(-1e4) == 0.0
    assert sigmoid(1e4) == 1.0


@pytest.mark.parametrize(
    "noise", [Noise(), Noise(translation=0.01, rotation_rad=0.005, log_focal=0.01, leak=0.25)], ids=["true poses", "noise and leakage"]
)
def test_probabilities_rank_as_well_as_scores_on_clips_of_another_maker(noise: Noise) -> None:
    """Other paths, shake and noise than those of the fit."""
    rng = np.random.default_rng(5)
    clips = [random_clip(rng, noise) for _ in range(300)]
    measured = [measure(trajectory) for trajectory, _ in clips]
    means = []
    for said in ([score_primitives(m) for m in measured], [said_of(m) for m in measured]):
        aps = [average_precision_score([p.id in labels for _, labels in clips], [row[p.id] for row in said]) for p in PRIMITIVES]
        means.append(float(np.mean(aps)))
    assert means[1] > means[0] - 0.015, means


def test_a_motion_that_only_makes_up_for_another_shows_in_no_picture() -> None:
    """What an estimator that mixes up pan and truck adds: both are there, and the picture stays where it is."""
    plain = build(motion({Dof.RIGHT: -0.2}), evidence=SURE)
    mixed = build(motion({Dof.RIGHT: -0.2, Dof.PAN: 0.2}), evidence=SURE)
    number = feature_names(Family.TRANSLATION).index("picture")
    assert primitive_features(measure(mixed))["move_left"][number] < primitive_features(measure(plain))["move_left"][number] - 1
