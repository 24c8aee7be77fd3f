"""Bootstrap over videos: how much a figure would move with another draw of clips from the same source.

All tasks and all methods see the same resamples, so that means over tasks and differences between methods are paired. Percentile intervals:
the bias-corrected kind breaks down with a single positive.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sfmcam.types import Bool, Float, Int

Counts = NDArray[np.uint16]
LEVEL = 0.95
BLOCK = 4096  # resamples at a time; bounds the memory, not the result


class Interval(NamedTuple):
    """A 95 % interval; NaN where there is nothing to take it from."""

    low: float
    high: float


NO_INTERVAL = Interval(float("nan"), float("nan"))


def resample_counts(num_videos: int, *, resamples: int, seed: int) -> Counts:
    """Return (resamples, num_videos): how often each video is in each draw of `num_videos` with replacement.

    The resamples of a video lie side by side in memory, so that picking and adding up videos moves whole rows.
    """
    rng = np.random.default_rng(seed)
    counts = np.zeros((num_videos, resamples), dtype=np.uint16).T
    for row in counts:
        row[:] = np.bincount(rng.integers(0, num_videos, num_videos), minlength=num_videos)
    return counts


def with_whole_pool(counts: Counts) -> Counts:
    """Return `counts` below a first row that has every video once: what is computed of it is the figure itself."""
    videos = counts.T
    return np.hstack([np.ones((len(videos), 1), videos.dtype), videos]).T


def bootstrap_average_precision(labels: Bool, ranks: Int, counts: Counts) -> Float:
    """Return (resamples,) average precision of each resample, NaN where it drew no positive or no negative.

    Args:
        labels: (n,) of the clips of one task.
        ranks: (n,) higher is better; equal ranks are ties.
        counts: (resamples, n) how often each clip is in each resample, its column of `resample_counts`.

    Convention: the same definition as `average_precision`, ties included, each clip weighted by its count.
    """
    order = np.argsort(-ranks, kind="stable")
    last_of_tie = np.flatnonzero(np.append(np.diff(ranks[order]) != 0, True)) if len(order) else order
    falling = counts.T[order]
    blocks = [falling[:, start : start + BLOCK] for start in range(0, len(counts), BLOCK)]
    values = [_average_precision(labels[order], block, last_of_tie) for block in blocks]
    return np.concatenate(values) if values else np.empty(0)


def _average_precision(labels: Bool, counts: Counts, last_of_tie: Int) -> Float:
    """Average precision of clips already in falling order, per column of `counts` (n, resamples).

    Recall rises at positives only, so that the clips between two ties that hold one are summed up in one go.
    """
    if not labels.any():
        return np.full(counts.shape[1], np.nan)
    tie_of_positive = np.searchsorted(last_of_tie, np.flatnonzero(labels))
    ties, first_of_tie = np.unique(tie_of_positive, return_index=True)
    starts = np.append(0, last_of_tie[ties] + 1)
    drawn = np.cumsum(np.add.reduceat(counts, starts[starts < len(counts)], axis=0, dtype=np.int32), axis=0)
    gained = np.add.reduceat(counts[labels], first_of_tie, axis=0, dtype=np.int32)
    hits = np.cumsum(gained, axis=0)
    positives = hits[-1]
    defined = (positives > 0) & (positives < drawn[-1])
    summed = (gained * (hits / np.maximum(drawn[: len(ties)], 1))).sum(axis=0)
    return np.where(defined, summed / np.maximum(positives, 1), np.nan)


def mean_over_tasks(resampled: Float, full: Float) -> Float:
    """Return (resamples,) mean over tasks of `resampled` (tasks, resamples).

    A task that a resample cannot rate keeps its value on the full pool, `full` (tasks,), so that every mean is over the same tasks.
    """
    return np.where(np.isnan(resampled), full[:, None], resampled).mean(axis=0)


def percentile_interval(values: Float) -> Interval:
    """Return the central 95 % of the finite `values`; NaN without any."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return NO_INTERVAL
    low, high = np.quantile(finite, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))
