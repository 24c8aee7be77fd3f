"""Dissolves and fades: frames that are a mixture of the frame before the transition and the frame after it."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sfmcam.types import Float
from sfmcam.video.similarity import THUMB_SIZE, Float32, Look

WINDOWS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)  # frames from the last clean one before to the first clean one after
_WINDOWS = np.array(WINDOWS)
KEPT = max(WINDOWS) + 1
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


class BlendFinder:
    """Takes the pictures of a file one by one, and keeps the newest thumbnails in one piece of memory."""

    def __init__(self) -> None:
        num_levels = THUMB_SIZE[0] * THUMB_SIZE[1]
        self._thumbs = np.empty((2 * KEPT, num_levels), np.float32)
        self._units = np.empty((2 * KEPT, num_levels), np.float32)
        self._times_s = np.empty(2 * KEPT)
        self._end = 0

    def push(self, look: Look, time_s: float) -> list[Blend]:
        """Take the next picture; return the mixtures that end with it.

        With x_s and x_e the thumbnails at the ends of a window, each one between is fitted as x_s + a (x_e - x_s) by least squares.
        """
        if self._end == len(self._thumbs):
            for rows in (self._thumbs, self._units, self._times_s):
                rows[: KEPT - 1] = rows[-KEPT + 1 :]
            self._end = KEPT - 1
        newest = self._end
        self._thumbs[newest], self._units[newest], self._times_s[newest] = look.thumb, look.unit_thumb, time_s
        self._end += 1
        shares = [_share_of_new(self._thumbs[start : self._end]) for start in self._unlike(newest)]
        return [_extent(share) for share in shares if share is not None]

    def _unlike(self, newest: int) -> NDArray[np.intp]:
        """Return where the windows begin whose first picture is another one than the newest; a blank one is."""
        starts = newest - _WINDOWS[: bisect_right(WINDOWS, newest)]
        starts = starts[self._times_s[newest] - self._times_s[starts] <= LONGEST_S]
        return starts[self._units[starts] @ self._units[newest] <= MAX_CORRELATION]


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
