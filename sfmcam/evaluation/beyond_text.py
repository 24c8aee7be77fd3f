"""`Beyond` as tables of text, shared by the terminal and Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterator
from textwrap import wrap

from sfmcam.evaluation.beyond import Beyond, MethodBeyond
from sfmcam.evaluation.bootstrap import LEVEL
from sfmcam.evaluation.comparisons import Comparison, PairedFigures
from sfmcam.evaluation.confusion import Confusion
from sfmcam.evaluation.decisions import FOLDS
from sfmcam.evaluation.leaderboard_text import NOTHING, SHORT_NAMES, TextTable, percent, percent_interval
from sfmcam.evaluation.method_decisions import Decisions, Rule, mean_over_rated, together
from sfmcam.evaluation.paired import PairedDifference
from sfmcam.evaluation.reliability import BINS
from sfmcam.io.run_cost import RunCost

WRONG_SHOWN = 3
METHODS_PER_TABLE, HEAD_WIDTH = 3, 10  # as much as fits a narrow window beside the names of the parts
SURE = 0.05
RULE_NAMES = {Rule.LETTER: "answer", Rule.HALF: "p > 0.5", Rule.CROSS_VALIDATED: "cross-val."}


def decision_table(found: Beyond) -> TextTable:
    """Accuracy, balanced accuracy and F1 of each method under each rule, under the row of always answering No."""
    columns = ("Method", "yes if", "Accuracy", "95 %", "Bal. acc.", "95 %", "F1", "95 %", "best F1", "Failed")
    every = list(found.baseline.values())
    base = [together(every).accuracy, mean_over_rated(every, lambda o: o.balanced_accuracy), mean_over_rated(every, lambda o: o.f1)]
    constant = ("always No", "never", *(cell for value in base for cell in (percent(value), NOTHING)), NOTHING, "0")
    rows = [(method.lineup.name, *_decision_cells(method, d)) for method in found.methods for d in method.decisions]
    return TextTable(f"Right answers on {found.pool.name}, x 100", columns, (constant, *rows))


def _decision_cells(method: MethodBeyond, decisions: Decisions) -> Iterator[str]:
    figures = decisions.figures
    yield RULE_NAMES[decisions.rule]
    for name in ("accuracy", "balanced_accuracy", "f1"):
        yield percent(getattr(figures, name))
        yield percent_interval(getattr(figures, f"{name}_interval"))
    yield percent(decisions.f1_best)
    yield str(sum(failure.rows for failure in method.lineup.failures))


def decision_notes(found: Beyond) -> list[str]:
    """What the table of decisions means, and how each method's scores were read."""
    lines = [
        "Accuracy is over all labels (as CamReasoner counts), the others are means over tasks. A failed row counts as a mistake; F1 takes "
        "it for a missed positive where it is one.",
        f"cross-val.: yes above the score that makes the fewest mistakes on the other {FOLDS - 1} of {FOLDS} parts of the videos; "
        "best F1: at the threshold that suits these labels, optimistic.",
    ]
    return lines + [f"{m.lineup.name}: {m.lineup.scale} scores ({m.lineup.scale_reason})." for m in found.methods]


def failure_lines(found: Beyond) -> list[str]:
    """Which rows each method failed on, by reason, with the first videos."""
    lines = []
    for method in found.methods:
        for failure in method.lineup.failures:
            more = ", ..." if failure.videos > len(failure.first) else ""
            lines.append(
                f"{method.lineup.name} failed: {failure.reason}, {failure.rows} rows of {failure.videos} videos "
                f"({', '.join(failure.first)}{more})."
            )
    return lines


