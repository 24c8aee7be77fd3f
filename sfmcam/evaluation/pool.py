"""The pool: which videos each task asks about and what is true of them; and one method's answers, lined up with it.

Every method is judged on the same pool. What a method has not answered stays in it as a failure named `not_run`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sfmcam.datasets.labelled_set import LabelledSet
from sfmcam.errors import ScoreFileError
from sfmcam.io.score_file import NOT_RUN
from sfmcam.io.score_rows import MethodScores, ScoreRow
from sfmcam.motion.primitive import PRIMITIVE_BY_SPLIT
from sfmcam.types import Bool, Float, Int

REASON_LENGTH = 40


@dataclass(frozen=True)
class TaskPool:
    """Videos of one task.

    Attributes:
        videos: (n,) file names.
        labels: (n,) True for a positive.
        columns: (n,) index of each video in `Pool.videos`.
    """

    videos: tuple[str, ...]
    labels: Bool
    columns: Int


@dataclass(frozen=True)
class Pool:
    """All tasks, by split name and in the order of the table of primitives; `videos` are those of all tasks together."""

    name: str
    videos: tuple[str, ...]
    tasks: dict[str, TaskPool]

    @property
    def num_rows(self) -> int:
        """Number of (task, video) pairs."""
        return sum(len(task.videos) for task in self.tasks.values())

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """(rows, positives) by split."""
        return {split: (len(task.videos), int(task.labels.sum())) for split, task in self.tasks.items()}


@dataclass(frozen=True)
class Answers:
    """One method on one task, lined up with `TaskPool.videos`.

    Attributes:
        scores: (n,) NaN where failed.
        failures: reason -> videos, most frequent first.
    """

    scores: Float
    failures: dict[str, list[str]]


def pool_from_labels(labelled_set: LabelledSet) -> Pool:
    """Return the pool of a labelled set, videos that are not there included."""
    truth = {split: {row.video: row.label for row in rows} for split, rows in labelled_set.rows.items()}
    return _pool(labelled_set.name, truth)


def pool_from_scores(methods: Sequence[MethodScores]) -> Pool:
    """Return every row that any method has, with the ground truth that the score files state.

    Raises:
        ScoreFileError: two methods state opposite truths for a row, or none states any.
    """
    truth: dict[str, dict[str, bool]] = {}
    for method in methods:
        for split, rows in method.rows.items():
            known = truth.setdefault(split, {})
            for video, row in rows.items():
                if row.label is not None and known.setdefault(video, row.label) != row.label:
                    raise ScoreFileError(
                        f"the score files contradict one another on whether {split} holds for '{video}' ({method.name} against a method "
                        f"before it); say which labels are right with --labels"
                    )
    for method in methods:
        untold = [(split, video) for split, rows in method.rows.items() for video in rows if video not in truth[split]]
        if untold:
            raise ScoreFileError(
                f"{method.folder}: no score file says what is true of {len(untold)} rows of {method.name} (first: {' '.join(untold[0])}); "
                f"name the labelled set with --labels"
            )
    return _pool("score files", truth)


def answers(method: MethodScores, split: str, task: TaskPool) -> Answers:
    """Line up what `method` says with the videos of `task`."""
    rows = method.rows.get(split, {})
    scores = np.full(len(task.videos), np.nan)
    failures: dict[str, list[str]] = {}
    for index, video in enumerate(task.videos):
        if reason := failure_reason(rows.get(video)):
            failures.setdefault(reason, []).append(video)
        else:
            scores[index] = rows[video].score
    return Answers(scores, dict(sorted(failures.items(), key=lambda item: (-len(item[1]), item[0]))))


def failure_reason(row: ScoreRow | None) -> str:
    """Return why a row has no score, NOT_RUN where it is not there; empty where it has one.

    Our own statuses are kept as they are; of another tool's sentence, what comes before the file name or number in it.
    """
    error = NOT_RUN if row is None else row.error
    if error is None:
        return ""
    return error.split("\n")[0].split(":")[0].strip()[:REASON_LENGTH] or "unnamed"


def disagreements(method: MethodScores, pool: Pool) -> list[str]:
    """Return a sentence for each way in which the rows of `method` are not those of `pool`."""
    missing = [split for split in pool.tasks if not method.rows.get(split)]
    absent = [(s, v) for s, task in pool.tasks.items() if s not in missing for v in task.videos if v not in method.rows.get(s, {})]
    truth = {
        (split, video): bool(label) for split, task in pool.tasks.items() for video, label in zip(task.videos, task.labels, strict=True)
    }
    known = [(split, row) for split, rows in method.rows.items() for row in rows.values()]
    foreign = [(split, row.video) for split, row in known if (split, row.video) not in truth]
    if foreign and len(foreign) == len(known):
        near = _other_suffix(foreign[0][1], pool)
        hint = f"the labels say '{near}': names must be equal, suffix included" if near else "are these the labels that it was asked about?"
        return [f"{method.name}: none of its {len(known)} rows is among the labels of {pool.name} (first: {' '.join(foreign[0])}); {hint}"]
    opposite = [(s, row.video) for s, row in known if row.label is not None and truth.get((s, row.video), row.label) != row.label]
    near = _other_suffix(foreign[0][1], pool) if foreign else ""
    hint = f" (the labels say '{near}': names must be equal, suffix included)" if near else ""
    cases = (
        (absent, f"labels without a row in its score files, counted as failures ({NOT_RUN}): {len(absent)} of {pool.num_rows}", ""),
        (foreign, f"rows of its score files that the labels do not have, left out: {len(foreign)}", hint),
        (opposite, f"rows of its score files that contradict the labels, which were used: {len(opposite)}", ""),
    )
    sentences = [_missing_tasks(method, missing, pool)] if missing else []
    return sentences + [f"{method.name}: {what}; first: {' '.join(rows[0])}{more}" for rows, what, more in cases if rows]


def _missing_tasks(method: MethodScores, missing: list[str], pool: Pool) -> str:
    rows = sum(len(pool.tasks[split].videos) for split in missing)
    tasks = f"{len(missing)} of {len(pool.tasks)} tasks" if len(missing) > 1 else "a task"
    return f"{method.name}: {tasks} without any row, all {rows} labels counted as failures ({NOT_RUN}): {', '.join(missing)}"


def _other_suffix(video: str, pool: Pool) -> str:
    """Return the video of the pool that bears the same name but for the suffix, or an empty text."""
    return next((known for known in pool.videos if known != video and Path(known).stem in (video, Path(video).stem)), "")


def _pool(name: str, truth: dict[str, dict[str, bool]]) -> Pool:
    tasks_truth = {split: truth[split] for split in PRIMITIVE_BY_SPLIT if truth.get(split)}
    videos = tuple(sorted({video for known in tasks_truth.values() for video in known}))
    column_of = {video: column for column, video in enumerate(videos)}
    tasks = {
        split: TaskPool(tuple(known), np.array(list(known.values()), dtype=bool), np.array([column_of[video] for video in known]))
        for split, known in tasks_truth.items()
    }
    return Pool(name, videos, tasks)
