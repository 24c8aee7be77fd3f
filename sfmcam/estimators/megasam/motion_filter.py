"""Which frames become keyframes: those on which the picture has moved enough since the last one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

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

    @cache  # lower thresholds ask for many of the same pairs again, and each is a look of the operator
    def moved(a: int, b: int) -> float:
        return mean_flow(clip.operator.flow(clip.features(a), clip.features(b)))

    wanted = min(schedule.min_keyframes, len(clip))
    threshold, chosen = schedule.filter_flow, [0]
    for _ in range(ATTEMPTS):
        chosen = _filtered(len(clip), threshold, moved)
        if len(chosen) >= wanted:
            break
        threshold *= SHRINK
    if len(chosen) < wanted:
        chosen = sorted({round(i) for i in np.linspace(0, len(clip) - 1, wanted)})
    if len(chosen) > most:
        chosen = [chosen[round(i)] for i in np.linspace(0, len(chosen) - 1, most)]
    return sorted({*chosen})


def _filtered(count: int, threshold: float, moved: Callable[[int, int], float]) -> list[int]:
    """Return which of `count` frames lie more than `threshold` from the last chosen one, and the last frame, once (spec 2.9, Q9)."""
    chosen = [0]
    away = 0.0
    for index in range(1, count):
        away = moved(chosen[-1], index)
        if away > threshold:
            chosen.append(index)
    last = count - 1
    if chosen[-1] != last:
        # a last frame that has hardly moved takes the place of its neighbour instead of standing beside it
        if len(chosen) > 2 and away < threshold / 4:
            chosen.pop()
        chosen.append(last)
    return chosen
