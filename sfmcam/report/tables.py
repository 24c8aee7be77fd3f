"""The tables of the page that the leaderboard and the run itself give."""

from __future__ import annotations

import math
from collections import Counter
from statistics import median

from sfmcam.evaluation.leaderboard_text import SHORT_NAMES
from sfmcam.motion.primitive import PRIMITIVE_BY_SPLIT
from sfmcam.report.clip_data import meaning
from sfmcam.report.content import Content, ReportMethod
from sfmcam.report.figures import runtime
from sfmcam.report.page_table import (
    Cell,
    Column,
    PageTable,
    columns,
    count_cell,
    interval_cell,
    method_cell,
    number_cell,
    percent_cell,
    text_cell,
)

CHANCE = "constant score"


def by_rank(content: Content) -> list[tuple[int, ReportMethod]]:
    """Return the methods with their positions, the best mean AP_all first."""
    return sorted(enumerate(content.methods), key=lambda pair: -_or_least(pair[1].rated.mean_all.ap))


def leaderboard_table(content: Content) -> PageTable:
    """Means under both failure policies, with intervals."""
    heads = columns(
        "Method",
        ("[Family]", "geometry measures a camera path, a language model is asked"),
        ("AP_all", "mean average precision over the primitives, failed clips ranked last; x 100, 95 % bootstrap interval over videos"),
        ("AP_answered", "the same with failed clips left out, as CameraBench's evaluator does"),
        ("AUC_all", "area under the ROC curve, failed clips ranked last; x 100"),
        ("Coverage", "share of the labels that have a score; x 100"),
        ("Failed rows", "labels without a score"),
        ("s / clip", "median wall time per clip, where the run knows it"),
    )
    rows = [_leaderboard_row(position, method) for position, method in by_rank(content)]
    chance = _mean_prevalence(content)
    empty = tuple(text_cell("") for _ in range(len(heads) - 4))
    constant = (text_cell(CHANCE, "what a method that always says the same gets: the mean prevalence"), text_cell(""))
    rows.append((*constant, percent_cell(chance), percent_cell(chance), *empty))
    rated = len(content.tasks) - len(content.board.unrated)
    return PageTable(f"Mean average precision over {rated} primitives, x 100", heads, tuple(rows))


def _leaderboard_row(position: int, method: ReportMethod) -> tuple[Cell, ...]:
    rated, time = method.rated, runtime(method)
    return (
        method_cell(method.name, position),
        text_cell(str(method.family)),
        interval_cell(rated.mean_all.ap, rated.mean_all.interval, with_bar=True),
        interval_cell(rated.mean_answered.ap, rated.mean_answered.interval, with_bar=True),
        percent_cell(rated.mean_all.roc_auc),
        percent_cell(rated.coverage),
        count_cell(sum(rated.failures.values())),
        number_cell(time["seconds"] if time else None, 2),
    )


def primitive_table(content: Content, *, answered_only: bool) -> PageTable:
    """AP per method and primitive, shaded, under one failure policy."""
    heads = (Column("Method"), *(Column(SHORT_NAMES[split], _task_title(content, split)) for split in content.tasks), Column("Mean"))
    rows = []
    for position, method in by_rank(content):
        tasks = method.rated.tasks
        rates = {split: (task.answered_only if answered_only else task.all) for split, task in tasks.items()}
        cells = [
            percent_cell(rate.ap, shaded=True, title=_ap_title(split, rate.interval, tasks[split].note)) for split, rate in rates.items()
        ]
        mean = method.rated.mean_answered if answered_only else method.rated.mean_all
        rows.append((method_cell(method.name, position), *cells, percent_cell(mean.ap, shaded=True)))
    prevalence = _prevalence(content)
    shares = [percent_cell(prevalence[split], shaded=True, title="prevalence: what a constant score gets") for split in content.tasks]
    rows.append((text_cell(CHANCE), *shares, percent_cell(_mean_prevalence(content), shaded=True)))
    counts = [count_cell(int(content.board.pool.tasks[split].labels.sum())) for split in content.tasks]
    rows.append((text_cell("positive clips"), *counts, text_cell("")))
    policy = "AP_answered: failed clips left out" if answered_only else "AP_all: failed clips ranked last"
    return PageTable(f"{policy}; x 100", heads, tuple(rows))


def status_table(content: Content) -> PageTable:
    """Clips by how they ended, per method."""
    counts = [Counter(statuses) for statuses in content.statuses]
    order = sorted({status for count in counts for status in count}, key=lambda status: (-sum(count[status] for count in counts), status))
    heads = (Column("Method"), *(Column(status.replace("_", " "), meaning(status)) for status in order))
    rows = tuple(
        (method_cell(method.name, position), *(count_cell(count[status]) for status in order))
        for position, (method, count) in enumerate(zip(content.methods, counts, strict=True))
    )
    return PageTable("Clips by status", heads, rows)


def cost_rows(content: Content) -> PageTable:
    """Time and memory per clip beside the mean AP."""
    heads = columns("Method", "AP_all", "median s", "slowest s", "total s", "median MiB", "largest MiB")
    rows = []
    for position, method in by_rank(content):
        seconds = sorted(result.seconds.total for result in method.results.values())
        memory = sorted(result.peak_mb for result in method.results.values() if result.peak_mb is not None)
        times = (median(seconds), seconds[-1], sum(seconds)) if seconds else (math.nan,) * 3
        sizes = (median(memory), memory[-1]) if memory else (math.nan,) * 2
        ap = percent_cell(method.rated.mean_all.ap)
        cells = (*(number_cell(value, 2) for value in times), *(number_cell(value, 0) for value in sizes))
        rows.append((method_cell(method.name, position), ap, *cells))
    return PageTable("Cost of one clip, in a child process of its own", heads, tuple(rows))


def published_table(content: Content) -> PageTable:
    """The published rows; what they were measured on is for the page to say."""
    heads = (Column("Method"), *(Column(SHORT_NAMES[split], split.replace("_", " ")) for split in SHORT_NAMES), Column("Mean"))
    rows = tuple(
        (
            text_cell(row.method, row.note),
            *(percent_cell(row.ap.get(split), shaded=True) for split in SHORT_NAMES),
            percent_cell(row.mean, shaded=True),
        )
        for row in content.board.published
    )
    return PageTable("Published, x 100", heads, rows)


def _task_title(content: Content, split: str) -> str:
    why = content.board.unrated.get(split)
    return PRIMITIVE_BY_SPLIT[split].id.replace("_", " ") + (f"; left out of the mean: {why}" if why else "")


def _ap_title(split: str, interval: tuple[float, float], note: str) -> str:
    low, high = interval
    within = "" if math.isnan(low) else f": 95 % interval {100 * low:.1f} to {100 * high:.1f}"
    return f"{split.replace('_', ' ')}{within}{'; ' + note if note else ''}"


def _prevalence(content: Content) -> dict[str, float]:
    return {split: float(task.labels.mean()) for split, task in content.board.pool.tasks.items()}


def _mean_prevalence(content: Content) -> float:
    """Mean over the primitives that can be rated."""
    rated = [share for split, share in _prevalence(content).items() if split not in content.board.unrated]
    return sum(rated) / len(rated) if rated else math.nan


def _or_least(value: float) -> float:
    return -1.0 if math.isnan(value) else value
