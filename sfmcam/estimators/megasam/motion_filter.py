"""Which frames become keyframes: those on which the picture has moved enough since the last one."""

from __future__ import annotations

import numpy as np

from sfmcam.estimators.megasam.clip import Clip, mean_flow
from sfmcam.estimators.megasam.options import Schedule

SHRINK = 0.5  # of the wanted flow, while there are too few keyframes
ATTEMPTS = 4


def choose_keyframes(clip: Clip, schedule: Schedule, *, most: int) -> list[int]:
    """Return frame numbers, ascending, the first and the last frame of the clip among them.

    Where the picture moves too little for `schedule.min_keyframes`, less flow is asked for, and of a camera that hardly moves frames at
    even distances are taken (spec 2.9, Q12); of too many keyframes, `most` are kept at even distances of their sequence.
    """
    wanted = min(schedule.min_keyframes, len(clip))
    threshold, chosen = schedule.filter_flow, [0]
    for _ in range(ATTEMPTS):
        chosen = _filtered(clip, threshold)
        if len(chosen) >= wanted:
            break
        threshold *= SHRINK
    if len(chosen) < wanted:
        chosen = sorted({round(i) for i in np.linspace(0, len(clip) - 1, wanted)})
    if len(chosen) > most:
        chosen = [chosen[round(i)] for i in np.linspace(0, len(chosen) - 1, most)]
    return sorted({*chosen})


def _filtered(clip: Clip, threshold: float) -> list[int]:
    """Return the frames that lie more than `threshold` from the last chosen one, and the last frame, once (spec 2.9, Q9)."""
    chosen = [0]
    moved = 0.0
    for index in range(1, len(clip)):
        moved = mean_flow(clip.operator.flow(clip.features(chosen[-1]), clip.features(index)))
        if moved > threshold:
            chosen.append(index)
    last = len(clip) - 1
    if chosen[-1] != last:
        # a last frame that has hardly moved takes the place of its neighbour instead of standing beside it
        if len(chosen) > 2 and moved < threshold / 4:
            chosen.pop()
        chosen.append(last)
    return chosen
