"""A smooth path cut into legs (one motion in one direction) and phases (legs that happen together)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sfmcam.motion.measurement import MotionMeasurement
from sfmcam.motion.primitive import Dof
from sfmcam.types import Float

SIGMAS = 2.0  # nothing is claimed below this many times its uncertainty
PERCEPTIBLE_WIDTHS = 0.02  # nor what moves the picture by less than this: 1.3 deg of pan, 2.4 % of the depth, zoom 1.04x
JITTERS = 4.0  # nor what is less than this many times the clip's own jitter
WOBBLE_SHARE = 0.2  # a turn back of less than this share of the whole range does not end a leg
MINOR_SHARE = 0.1  # legs below this share of the largest one are left out ...
MINOR_WIDTHS = 0.05  # ... unless they move the picture by this much
CORE = (0.1, 0.9)  # a leg lasts from 10 % to 90 % of its change
TOGETHER_SHARE = 0.5  # two legs are one phase if they overlap for this share of the shorter one


@dataclass(frozen=True)
class Leg:
    """One degree of freedom moving one way.

    Attributes:
        dof: which one.
        amount: signed change of the smooth path over the leg, in the units of `Dof`.
        rows: first and last row, counted among the frames where the degree of freedom is known.
        start_s: time at 10 % of the change.
        end_s: time at 90 %.
        widths: image motion in picture widths, positive.
    """

    dof: Dof
    amount: float
    rows: tuple[int, int]
    start_s: float
    end_s: float
    widths: float

    def is_together_with(self, other: Leg) -> bool:
        """Whether both happen at the same time rather than one after the other."""
        overlap_s = min(self.end_s, other.end_s) - max(self.start_s, other.start_s)
        return overlap_s >= TOGETHER_SHARE * min(self.end_s - self.start_s, other.end_s - other.start_s)


def find_legs(measurement: MotionMeasurement) -> list[Leg]:
    """Return the legs that can be claimed, largest image motion first."""
    legs = [leg for dof in Dof for leg in _legs_of(measurement, dof)]
    legs.sort(key=lambda leg: -leg.widths)
    return [leg for leg in legs if leg.widths >= min(MINOR_SHARE * legs[0].widths, MINOR_WIDTHS)]


def find_phases(legs: list[Leg]) -> list[list[Leg]]:
    """Group legs into phases in the order of time; within a phase the largest leg comes first.

    The largest leg that is left takes along every other that happens together with it, until none is left.
    """
    left, phases = sorted(legs, key=lambda leg: -leg.widths), []
    while left:
        phase = [leg for leg in left if leg is left[0] or leg.is_together_with(left[0])]
        phases.append(phase)
        left = [leg for leg in left if leg not in phase]
    phases.sort(key=lambda phase: phase[0].start_s)
    return _join_returns(phases)


def turning_points(values: Float, threshold: float) -> list[int]:
    """Return the rows where `values` (M,) turns, ends included, such that every stretch in between changes by at least `threshold`.

    Empty if nothing changes by as much.
    """
    points: list[int] = []
    low = high = 0
    heading = 0
    for i, value in enumerate(values):
        low, high = (i if value < values[low] else low), (i if value > values[high] else high)
        if heading <= 0 and value - values[low] >= threshold:
            points.append(low)
            heading, high = 1, i
        elif heading >= 0 and values[high] - value >= threshold:
            points.append(high)
            heading, low = -1, i
    if heading:
        points.append(high if heading > 0 else low)
    return points


def _legs_of(measurement: MotionMeasurement, dof: Dof) -> list[Leg]:
    column = measurement.smooth[:, dof]
    known = np.isfinite(column)
    if not known.any():
        return []
    values, times_s, gain = column[known], measurement.timestamps_s[known], measurement.image_gain[dof]
    threshold = max(
        SIGMAS * measurement.sigma[dof],
        JITTERS * measurement.jitter[dof],
        PERCEPTIBLE_WIDTHS / gain,
        WOBBLE_SHARE * measurement.extent[dof],
    )
    points = turning_points(values, threshold)
    return [_leg(dof, values, times_s, rows=rows, gain=gain) for rows in pairwise(points)]


def _leg(dof: Dof, values: Float, times_s: Float, *, rows: tuple[int, int], gain: float) -> Leg:
    first, last = rows
    amount = float(values[last] - values[first])
    share = (values[first : last + 1] - values[first]) / amount
    start_s, end_s = (_crossing_s(times_s[first : last + 1], share, level) for level in CORE)
    return Leg(dof, amount, rows, start_s, end_s, widths=gain * abs(amount))


def _crossing_s(times_s: Float, share: Float, level: float) -> float:
    """Return when `share`, which runs from 0 to 1, first reaches `level`, between samples by a straight line."""
    k = max(1, int(np.argmax(share >= level)))
    return float(np.interp(level, share[k - 1 : k + 1], times_s[k - 1 : k + 1]))


def _join_returns(phases: list[list[Leg]]) -> list[list[Leg]]:
    """Join neighbouring phases that are the same single degree of freedom: there and back is one thing to say."""
    joined: list[list[Leg]] = []
    for phase in phases:
        dofs = {leg.dof for leg in phase}
        if joined and len(dofs) == 1 and {leg.dof for leg in joined[-1]} == dofs:
            joined[-1] = joined[-1] + phase
        else:
            joined.append(phase)
    return joined
