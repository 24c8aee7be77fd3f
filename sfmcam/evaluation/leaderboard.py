"""The head-to-head table: every method on one pool, under both failure policies, with intervals and paired differences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sfmcam.datasets.camerabench import is_camerabench
from sfmcam.datasets.labelled_set import LabelledSet
from sfmcam.errors import ScoreFileError
from sfmcam.evaluation import leaderboard_text
from sfmcam.evaluation.average_precision import average_precision, rank_failed_last, roc_auc, undefined_because
from sfmcam.evaluation.bootstrap import (
    NO_INTERVAL,
    Counts,
    Interval,
    bootstrap_average_precision,
    mean_over_tasks,
    percentile_interval,
    resample_counts,
)
from sfmcam.evaluation.pool import Answers, Pool, TaskPool, answers, disagreements, pool_from_labels, pool_from_scores
from sfmcam.evaluation.published import PublishedRow, published_rows
from sfmcam.io.score_rows import MethodScores
from sfmcam.types import Float


@dataclass(frozen=True)
class Rating:
    """One failure policy on one task, or its mean over tasks: `ap` is NaN where the pool has one class only."""

    ap: float
    interval: Interval = NO_INTERVAL
    roc_auc: float = math.nan


@dataclass(frozen=True)
class TaskResult:
    """One method on one task.

    Attributes:
        positives: clips of the pool that show the motion.
        negatives: clips that do not.
        answered: clips that the method has scored.
        all: failed clips kept and ranked last, tied.
        answered_only: failed clips dropped, as CameraBench's own evaluator does.
        failures: reason -> clips.
        note: why a rating is undefined; mostly empty.
    """

    positives: int
    negatives: int
    answered: int
    all: Rating
    answered_only: Rating
    failures: dict[str, int]
    note: str

    @property
    def coverage(self) -> float:
        """Share of the pool that the method has scored."""
        return self.answered / (self.positives + self.negatives)

    @property
    def prevalence(self) -> float:
        """Share of positives: the average precision of a constant score."""
        return self.positives / (self.positives + self.negatives)


@dataclass(frozen=True)
class MethodResult:
    """One method on the pool: means are unweighted over the tasks that can be rated.

    Attributes:
        name: unique on this leaderboard.
        family: `method_type` of its score files.
        tasks: split -> result.
        mean_all: failed clips ranked last.
        mean_answered: failed clips dropped; over `tasks_answered` tasks.
        coverage: mean over the tasks that can be rated.
        tasks_answered: number of tasks behind `mean_answered`, fewer where a method answered for one class only.
    """

    name: str
    family: str
    tasks: dict[str, TaskResult]
    mean_all: Rating
    mean_answered: Rating
    coverage: float
    tasks_answered: int

    @property
    def failures(self) -> dict[str, int]:
        """Reason -> rows, over all tasks, most frequent first."""
        total = sum((Counter(task.failures) for task in self.tasks.values()), Counter[str]())
        return dict(total.most_common())


@dataclass(frozen=True)
class Difference:
    """Mean `AP_all` of `better` minus that of `other`, on the same resamples."""

    better: str
    other: str
    value: float
    interval: Interval


@dataclass(frozen=True)
class Leaderboard:
    """Everything the tables and the result files are made of."""

    pool: Pool
    methods: tuple[MethodResult, ...]
    differences: tuple[Difference, ...]
    published: tuple[PublishedRow, ...]
    warnings: tuple[str, ...]
    resamples: int
    seed: int
    draws: dict[str, Float] = field(default_factory=dict, compare=False, repr=False)  # method -> (tasks, resamples) of `AP_all`

    @property
    def is_camerabench(self) -> bool:
        """True where the published rows were measured on this very pool."""
        return is_camerabench(self.pool.counts)

    @property
    def unrated(self) -> dict[str, str]:
        """Split -> why it is left out of every mean."""
        reasons = {split: undefined_because(task.labels) for split, task in self.pool.tasks.items()}
        return {split: reason for split, reason in reasons.items() if reason}

    def to_json(self) -> dict[str, object]:
        """Return what `results.json` holds (docs/outputs.md); undefined numbers are None."""
        return leaderboard_text.to_json(self)

    def to_markdown(self) -> str:
        """Return the tables as GitHub Markdown."""
        return leaderboard_text.to_markdown(self)


def leaderboard(
    methods: Sequence[MethodScores],
    labelled_set: LabelledSet | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
    with_published: bool = True,
) -> Leaderboard:
    """Rate `methods` on one pool.

    Args:
        methods: at least one.
        labelled_set: the pool and its ground truth; without it, every row of any method, with the truth its score file states.
        resamples: bootstrap resamples of the videos; 0 for no intervals.
        seed: of the bootstrap.
        with_published: add the published rows.

    Raises:
        ScoreFileError: no method, no row, or score files that contradict one another on the truth.
    """
    methods = with_unique_names(methods)
    pool = pool_from_labels(labelled_set) if labelled_set is not None else pool_from_scores(methods)
    if not methods or not pool.tasks:
        raise ScoreFileError("there is nothing to compare: no method, or no row in its score files")
    counts = resample_counts(len(pool.videos), resamples=resamples, seed=seed)
    rated_with_draws = [_rate_method(method, pool, counts) for method in methods]
    rated = [(result, means) for result, means, _ in rated_with_draws]
    warnings = [f"{method.name}: {note}" for method in methods for note in method.notes]
    warnings += [sentence for method in methods for sentence in disagreements(method, pool)]
    return Leaderboard(
        pool=pool,
        methods=tuple(result for result, _ in rated),
        differences=_differences(rated),
        published=published_rows() if with_published else (),
        warnings=tuple(warnings),
        resamples=resamples,
        seed=seed,
        draws={result.name: draws for result, _, draws in rated_with_draws},
    )


def with_unique_names(methods: Sequence[MethodScores]) -> list[MethodScores]:
    """Return the methods; of those that share a name, each is named by its folder too, and numbered where that is the same."""
    repeated = {name for name, count in Counter(method.name for method in methods).items() if count > 1}
    names = [f"{method.name} ({method.folder})" if method.name in repeated else method.name for method in methods]
    numbers = [names[:k].count(name) + 1 for k, name in enumerate(names)]
    return [replace(m, name=name if number == 1 else f"{name} {number}") for m, name, number in zip(methods, names, numbers, strict=True)]


def _rate_method(method: MethodScores, pool: Pool, counts: Counts) -> tuple[MethodResult, Float, Float]:
    """Return the result, the (resamples,) means of `AP_all`, and the (tasks, resamples) that they are of."""
    tasks: dict[str, TaskResult] = {}
    draws_all, draws_answered = [], []
    for split, task in pool.tasks.items():
        tasks[split], of_all, of_answered = _rate_task(task, answers(method, split, task), counts[:, task.columns])
        draws_all.append(of_all)
        draws_answered.append(of_answered)
    mean_all, means = _mean_rating([task.all for task in tasks.values()], np.array(draws_all))
    mean_answered, _ = _mean_rating([task.answered_only for task in tasks.values()], np.array(draws_answered))
    rated = [task for task in tasks.values() if not math.isnan(task.all.ap)]
    result = MethodResult(
        name=method.name,
        family=method.method_type,
        tasks=tasks,
        mean_all=mean_all,
        mean_answered=mean_answered,
        coverage=_mean([task.coverage for task in rated]),
        tasks_answered=sum(not math.isnan(task.answered_only.ap) for task in rated),
    )
    return result, means, np.array(draws_all)


def _rate_task(task: TaskPool, given: Answers, counts: Counts) -> tuple[TaskResult, Float, Float]:
    answered = ~np.isnan(given.scores)
    ranks = rank_failed_last(given.scores)
    rating_all, draws_all = _rate(task.labels, ranks, counts)
    rating_answered, draws_answered = rating_all, draws_all
    if not answered.all():
        rating_answered, draws_answered = _rate(task.labels[answered], ranks[answered], counts[:, answered])
    reason, reason_answered = undefined_because(task.labels), undefined_because(task.labels[answered])
    result = TaskResult(
        positives=int(task.labels.sum()),
        negatives=int((~task.labels).sum()),
        answered=int(answered.sum()),
        all=rating_all,
        answered_only=rating_answered,
        failures={reason: len(videos) for reason, videos in given.failures.items()},
        note=reason or (f"{reason_answered} answered" if reason_answered else ""),
    )
    return result, draws_all, draws_answered


def _rate(labels: np.ndarray, ranks: np.ndarray, counts: Counts) -> tuple[Rating, Float]:
    draws = bootstrap_average_precision(labels, ranks, counts)
    return Rating(average_precision(labels, ranks), percentile_interval(draws), roc_auc(labels, ranks)), draws


def _mean_rating(ratings: list[Rating], draws: Float) -> tuple[Rating, Float]:
    """Return the mean over the tasks that can be rated, and its resamples; `draws` is (tasks, resamples)."""
    full = np.array([rating.ap for rating in ratings])
    kept = ~np.isnan(full)
    if not kept.any():
        return Rating(math.nan), np.full(draws.shape[1], np.nan)
    means = mean_over_tasks(draws[kept], full[kept])
    areas = [rating.roc_auc for rating, keep in zip(ratings, kept, strict=True) if keep]
    return Rating(float(full[kept].mean()), percentile_interval(means), _mean(areas)), means


def _differences(rated: Sequence[tuple[MethodResult, Float]]) -> tuple[Difference, ...]:
    """Compare the best method with each of the others."""
    ordered = sorted((pair for pair in rated if not math.isnan(pair[0].mean_all.ap)), key=lambda pair: -pair[0].mean_all.ap)
    if not ordered:
        return ()
    best, best_draws = ordered[0]
    return tuple(
        Difference(best.name, other.name, best.mean_all.ap - other.mean_all.ap, percentile_interval(best_draws - draws))
        for other, draws in ordered[1:]
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan
