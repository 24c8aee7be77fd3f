"""`Beyond` as JSON values: fractions of 1, undefined numbers None. docs/evaluation.md has the keys."""

from __future__ import annotations

from dataclasses import asdict
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sfmcam.evaluation.comparisons import Comparison, PairedFigures
from sfmcam.evaluation.confusion import Confusion
from sfmcam.evaluation.decisions import Outcome
from sfmcam.evaluation.method_decisions import Decisions, TaskDecisions, mean_over_rated, together
from sfmcam.evaluation.method_reliability import Reliability
from sfmcam.evaluation.paired import PairedDifference
from sfmcam.evaluation.part_ratings import RatedPart
from sfmcam.io.json_file import finite

if TYPE_CHECKING:
    from sfmcam.evaluation.beyond import Beyond, MethodBeyond

FORMAT = 1
FIGURES = ("accuracy", "balanced_accuracy", "f1")


def to_json(found: Beyond) -> dict[str, Any]:
    """Return everything; numbers that JSON cannot hold are None."""
    document = {
        "format": FORMAT,
        "unrated": found.unrated,
        "baseline": _baseline(found.baseline),
        "methods": [_method(method) for method in found.methods],
        "parts": [_part(part) for part in found.parts],
        "parts_source": found.parts_source,
        "comparisons": [_comparison(pair) for pair in found.comparisons],
        "warnings": list(found.warnings),
    }
    return {key: finite(value) for key, value in document.items()}


def _baseline(outcomes: dict[str, Outcome]) -> dict[str, Any]:
    every = list(outcomes.values())
    return {
        "name": "always No",
        "micro": _three(together(every)),
        "mean": _means(every),
        "tasks": {split: _three(part) for split, part in outcomes.items()},
    }


def _three(outcome: Outcome) -> dict[str, float]:
    return {name: float(getattr(outcome, name)) for name in FIGURES}


def _means(outcomes: list[Outcome]) -> dict[str, float]:
    return {name: mean_over_rated(outcomes, attrgetter(name)) for name in FIGURES}


def _method(method: MethodBeyond) -> dict[str, Any]:
    lineup = method.lineup
    rows = sum(map(len, lineup.scores.values()))
    failed = sum(failure.rows for failure in lineup.failures)
    of = method.reliability
    return {
        "name": lineup.name,
        "family": lineup.family,
        "scale": lineup.scale.value,
        "scale_reason": lineup.scale_reason,
        "rows": {"pool": rows, "answered": rows - failed, "failed": failed},
        "failures": [asdict(failure) for failure in lineup.failures],
        "decisions": [_decisions(decisions) for decisions in method.decisions],
        "reliability": of and {"all": _reliability(of.all), "tasks": {split: _reliability(part) for split, part in of.tasks.items()}},
        "confusion": {
            "by": method.confusion.by,
            "tasks": {split: _confusion(part, method.confusion.splits) for split, part in method.confusion.tasks.items()},
        },
        "runtime": asdict(method.cost) if method.cost else None,
    }


def _decisions(decisions: Decisions) -> dict[str, Any]:
    outcomes = [task.outcome for task in decisions.tasks.values()]
    every, figures = together(outcomes), decisions.figures
    return {
        "rule": decisions.rule.value,
        "rule_text": decisions.rule.text,
        "micro": {**_three(every), "accuracy_interval": figures.accuracy_interval, "accuracy_answered": every.accuracy_answered},
        "mean": {
            **_means(outcomes),
            "balanced_accuracy_interval": figures.balanced_accuracy_interval,
            "f1_interval": figures.f1_interval,
            "f1_best": decisions.f1_best,
        },
        "tasks": {split: _task(task) for split, task in decisions.tasks.items()},
    }


def _task(task: TaskDecisions) -> dict[str, Any]:
    outcome = task.outcome
    answered = {"accuracy_answered": outcome.accuracy_answered, "f1_best": task.f1_best}
    return {"thresholds": task.thresholds, **asdict(outcome), **_three(outcome), **answered}


def _reliability(part: Reliability) -> dict[str, Any]:
    figures = {key: getattr(part, key) for key in ("labels", "yes", "ece", "brier", "brier_base")}
    bins = [{**each._asdict(), "interval": interval} for each, interval in zip(part.bins, part.intervals, strict=True)]
    return {**figures, "bins": bins}


def _confusion(part: Confusion, splits: tuple[str, ...]) -> dict[str, Any]:
    counts = {"positives": part.positives, "failed": part.failed, "unrivalled": part.unrivalled, "none": part.nothing}
    named = {"wins": part.wins, "strongest_wrong": part.strongest_wrong}
    return counts | {
        key: {split: float(value) for split, value in zip(splits, values, strict=True) if value} for key, values in named.items()
    }


def _part(part: RatedPart) -> dict[str, Any]:
    figures = {key: getattr(part, key) for key in ("group", "name", "videos", "rows", "positives", "left_out")}
    methods = [{"name": r.name, "mean_ap_all": r.mean, "interval": r.interval, "ap_all": r.tasks} for r in part.ratings]
    return {**figures, "methods": methods}


def _comparison(pair: Comparison) -> dict[str, Any]:
    both = _figures(pair.both_answered) if pair.both_answered else None
    return {"a": pair.a, "b": pair.b, "rows": pair.rows, **_figures(pair.all), "both_answered": both}


def _figures(figures: PairedFigures) -> dict[str, Any]:
    mean = _difference(figures.mean)
    del mean["p_holm"]  # one hypothesis alone needs no correction
    return {"mean": mean, "tasks": {split: _difference(task) for split, task in figures.tasks.items()}}


def _difference(of: PairedDifference) -> dict[str, Any]:
    return {
        "ap_a": of.a,
        "ap_b": of.b,
        "difference": of.difference,
        "interval": of.interval,
        "p": of.p,
        "p_holm": of.p_holm,
        "draws": of.draws,
    }
