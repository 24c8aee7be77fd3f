"""The curves and points of the page's figures, as JSON values."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

from sfmcam.evaluation.average_precision import rank_failed_last
from sfmcam.evaluation.precision_recall import precision_recall, thinned
from sfmcam.report.content import Content, ReportMethod

MOST_POINTS = 250  # of one curve: more than a screen shows
DIGITS = 4


def figures(content: Content) -> dict[str, Any]:
    """Return what `data/figures.js` holds.

    `methods` has the names; `curves` per task its prevalence and per method `recall`, `precision`, `ap`; `reliability` per method the bins
    over all tasks and by task, None where its scores are no probabilities; `runtime` per method seconds and mean AP, None where unknown.
    """
    beyond: dict[str, Any] = content.beyond.to_json()
    return {
        "methods": [{"name": method.name, "family": str(method.family)} for method in content.methods],
        "curves": {split: _curves(content, column) for column, split in enumerate(content.tasks)},
        "reliability": [method["reliability"] for method in beyond["methods"]],
        "runtime": [runtime(method) for method in content.methods],
    }


def runtime(method: ReportMethod) -> dict[str, Any] | None:
    """Return median seconds per clip and both mean APs with their intervals; None where the run does not know the time."""
    seconds = [result.seconds.total for result in method.results.values()]
    if not seconds or math.isnan(method.rated.mean_all.ap):
        return None
    return {"seconds": median(seconds), "ap": method.rated.mean_all.ap, "interval": list(method.rated.mean_all.interval)}


def _curves(content: Content, column: int) -> dict[str, Any]:
    split = content.tasks[column]
    task = content.board.pool.tasks[split]
    curves = []
    for method in content.methods:
        ranks = rank_failed_last(method.scores_of[task.columns, column])
        recall, precision = thinned(*precision_recall(task.labels, ranks), MOST_POINTS)
        curves.append(
            {
                "recall": [round(float(v), DIGITS) for v in recall],
                "precision": [round(float(v), DIGITS) for v in precision],
                "ap": method.rated.tasks[split].all.ap,
            }
        )
    return {"prevalence": float(task.labels.mean()), "positives": int(task.labels.sum()), "clips": len(task.labels), "methods": curves}