def calibration_table(found: Beyond) -> TextTable | None:
    """Calibration of the methods whose scores are probabilities; None where there is none."""
    rows = [
        (
            method.lineup.name,
            str(of.labels),
            percent(of.yes / of.labels if of.labels else math.nan),
            *map(percent, (of.ece, of.brier, of.brier_base)),
            *(_bin_cell(share, labels) for share, labels in ((each.share_yes, each.labels) for each in of.bins)),
        )
        for method in found.methods
        if method.reliability
        for of in [method.reliability.all]
    ]
    bins = tuple(f"{10 * k}-{10 * k + 10}" for k in range(BINS))
    columns = ("Method", "Labels", "Yes", "ECE", "Brier", "of\nbase", *bins)
    return (
        TextTable("Calibration, x 100: share of Yes, and below it the labels, where the method says 0-10, 10-20, ...", columns, tuple(rows))
        if rows
        else None
    )


def confusion_table(method: MethodBeyond) -> TextTable:
    """Who wins on the clips that show a motion: the true primitive, or which wrong ones."""
    columns = ("Clips that show", "Clips", "Failed", "it wins", "%", "wrong winners", "closest wrong ones")
    of = method.confusion
    rows = tuple((split, *_confusion_cells(split, part, of.splits)) for split, part in of.tasks.items() if part.positives)
    return TextTable(f"{method.lineup.name}: which primitive wins, by {of.by}", columns, rows)


def _confusion_cells(split: str, part: Confusion, splits: tuple[str, ...]) -> Iterator[str]:
    own = splits.index(split)
    counted = part.positives - part.failed - part.unrivalled
    yield str(part.positives)
    yield str(part.failed)
    yield _count(part.wins[own])
    yield percent(part.wins[own] / counted if counted else math.nan)
    others = {name: value for name, value in zip(splits, part.wins, strict=True) if name != split and value}
    said_no = {"none": part.nothing} if part.nothing else {}
    yield _most(others | said_no)
    yield _most({name: value for name, value in zip(splits, part.strongest_wrong, strict=True) if value})


def cost_table(found: Beyond) -> TextTable:
    """Accuracy beside what it costs."""
    columns = ("Method", "AP_all", "Bal. acc.", "Clips", "s median", "s max", "s total", "MiB median", "MiB max")
    rows = []
    for method in found.methods:
        accuracy = (percent(method.mean_ap), percent(method.decisions[0].figures.balanced_accuracy))
        rows.append((method.lineup.name, *accuracy, *(_cost_cells(method.cost) if method.cost else (NOTHING,) * 6)))
    return TextTable("Accuracy and cost per clip", columns, tuple(rows))


def _cost_cells(cost: RunCost) -> Iterator[str]:
    yield str(cost.clips)
    yield from (_number(value, 1) for value in (cost.seconds_median, cost.seconds_max, cost.seconds_total))
    yield from (_number(value, 0) for value in (cost.peak_mb_median, cost.peak_mb_max))


def part_tables(found: Beyond) -> list[TextTable]:
    """Mean `AP_all` by part of the pool, a few methods to a table; none where nothing tells parts apart."""
    title = f"AP_all x 100 by part of {found.pool.name}"
    starts = range(0, len(found.methods), METHODS_PER_TABLE) if found.parts else ()
    return [_part_table(title, found, slice(start, start + METHODS_PER_TABLE)) for start in starts]


def _part_table(title: str, found: Beyond, methods: slice) -> TextTable:
    names = ["\n".join(wrap(method.lineup.name, HEAD_WIDTH)) for method in found.methods[methods]]
    columns = ("Part", "Videos", "Pos", "Tasks", *(cell for name in names for cell in (name, "95 %")))
    rows = tuple(
        (
            f"{part.group}: {part.name}",
            str(part.videos),
            str(sum(part.positives.values())),
            str(len(part.positives) - len(part.left_out)),
            *(cell for rating in part.ratings[methods] for cell in (percent(rating.mean), percent_interval(rating.interval))),
        )
        for part in found.parts
    )
    return TextTable(title, columns, rows)


def part_notes(found: Beyond) -> list[str]:
    """Where the parts are from, and what a mean over fewer tasks is worth."""
    if not found.parts:
        return []
    tasks = len(found.pool.tasks)
    return [
        f"Parts: {found.parts_source}. Tasks: how many of {tasks} have both answers in the part; means over fewer or other tasks do not "
        "compare. Empty parts of a task are named in the JSON (left_out)."
    ]


