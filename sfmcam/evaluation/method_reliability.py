"""How far one method's probabilities can be believed on the pool."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.evaluation.bootstrap import Counts, Interval, percentile_interval
from sfmcam.evaluation.lineup import Lineup, Scale
from sfmcam.evaluation.pool import Pool
from sfmcam.evaluation.reliability import BINS, Bin, bin_of, brier_score, calibration_error, reliability_curve
from sfmcam.types import Bool, Float, Int


@dataclass(frozen=True)
class Reliability:
    """The answered rows of one task, or of all.

    Attributes:
        labels: number of rows.
        yes: labels that are Yes.
        ece: expected calibration error.
        brier: Brier score.
        brier_base: the Brier score of saying the share of Yes to every row.
        bins: the curve.
        intervals: of the share of yes in each bin.
    """

    labels: int
    yes: int
    ece: float
    brier: float
    brier_base: float
    bins: tuple[Bin, ...]
    intervals: tuple[Interval, ...]


@dataclass(frozen=True)
class MethodReliability:
    """One method: over all tasks, and task by task."""

    all: Reliability
    tasks: dict[str, Reliability]


def method_reliability(lineup: Lineup, pool: Pool, counts: Counts) -> MethodReliability | None:
    """Return the reliability of a method whose scores are probabilities; None for any other.

    Args:
        lineup: the method.
        pool: the pool.
        counts: (resamples, V) how often each video is in each resample.
    """
    if lineup.scale is not Scale.PROBABILITY:
        return None
    parts = []
    for split, task in pool.tasks.items():
        answered = ~np.isnan(lineup.scores[split])
        parts.append((lineup.scores[split][answered], task.labels[answered], task.columns[answered]))
    tasks = {split: _rate(*part, counts) for split, part in zip(pool.tasks, parts, strict=True)}
    probabilities, labels, columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    return MethodReliability(_rate(probabilities, labels, columns, counts), tasks)


def _rate(probabilities: Float, labels: Bool, columns: Int, counts: Counts) -> Reliability:
    base = np.full(len(labels), labels.mean()) if len(labels) else probabilities
    return Reliability(
        labels=len(labels),
        yes=int(labels.sum()),
        ece=calibration_error(probabilities, labels),
        brier=brier_score(probabilities, labels),
        brier_base=brier_score(base, labels),
        bins=reliability_curve(probabilities, labels),
        intervals=_intervals(probabilities, labels, columns, counts),
    )


def _intervals(probabilities: Float, labels: Bool, columns: Int, counts: Counts) -> tuple[Interval, ...]:
    """Return the interval of each bin's share of yes: bootstrap over videos, since one video has a row in many tasks."""
    videos, position = np.unique(columns, return_inverse=True)
    cell = position.reshape(-1) * BINS + bin_of(probabilities)
    drawn = counts[:, videos].astype(np.float32)
    rows, yes = (
        drawn @ np.bincount(cell, weights=weights, minlength=len(videos) * BINS).reshape(-1, BINS).astype(np.float32)
        for weights in (np.ones(len(labels)), labels.astype(float))
    )
    with np.errstate(invalid="ignore"):
        shares = (yes / rows).astype(np.float64)
    return tuple(percentile_interval(shares[:, k]) for k in range(BINS))
