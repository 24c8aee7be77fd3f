"""One method's scores lined up with the pool, and what kind of number they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from sfmcam.evaluation.pool import Answers, Pool, answers
from sfmcam.io.score_rows import MethodScores
from sfmcam.types import Float

FIRST = 3  # videos named per reason


class Scale(StrEnum):
    """What kind of number a method's scores are."""

    PROBABILITY = "probability"  # of yes
    ANSWER = "answer"  # 1 for yes, 0 for no, nothing else
    RAW = "raw"  # higher is more evidence, on a scale of the method's own


@dataclass(frozen=True)
class Failure:
    """Rows that a method failed on for one reason; `first` are the first few videos."""

    reason: str
    rows: int
    videos: int
    first: tuple[str, ...]


@dataclass(frozen=True)
class Lineup:
    """One method on the pool.

    Attributes:
        name: as on the leaderboard.
        family: `method_type` of its files.
        scale: kind of its scores.
        scale_reason: how that is known.
        scores: split -> (n,) in the order of `TaskPool.videos`, NaN where failed.
        failures: most frequent reason first.
    """

    name: str
    family: str
    scale: Scale
    scale_reason: str
    scores: dict[str, Float]
    failures: tuple[Failure, ...]


def line_up(methods: Sequence[MethodScores], pool: Pool) -> list[Lineup]:
    """Line every method up with the pool; names must be unique."""
    lineups = []
    for method in methods:
        given = {split: answers(method, split, task) for split, task in pool.tasks.items()}
        scores = {split: of_split.scores for split, of_split in given.items()}
        scale, reason = scale_of(method.scoring, np.concatenate(list(scores.values())))
        lineups.append(Lineup(method.name, method.method_type, scale, reason, scores, _failures(given.values())))
    return lineups


def scale_of(scoring: str, scores: Float) -> tuple[Scale, str]:
    """Tell what kind of number scores are, from what sfmcam's own files say of them, else from the finite ones among `scores`."""
    known = scores[~np.isnan(scores)]
    within = bool(len(known)) and bool(((known >= 0) & (known <= 1)).all())
    if scoring and (scoring != Scale.PROBABILITY or not within):
        outside = ", but not all lie between 0 and 1" if scoring == Scale.PROBABILITY else ""
        return Scale.RAW, f"its files say scoring '{scoring}'{outside}"
    if scoring:
        return Scale.PROBABILITY, f"its files say scoring '{scoring}'"
    if not within:
        return Scale.RAW, "not all scores lie between 0 and 1" if len(known) else "no row is answered"
    if np.isin(known, (0.0, 1.0)).all():
        return Scale.ANSWER, "every score is 0 or 1"
    return Scale.PROBABILITY, "every score lies between 0 and 1, taken for the probability of yes"


def _failures(given: Iterable[Answers]) -> tuple[Failure, ...]:
    videos: dict[str, list[str]] = {}
    for of_split in given:
        for reason, failed in of_split.failures.items():
            videos.setdefault(reason, []).extend(failed)
    found = [Failure(reason, len(failed), len(set(failed)), tuple(dict.fromkeys(failed))[:FIRST]) for reason, failed in videos.items()]
    return tuple(sorted(found, key=lambda failure: -failure.rows))
