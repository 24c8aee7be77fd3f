"""A leaderboard as cells of text, shared by the terminal and Markdown, and as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sfmcam.datasets.camerabench import NUM_VIDEOS
from sfmcam.evaluation.bootstrap import LEVEL, Interval
from sfmcam.evaluation.published import published_sources
from sfmcam.motion.primitive import PRIMITIVES

if TYPE_CHECKING:
    from sfmcam.evaluation.leaderboard import Leaderboard, MethodResult, Rating, TaskResult

SHORT_NAMES = dict(
    zip(
        (primitive.split_name for primitive in PRIMITIVES),
        ("In", "Out", "Up", "Dn", "R", "L", "ZmI", "ZmO", "PnR", "PnL", "TlU", "TlD", "RlC", "RlX", "St"),
        strict=True,
    )
)
LEGEND = (
    "In Out Up Dn R L: move; ZmI ZmO: zoom in, out; PnR PnL: pan; TlU TlD: tilt; RlC RlX: roll clockwise, counterclockwise; St: static."
)
NOTHING = "-"


@dataclass(frozen=True)
class TextTable:
    """A table of text; the first column is left-aligned, the others are numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """Return it as GitHub Markdown, with its title as a heading."""
        lines = [_markdown_row(self.columns), "|---|" + "---:|" * (len(self.columns) - 1), *map(_markdown_row, self.rows)]
        return f"### {self.title}\n\n" + "\n".join(lines) + "\n"


def task_table(board: Leaderboard) -> TextTable:
    """`AP_all` per task: one row per method, under the row of a constant score."""
    chance = {split: sum(task.labels) / len(task.labels) for split, task in board.pool.tasks.items()}
    rated = [value for split, value in chance.items() if split not in board.unrated]
    constant = ("constant score", *_task_cells(chance), percent(sum(rated) / len(rated) if rated else math.nan))
    rows = [
        (method.name, *_task_cells({s: task.all.ap for s, task in method.tasks.items()}), percent(method.mean_all.ap))
        for method in board.methods
    ]
    return TextTable(f"AP_all x 100 on {board.pool.name}", ("Method", *SHORT_NAMES.values(), "Mean"), (constant, *rows))


def summary_table(board: Leaderboard) -> TextTable:
    """Means: one row per method."""
    columns = ("Method", "AP_all", "95 %", "AP_answ.", "95 %", "AUC_all", "Cover")
    rows = tuple(
        (
            method.name,
            percent(method.mean_all.ap),
            percent_interval(method.mean_all.interval),
            percent(method.mean_answered.ap),
            percent_interval(method.mean_answered.interval),
            percent(method.mean_all.roc_auc),
            percent(method.coverage),
        )
        for method in board.methods
    )
    return TextTable(f"Means over {len(board.pool.tasks) - len(board.unrated)} tasks, x 100", columns, rows)


def published_table(board: Leaderboard) -> TextTable:
    """The published rows; see `published_notes` for what they were measured on."""
    rows = tuple((f"{row.method} ({_mark(row.source)})", *_task_cells(row.ap), percent(row.mean)) for row in board.published)
    return TextTable(f"Published, on CameraBench's own {NUM_VIDEOS} videos", ("Method", *SHORT_NAMES.values(), "Mean"), rows)


def detail_table(method: MethodResult) -> TextTable:
    """Everything about one method, one row per task."""
    columns = ("Task", "AP\nall", "95 %", "AP\nansw.", "95 %", "AUC\nall", "AUC\nansw.", "Prev.", "Pos", "Neg", "Cover", "Failed")
    rows = tuple(_detail_cells(split, task) for split, task in method.tasks.items())
    mean = (
        "mean",
        *_rating_cells(method.mean_all, method.mean_answered),
        percent(_mean([task.prevalence for task in method.tasks.values() if not math.isnan(task.all.ap)])),
        "",
        "",
        percent(method.coverage),
        str(sum(method.failures.values())),
    )
    return TextTable(f"{method.name}, x 100", columns, (*rows, mean))


def failure_line(method: MethodResult) -> str:
    """Why rows failed, over all tasks."""
    reasons = ", ".join(f"{reason} {count}" for reason, count in method.failures.items())
    return f"Failed rows by reason: {reasons}." if reasons else "No row failed."


