"""Condense a run of `sfmcam bench` into a small file that is kept: benchmarks/results/NAME.json.

    python benchmarks/record.py RUN_DIR NAME

RUN_DIR/results.json holds every figure of every clip; the file kept here holds what tables are made of, with command and versions.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from statistics import mean, median
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
POSE_FIGURES = ("rotation_mean_deg", "direction_mean_deg", "ate_rmse", "ate_relative", "rpe_rotation_rmse_deg", "focal_percent", "answered")
DIGITS = 5


def condense(results: dict[str, Any]) -> dict[str, Any]:
    """Return the figures to keep of one results.json."""
    kept = {key: results[key] for key in ("sfmcam_version", "finished", "versions", "machine", "dataset")}
    kept["command"] = hide_folders(results["command"])
    pool = results["leaderboards"]["depth"]["pool"]
    kept["positives"] = {task: counts["positives"] for task, counts in pool["tasks"].items()}
    kept["methods"] = {method["slug"]: _method(method, results) for method in results["methods"]}
    return kept


def hide_folders(command: str) -> str:
    """Return `command` without the folders of the machine that it ran on."""
    return " ".join(Path(word).name if word.startswith("/") else word for word in command.split())


def _method(method: dict[str, Any], results: dict[str, Any]) -> dict[str, Any]:
    slug = method["slug"]
    rated = {scoring: _rated(board, slug) for scoring, board in results["leaderboards"].items()}
    statuses = Counter(clip["status"] for clip in method["clips"].values())
    return {
        "scoring": rated,
        "statuses": dict(statuses.most_common()),
        "cost": {key: _round(value) for key, value in method["cost"].items()},
        "poses": _poses([row for row in results["pose_errors"] if row["method"] == slug]),
    }


def _rated(board: dict[str, Any], slug: str) -> dict[str, Any]:
    method = next(m for m in board["methods"] if m["name"].split(" ")[0] == slug)  # "glomap camerabench-scoring"
    mean_all = method["mean_all"]
    return {
        "mean_ap_all": _round(mean_all["ap"]),
        "interval": [_round(end) for end in mean_all["interval"]],
        "mean_ap_answered": _round(method["mean_answered"]["ap"]),
        "coverage": _round(method["coverage"]),
        "ap_all": {task: _round(result["all"]["ap"]) for task, result in method["tasks"].items()},
    }


def _poses(rows: list[dict[str, Any]]) -> dict[str, Any]:
    solved = [row["errors"] for row in rows if row["errors"] is not None]
    figures = {name: [e[name] for e in solved if e[name] is not None] for name in POSE_FIGURES}
    summary = {name: {"mean": _round(mean(v)), "median": _round(median(v))} for name, v in figures.items() if v}
    per_clip = {
        row["clip"]: {"status": row["status"]} | ({name: _round(row["errors"][name]) for name in POSE_FIGURES} if row["errors"] else {})
        for row in rows
    }
    return {"clips": len(rows), "solved": len(solved), "summary": summary, "per_clip": per_clip}


def _round(value: float | int | None) -> float | int | None:
    return round(value, DIGITS) if isinstance(value, float) else value


def main() -> None:
    """Read the command line."""
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    source = Path(sys.argv[1]) / "results.json"
    try:
        results = json.loads(source.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise SystemExit(f"{source}: {error}; run `sfmcam bench` into {sys.argv[1]} first") from error
    target = RESULTS / f"{sys.argv[2]}.json"
    target.write_text(json.dumps(condense(results), indent=1) + "\n")
    print(f"{target.name}: {', '.join(results['dataset'] and [m['slug'] for m in results['methods']])}")


if __name__ == "__main__":
    main()
