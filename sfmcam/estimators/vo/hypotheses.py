"""The motions that a shot may have gone through, each a path through all windows with the weight that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from sfmcam.estimators.vo.reading import Reading
from sfmcam.estimators.vo.windows import WindowPath, join_windows

MOST = 12  # hypotheses of a shot
NEGLIGIBLE = 0.02  # of weight


@dataclass(frozen=True)
class WeighedPath:
    """One motion of the whole shot at its keyframes; the weights of a shot's paths are together 1."""

    weight: float
    path: WindowPath


def couple(beliefs: Sequence[Mapping[Reading, float]]) -> list[tuple[float, tuple[Reading, ...]]]:
    """Return choices of one reading per window with their weights, together 1.

    All windows are drawn by one and the same number between 0 and 1, the readings lying along it from the least free to the freest: so a
    camera that may rest or move through the whole shot rests or moves through all of it. Of one window the choices are its readings with
    just their weights; of several, at most `MOST` choices, evenly drawn. What weighs next to nothing is left out.
    """
    ordered = [sorted(belief, key=lambda reading: reading.rank) for belief in beliefs]
    ends = [np.cumsum([belief[r] for r in readings]) for belief, readings in zip(beliefs, ordered, strict=True)]
    edges = np.unique(np.clip(np.concatenate([[0.0, 1.0], *ends]), 0, 1))
    if len(beliefs) > 1 and len(edges) - 1 > MOST:
        edges = np.linspace(0, 1, MOST + 1)
    weights, middles = np.diff(edges), (edges[:-1] + edges[1:]) / 2
    chosen: dict[tuple[Reading, ...], float] = {}
    for weight, middle in zip(weights.tolist(), middles.tolist(), strict=True):
        drawn = [min(int(np.searchsorted(end, middle)), len(end) - 1) for end in ends]
        choice = tuple(readings[place] for readings, place in zip(ordered, drawn, strict=True))
        chosen[choice] = chosen.get(choice, 0.0) + weight
    kept = {choice: weight for choice, weight in chosen.items() if weight >= min(NEGLIGIBLE, max(chosen.values()))}
    total = sum(kept.values())
    return [(weight / total, choice) for choice, weight in kept.items()]


def weighed_paths(beliefs: Sequence[Mapping[Reading, float]], paths: Sequence[Mapping[Reading, WindowPath]]) -> list[WeighedPath]:
    """Join the windows' paths (one per reading) under every choice of `couple`."""
    return [
        WeighedPath(weight, join_windows(with_even_focal([of_window[r] for of_window, r in zip(paths, choice, strict=True)])))
        for weight, choice in couple(beliefs)
    ]


def with_even_focal(paths: Sequence[WindowPath]) -> list[WindowPath]:
    """Return the windows with their log focal lengths shifted so that neighbours agree on the keyframes that they share.

    A window tells its focal length itself much less surely than how that changes within it: without this, the windows' errors would read
    as zooms from one to the next. The common level is the mean of the windows' own, the surer ones counting more.
    """
    offsets = [0.0]
    for before, after in pairwise(paths):
        _, i, j = np.intersect1d(before.frames, after.frames, return_indices=True)
        offsets.append(offsets[-1] + float(np.mean(before.log_focal[i] - after.log_focal[j])))
    sureness = np.array([1 / (float(np.median(path.sigma[:, 6])) + 0.01) ** 2 for path in paths])
    level = float(np.average(offsets, weights=sureness))
    return [replace(path, log_focal=path.log_focal + offset - level) for path, offset in zip(paths, offsets, strict=True)]
