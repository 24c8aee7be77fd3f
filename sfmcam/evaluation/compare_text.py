"""A comparison as cells of text."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sfmcam.evaluation.compare_files import FileComparison
from sfmcam.evaluation.compare_metric import SUM, Metric
from sfmcam.evaluation.frame_pairs import Pairing
from sfmcam.evaluation.leaderboard_text import NOTHING, TextTable
from sfmcam.evaluation.pair_auc import THRESHOLDS_DEG

SHOWN = (SUM, "rmse", "mean", "median", "max")
LABELS = {
    "APE": "APE (ATE)",
    "APE_rot": "APE rotation",
    "APE_relative": "APE relative",
    "RPE_trans": "RPE translation",
    "RPE_rot": "RPE rotation",
    "RRE": "RRE, all pairs",
    "RTE": "RTE, all pairs",
    "direction": "direction",
    "focal": "focal length",
    "fov": "field of view",
    "AUC": "AUC of max(RRE, RTE)",
    "AUC_signed": "AUC, direction signed",
    "RRA": "RRE below",
    "RTA": "RTE below",
}
RIGHT_ANGLE_DEG = 90.0
ROUNDING = 1e-12  # shown as zero
ALIGNED_BY = {
    "sim3": "sim3 (turned, moved and scaled)",
    "se3": "se3 (turned and moved)",
    "scale": "scale alone",
    "none": "nothing: compared as they are",
}


def heading_lines(compared: FileComparison) -> tuple[str, ...]:
    """Return what was compared and how, a line each."""
    result, pairs = compared.result, compared.result.pairs
    files = tuple(
        f"{role:<10} {file.path}  ({file.fmt}, {num} pose{'' if num == 1 else 's'})"
        for role, file, num in (
            ("estimate", compared.estimate, result.num_estimate),
            ("reference", compared.reference, result.num_reference),
        )
    )
    frames = f"{'frames':<10} {len(pairs)} of the reference's {result.num_reference} compared ({100 * result.coverage:.0f} %), "
    if compared.pairing is Pairing.TIME:
        frames += f"paired by time, {pairs.apart_s:.3g} s apart at most ({pairs.tolerance_s:.3g} s allowed)"
    else:
        frames += "paired by their number"
    aligned = f"{'aligned by':<10} {ALIGNED_BY[result.alignment.value]}"
    if result.alignment.scales and math.isfinite(result.scale):
        aligned += f"; scale factor {result.scale:.6g}"
    return (*files, frames, aligned, *(f"{'note':<10} {note}" for note in compared.notes))


def figure_table(compared: FileComparison) -> TextTable:
    """Every metric with a statistic over frames, steps or pairs: one row each."""
    metrics = [metric for metric in compared.result.metrics if not _is_share(metric)]
    rows = tuple(
        (_label(metric), *(number(metric.statistics.get(name, math.nan)) for name in SHOWN), metric.unit, _over(metric))
        for metric in metrics
        if not metric.reason
    )
    return TextTable("", ("metric", *SHOWN, "unit", "over"), rows)


def share_table(compared: FileComparison) -> TextTable:
    """Shares of pairs by threshold."""
    metrics = [metric for metric in compared.result.metrics if _is_share(metric) and not metric.reason]
    rows = tuple(
        (_label(metric), *(f"{metric.statistics[str(threshold)]:.4f}" for threshold in THRESHOLDS_DEG), _over(metric)) for metric in metrics
    )
    return TextTable("", ("share of pairs within", *(f"{threshold} deg" for threshold in THRESHOLDS_DEG), "over"), rows)


def remark_lines(compared: FileComparison) -> Iterator[str]:
    """Yield what a reader of the figures should know, and the metrics that are undefined, those with the same reason together."""
    opposite = compared.result.figures["direction_median_deg"]
    if opposite > RIGHT_ANGLE_DEG:
        yield (
            f"note: the estimate mostly moves against the reference's direction (median {opposite:.0f} deg); neither the alignment of "
            "positions nor RTE and its AUC tell a direction from its opposite"
        )
    names: dict[str, list[str]] = {}
    for metric in compared.result.metrics:
        if metric.reason:
            names.setdefault(metric.reason, []).append(metric.name)
    for reason, undefined in names.items():
        yield f"undefined: {', '.join(undefined)}: {reason}"


def number(value: float) -> str:
    """Return a figure in five digits or so, a dash where it is undefined."""
    if not math.isfinite(value):
        return NOTHING
    if abs(value) < ROUNDING or 1e-4 <= abs(value) < 1e5:
        return f"{value:.4f}" if abs(value) < 1000 else f"{value:.1f}"
    return f"{value:.2e}"


def _is_share(metric: Metric) -> bool:
    return str(THRESHOLDS_DEG[0]) in metric.statistics


def _label(metric: Metric) -> str:
    return LABELS.get(metric.name, metric.name)


def _over(metric: Metric) -> str:
    return f"{metric.count} {metric.counted.removesuffix('s') if metric.count == 1 else metric.counted}"
