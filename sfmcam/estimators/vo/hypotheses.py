"""The motions that a shot may have gone through, each a path through all windows with the weight that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from sfmcam.estimators.vo.bundle import Freedom
from sfmcam.estimators.vo.windows import WindowPath, join_windows

MOST = 12  # hypotheses of a shot
NEGLIGIBLE = 0.02  # of weight


@dataclass(frozen=True)
class WeighedPath:
    """One motion of the whole shot at its keyframes; the weights of a shot's paths are together 1."""

    weight: float
    path: WindowPath


def couple(beliefs: Sequence[Mapping[Freedom, float]]) -> list[tuple[float, tuple[Freedom, ...]]]:
    """Return choices of one model per window with their weights, together 1.

    All windows are drawn by one and the same number between 0 and 1, the models lying along it from the least free to the freest: so a
    camera that may rest or move through the whole shot rests or moves through all of it. Of one window the choices are its models with
    just their weights; of several, at most `MOST` choices, evenly drawn. What weighs next to nothing is left out.
    """
    ends = [np.cumsum([belief[f] for f in Freedom]) for belief in beliefs]
    edges = np.unique(np.clip(np.concatenate([[0.0, 1.0], *ends]), 0, 1))
    if len(edges) - 1 > max(MOST, len(Freedom)):
        edges = np.linspace(0, 1, MOST + 1)
    weights, middles = np.diff(edges), (edges[:-1] + edges[1:]) / 2
    chosen: dict[tuple[Freedom, ...], float] = {}
    models = list(Freedom)
    for weight, middle in zip(weights.tolist(), middles.tolist(), strict=True):
        choice = tuple(models[min(int(np.searchsorted(end, middle)), len(models) - 1)] for end in ends)
        chosen[choice] = chosen.get(choice, 0.0) + weight
    kept = {choice: weight for choice, weight in chosen.items() if weight >= min(NEGLIGIBLE, max(chosen.values()))}
    total = sum(kept.values())
    return [(weight / total, choice) for choice, weight in kept.items()]


def weighed_paths(beliefs: Sequence[Mapping[Freedom, float]], paths: Sequence[Mapping[Freedom, WindowPath]]) -> list[WeighedPath]:
    """Join the windows' paths (one per model) under every choice of `couple`."""
    return [
        WeighedPath(weight, join_windows(with_even_focal([of_models[f] for of_models, f in zip(paths, choice, strict=True)])))
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
