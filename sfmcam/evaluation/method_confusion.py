"""Which primitive wins, for one method on the pool."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.evaluation.confusion import Confusion, confusion, share_of_no_below
from sfmcam.evaluation.lineup import Lineup, Scale
from sfmcam.evaluation.pool import Pool

_BY = {
    Scale.PROBABILITY: "probability",
    Scale.ANSWER: "answer",
    Scale.RAW: "share of No clips scored lower",
}


@dataclass(frozen=True)
class MethodConfusion:
    """What the primitives of a clip were compared by, and split -> who wins where it is true; arrays in the order of `splits`."""

    by: str
    splits: tuple[str, ...]
    tasks: dict[str, Confusion]


def method_confusion(lineup: Lineup, pool: Pool) -> MethodConfusion:
    """Compare probabilities as they are, and other scores by how many of the task's No clips they exceed."""
    splits = tuple(pool.tasks)
    values, labels = (np.full((len(splits), len(pool.videos)), np.nan) for _ in range(2))
    for number, (split, task) in enumerate(pool.tasks.items()):
        labels[number, task.columns] = task.labels
        scores = lineup.scores[split]
        values[number, task.columns] = share_of_no_below(scores, task.labels) if lineup.scale is Scale.RAW else scores
    nothing_below = 0.0 if lineup.scale is Scale.ANSWER else None
    tasks = {split: confusion(number, values, labels, nothing_below=nothing_below) for number, split in enumerate(splits)}
    return MethodConfusion(_BY[lineup.scale], splits, tasks)
