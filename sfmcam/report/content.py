"""Everything that a report tells, as values: methods side by side on the clips of a run, and where they disagree."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import numpy as np

from sfmcam.datasets.parts import parts_of
from sfmcam.errors import ScoreFileError
from sfmcam.evaluation.agreement import Disagreement, disagreement, leanings, mean_error, mean_leaning, spread
from sfmcam.evaluation.beyond import Beyond, beyond
from sfmcam.evaluation.leaderboard import Leaderboard, MethodResult, leaderboard
from sfmcam.evaluation.pool import answers, failure_reason
from sfmcam.io.paths import clip_id
from sfmcam.io.score_reader import MethodScores, read_scores
from sfmcam.report.run import Run
from sfmcam.results import ClipResult
from sfmcam.types import Float

GEOMETRIC_TYPES = frozenset({"geometry", "sfm", "slam"})
ANSWERED = "answered"


class Family(StrEnum):
    """Who answers: geometry measures a camera path, a language model is asked."""

    GEOMETRY = "geometry"
    LANGUAGE = "language model"


@dataclass(frozen=True)
class ReportMethod:
    """One method of the report.

    Attributes:
        name: unique in the report.
        family: geometry or language model.
        scores: what it said.
        rated: its line of the leaderboard.
        results: clip id -> what the run knows of it; empty for a method that came with --against.
        scores_of: (videos, tasks) score, NaN where it failed or was not asked.
        leaning: (videos, tasks) on the scale that methods share (`evaluation.agreement`), NaN likewise.
        error: (videos,) mean distance of its leaning from the labels; NaN where nothing is known.
    """

    name: str
    family: Family
    scores: MethodScores
    rated: MethodResult
    results: dict[str, ClipResult]
    scores_of: Float
    leaning: Float
    error: Float

    def status(self, clip: str, video: str, tasks: Sequence[str]) -> str:
        """Return one word on a clip: the run's status, or of a score file whether it answered, else its most frequent reason.

        Args:
            clip: id of the clip.
            video: its file name.
            tasks: those that the clip has a label for.
        """
        if clip in self.results:
            return self.results[clip].status.value
        reasons = Counter(failure_reason(self.scores.rows.get(split, {}).get(video)) for split in tasks)
        del reasons[""]
        return reasons.most_common(1)[0][0] if reasons else ANSWERED


@dataclass(frozen=True)
class Content:
    """What the page, the tables and the files of a report are made of.

    Attributes:
        run: the run that the report is about; its clips are the pool.
        board: all methods on that pool.
        methods: in the order of the board.
        labels: (videos, tasks) 1 yes, 0 no, NaN unlabelled.
        apart: where they disagree: the families, or the methods where there is one family only.
        apart_between: between whom, in words; empty where there is nobody to compare.
        hardness: (videos,) mean over the methods of `error`.
        beyond: right answers, calibration, confusion, subsets, paired differences.
        warnings: sentences that belong above everything else.
    """

    run: Run
    board: Leaderboard
    methods: tuple[ReportMethod, ...]
    labels: Float
    apart: Disagreement
    apart_between: str
    hardness: Float
    beyond: Beyond
    warnings: tuple[str, ...]

    @cached_property
    def videos(self) -> tuple[str, ...]:
        """File names of the pool, the rows of every array here."""
        return self.board.pool.videos

    @cached_property
    def statuses(self) -> tuple[tuple[str, ...], ...]:
        """Per method, the status of every video."""
        labelled = [[split for split, label in zip(self.tasks, row, strict=True) if not math.isnan(label)] for row in self.labels]
        clips = [clip_id(Path(video)) for video in self.videos]
        return tuple(tuple(method.status(*of) for of in zip(clips, self.videos, labelled, strict=True)) for method in self.methods)

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Split names, the columns of every array here."""
        return tuple(self.board.pool.tasks)


def collect(run: Run, against: Sequence[Path] = (), *, resamples: int = 1000) -> Content:
    """Rate the methods of `run` and those of the folders `against` on the clips of the run.

    Raises:
        ScoreFileError: a folder has no usable score file, or a method in it shares no label with the run.
    """
    others = [method for folder in dict.fromkeys(against) for method in read_scores(folder)]
    for method in others:
        _refuse_stranger(method, run)
    given = [*run.scores, *others]
    if not run.results:
        for method in run.scores:
            _refuse_stranger(method, run)
    board = leaderboard(given, run.labelled_set, resamples=resamples)
    labels = _labels(board)
    of_run = [run.results.get(method.name, {}) for method in run.scores]
    results = of_run + [{} for _ in others]
    methods = tuple(
        _method(scores, rated, board=board, labels=labels, results=known)
        for scores, rated, known in zip(given, board.methods, results, strict=True)
    )
    apart, between = _apart(methods)
    found = beyond(board, given, parts=parts_of(run.labelled_set))
    return Content(
        run=run,
        board=board,
        methods=methods,
        labels=labels,
        apart=apart,
        apart_between=between,
        hardness=mean_leaning([method.error for method in methods]),
        beyond=found,
        warnings=(*run.notes, *board.warnings, *found.warnings),
    )


def _refuse_stranger(method: MethodScores, run: Run) -> None:
    """A method that was asked about other clips would fill the page with failures: that is a wrong folder, not a result."""
    known = {(split, row.video) for split, rows in run.labelled_set.rows.items() for row in rows}
    if not any((split, video) in known for split, rows in method.rows.items() for video in rows):
        example = next((video for rows in method.rows.values() for video in rows), "none")
        raise ScoreFileError(
            f"{method.folder}: {method.name} has no score for any clip of {run.folder.root} (its first video is '{example}'); "
            f"give the score files that it made on {run.labelled_set.name}"
        )


def _labels(board: Leaderboard) -> Float:
    labels = np.full((len(board.pool.videos), len(board.pool.tasks)), np.nan)
    for column, task in enumerate(board.pool.tasks.values()):
        labels[task.columns, column] = task.labels
    return labels


def _method(
    scores: MethodScores, rated: MethodResult, board: Leaderboard, labels: Float, *, results: dict[str, ClipResult]
) -> ReportMethod:
    scores_of, leaning = np.full(labels.shape, np.nan), np.full(labels.shape, np.nan)
    for column, (split, task) in enumerate(board.pool.tasks.items()):
        given = answers(scores, split, task).scores
        scores_of[task.columns, column] = given
        leaning[task.columns, column] = leanings(given, task.labels)
    return ReportMethod(
        name=rated.name,
        family=Family.GEOMETRY if scores.method_type.lower() in GEOMETRIC_TYPES else Family.LANGUAGE,
        scores=scores,
        rated=rated,
        results=results,
        scores_of=scores_of,
        leaning=leaning,
        error=mean_error(leaning, labels),
    )


def _apart(methods: Sequence[ReportMethod]) -> tuple[Disagreement, str]:
    sides = [[method.leaning for method in methods if method.family is family] for family in Family]
    if all(sides):
        return disagreement(*(mean_leaning(side) for side in sides)), "geometry and language models"
    apart = spread([method.leaning for method in methods])
    return apart, "the methods" if len(methods) > 1 else ""