def notes(board: Leaderboard) -> list[str]:
    """Sentences that belong under the tables."""
    pool, num_rated = board.pool, len(board.pool.tasks) - len(board.unrated)
    always_no = percent(sum(rows - positives for rows, positives in pool.counts.values()) / pool.num_rows)
    lines = [
        LEGEND,
        f"{pool.name}: {len(pool.videos)} videos, {pool.num_rows} labels. AP is scikit-learn's; means are unweighted over tasks. "
        "AP_all ranks failed clips last, AP_answ. drops them as CameraBench's evaluator does.",
        f"Answering No to everything would be right for {always_no} % of the labels: accuracy says little here.",
    ]
    if board.resamples:
        lines.append(f"Intervals: {100 * LEVEL:.0f} % bootstrap over videos, {board.resamples} resamples, seed {board.seed}.")
    for gap in board.differences:
        within = f" [{percent_interval(gap.interval)}]" if board.resamples else ""
        unsure = "; the interval holds zero, so read it as a tie" if gap.interval.low <= 0 <= gap.interval.high else ""
        lines.append(f"{gap.better} leads {gap.other} by {100 * gap.value:.1f} points of mean AP_all{within}{unsure}.")
    lines += [f"{split} is left out of the means: {reason} in the pool." for split, reason in board.unrated.items()]
    lines += [
        f"{method.name}: the mean of AP_answ. is over {method.tasks_answered} of {num_rated} tasks only."
        for method in board.methods
        if method.tasks_answered < num_rated
    ]
    return lines


def published_notes(board: Leaderboard) -> list[str]:
    """Whether the published rows compare with this pool, and where they are from."""
    if board.is_camerabench:
        comparable = (
            "The published rows were measured on the same 15 pools. By the authors' code, a failed clip is ranked last in the "
            "geometry rows (compare them with AP_all) and dropped in those of video-language models (compare them with AP_answ.)."
        )
    else:
        comparable = (
            f"The published rows were measured on CameraBench's own {NUM_VIDEOS} videos, not on {board.pool.name}: "
            "they do not compare with the rows above."
        )
    sources = [f"({_mark(name)}) {text}." for name, text in published_sources().items()]
    return [comparable, *sources, *(f"{row.method}: {row.note}." for row in board.published if row.note)]


def _mark(source: str) -> str:
    """Return the letter that stands for a source in the table."""
    return source[0]


def to_markdown(board: Leaderboard) -> str:
    """Return all tables as GitHub Markdown."""
    parts = [task_table(board).markdown(), summary_table(board).markdown()]
    parts.append("".join(f"- {line}\n" for line in (*notes(board), *(f"**Warning:** {text}" for text in board.warnings))))
    if board.published:
        parts += [published_table(board).markdown(), "".join(f"- {line}\n" for line in published_notes(board))]
    parts += [f"{detail_table(method).markdown()}\n{failure_line(method)}\n" for method in board.methods]
    return "\n".join(parts)


def to_json(board: Leaderboard) -> dict[str, object]:
    """Return the leaderboard as JSON values; undefined numbers are None."""
    pool = {
        "name": board.pool.name,
        "videos": len(board.pool.videos),
        "rows": board.pool.num_rows,
        "is_camerabench": board.is_camerabench,
        "tasks": {split: {"rows": rows, "positives": positives} for split, (rows, positives) in board.pool.counts.items()},
        "unrated": board.unrated,
    }
    document: dict[str, object] = {
        "pool": pool,
        "bootstrap": {"resamples": board.resamples, "seed": board.seed, "level": LEVEL, "unit": "video"},
        "methods": [_method_json(method) for method in board.methods],
        "differences": [asdict(gap) for gap in board.differences],
        "published": {"comparable": board.is_camerabench, "rows": [asdict(row) for row in board.published], "sources": published_sources()},
        "warnings": list(board.warnings),
    }
    return {key: _finite(value) for key, value in document.items()}


def percent(value: float) -> str:
    """Return `value` x 100 in at most four characters; a dash where it is undefined."""
    if math.isnan(value):
        return NOTHING
    return "100" if value > 0.9995 else f"{100 * value:.1f}"


def percent_interval(interval: Interval) -> str:
    """Return both ends x 100."""
    if math.isnan(interval.low):
        return NOTHING
    low, high = percent(interval.low), percent(interval.high)
    return f"{low} to {high}" if low.startswith("-") else f"{low}-{high}"


def _task_cells(values: dict[str, float]) -> tuple[str, ...]:
    return tuple(percent(values.get(split, math.nan)) for split in SHORT_NAMES)


def _rating_cells(of_all: Rating, of_answered: Rating) -> tuple[str, ...]:
    aps = (percent(of_all.ap), percent_interval(of_all.interval), percent(of_answered.ap), percent_interval(of_answered.interval))
    return (*aps, percent(of_all.roc_auc), percent(of_answered.roc_auc))


def _detail_cells(split: str, task: TaskResult) -> tuple[str, ...]:
    counts = (str(task.positives), str(task.negatives), percent(task.coverage), str(sum(task.failures.values())))
    return (split, *_rating_cells(task.all, task.answered_only), percent(task.prevalence), *counts)


def _method_json(method: MethodResult) -> dict[str, object]:
    tasks = {split: {**asdict(task), "coverage": task.coverage, "prevalence": task.prevalence} for split, task in method.tasks.items()}
    return {**asdict(method), "tasks": tasks, "failures": method.failures}


def _finite(value: object) -> object:
    """Return `value` with None in place of every number that JSON cannot hold."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def _markdown_row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("\n", " ").replace("|", "\\|") for cell in cells) + " |"


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan
