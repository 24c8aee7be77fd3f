"""The report's figures for other programs: three CSV files, and one page of Markdown."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from pathlib import Path

from sfmcam.evaluation.bench_tables import cost_table, status_table
from sfmcam.evaluation.beyond_page import to_markdown
from sfmcam.io.paths import clip_id
from sfmcam.motion.primitive import PRIMITIVE_BY_SPLIT
from sfmcam.report.content import Content
from sfmcam.report.figures import runtime

Cell = str | int | float | None


def leaderboard_csv(content: Content) -> str:
    """Return a row per method: means under both failure policies with intervals, coverage, failed rows, time."""
    columns = (
        "method,family,ap_all,ap_all_low,ap_all_high,ap_answered,ap_answered_low,ap_answered_high,"
        "auc_all,coverage,tasks_rated,tasks_answered,failed_rows,seconds_median"
    )
    rows = []
    for method in content.methods:
        rated, time = method.rated, runtime(method)
        figures = (
            rated.mean_all.ap,
            *rated.mean_all.interval,
            rated.mean_answered.ap,
            *rated.mean_answered.interval,
            rated.mean_all.roc_auc,
        )
        counts = (len(content.tasks) - len(content.board.unrated), rated.tasks_answered, sum(rated.failures.values()))
        rows.append((method.name, str(method.family), *figures, rated.coverage, *counts, time["seconds"] if time else None))
    return _csv(columns.split(","), rows)


def per_primitive_csv(content: Content) -> str:
    """Return a row per method and primitive."""
    columns = (
        "method,family,primitive,positives,negatives,prevalence,answered,ap_all,ap_all_low,ap_all_high,"
        "ap_answered,ap_answered_low,ap_answered_high,auc_all,note"
    )
    rows = [
        (
            *(method.name, str(method.family), PRIMITIVE_BY_SPLIT[split].id),
            *(task.positives, task.negatives, task.prevalence, task.answered),
            *(task.all.ap, *task.all.interval, task.answered_only.ap, *task.answered_only.interval, task.all.roc_auc, task.note),
        )
        for method in content.methods
        for split, task in method.rated.tasks.items()
    ]
    return _csv(columns.split(","), rows)


def clips_csv(content: Content) -> str:
    """Return a row per clip and method: what people say, how far the families are apart, and the method's status and scores."""
    ids = [PRIMITIVE_BY_SPLIT[split].id for split in content.tasks]
    columns = ["clip", "file", "yes", "no", "apart", "apart_on", "method", "family", "status", "seconds", "mean_error"]
    rows: list[tuple[Cell, ...]] = []
    for row, video in enumerate(content.videos):
        name, labels, task = clip_id(Path(video)), content.labels[row], int(content.apart.task[row])
        said = [" ".join(primitive for primitive, label in zip(ids, labels, strict=True) if label == answer) for answer in (1, 0)]
        of_clip: tuple[Cell, ...] = (name, video, *said, float(content.apart.gap[row]), ids[task] if task >= 0 else "")
        for method, statuses in zip(content.methods, content.statuses, strict=True):
            seconds = method.results[name].seconds.total if name in method.results else None
            state: tuple[Cell, ...] = (method.name, str(method.family), statuses[row], seconds, float(method.error[row]))
            scores: list[Cell] = [float(score) for score in method.scores_of[row]]
            rows.append((*of_clip, *state, *scores))
    return _csv([*columns, *(f"score_{name}" for name in ids)], rows)


def report_md(content: Content) -> str:
    """Return the tables as GitHub Markdown."""
    run = content.run
    made = f"Made by sfmcam {run.made['sfmcam_version']} with `{run.made['command']}`" if run.made else run.origin.removesuffix(".")
    head = f"# {run.labelled_set.name}: {', '.join(method.name for method in content.methods)}\n\n{made}; scoring `{run.scoring}`.\n"
    notes = "".join(f"- **Note:** {note}\n" for note in run.notes)
    tables = (status_table(run.results).markdown(), cost_table(run.results).markdown()) if run.results else ()
    return "\n".join([head + notes, content.board.to_markdown(), to_markdown(content.beyond), *tables])


def _csv(columns: list[str], rows: Iterable[tuple[Cell, ...]]) -> str:
    """Return a table whose unknown numbers are empty cells, each float with six significant digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Cell) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else ""
    return "" if value is None else str(value)
