"""The tables of the kept figures, as rows of text with the head first: printed by the commands, and written into the README."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SHORT = {
    "Move_In": "in", "Move_Out": "out", "Move_Up": "up", "Move_Down": "down", "Move_Right": "right", "Move_Left": "left",
    "Zoom_In": "zoom in", "Zoom_Out": "zoom out", "Pan_Right": "pan R", "Pan_Left": "pan L", "Tilt_Up": "tilt U", "Tilt_Down": "tilt D",
    "Roll_Clockwise": "roll cw", "Roll_Counterclockwise": "roll ccw", "Static": "static",
}  # fmt: skip
POSE_COLUMNS = {
    "rotation_mean_deg": "rotation, deg", "direction_mean_deg": "direction, deg", "ate_relative": "ATE / extent",
    "rpe_rotation_rmse_deg": "RPE rotation, deg", "focal_percent": "focal, %",
}  # fmt: skip
NAMED_APART = 5  # primitives left out that still fit a cell by name
STAGE_NAMES = {"estimate": "estimate alone", "total": "whole clip"}
PART_NAMES = {"all": "all clips", "solved_by_both": "solved by both"}
INVENTS_NAMES = {
    "still": "- is still",
    "turns": "- turns",
    "zooms": "- zooms",
    "hand-held": "(is hand-held, no direction)",
    "sways": "(sways below every label)",
    "travels": "(travels: share ABOVE bound)",
}

Rows = list[list[str]]


def accuracy(run: dict[str, Any]) -> Rows:
    """Mean AP of each method under every scoring, and what became of the clips."""
    rows = [["method", "mean AP", "95 % interval", "answered only", "`depth` scoring", "`camerabench` scoring", "clips solved"]]
    for slug, method in run["methods"].items():
        ours, depth, theirs = (method["scoring"].get(scoring, {}) for scoring in ("probability", "depth", "camerabench"))
        solved = sum(method["statuses"].get(status, 0) for status in ("ok", "rotation_only", "still"))
        rows.append([
            f"`{slug}`", _ap(ours.get("mean_ap_all")), _interval(ours.get("interval", [None, None])), _ap(ours.get("mean_ap_answered")),
            _ap(depth.get("mean_ap_all")), _ap(theirs.get("mean_ap_all")), f"{solved} of {method['cost']['clips']}",
        ])  # fmt: skip
    return rows


def primitives(run: dict[str, Any]) -> Rows:
    """AP_all per primitive, by the probabilities."""
    rows = [["primitive", "positives", *(f"`{slug}`" for slug in run["methods"])]]
    for task, name in SHORT.items():
        cells = [m["scoring"].get("probability", {"ap_all": {}})["ap_all"].get(task) for m in run["methods"].values()]
        rows.append([name, str(run["positives"].get(task, 0)), *map(_ap, cells)])
    return rows


def cost(run: dict[str, Any]) -> Rows:
    """Wall seconds and memory per clip."""
    rows = [["method", "median s", "longest s", "all clips, min", "median MiB", "most MiB"]]
    for slug, method in run["methods"].items():
        c = method["cost"]
        rows.append([
            f"`{slug}`", f"{c['seconds_median']:.1f}", f"{c['seconds_max']:.0f}", f"{c['seconds_total'] / 60:.0f}",
            _number(c["peak_mb_median"], 0), _number(c["peak_mb_max"], 0),
        ])  # fmt: skip
    return rows


def poses(run: dict[str, Any]) -> Rows:
    """Pose errors over the clips whose path is known, and over parts of them: median and mean over the solved ones."""
    rows = [["method", "solved", *(f"{name} (median / mean)" for name in POSE_COLUMNS.values())]]
    for slug, method in run["methods"].items():
        rows.append([f"`{slug}`", *_pose_cells(method["poses"])])
        rows += [[f"`{slug}`, {name}", *_pose_cells(part)] for name, part in method["poses"].get("parts", {}).items()]
    return rows


def kinds(run: dict[str, Any]) -> Rows:
    """Mean AP of each method by where the clips come from, under every scoring of the run."""
    rows = [["kind, scoring", "clips", "primitives rated", *(f"`{slug}`" for slug in run["methods"])]]
    for scoring, groups in run["kinds"].items():
        for name, group in groups.items():
            means = [_ap(group["methods"].get(slug, {}).get("mean_ap_all")) for slug in run["methods"]]
            rows.append([f"{name}, `{scoring}`", str(group["clips"]), _rated(group), *means])
    return rows


def speed(figure: dict[str, Any]) -> Rows:
    """Ratio of median times of one method to others on the same clips."""
    ratios = figure["speed"]
    rows = [[f"`{ratios['of']}` against", "clips", "median s", "its median s", "times faster", "95 % interval", "median of clips' ratios"]]
    for slug, comparison in ratios["against"].items():
        together = "" if comparison["side_by_side"] else " (NOT side by side)"
        for part, part_name in PART_NAMES.items():
            for stage, stage_name in STAGE_NAMES.items():
                rows.append([f"`{slug}`, {stage_name}, {part_name}{together}", *_speed_cells(comparison[part][stage])])
    return rows


def subsets(figure: dict[str, Any]) -> Rows:
    """Mean AP over the primitives that can be rated, by part of the set; zoom and dolly columns."""
    rows = [["part of the set", "clips", "positives", "method", "mean AP", "95 % interval", "zoom", "dolly", "rated", "left out"]]
    for name, group in figure["groups"].items():
        positives = str(sum(group["positives"].values()))
        for slug, rated in group["methods"].items():
            ap = [_ap(rated["mean_ap_all"]), _interval(rated["interval"]), _ap(rated["zoom"]), _ap(rated["dolly"])]
            rows.append([name, str(group["clips"]), positives, f"`{slug}`", *ap, _rated(group), _left_out(group["left_out"])])
    return rows


def parts(figure: dict[str, Any]) -> Rows:
    """Mean AP by part of the set, a method per column, over the primitives that can be rated there."""
    methods = list(next(iter(figure["groups"].values()))["methods"])
    rows = [["part of the set", "clips", "rated", *(f"`{slug}`" for slug in methods)]]
    for name, group in figure["groups"].items():
        if any(group["methods"][slug]["mean_ap_all"] is not None for slug in methods):
            rows.append([name, str(group["clips"]), _rated(group), *(_ap(group["methods"][slug]["mean_ap_all"]) for slug in methods)])
    return rows


def never_invents(figure: dict[str, Any]) -> Rows:
    """Share of clips whose reported translation stays below its bound, all, by truth, and the offenders by name."""
    rows = [
        ["clips whose camera ...", "method", "clips", "failed", "within bound", "share", "95 % interval", "median moved", "median bound"]
    ]
    for slug, method in figure["methods"].items():
        rows.append(["does not travel", f"`{slug}`", *_invents_cells(method["all"])])
        for truth, counts in method["by_truth"].items():
            rows.append([INVENTS_NAMES.get(truth, truth), f"`{slug}`", *_invents_cells(counts)])
        for case in method["offenders"]:
            moved = [f"{case['moved']:.4f}", "none" if case["bound"] is None else f"{case['bound']:.4f}"]
            rows.append([f"  offender: {case['clip']} ({case['truth']})", f"`{slug}`", "", "", "", case["status"], "", *moved])
    return rows


def length(figure: dict[str, Any]) -> Rows:
    """Time and memory of a child process by length and kind of clip."""
    rows = [["clip", "video s", "status", "frames", "whole s", "estimate s", "decode s", "whole s per video s", "peak MiB"]]
    for name, case in figure["cases"].items():
        seconds = [f"{case[key]:.2f}" for key in ("total_s", "estimate_s", "decode_s")]
        per_second = f"{case['total_s'] / case['video_s']:.3f}"
        rows.append(
            [name, f"{case['video_s']:.1f}", case["status"], str(case["frames"]), *seconds, per_second, _number(case["peak_mb"], 0)]
        )
    for step in figure["growth"]:
        name = f"each further second, {step['from_s']:.0f} to {step['to_s']:.0f} s"
        rows.append([name, "", "", "", *(f"{step[key]:.3f}" for key in ("total_s", "estimate_s", "decode_s")), "", ""])
    return rows


def evaluate_scale(figure: dict[str, Any]) -> Rows:
    """Time and memory of `sfmcam evaluate`, start-up included, by number of methods."""
    rows = [[f"{figure['videos']} videos, {figure['labels']} labels", "wall s", "processor s", "peak MiB"]]
    for name, case in figure["cases"].items():
        rows.append([name, f"{case['wall_s']:.1f}", f"{case['processor_s']:.1f}", _number(case["peak_mb"], 0)])
    return rows


def warm(figure: dict[str, Any]) -> Rows:
    """Time of each stage of a clip in a process that has everything loaded."""
    head = [["clip", "frames", "clock", *figure["stages"], "whole s"]]
    return head + [
        [name, str(clip["frames"]), clock, *(f"{clip[clock][stage]:.3f}" for stage in figure["stages"]), f"{clip[clock]['whole']:.3f}"]
        for name, clip in figure["clips"].items()
        for clock in ("wall", "processor")
    ]


def report_scale(figure: dict[str, Any]) -> Rows:
    """What a report on many clips takes, and how soon its page can be used."""
    page, limit = figure["page"], _number(figure["limit_report_s"], 0)
    rows = [[f"{figure['clips']} clips, {figure['methods']} methods", "s", "processor s", "must be below"]]
    for name, case in figure["report"].items():
        rows.append([f"report {name}", _number(case["wall_s"], 1), _number(case["processor_s"], 1), limit])
    rows.append(["first paint of the page", _number(page["first_paint_s"], 2), "-", _number(figure["limit_first_paint_s"], 0)])
    others = {
        "list of clips, after going there": "list_of_clips_s",
        "another order of the list": "sort_s",
        "a clip opened and drawn": "open_clip_s",
    }
    return rows + [[name, _number(page[key], 2), "-", "-"] for name, key in others.items()]


def install_sizes(figure: dict[str, Any]) -> Rows:
    """What an installation takes: by itself, and what each extra adds to it."""
    rows = [["install", "distributions", "unpacked MB", "of which the largest"]]
    for extra, row in figure["extras"].items():
        largest = ", ".join(f"{name} {size:.0f}" for name, size in row["largest"].items())
        absent = f"; not measured here: {', '.join(row['not_installed_here'])}" if row["not_installed_here"] else ""
        name, plus = (f"`sfmcam[{extra}]`", "+") if extra else ("`sfmcam`", "")
        counts = ["-", "-"] if absent else [f"{plus}{row['distributions']}", f"{plus}{row['megabytes']:.0f}"]
        rows.append([name, *counts, f"{largest}{absent}".removeprefix("; ")])
    return rows


def _pose_cells(part: dict[str, Any]) -> Iterator[str]:
    yield f"{part['solved']} of {part['clips']}"
    for name in POSE_COLUMNS:
        figures = part["summary"].get(name)
        yield f"{figures['median']:.2f} / {figures['mean']:.2f}" if figures else "-"


def _speed_cells(figures: dict[str, Any]) -> list[str]:
    if not figures["clips"]:
        return ["0", *["-"] * 5]
    seconds = [f"{figures[key]:.2f}" for key in ("median_s", "median_s_other")]
    low, high = figures["interval"]
    ratios = [f"{figures['ratio_of_medians']:.1f}", f"{low:.1f} to {high:.1f}", f"{figures['median_ratio']:.1f}"]
    return [str(figures["clips"]), *seconds, *ratios]


def _invents_cells(counts: dict[str, Any]) -> list[str]:
    answered = counts["clips"] - counts["failed"]
    medians = [_number(counts[key], 4) for key in ("median_moved", "median_bound")]
    share = "-" if counts["share"] is None else f"{100 * counts['share']:.1f} %"
    between = "-" if counts["interval"] is None else f"{100 * counts['interval'][0]:.0f} to {100 * counts['interval'][1]:.0f} %"
    return [str(counts["clips"]), str(counts["failed"]), f"{counts['within']} of {answered}", share, between, *medians]


def _rated(group: dict[str, Any]) -> str:
    return f"{len(SHORT) - len(group['left_out'])} of {len(SHORT)}"


def _left_out(splits: list[str]) -> str:
    names = ", ".join(SHORT[split] for split in splits[:NAMED_APART])
    return names + (f" and {len(splits) - NAMED_APART} more" if len(splits) > NAMED_APART else "") or "none"


def _interval(interval: list[float | None]) -> str:
    low, high = interval
    return "-" if low is None or high is None else f"{_ap(low)} to {_ap(high)}"


def _ap(value: float | None) -> str:
    return _number(value, 3)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
