"""Dissolves and fades: frames that are a mixture of the frame before the transition and the frame after it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sfmcam.types import Float
from sfmcam.video.similarity import BLANK_CONTRAST, Float32

WINDOWS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)  # frames from the last clean one before to the first clean one after
LONGEST_S = 2.5
MIN_CHANGE = 12.0  # grey levels, root mean square, between the two ends
MAX_CORRELATION = 0.4  # of the two ends: another picture, not a brighter or slowly moving one
MAX_RESIDUAL = 0.12  # of the squared change that the mixture leaves unexplained in any frame; a camera move leaves more
MAX_RETREAT = 0.1  # the share of the new picture only grows ...
MAX_STEP = 0.75  # ... not all at once, as at a cut ...
MAX_UNEVENNESS = 4.0  # ... and in no step by more than this many times the mean
LOW, HIGH = 0.2, 0.8  # shares between which the ramp is read; outside, the motion of either scene counts for as much
ROUNDING = 0.25  # frames


@dataclass(frozen=True)
class Blend:
    """A mixture found in the newest frames; indices count back from the newest frame, which is 0.

    Attributes:
        last_before: last unmixed frame of the old picture.
        first_after: first unmixed frame of the new picture.
    """

    last_before: int
    first_after: int


def find_blends(thumbs: Float32, times_s: Float) -> list[Blend]:
    """Return the mixtures that end with the newest frame.

    With x_s and x_e the ends of a window, each frame between is fitted as x_s + a (x_e - x_s) by least squares.

    Args:
        thumbs: (N, P) grey levels, oldest first.
        times_s: (N,) their times.
    """
    newest = len(thumbs) - 1
    centred = thumbs - thumbs.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1)
    blank = norms < BLANK_CONTRAST * np.sqrt(thumbs.shape[1])
    found = []
    for length in WINDOWS:
        start = newest - length
        if start < 0 or times_s[newest] - times_s[start] > LONGEST_S:
            break
        alike = centred[start] @ centred[newest] > MAX_CORRELATION * norms[start] * norms[newest]
        if alike and not (blank[start] or blank[newest]):
            continue
        share = _share_of_new(thumbs[start:])
        if share is not None:
            found.append(_extent(share))
    return found


def _share_of_new(window: Float32) -> Float | None:
    """Return the share of the last frame in each frame of `window`, or None where they are no mixtures of the first and the last."""
    change = window[-1] - window[0]
    energy = float(change @ change)
    if energy < MIN_CHANGE**2 * len(change):
        return None
    inner = window[1:-1] - window[0]
    share = inner @ change / energy
    residual = ((inner - share[:, None] * change) ** 2).sum(axis=1) / energy
    curve = np.concatenate([[0.0], share, [1.0]])
    step = np.diff(curve)
    low, high = _ramp(curve)
    steady = step.max() < min(MAX_STEP, MAX_UNEVENNESS * (HIGH - LOW) / (high - low))
    return curve if steady and step.min() > -MAX_RETREAT and residual.max() < MAX_RESIDUAL else None


def _extent(share: Float) -> Blend:
    """Draw the ramp of `share` through its crossings of LOW and HIGH on to 0 and 1."""
    low, high = _ramp(share)
    overhang = LOW * (high - low) / (HIGH - LOW)
    newest = len(share) - 1
    last_before = max(0, math.floor(low - overhang + ROUNDING))
    first_after = min(newest, math.ceil(high + overhang - ROUNDING))
    return Blend(newest - last_before, newest - first_after)


def _ramp(share: Float) -> tuple[float, float]:
    return _first_crossing(share, LOW), len(share) - 1 - _first_crossing(1 - share[::-1], 1 - HIGH)


def _first_crossing(rising: Float, level: float) -> float:
    """Return where `rising`, which starts at 0, first passes `level`, between samples by straight lines."""
    after = int(np.argmax(rising > level))
    return after - (rising[after] - level) / (rising[after] - rising[after - 1])
