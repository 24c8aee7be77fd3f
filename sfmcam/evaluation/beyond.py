"""What average precision does not say of methods: right answers at a threshold, calibration, confusion, subsets, luck, cost.

docs/evaluation.md says what each number means. The methods are those of a leaderboard, on the same pool and the same resamples of its
videos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from sfmcam.datasets.parts import Parts
from sfmcam.errors import ConfigError
from sfmcam.evaluation import beyond_json
from sfmcam.evaluation.bootstrap import resample_counts
from sfmcam.evaluation.comparisons import Comparison, Rated, compare_pair, find_method, on_rows_of_both
from sfmcam.evaluation.decisions import FOLDS, Outcome
from sfmcam.evaluation.folds import folds_of
from sfmcam.evaluation.leaderboard import Leaderboard, with_unique_names
from sfmcam.evaluation.lineup import Lineup, Scale, line_up
from sfmcam.evaluation.method_confusion import MethodConfusion, method_confusion
from sfmcam.evaluation.method_decisions import Decisions, always_no, decide
from sfmcam.evaluation.method_reliability import MethodReliability, method_reliability
from sfmcam.evaluation.part_ratings import RatedPart, rate_parts
from sfmcam.evaluation.pool import Pool
from sfmcam.io.run_cost import RunCost, costs_of
from sfmcam.io.score_rows import MethodScores


@dataclass(frozen=True)
class MethodBeyond:
    """One method; `cost` is None where no run of `sfmcam bench` says it, `reliability` where its scores are no probabilities."""

    lineup: Lineup
    mean_ap: float
    decisions: tuple[Decisions, ...]
    reliability: MethodReliability | None
    confusion: MethodConfusion
    cost: RunCost | None


@dataclass(frozen=True)
class Beyond:
    """Everything beyond average precision.

    Attributes:
        pool: the pool.
        unrated: split -> why no figure of two classes can be had of it.
        baseline: split -> what comes of always answering No.
        methods: in the order of the leaderboard.
        parts: of the pool, rated; empty where nothing tells parts apart.
        parts_source: what tells them apart.
        comparisons: every pair of methods, in the order of the leaderboard.
        asked_for: those that were asked for, in that order of names.
        warnings: sentences.
        resamples: of the bootstrap over videos.
    """

    pool: Pool
    unrated: dict[str, str]
    baseline: dict[str, Outcome]
    methods: tuple[MethodBeyond, ...]
    parts: tuple[RatedPart, ...]
    parts_source: str
    comparisons: tuple[Comparison, ...]
    asked_for: tuple[Comparison, ...]
    warnings: tuple[str, ...]
    resamples: int

    def to_json(self) -> dict[str, object]:
        """Return the key `beyond` of `sfmcam evaluate --json` (docs/evaluation.md); undefined numbers are None."""
        return beyond_json.to_json(self)


def beyond(
    board: Leaderboard,
    methods: Sequence[MethodScores],
    *,
    parts: Parts | None = None,
    compare: Sequence[tuple[str, str]] = (),
) -> Beyond:
    """Look at the methods of a leaderboard beyond their average precision.

    Args:
        board: the leaderboard.
        methods: what it was made of, in the same order.
        parts: of the labelled set to rate apart (`datasets.parts.parts_of`).
        compare: pairs of names, or of parts of them, to look at on the rows of both too.

    Raises:
        ConfigError: a name in `compare` that fits no method, or several, or the two names of a pair one and the same.
    """
    named = with_unique_names(methods)
    pool, parts = board.pool, parts or Parts()
    lineups = line_up(named, pool)
    counts = resample_counts(len(pool.videos), resamples=board.resamples, seed=board.seed)
    drawn, folds = counts.astype(np.float32), folds_of(pool.videos, FOLDS)
    rated = {m.name: Rated(np.array([task.all.ap for task in m.tasks.values()]), board.draws[m.name]) for m in board.methods}
    asked = _pairs(compare, lineups)
    wanted = {frozenset((a.name, b.name)) for a, b in asked}

    def compared(a: Lineup, b: Lineup) -> Comparison:
        both = on_rows_of_both(a, b, pool, counts) if frozenset((a.name, b.name)) in wanted else None
        return replace(compare_pair(a, b, rated, pool), both_answered=both)

    return Beyond(
        pool=pool,
        unrated=board.unrated,
        baseline=always_no(pool),
        methods=tuple(
            MethodBeyond(
                lineup=lineup,
                mean_ap=result.mean_all.ap,
                decisions=decide(lineup, pool, folds=folds, drawn=drawn),
                reliability=method_reliability(lineup, pool, drawn),
                confusion=method_confusion(lineup, pool),
                cost=cost,
            )
            for lineup, result, cost in zip(lineups, board.methods, costs_of(named), strict=True)
        ),
        parts=rate_parts(parts.parts, lineups, pool, counts),
        parts_source=parts.source,
        comparisons=tuple(compared(a, b) for a, b in combinations(lineups, 2)),
        asked_for=tuple(compared(a, b) for a, b in asked),
        warnings=tuple(_warnings(lineups)),
        resamples=board.resamples,
    )


def _pairs(asked: Sequence[tuple[str, str]], lineups: Sequence[Lineup]) -> list[tuple[Lineup, Lineup]]:
    of_name = {lineup.name: lineup for lineup in lineups}
    pairs = [(find_method(a, list(of_name)), find_method(b, list(of_name))) for a, b in asked]
    if same := [a for a, b in pairs if a == b]:
        raise ConfigError(f"--compare: both names are those of {same[0]}; name two methods")
    return [(of_name[a], of_name[b]) for a, b in dict.fromkeys(pairs)]


def _warnings(lineups: Sequence[Lineup]) -> list[str]:
    """Return what a reader must know before two methods are put side by side."""
    answering = [lineup.name for lineup in lineups if lineup.scale is Scale.ANSWER]
    sentences = [
        f"{name} answers yes or no only: its average precision knows two ranks, so compare it by accuracy and F1" for name in answering
    ]
    answered = {lineup.name: np.concatenate([~np.isnan(scores) for scores in lineup.scores.values()]) for lineup in lineups}
    together = np.all(list(answered.values()), axis=0)
    uneven = {name: int(rows.sum()) for name, rows in answered.items() if rows.sum() > together.sum()}
    if uneven:
        each = ", ".join(f"{name} {rows.sum()}" for name, rows in answered.items())
        sentences.append(
            f"the methods did not answer the same rows ({each}; all of them {together.sum()} of {len(together)}): every figure is over the "
            "whole pool, with what was not answered counted against the method; --compare A B shows two on the rows of both too"
        )
    return sentences
