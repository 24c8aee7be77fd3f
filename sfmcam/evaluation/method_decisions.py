"""Accuracy, balanced accuracy and F1 of one method, task by task, under a stated rule of when it says yes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from sfmcam.evaluation.bootstrap import Interval, mean_over_tasks, percentile_interval
from sfmcam.evaluation.decisions import HALF, Outcome, best_f1, cross_validated_thresholds, outcome, outcome_kinds
from sfmcam.evaluation.lineup import Lineup, Scale
from sfmcam.evaluation.pool import Pool
from sfmcam.types import Bool, Float, Int

Drawn = NDArray[np.float32]  # (resamples, V): `resample_counts` as the numbers that matrix products are quick with
_KINDS = ("tp", "fp", "fn", "tn", "failed_yes", "failed_no")


class Rule(StrEnum):
    """When a method says yes."""

    LETTER = "letter"
    HALF = "half"
    CROSS_VALIDATED = "cross_validated"

    @property
    def text(self) -> str:
        """The rule in words."""
        return {
            Rule.LETTER: "the answer itself",
            Rule.HALF: "yes above a probability of 0.5",
            Rule.CROSS_VALIDATED: "yes above the threshold per task that makes the fewest mistakes on the other four fifths of the videos",
        }[self]


RULES = {Scale.ANSWER: (Rule.LETTER,), Scale.PROBABILITY: (Rule.HALF, Rule.CROSS_VALIDATED), Scale.RAW: (Rule.CROSS_VALIDATED,)}


@dataclass(frozen=True)
class Figures:
    """Three figures, each with its interval: `accuracy` over all labels, the other two means over the tasks that can be rated."""

    accuracy: float
    balanced_accuracy: float
    f1: float
    accuracy_interval: Interval
    balanced_accuracy_interval: Interval
    f1_interval: Interval


@dataclass(frozen=True)
class TaskDecisions:
    """One task: its thresholds (one, or one per fold of the videos) and what came of them."""

    thresholds: tuple[float, ...]
    outcome: Outcome
    f1_best: float


@dataclass(frozen=True)
class Decisions:
    """One method under one rule."""

    rule: Rule
    figures: Figures
    tasks: dict[str, TaskDecisions]

    @property
    def f1_best(self) -> float:
        """Mean of the tasks' best F1 over those of two classes; NaN without any."""
        best = [task.f1_best for task in self.tasks.values() if np.isfinite(task.outcome.balanced_accuracy)]
        return float(np.mean(best)) if best else float("nan")


def decide(lineup: Lineup, pool: Pool, *, folds: Int, drawn: Drawn) -> tuple[Decisions, ...]:
    """Return the method's decisions under each rule that its scale allows.

    Args:
        lineup: the method.
        pool: the pool.
        folds: (V,) fold of each video.
        drawn: (resamples, V) how often each video is in each resample; thresholds are those of the whole pool in all of them.
    """
    return tuple(_under(rule, lineup, pool, folds=folds, drawn=drawn) for rule in RULES[lineup.scale])


def always_no(pool: Pool) -> dict[str, Outcome]:
    """Return what comes of saying no to everything."""
    return {s: Outcome(0, 0, int(task.labels.sum()), int((~task.labels).sum())) for s, task in pool.tasks.items()}


def together(outcomes: list[Outcome]) -> Outcome:
    """Return the sum over tasks: figures of it are over all labels, whatever their task (micro)."""
    return Outcome(*(sum(getattr(part, name) for part in outcomes) for name in _KINDS))


def mean_over_rated(outcomes: list[Outcome], figure: Callable[[Outcome], float]) -> float:
    """Return the unweighted mean of a figure over the tasks of two classes (macro); NaN without any."""
    values = [figure(part) for part in outcomes if part.tp + part.fn + part.failed_yes and part.fp + part.tn + part.failed_no]
    return float(np.mean(values)) if values else float("nan")


def _under(rule: Rule, lineup: Lineup, pool: Pool, *, folds: Int, drawn: Drawn) -> Decisions:
    tasks: dict[str, TaskDecisions] = {}
    kinds = np.zeros((len(pool.tasks), len(_KINDS), len(pool.videos)), dtype=np.float32)
    for number, (split, task) in enumerate(pool.tasks.items()):
        scores = lineup.scores[split]
        thresholds, says_yes = _says_yes(scores, task.labels, rule=rule, folds=folds[task.columns])
        of_clips = outcome_kinds(task.labels, says_yes, ~np.isnan(scores))
        kinds[number][:, task.columns] = of_clips
        tasks[split] = TaskDecisions(thresholds, outcome(of_clips), best_f1(scores, task.labels))
    resampled = (drawn @ kinds.reshape(-1, len(pool.videos)).T).astype(np.float64).reshape(len(drawn), len(pool.tasks), len(_KINDS))
    return Decisions(rule, _figures([task.outcome for task in tasks.values()], resampled), tasks)


def _figures(outcomes: list[Outcome], resampled: Float) -> Figures:
    """Return the figures of all tasks; `resampled` is (resamples, tasks, kinds)."""
    tp, fp, fn, tn, failed_yes, failed_no = np.moveaxis(resampled, 2, 0)
    both = np.array([np.isfinite(part.balanced_accuracy) for part in outcomes])
    with np.errstate(invalid="ignore", divide="ignore"):
        balanced = (tp / (tp + fn + failed_yes) + tn / (tn + fp + failed_no)) / 2
        f1 = np.where(tp + fn + failed_yes > 0, 2 * tp / (2 * tp + fp + fn + failed_yes), np.nan)
        right = (tp + tn).sum(axis=1) / resampled.sum(axis=(1, 2))
    return Figures(
        accuracy=together(outcomes).accuracy,
        balanced_accuracy=mean_over_rated(outcomes, lambda part: part.balanced_accuracy),
        f1=mean_over_rated(outcomes, lambda part: part.f1),
        accuracy_interval=percentile_interval(right),
        balanced_accuracy_interval=_interval(balanced, np.array([part.balanced_accuracy for part in outcomes]), both),
        f1_interval=_interval(f1, np.array([part.f1 for part in outcomes]), both),
    )


def _interval(draws: Float, full: Float, kept: Bool) -> Interval:
    """Return the interval of a mean over the `kept` tasks; `draws` is (resamples, tasks)."""
    return percentile_interval(mean_over_tasks(draws.T[kept], full[kept]) if kept.any() else np.empty(0))


def _says_yes(scores: Float, labels: Bool, *, rule: Rule, folds: Int) -> tuple[tuple[float, ...], Bool]:
    if rule is not Rule.CROSS_VALIDATED:
        return (HALF,), scores > HALF
    of_fold = cross_validated_thresholds(scores, labels, folds)
    return tuple(of_fold.values()), scores > np.array([of_fold[int(fold)] for fold in folds])