def comparison_table(pair: Comparison, figures: PairedFigures, rows: str) -> TextTable:
    """One pair of methods, task by task."""
    columns = ("Task", "A", "B", "A - B", "95 %", "p", "p Holm", "draws")
    cells = tuple((split, *_difference_cells(task)) for split, task in figures.tasks.items())
    title = f"A: {pair.a}, B: {pair.b}; AP x 100 on {rows}"
    return TextTable(title, columns, (*cells, ("mean", *_difference_cells(figures.mean))))


def comparison_tables(pair: Comparison) -> list[TextTable]:
    """The pair on all rows and, where they differ and were asked for, on those that both answered."""
    number = sum(pair.rows.values())
    tables = [comparison_table(pair, pair.all, f"all {number} rows, failed clips last")]
    if pair.both_answered and pair.rows["both"] < number:
        tables.append(comparison_table(pair, pair.both_answered, f"the {pair.rows['both']} rows that both answered"))
    return tables


def comparison_lines(pair: Comparison, resamples: int) -> list[str]:
    """What the pair comes to, in sentences."""
    rows = pair.rows
    lines = [
        f"Rows answered by both {rows['both']}, by {pair.a} alone {rows['only_a']}, by {pair.b} alone {rows['only_b']}, by neither "
        f"{rows['neither']}."
    ]
    if not resamples:
        return [*lines, "Without resamples (--bootstrap 0) there is no p-value."]
    lines.append(_mean_line(pair))
    for better, other, sign in ((pair.a, pair.b, 1), (pair.b, pair.a, -1)):
        sure = {split: task for split, task in pair.all.tasks.items() if task.p_holm <= SURE and task.difference * sign > 0}
        named = ", ".join(f"{split} (by {100 * abs(task.difference):.1f} points, p = {_p(task.p_holm)})" for split, task in sure.items())
        lines += [f"{better} is better than {other} on {named}; p after Holm's correction."] if sure else []
    luck = [split for split, task in pair.all.tasks.items() if task.p <= SURE < task.p_holm]
    if luck:
        lines.append(f"{', '.join(luck)}: p <= {SURE} each, but not once it is counted that {len(pair.all.tasks)} tasks were looked at.")
    lines.append(
        f"p: two-sided, paired bootstrap over videos, {resamples} resamples, at least {2 / (resamples + 1):.2g}; "
        f"95 %: the central {100 * LEVEL:.0f} % of the resampled differences."
    )
    return lines


def _mean_line(pair: Comparison) -> str:
    of = pair.all.mean
    if math.isnan(of.difference):
        return "The mean cannot be compared: no task has both answers."
    if not of.p <= SURE:
        return f"No telling which has the better mean AP: {pair.a} minus {pair.b} is {100 * of.difference:+.1f} points, p = {_p(of.p)}."
    better, other = (pair.a, pair.b) if of.difference > 0 else (pair.b, pair.a)
    return f"{better} is better than {other} on the mean, by {100 * abs(of.difference):.1f} points of AP, p = {_p(of.p)}."


def _difference_cells(of: PairedDifference) -> tuple[str, ...]:
    value = NOTHING if math.isnan(of.difference) else f"{100 * of.difference:+.1f}"
    return (percent(of.a), percent(of.b), value, percent_interval(of.interval), _p(of.p), _p(of.p_holm), str(of.draws))


def _p(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def _bin_cell(share: float, labels: int) -> str:
    return f"{percent(share)}\n{labels}" if labels else NOTHING


def _most(counts: dict[str, float]) -> str:
    """Return the largest few by name; ties of many rivals leave small shares, which are left to the JSON."""
    largest = sorted(counts.items(), key=lambda item: -item[1])
    shown = [f"{SHORT_NAMES.get(name, name)} {_count(value)}" for name, value in largest[:WRONG_SHOWN]]
    return ", ".join(shown) + (", ..." if len(largest) > WRONG_SHOWN else "") if shown else NOTHING


def _count(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"


def _number(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"
