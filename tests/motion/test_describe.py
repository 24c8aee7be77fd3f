"""Claims: the sentence is right, plain English, in the right unit, and claims nothing that is within the uncertainty."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from simulated_paths import Noise, build, motion, random_clip, shake

from sfmcam.motion.describe import describe
from sfmcam.motion.legs import find_legs, find_phases, turning_points
from sfmcam.motion.measure import measure
from sfmcam.motion.primitive import PRIMITIVES, Dof
from sfmcam.types import Evidence, Float, Scale


def degrees(value: float) -> float:
    return float(np.radians(value))


def tremble(rows: int, sigma_deg: float) -> Float:
    """White noise of the three angles (rows, 7)."""
    out = np.zeros((rows, 7))
    out[:, :3] = np.random.default_rng(0).normal(0, degrees(sigma_deg), (rows, 3))
    return out


def and_back(dofs: Float) -> Float:
    return np.vstack([dofs, dofs[-2::-1]])


PAN = motion({Dof.PAN: degrees(20)}, n=21)
PAN_AND_IN = motion({Dof.PAN: degrees(23), Dof.IN: 0.4})

GOLDEN = [
    (np.zeros((20, 7)), "The camera holds still."),
    (motion({Dof.IN: 0.03}), "The camera hardly moves."),
    (tremble(40, 0.5), "The camera shakes slightly but goes nowhere."),
    (tremble(40, 1.0), "The camera shakes but goes nowhere."),
    (motion({Dof.PAN: degrees(23)}), "The camera pans right 23 degrees."),
    (motion({Dof.PAN: degrees(-2)}), "The camera pans left 2 degrees."),
    (motion({Dof.TILT: degrees(-12)}), "The camera tilts down 12 degrees."),
    (motion({Dof.ROLL: degrees(30)}), "The camera rolls clockwise 30 degrees."),
    (motion({Dof.IN: -1.0}), "The camera moves out by 1 scene depth."),
    (motion({Dof.DOWN: -0.25}), "The camera moves up by 0.25 scene depths."),
    (motion({Dof.ZOOM: np.log(1.5)}), "The camera zooms in 1.5x."),
    (motion({Dof.ZOOM: -np.log(3)}), "The camera zooms out 3x."),
    (PAN_AND_IN, "The camera pans right 23 degrees while moving in by 0.4 scene depths."),
    (
        motion({Dof.PAN: degrees(-23), Dof.IN: 0.4, Dof.ROLL: degrees(30)}),
        "The camera pans left 23 degrees while rolling clockwise 30 degrees and moving in by 0.4 scene depths.",
    ),
    (
        motion({Dof.PAN: degrees(-23), Dof.IN: 0.4, Dof.ROLL: degrees(30), Dof.ZOOM: np.log(2)}),
        "The camera pans left 23 degrees while zooming in 2x, rolling clockwise 30 degrees and moving in by 0.4 scene depths.",
    ),
    (
        motion({Dof.PAN: degrees(20)}, n=40, end=0.45) + motion({Dof.IN: 0.5}, n=40, start=0.55),
        "The camera pans right 20 degrees, then moves in by 0.5 scene depths.",
    ),
    (
        motion({Dof.PAN: degrees(20)}, n=60, end=0.3)
        + motion({Dof.IN: 0.5}, n=60, start=0.35, end=0.65)
        + motion({Dof.TILT: degrees(-10)}, n=60, start=0.7),
        "The camera pans right 20 degrees, then moves in by 0.5 scene depths, then tilts down 10 degrees.",
    ),
    (
        motion({Dof.PAN: degrees(20)}, n=60, end=0.65) + motion({Dof.IN: 0.5}, n=60, start=0.35),
        "The camera pans right 20 degrees, then moves in by 0.5 scene depths.",  # they overlap, but each has its own time
    ),
    (
        motion({Dof.PAN: degrees(20)}, n=60, end=0.6) + motion({Dof.PAN: degrees(-3)}, n=60, start=0.7),
        "The camera pans right 20 degrees.",  # an overshoot is not a motion of its own
    ),
    (and_back(PAN), "The camera pans right 20 degrees and back."),
    (np.vstack([PAN, PAN[-2:8:-1]]), "The camera pans right 20 degrees and then left 11 degrees."),
    (np.vstack([and_back(PAN), PAN[1:]]), "The camera pans right and left over 20 degrees (20 degrees right in all)."),
    (np.vstack([and_back(PAN), and_back(PAN)[1:]]), "The camera pans right and left over 20 degrees."),
    (
        and_back(motion({Dof.TILT: degrees(10)}, n=21)) + motion({Dof.PAN: degrees(40)}, n=41),
        "The camera pans right 40 degrees while tilting up 10 degrees and back.",
    ),
    (motion({Dof.PAN: degrees(23)}, n=40) + tremble(40, 0.5), "The camera pans right 23 degrees, shaking slightly."),
]


@pytest.mark.parametrize(("dofs", "sentence"), GOLDEN, ids=lambda value: value if isinstance(value, str) else None)
def test_golden_sentences(dofs: Float, sentence: str) -> None:
    assert describe(measure(build(dofs))) == sentence


@pytest.mark.parametrize(
    ("how", "amount"),
    [
        ({}, "0.4 scene depths"),
        ({"scale": Scale.METRIC}, "0.8 m"),
        ({"scale": Scale.METRIC, "depth": None}, "0.8 m"),
        ({"depth": None}, "0.8 units of the path"),
    ],
)
def test_units_follow_what_is_known_of_the_scale(how: dict, amount: str) -> None:
    """The builder's scene lies 2 units away."""
    assert describe(measure(build(PAN_AND_IN, **how))) == f"The camera pans right 23 degrees while moving in by {amount}."


