"""How far methods, and families of methods, disagree on a clip, on a scale that methods with unlike scores share.

Scores of different methods are not comparable: one gives a log ratio, another a probability. Their ranks are. The **leaning** of a method
on a clip is its rank within the task, stretched so that 0.5 lies where as many clips rank higher as are labelled yes: above it, a method
that may say yes as often as people do would say yes to this clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sfmcam.types import Bool, Float, Int

UNDECIDED = 0.5


@dataclass(frozen=True)
class Disagreement:
    """How far two sides are apart on each clip.

    Attributes:
        gap: (n,) largest distance between their leanings over the tasks, 0 to 1; NaN where no task has an answer of both.
        task: (n,) index of that task; -1 where `gap` is NaN.
        signed: (n,) first side minus second on that task; NaN where `gap` is NaN.
    """

    gap: Float
    task: Int
    signed: Float


def leanings(scores: Float, labels: Bool) -> Float:
    """Return (n,) the leaning of one method on the clips of one task, 0 (least evidence) to 1 (most), NaN where it failed.

    Args:
        scores: (n,) higher is more evidence; NaN where failed. Equal scores share their mean rank, so that a constant score leans alike
            everywhere.
        labels: (n,) of these clips; only their share of yes is used, so that the leaning of a clip does not know its own label.
    """
    leaning = np.full(len(scores), np.nan)
    answered = ~np.isnan(scores)
    if not answered.any():
        return leaning
    _, place, counts = np.unique(scores[answered], return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / answered.sum()  # share of the answered clips below, those of equal score counting half
    share = 1 / (2 * len(labels))
    turn = float(np.clip(1 - labels.mean(), share, 1 - share))
    leaning[answered] = np.interp(middle, [0.0, turn, 1.0], [0.0, UNDECIDED, 1.0])[place.reshape(-1)]
    return leaning


def mean_leaning(of_methods: Sequence[Float]) -> Float:
    """Return the mean over methods of arrays of equal shape, NaN where none of them has an answer."""
    stacked = np.array(of_methods)
    known = ~np.isnan(stacked)
    count = known.sum(axis=0)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def disagreement(first: Float, second: Float) -> Disagreement:
    """Compare two sides by their leanings, (n, tasks) each."""
    return _largest(first - second)


def spread(of_methods: Sequence[Float]) -> Disagreement:
    """Compare the methods of one family: largest leaning minus smallest, where at least two have an answer; each is (n, tasks)."""
    stacked = np.array(of_methods)
    enough = (~np.isnan(stacked)).sum(axis=0) >= 2
    high = np.where(np.isnan(stacked), -np.inf, stacked).max(axis=0)
    low = np.where(np.isnan(stacked), np.inf, stacked).min(axis=0)
    return _largest(np.where(enough, high - np.where(enough, low, 0.0), np.nan))


def mean_error(leaning: Float, labels: Float) -> Float:
    """Return (n,) mean distance of leanings (n, tasks) from labels (n, tasks: 1 yes, 0 no, NaN unlabelled); NaN where nothing is known."""
    apart = np.abs(leaning - labels)
    return mean_leaning(list(apart.T)) if apart.shape[1] else np.full(len(apart), np.nan)


def _largest(difference: Float) -> Disagreement:
    size = np.where(np.isnan(difference), -1.0, np.abs(difference))
    if not size.shape[1]:
        nothing = np.full(len(size), np.nan)
        return Disagreement(nothing, np.full(len(size), -1), nothing)
    task = size.argmax(axis=1)
    rows = np.arange(len(size))
    known = size[rows, task] >= 0
    return Disagreement(
        gap=np.where(known, size[rows, task], np.nan),
        task=np.where(known, task, -1),
        signed=np.where(known, difference[rows, task], np.nan),
    )
