"""Average precision on parts of the pool: where a method breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sfmcam.datasets.parts import Part
from sfmcam.evaluation.average_precision import rank_failed_last, undefined_because
from sfmcam.evaluation.bootstrap import (
    Counts,
    Interval,
    bootstrap_average_precision,
    mean_over_tasks,
    percentile_interval,
    with_whole_pool,
)
from sfmcam.evaluation.lineup import Lineup
from sfmcam.evaluation.pool import Pool
from sfmcam.types import Bool


@dataclass(frozen=True)
class PartRating:
    """`AP_all` of one method on one part: mean over the tasks that the part can rate, and each of them."""

    name: str
    mean: float
    interval: Interval
    tasks: dict[str, float]


@dataclass(frozen=True)
class RatedPart:
    """One part of the pool, rated as a pool of its own.

    Attributes:
        group: what the part is told by.
        name: of the part.
        videos: labelled videos in it.
        rows: labels in it.
        positives: split -> clips that show the motion.
        left_out: tasks that have no positive or no negative in it, and so no average precision.
        ratings: one per method.
    """

    group: str
    name: str
    videos: int
    rows: int
    positives: dict[str, int]
    left_out: tuple[str, ...]
    ratings: tuple[PartRating, ...]


def rate_parts(parts: Sequence[Part], lineups: Sequence[Lineup], pool: Pool, counts: Counts) -> tuple[RatedPart, ...]:
    """Rate every method on every part.

    Args:
        parts: the parts; those without a video of the pool are left out.
        lineups: the methods.
        pool: the pool.
        counts: (resamples, V) how often each video is in each resample.
    """
    with_itself = with_whole_pool(counts)
    masks = [np.array([video in part.videos for video in pool.videos]) for part in parts]
    return tuple(_rate(part, mask, lineups, pool, with_itself) for part, mask in zip(parts, masks, strict=True) if mask.any())


def _rate(part: Part, mask: Bool, lineups: Sequence[Lineup], pool: Pool, counts: Counts) -> RatedPart:
    kept = {split: mask[task.columns] for split, task in pool.tasks.items()}
    labels = {split: task.labels[kept[split]] for split, task in pool.tasks.items()}
    left_out = tuple(split for split, of_split in labels.items() if undefined_because(of_split))
    rated = [split for split in pool.tasks if split not in left_out]
    drawn = {split: counts[:, pool.tasks[split].columns[kept[split]]] for split in rated}
    ratings = []
    for lineup in lineups:
        draws = [
            bootstrap_average_precision(labels[split], rank_failed_last(lineup.scores[split][kept[split]]), drawn[split]) for split in rated
        ]
        full = np.array([of_split[0] for of_split in draws])
        means = mean_over_tasks(np.array([of_split[1:] for of_split in draws]), full) if rated else np.empty(0)
        mean = float(full.mean()) if rated else float("nan")
        ratings.append(PartRating(lineup.name, mean, percentile_interval(means), dict(zip(rated, full.tolist(), strict=True))))
    return RatedPart(
        group=part.group,
        name=part.name,
        videos=int(mask.sum()),
        rows=sum(map(len, labels.values())),
        positives={split: int(of_split.sum()) for split, of_split in labels.items()},
        left_out=left_out,
        ratings=tuple(ratings),
    )
