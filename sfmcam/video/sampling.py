"""Which frames to take, and when each frame is shown."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from sfmcam.types import Float

Index = NDArray[np.intp]


def pick(times_s: Float, fps: float | None, max_frames: int) -> Index:
    """Choose frames evenly in time, the first and the last always among them.

    The rate is `fps` to within half a frame of the shot, or less where `max_frames` forces it or the source has no more;
    of a shot of two frames and more, at least two are taken. Each wanted time gets the nearest frame, the earlier of two equally near.

    Args:
        times_s: (N,) ascending times of the frames of one shot.
        fps: wanted frames per second; None for every frame.
        max_frames: cap, at least 2.

    Returns:
        Ascending indices into `times_s`.
    """
    n = len(times_s)
    wanted = n if fps is None else max(2, round((times_s[-1] - times_s[0]) * fps) + 1) if n else 0
    count = min(wanted, max_frames)
    if count >= n:
        return np.arange(n)
    targets = np.linspace(times_s[0], times_s[-1], count)
    after = np.clip(np.searchsorted(times_s, targets), 1, n - 1)
    nearer_before = targets - times_s[after - 1] <= times_s[after] - targets
    return np.unique(after - nearer_before)


class Clock:
    """Turns the time stamps of frames in display order into ascending seconds, frame by frame.

    A stamp that is missing or does not ascend is replaced by the time one frame period (1 / `fps`) after the frame before it.

    Attributes:
        replaced: how many stamps had to be replaced.
    """

    def __init__(self, time_base: Fraction, fps: float) -> None:
        self._time_base = time_base
        self._period_s = 1 / fps
        self._last_s: float | None = None
        self.replaced = 0

    def time_s(self, stamp: int | None) -> float:
        """Return the time of the next frame."""
        time_s = None if stamp is None else float(stamp * self._time_base)
        if time_s is None or (self._last_s is not None and time_s <= self._last_s):
            self.replaced += 1
            time_s = 0.0 if self._last_s is None else self._last_s + self._period_s
        self._last_s = time_s
        return time_s
