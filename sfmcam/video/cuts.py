"""Sudden changes: a frame that differs from the one before much more than its neighbours in time do from theirs."""

from __future__ import annotations

from collections.abc import Sequence

SUDDENNESS = 2.0  # times the mean change around; generous, since every suspect is examined afterwards
MIN_CHANGE = 6.0  # grey levels, mean absolute; between different scenes of real clips 24 and more, but there are dark ones
MARGIN = 2  # frames on each side of a change that it is compared with


def is_sudden(changes: Sequence[float], at: int) -> bool:
    """Return whether `changes[at]` stands out from the `MARGIN` changes before it and after it.

    At both ends the frames are thought of as mirrored (2 1 0 1 2 ...), which continues a camera move as the move it was: just there a
    badly trimmed clip keeps a frame of another shot.

    Args:
        changes: of each frame, its mean grey level difference from the frame before; that of the first frame is not looked at.
        at: number of a frame, from 1.
    """
    if changes[at] < MIN_CHANGE:
        return False
    around = [changes[_mirrored(at + side * k, len(changes))] for k in range(1, MARGIN + 1) for side in (-1, 1)]
    return changes[at] >= SUDDENNESS * sum(around) / len(around)


def _mirrored(at: int, num_frames: int) -> int:
    """Return the number of the change, from 1 to `num_frames` - 1, that stands at `at` where the frames are mirrored at both ends."""
    period = 2 * (num_frames - 1)
    place = (at - 1) % period
    return 1 + min(place, period - 1 - place)
