"""Write the README's tables from benchmarks/results/*.json, between their markers; with --check, fail where they differ.

python benchmarks/readme_tables.py [--check]
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
SHORT = {
    "Move_In": "in", "Move_Out": "out", "Move_Up": "up", "Move_Down": "down", "Move_Right": "right", "Move_Left": "left",
    "Zoom_In": "zoom in", "Zoom_Out": "zoom out", "Pan_Right": "pan R", "Pan_Left": "pan L", "Tilt_Up": "tilt U", "Tilt_Down": "tilt D",
    "Roll_Clockwise": "roll cw", "Roll_Counterclockwise": "roll ccw", "Static": "static",
}  # fmt: skip
MARKER = re.compile(r"(<!-- table: (\S+) (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def accuracy(run: dict[str, Any]) -> list[list[str]]:
    """Mean AP of each method under both scorings, and what became of the clips."""
    rows = [["method", "mean AP, `depth` scoring", "95 % interval", "answered only", "mean AP, `camerabench` scoring", "clips solved"]]
    for slug, method in run["methods"].items():
        ours, theirs = method["scoring"]["depth"], method["scoring"]["camerabench"]
        solved = sum(method["statuses"].get(status, 0) for status in ("ok", "rotation_only", "still"))
        low, high = ours["interval"]
        rows.append([
            f"`{slug}`", _ap(ours["mean_ap_all"]), f"{_ap(low)} to {_ap(high)}", _ap(ours["mean_ap_answered"]),
            _ap(theirs["mean_ap_all"]), f"{solved} of {method['cost']['clips']}",
        ])  # fmt: skip
    return rows


def primitives(run: dict[str, Any]) -> list[list[str]]:
    """AP_all per primitive under both scorings."""
    rows = [["primitive", "positives", *(f"`{slug}` {scoring}" for slug in run["methods"] for scoring in ("depth", "camerabench"))]]
    for task, name in SHORT.items():
        cells = [m["scoring"][s]["ap_all"].get(task) for m in run["methods"].values() for s in ("depth", "camerabench")]
        rows.append([name, str(run["positives"].get(task, 0)), *map(_ap, cells)])
    return rows


def cost(run: dict[str, Any]) -> list[list[str]]:
    """Wall seconds and memory per clip."""
    rows = [["method", "median s", "longest s", "all clips, min", "median MiB", "most MiB"]]
    for slug, method in run["methods"].items():
        c = method["cost"]
        rows.append([
            f"`{slug}`", f"{c['seconds_median']:.1f}", f"{c['seconds_max']:.0f}", f"{c['seconds_total'] / 60:.0f}",
            f"{c['peak_mb_median']:.0f}", f"{c['peak_mb_max']:.0f}",
        ])  # fmt: skip
    return rows


def poses(run: dict[str, Any]) -> list[list[str]]:
    """Pose errors over the clips whose path is known: median over the solved ones."""
    names = {
        "rotation_mean_deg": "rotation, deg", "direction_mean_deg": "direction, deg", "ate_relative": "ATE / extent",
        "rpe_rotation_rmse_deg": "RPE rotation, deg", "focal_percent": "focal, %",
    }  # fmt: skip
    rows = [["method", "solved", *(f"{name} (median / mean)" for name in names.values())]]
    for slug, method in run["methods"].items():
        summary = method["poses"]["summary"]
        cells = [f"{summary[n]['median']:.2f} / {summary[n]['mean']:.2f}" if n in summary else "-" for n in names]
        rows.append([f"`{slug}`", f"{method['poses']['solved']} of {method['poses']['clips']}", *cells])
    return rows


TABLES: dict[str, Callable[[dict[str, Any]], list[list[str]]]] = {
    "accuracy": accuracy,
    "primitives": primitives,
    "cost": cost,
    "poses": poses,
}


def render(readme: str) -> str:
    """Return `readme` with every marked table made anew."""

    def table(match: re.Match[str]) -> str:
        run = json.loads((RESULTS / f"{match[3]}.json").read_text())
        head, *body = TABLES[match[2]](run)
        lines = [head, ["---"] * len(head), *body]
        text = "\n".join("| " + " | ".join(row) + " |" for row in lines)
        return f"{match[1]}{text}\n\n`{run['command']}`, sfmcam {run['sfmcam_version']}, {run['finished'][:10]}.\n{match[4]}"

    return MARKER.sub(table, readme)


def _ap(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def main() -> None:
    """Read the command line."""
    path = ROOT / "README.md"
    old = path.read_text()
    new = render(old)
    if "--check" not in sys.argv[1:]:
        path.write_text(new)
    elif new != old:
        raise SystemExit("README.md: its tables are not those of benchmarks/results; run `python benchmarks/readme_tables.py`")


if __name__ == "__main__":
    main()
