"""A measurement in one plain sentence; what may be claimed is decided in `legs`."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sfmcam.motion.depth import DepthSource
from sfmcam.motion.legs import SIGMAS, Leg, find_legs, find_phases
from sfmcam.motion.measurement import MotionMeasurement
from sfmcam.motion.primitive import PRIMITIVES, ROTATION_DOFS, TRANSLATION_DOFS, Dof
from sfmcam.motion.smooth import smooth
from sfmcam.motion.steadiness import Steadiness, SteadinessMeasurement, measure_steadiness, net_of_noise, smooth_picture
from sfmcam.types import Float, Scale

MAX_PHASES = 4  # beyond either, the sentence sums up instead of telling the order
MAX_LEGS = 6
MAX_DOFS_IN_SUMMARY = 4
BACK_RATIO = 0.75  # a return of at least this share (and at most its inverse) is "and back"
NET_SHARE = 0.3  # for a motion that turns several times, the net change is told from this share of the range on
STRONG_SHAKE_WIDTHS = 0.01  # five pixels in 500
HAND_RATIO = 1.5  # a hand shakes this many times more below 4 Hz than above; an engine or a footstep does not
SHAKE_WIDTHS = 0.002  # as `steadiness` has it, for clips too short or too sparse for it
DRIFT_WIDTHS = 0.005  # less than this (and than twice its uncertainty) is "still", more but not enough to be told is "hardly moves"
EITHER_WIDTHS = 0.02  # the picture itself must move by this much for the sentence to name the motions that would do it ...
EITHER_SHARE = 0.3  # ... and by this share of what it moves in any other way
# of the columns of `smooth_picture`, falling and rising; a roll alone turns the picture
EITHER = (
    ("pans or moves left", "pans or moves right"),
    ("tilts or moves down", "tilts or moves up"),
    None,
    ("zooms or moves out", "zooms or moves in"),
)
NOISE_TO_JITTER = 2.0  # jitter below this many times what the noise alone would leave (noise / sqrt 2) is not called shake

PARTICIPLE = {"moves": "moving", "zooms": "zooming", "pans": "panning", "tilts": "tilting", "rolls": "rolling"}
VERB = {p.dof: p.words.split()[0] for p in PRIMITIVES if p.dof is not None}
DIRECTION = {(p.dof, p.sign): p.words.split()[1] for p in PRIMITIVES if p.dof is not None}


def describe(measurement: MotionMeasurement, steadiness: SteadinessMeasurement | None = None) -> str:
    """Return a sentence such as "The camera pans right 23 degrees while moving in by 0.4 scene depths.".

    Motions are told in the order of time ("..., then ...") if they happen one after the other, joined by "while" if
    together, the largest first. Rotation is in degrees, zoom as a ratio; translation in metres for a metric trajectory, in
    scene depths where the depth of the scene is known, else in "units of the path", which say nothing about the scene.
    A motion is told only if it exceeds twice its uncertainty, four times the clip's jitter, 2 % of the picture width, and
    a tenth of the largest motion of the clip. Shake is told as `measure_steadiness` sees it, "hand-held" where its spectrum is a hand's.
    """
    steadiness = steadiness or measure_steadiness(measurement)
    legs = [] if steadiness.kind is Steadiness.FIXED_SHAKY else find_legs(measurement)
    if not legs:
        return f"The camera {_without_motion(measurement, steadiness)}."
    phases, teller = find_phases(legs), _Teller(measurement)
    if len(phases) > MAX_PHASES or len(legs) > MAX_LEGS:
        told = f"keeps changing its motion: it {teller.summary(legs)}"
    else:
        told = ", then ".join(teller.phase(phase) for phase in phases)
    return f"The camera {told}{_while_moving(steadiness)}."


class _Teller:
    """Words for legs, in the units in which this measurement may speak."""

    def __init__(self, measurement: MotionMeasurement) -> None:
        self._spoken = _spoken_path(measurement)
        self._unit = _translation_unit(measurement)

    def phase(self, legs: list[Leg]) -> str:
        """Return the legs of one phase, joined by "while"."""
        main, *others = _by_dof(legs)
        told = self._gesture(main, VERB[main[0].dof])
        if not others:
            return told
        return f"{told} while {_listed([self._gesture(other, PARTICIPLE[VERB[other[0].dof]]) for other in others])}"

    def summary(self, legs: list[Leg]) -> str:
        """Return what each of the largest degrees of freedom did over the whole clip."""
        return _listed([self._gesture(group, VERB[group[0].dof]) for group in _by_dof(legs)[:MAX_DOFS_IN_SUMMARY]])

    def _gesture(self, legs: list[Leg], verb: str) -> str:
        legs = sorted(legs, key=lambda leg: leg.rows)
        dof, amounts = legs[0].dof, [self._amount(leg) for leg in legs]
        there, back = DIRECTION[dof, _sign(legs[0].amount)], DIRECTION[dof, -_sign(legs[0].amount)]
        if len(legs) > 2 or any(_sign(a.amount) == _sign(b.amount) for a, b in pairwise(legs)):
            return f"{verb} {there} and {back} over {self._range(dof)}"
        told = f"{verb} {there} {self._size(dof, amounts[0])}"
        if len(legs) == 1:
            return told
        ratio = abs(amounts[1] / amounts[0])
        return f"{told} and back" if BACK_RATIO <= ratio <= 1 / BACK_RATIO else f"{told} and then {back} {self._size(dof, amounts[1])}"

    def _range(self, dof: Dof) -> str:
        """Return the range over the whole clip and, where it is worth telling, the net change."""
        known = self._known(dof)
        spread, net = float(np.ptp(known)), float(known[-1] - known[0])
        told = _quantity(dof, spread, self._unit)
        return (
            told
            if abs(net) < NET_SHARE * spread
            else f"{told} ({_quantity(dof, abs(net), self._unit)} {DIRECTION[dof, _sign(net)]} in all)"
        )

    def _amount(self, leg: Leg) -> float:
        known = self._known(leg.dof)
        return float(known[leg.rows[1]] - known[leg.rows[0]])

    def _known(self, dof: Dof) -> Float:
        column = self._spoken[:, dof]
        return column[np.isfinite(column)]

    def _size(self, dof: Dof, amount: float) -> str:
        by = "by " if dof in TRANSLATION_DOFS else ""
        return by + _quantity(dof, abs(amount), self._unit)


def _by_dof(legs: list[Leg]) -> list[list[Leg]]:
    groups: dict[Dof, list[Leg]] = {}
    for leg in legs:
        groups.setdefault(leg.dof, []).append(leg)
    return list(groups.values())


def _spoken_path(measurement: MotionMeasurement) -> Float:
    """Smooth path (M, 7) of the valid frames in degrees, spoken units of translation, and log focal."""
    valid = measurement.valid
    path = measurement.smooth[valid].copy()
    path[:, ROTATION_DOFS] = np.degrees(path[:, ROTATION_DOFS])
    if _translation_unit(measurement) != "scene depth" and measurement.depth_source is not DepthSource.NONE:
        depth = measurement.depth[valid]
        steps = measurement.steps[:, TRANSLATION_DOFS] * np.sqrt(depth[:-1] * depth[1:])[:, None]
        centers = np.vstack([np.zeros(3), np.cumsum(steps, axis=0)])
        path[:, TRANSLATION_DOFS] = smooth(measurement.timestamps_s[valid], centers)
    return path


def _translation_unit(measurement: MotionMeasurement) -> str:
    if measurement.scale is Scale.METRIC:
        return "m"
    return "scene depth" if measurement.depth_source is DepthSource.POINTS else "unit of the path"


def _quantity(dof: Dof, size: float, translation_unit: str) -> str:
    """Return a size with its unit in words: "23 degrees", "0.4 scene depths", "1.5x"."""
    if dof is Dof.ZOOM:
        ratio = float(np.exp(size))
        return f"{round(ratio, 2 if ratio < 2 else 1):g}x"
    number = _number(size)
    unit = "degree" if dof in ROTATION_DOFS else translation_unit
    if unit == "m" or number == "1":
        return f"{number} {unit}"
    first, _, rest = unit.partition(" of ")
    return f"{number} {first}s" + (f" of {rest}" if rest else "")


def _number(size: float) -> str:
    """Two significant digits below ten, whole numbers above."""
    return f"{size:.0f}" if size >= 9.95 else f"{float(f'{size:.1e}'):g}"


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _sign(value: float) -> int:
    return 1 if value > 0 else -1


def _without_motion(measurement: MotionMeasurement, steadiness: SteadinessMeasurement) -> str:
    if steadiness.kind not in (Steadiness.FIXED_SHAKY, Steadiness.LOCKED_OFF) and (either := _either(measurement)):
        return f"{either}{_while_moving(steadiness)}"
    if steadiness.kind is Steadiness.UNKNOWN and _residual_widths(measurement) >= SHAKE_WIDTHS:
        return f"{_shakes(_residual_widths(measurement))} but goes nowhere"
    if steadiness.kind is Steadiness.FIXED_SHAKY:
        held = "is hand-held and " if _is_hand_held(steadiness) else ""
        return f"{held}{_shakes(steadiness.shake_widths)} but goes nowhere"
    drift = np.nan_to_num(measurement.extent) > np.maximum(SIGMAS * np.nan_to_num(measurement.sigma), DRIFT_WIDTHS / measurement.image_gain)
    sure = np.isfinite(measurement.picture_noise_widths)
    drift_of_picture = sure and bool((np.ptp(smooth_picture(measurement), axis=0) > DRIFT_WIDTHS).any())
    return "hardly moves" if drift.any() or drift_of_picture else "holds still"


def _either(measurement: MotionMeasurement) -> str:
    """Return what may have moved the picture where none of it can be told by itself, or ""."""
    picture = smooth_picture(measurement)
    net = picture[-1] - picture[0]
    least = max(EITHER_WIDTHS, EITHER_SHARE * float(np.abs(net).max()))
    told = [words[int(change > 0)] for words, change in zip(EITHER, net, strict=True) if words is not None and abs(change) >= least]
    return f"{_listed(told)}, which of the two cannot be told" if told and np.isfinite(measurement.picture_noise_widths) else ""


def _while_moving(steadiness: SteadinessMeasurement) -> str:
    """Return how a moving camera is held, to be put behind what it does; "" for a steady one."""
    if steadiness.kind is not Steadiness.SHAKY:
        return ""
    held = "hand-held and " if _is_hand_held(steadiness) else ""
    return f", {held}{_shakes(steadiness.shake_widths).replace('shakes', 'shaking')}"


def _shakes(widths: float) -> str:
    if widths < SHAKE_WIDTHS:
        return "sways slightly"
    return "shakes" if widths >= STRONG_SHAKE_WIDTHS else "shakes slightly"


def _is_hand_held(steadiness: SteadinessMeasurement) -> bool:
    tremble = net_of_noise(steadiness.tremble)
    return bool(np.isfinite(tremble)) and net_of_noise(steadiness.hand) >= HAND_RATIO * max(tremble, SHAKE_WIDTHS / 2)


def _residual_widths(measurement: MotionMeasurement) -> float:
    """Jitter as far as it cannot be noise, in picture widths: all that a clip can tell that is too short or too sparse for a spectrum."""
    real = np.nan_to_num(measurement.jitter) > NOISE_TO_JITTER * measurement.noise / np.sqrt(2.0)
    return float(np.linalg.norm(np.where(real, measurement.image_gain * measurement.jitter, 0.0)))