def test_one_of_a_unit_is_singular() -> None:
    assert describe(measure(build(motion({Dof.IN: 0.5}), depth=None))) == "The camera moves in by 1 unit of the path."
    plain = build(motion({Dof.TILT: degrees(1)}), evidence=Evidence(rotation_sigma_rad=1e-4))
    telephoto = replace(plain, focal_px=3 * plain.focal_px)  # a degree is a visible motion only in a long lens
    assert describe(measure(telephoto)) == "The camera tilts up 1 degree."


@pytest.mark.parametrize("p", [p for p in PRIMITIVES if p.dof is not None], ids=lambda p: p.id)
def test_every_primitive_has_its_words(p) -> None:
    assert describe(measure(build(motion({p.dof: p.sign * 0.4})))).startswith(f"The camera {p.words} ")


@pytest.mark.parametrize("dof", list(Dof))
def test_nothing_is_claimed_below_two_sigma(dof: Dof) -> None:
    dofs = motion({dof: 0.1})
    sure, unsure = (Evidence(rotation_sigma_rad=s, translation_sigma=s, log_focal_sigma=s) for s in (0.001, 0.06))
    assert find_legs(measure(build(dofs, evidence=sure)))
    assert not find_legs(measure(build(dofs, evidence=unsure)))


@pytest.mark.parametrize("seed", range(6))
def test_a_swaying_hand_is_not_told_as_large_motions(seed: int) -> None:
    sentence = describe(measure(build(shake(np.random.default_rng(seed), 40, fps=8.0))))
    told = [float(size) for size in re.findall(r"([\d.]+) degrees", sentence)]
    assert max(told, default=0.0) < 6.0


@pytest.mark.parametrize("seed", range(40))
def test_any_path_gives_one_sentence(seed: int) -> None:
    trajectory, _ = random_clip(
        np.random.default_rng(seed), Noise(translation=0.02, rotation_rad=0.005, log_focal=0.02, leak=0.2, lost=0.2)
    )
    sentence = describe(measure(trajectory))
    assert re.fullmatch(r"The camera [a-z].*[a-z0-9)]\.", sentence)
    assert "nan" not in sentence
    assert "  " not in sentence


def test_a_long_and_changing_path_is_summed_up() -> None:
    rng = np.random.default_rng(1)
    targets = rng.uniform(-0.6, 0.6, (12, 7)) * np.array([1, 1, 1, 1, 1, 1, 0])
    seconds = np.arange(12) * 2.0
    dofs = np.stack([np.interp(np.arange(0, 22, 1 / 8), seconds, column) for column in targets.T], axis=1)
    sentence = describe(measure(build(dofs)))
    assert sentence.startswith("The camera keeps changing its motion: it ")
    assert len(sentence) < 400


def test_small_companions_of_a_large_motion_are_left_out() -> None:
    dofs = motion({Dof.PAN: degrees(60), Dof.TILT: degrees(2)})
    assert describe(measure(build(dofs))) == "The camera pans right 60 degrees."


def test_turning_points_ignore_what_is_below_the_threshold() -> None:
    values = np.array([0.0, 1.0, 0.8, 2.0, 3.0, 2.9, 1.0, 1.2, 0.0])
    assert turning_points(values, 0.5) == [0, 4, 8]
    assert turning_points(values, 5.0) == []
    assert turning_points(-values, 0.5) == [0, 4, 8]
    assert turning_points(np.zeros(5), 0.1) == []


def test_phases_are_in_the_order_of_time() -> None:
    late = motion({Dof.PAN: degrees(40)}, n=40, start=0.6)
    early = motion({Dof.TILT: degrees(10), Dof.ROLL: degrees(9)}, n=40, end=0.4)
    phases = find_phases(find_legs(measure(build(late + early))))
    assert [[leg.dof for leg in phase] for phase in phases] == [[Dof.TILT, Dof.ROLL], [Dof.PAN]]
