"""How far one method's probabilities can be believed on the pool."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.evaluation.bootstrap import Interval, percentile_interval
from sfmcam.evaluation.lineup import Lineup, Scale
from sfmcam.evaluation.method_decisions import Drawn
from sfmcam.evaluation.pool import Pool
from sfmcam.evaluation.reliability import BINS, Bin, bin_of, brier_score, calibration_error, reliability_curve
from sfmcam.types import Bool, Float


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


def method_reliability(lineup: Lineup, pool: Pool, drawn: Drawn) -> MethodReliability | None:
    """Return the reliability of a method whose scores are probabilities; None for any other.

    Args:
        lineup: the method.
        pool: the pool.
        drawn: (resamples, V) how often each video is in each resample.
    """
    if lineup.scale is not Scale.PROBABILITY:
        return None
    said, true = [], []
    rows, yes = (np.zeros((len(pool.videos), len(pool.tasks), BINS), dtype=np.float32) for _ in range(2))
    for number, (split, task) in enumerate(pool.tasks.items()):
        answered = ~np.isnan(lineup.scores[split])
        said.append(lineup.scores[split][answered])
        true.append(task.labels[answered])
        cells = task.columns[answered], number, bin_of(said[-1])
        rows[cells], yes[cells] = 1, true[-1]
    drawn_rows, drawn_yes = (
        (drawn @ counted.reshape(len(pool.videos), -1)).astype(np.float64).reshape(len(drawn), len(pool.tasks), BINS)
        for counted in (rows, yes)
    )
    tasks = {split: _rate(said[k], true[k], drawn_rows[:, k], drawn_yes[:, k]) for k, split in enumerate(pool.tasks)}
    return MethodReliability(_rate(np.concatenate(said), np.concatenate(true), drawn_rows.sum(axis=1), drawn_yes.sum(axis=1)), tasks)


def _rate(probabilities: Float, labels: Bool, drawn_rows: Float, drawn_yes: Float) -> Reliability:
    """Rate some rows; `drawn_rows` and `drawn_yes` are (resamples, bins) rows and labels Yes of each resample, one video having many."""
    base = np.full(len(labels), labels.mean()) if len(labels) else probabilities
    with np.errstate(invalid="ignore"):
        shares = drawn_yes / drawn_rows
    return Reliability(
        labels=len(labels),
        yes=int(labels.sum()),
        ece=calibration_error(probabilities, labels),
        brier=brier_score(probabilities, labels),
        brier_base=brier_score(base, labels),
        bins=reliability_curve(probabilities, labels),
        intervals=tuple(percentile_interval(share) for share in shares.T),
    )
