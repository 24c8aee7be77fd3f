"""Accuracy, balanced accuracy and F1 of one method, task by task, under a stated rule of when it says yes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from sfmcam.evaluation.bootstrap import Counts, Interval, mean_over_tasks, percentile_interval
from sfmcam.evaluation.decisions import HALF, Outcome, best_f1, cross_validated_thresholds, outcome, outcome_kinds
from sfmcam.evaluation.lineup import Lineup, Scale
from sfmcam.evaluation.pool import Pool, TaskPool
from sfmcam.types import Bool, Float, Int


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


@dataclass(frozen=True)
class _Judged:
    """One task with (resamples,) right answers, balanced accuracy and F1."""

    decisions: TaskDecisions
    right: Float
    balanced_accuracy: Float
    f1: Float


def decide(lineup: Lineup, pool: Pool, *, folds: Int, counts: Counts) -> tuple[Decisions, ...]:
    """Return the method's decisions under each rule that its scale allows.

    Args:
        lineup: the method.
        pool: the pool.
        folds: (V,) fold of each video.
        counts: (resamples, V) how often each video is in each resample; thresholds are those of the whole pool in all of them.
    """
    return tuple(_under(rule, lineup, pool, folds=folds, counts=counts) for rule in RULES[lineup.scale])


def always_no(pool: Pool) -> dict[str, Outcome]:
    """Return what comes of saying no to everything."""
    return {s: Outcome(0, 0, int(task.labels.sum()), int((~task.labels).sum())) for s, task in pool.tasks.items()}


def together(outcomes: list[Outcome]) -> Outcome:
    """Return the sum over tasks: figures of it are over all labels, whatever their task (micro)."""
    fields = ("tp", "fp", "fn", "tn", "failed_yes", "failed_no")
    return Outcome(*(sum(getattr(part, name) for part in outcomes) for name in fields))


def mean_over_rated(outcomes: list[Outcome], figure: Callable[[Outcome], float]) -> float:
    """Return the unweighted mean of a figure over the tasks of two classes (macro); NaN without any."""
    values = [figure(part) for part in outcomes if part.tp + part.fn + part.failed_yes and part.fp + part.tn + part.failed_no]
    return float(np.mean(values)) if values else float("nan")


def _under(rule: Rule, lineup: Lineup, pool: Pool, *, folds: Int, counts: Counts) -> Decisions:
    judged = {
        split: _judge(task, lineup.scores[split], rule=rule, folds=folds[task.columns], counts=counts[:, task.columns])
        for split, task in pool.tasks.items()
    }
    outcomes = [part.decisions.outcome for part in judged.values()]
    rows = sum((counts[:, task.columns].sum(axis=1, dtype=np.float64) for task in pool.tasks.values()), np.zeros(len(counts)))
    right = sum((part.right for part in judged.values()), np.zeros(len(counts)))
    both = [part for part in judged.values() if np.isfinite(part.decisions.outcome.balanced_accuracy)]
    figures = Figures(
        accuracy=together(outcomes).accuracy,
        balanced_accuracy=mean_over_rated(outcomes, lambda part: part.balanced_accuracy),
        f1=mean_over_rated(outcomes, lambda part: part.f1),
        accuracy_interval=percentile_interval(right / np.maximum(rows, 1.0)),
        balanced_accuracy_interval=_interval([(part.balanced_accuracy, part.decisions.outcome.balanced_accuracy) for part in both]),
        f1_interval=_interval([(part.f1, part.decisions.outcome.f1) for part in both]),
    )
    return Decisions(rule, figures, {split: part.decisions for split, part in judged.items()})


def _interval(tasks: list[tuple[Float, float]]) -> Interval:
    if not tasks:
        return percentile_interval(np.empty(0))
    return percentile_interval(mean_over_tasks(np.array([draws for draws, _ in tasks]), np.array([full for _, full in tasks])))


def _judge(task: TaskPool, scores: Float, *, rule: Rule, folds: Int, counts: Counts) -> _Judged:
    thresholds, says_yes = _says_yes(scores, task.labels, rule=rule, folds=folds)
    answered = ~np.isnan(scores)
    kinds = outcome_kinds(task.labels, says_yes, answered).astype(np.float32)
    tp, fp, fn, tn, failed_yes, failed_no = kinds @ counts.T.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        positives, negatives = tp + fn + failed_yes, tn + fp + failed_no
        balanced = (tp / positives + tn / negatives) / 2
        f1 = np.where(positives > 0, 2 * tp / (2 * tp + fp + fn + failed_yes), np.nan)
    found = TaskDecisions(thresholds, outcome(task.labels, says_yes, answered), best_f1(scores, task.labels))
    return _Judged(found, (tp + tn).astype(np.float64), balanced.astype(np.float64), f1.astype(np.float64))


def _says_yes(scores: Float, labels: Bool, *, rule: Rule, folds: Int) -> tuple[tuple[float, ...], Bool]:
    if rule is not Rule.CROSS_VALIDATED:
        return (HALF,), scores > HALF
    of_fold = cross_validated_thresholds(scores, labels, folds)
    return tuple(of_fold.values()), scores > np.array([of_fold[int(fold)] for fold in folds])
