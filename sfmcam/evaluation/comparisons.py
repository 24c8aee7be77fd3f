"""Pairs of methods, task by task: which is better, and by how much the luck of the draw could have made it so."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sfmcam.errors import ConfigError
from sfmcam.evaluation.average_precision import rank_failed_last
from sfmcam.evaluation.bootstrap import Counts, bootstrap_average_precision, mean_over_tasks, with_whole_pool
from sfmcam.evaluation.lineup import Lineup
from sfmcam.evaluation.paired import PairedDifference, holm, paired_difference
from sfmcam.evaluation.pool import Pool
from sfmcam.types import Float


@dataclass(frozen=True)
class Rated:
    """Average precision of one method: (tasks,) on the pool and (tasks, resamples), NaN where it cannot be rated."""

    full: Float
    draws: Float


@dataclass(frozen=True)
class PairedFigures:
    """`a` minus `b`: of the mean over tasks, and task by task."""

    mean: PairedDifference
    tasks: dict[str, PairedDifference]


@dataclass(frozen=True)
class Comparison:
    """Two methods on the same rows.

    Attributes:
        a: name of one method.
        b: name of the other.
        rows: how many rows of the pool `both`, `only_a`, `only_b` and `neither` answered.
        all: on all rows, failed clips ranked last.
        both_answered: on the rows that both answered; None where the pair was not asked for.
    """

    a: str
    b: str
    rows: dict[str, int]
    all: PairedFigures
    both_answered: PairedFigures | None = None


def compare_pair(a: Lineup, b: Lineup, rated: dict[str, Rated], pool: Pool) -> Comparison:
    """Compare two methods on all rows; `rated` has their `AP_all` by name."""
    return Comparison(a.name, b.name, _rows(a, b), paired_figures(rated[a.name], rated[b.name], tuple(pool.tasks)))


def on_rows_of_both(a: Lineup, b: Lineup, pool: Pool, counts: Counts) -> PairedFigures:
    """Compare two methods on the rows that both answered; `counts` are the resamples, (resamples, V)."""
    with_itself = with_whole_pool(counts)
    draws: dict[str, list[Float]] = {a.name: [], b.name: []}
    for split, task in pool.tasks.items():
        kept = ~np.isnan(a.scores[split]) & ~np.isnan(b.scores[split])
        for lineup in (a, b):
            ranks = rank_failed_last(lineup.scores[split][kept])
            draws[lineup.name].append(bootstrap_average_precision(task.labels[kept], ranks, with_itself[:, task.columns[kept]]))
    rated = {name: Rated(np.array(tasks)[:, 0], np.array(tasks)[:, 1:]) for name, tasks in draws.items()}
    return paired_figures(rated[a.name], rated[b.name], tuple(pool.tasks))


def paired_figures(a: Rated, b: Rated, splits: Sequence[str]) -> PairedFigures:
    """Compare two methods that were rated on the same resamples; means are over the tasks that both can be rated on."""
    tasks = [paired_difference(float(a.full[k]), float(b.full[k]), a.draws[k], b.draws[k]) for k in range(len(splits))]
    adjusted = holm(np.array([task.p for task in tasks]))
    corrected = {split: replace(task, p_holm=float(p)) for split, task, p in zip(splits, tasks, adjusted, strict=True)}
    kept = ~np.isnan(a.full) & ~np.isnan(b.full)
    if not kept.any():
        nothing = np.empty(0)
        return PairedFigures(paired_difference(float("nan"), float("nan"), nothing, nothing), corrected)
    means = [(float(m.full[kept].mean()), mean_over_tasks(m.draws[kept], m.full[kept])) for m in (a, b)]
    return PairedFigures(paired_difference(means[0][0], means[1][0], means[0][1], means[1][1]), corrected)


def find_method(text: str, names: Sequence[str]) -> str:
    """Return the method that `text` names: its name, or a part of the name of one method only.

    Raises:
        ConfigError: none, or several.
    """
    if text in names:
        return text
    holding = [name for name in names if text.lower() in name.lower()]
    if len(holding) == 1:
        return holding[0]
    if holding:
        raise ConfigError(f"--compare: '{text}' could be {' or '.join(holding)}; give the whole name")
    near = difflib.get_close_matches(text, names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise ConfigError(f"--compare: there is no method '{text}' among {', '.join(names)}{hint}")


def _rows(a: Lineup, b: Lineup) -> dict[str, int]:
    of_a, of_b = (~np.isnan(np.concatenate(list(lineup.scores.values()))) for lineup in (a, b))
    pairs = {"both": of_a & of_b, "only_a": of_a & ~of_b, "only_b": ~of_a & of_b, "neither": ~of_a & ~of_b}
    return {name: int(rows.sum()) for name, rows in pairs.items()}
