"""Which frames to take, and when each frame is shown."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from sfmcam.types import Float

Index = NDArray[np.intp]
MAX_REORDER = 16  # frames; the most that H.264 and H.265 allow between decoding and display


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


def seconds(stamp: int, time_base: Fraction) -> float:
    """Return a time stamp in seconds, to the last digit that a float holds."""
    return stamp * time_base.numerator / time_base.denominator


def presentation_times(stamps: Sequence[int | None], time_base: Fraction, fps: float) -> tuple[Float, int]:
    """Turn the time stamps of frames in display order into ascending seconds.

    Stamps that are only out of order (AVI with B-frames carries them in decoding order) are put in order. A stamp that is missing or
    still does not ascend is replaced by the time one frame period (1 / `fps`) after the frame before it.

    Returns:
        (N,) times in seconds, and how many stamps were replaced.
    """
    times, replaced = np.zeros(len(stamps)), 0
    for i, stamp in enumerate(_in_order(stamps)):
        time_s = None if stamp is None else seconds(stamp, time_base)
        if time_s is None or (i and time_s <= times[i - 1]):
            time_s = times[i - 1] + 1 / fps if i else 0.0
            replaced += 1
        times[i] = time_s
    return times, replaced


def _in_order(stamps: Sequence[int | None]) -> Sequence[int | None]:
    known = [stamp for stamp in stamps if stamp is not None]
    if len(set(known)) < len(stamps):
        return stamps
    order = sorted(range(len(known)), key=known.__getitem__)
    moved = max((abs(place - i) for place, i in enumerate(order)), default=0)
    return [known[i] for i in order] if moved <= MAX_REORDER else stamps
