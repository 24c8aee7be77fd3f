"""Condense a run of `sfmcam bench` into a small file that is kept: benchmarks/results/NAME.json.

    python benchmarks/record.py RUN_DIR NAME [--labels SET] [--results FOLDER]

RUN_DIR/results.json holds every figure of every clip; the file kept here holds what tables are made of, with command and versions. Where
the set's manifest says of what kind its clips are (real, generated), each kind is rated apart; where the run holds `vo` beside
`colmap:default` or `glomap:default`, the ratios of their times are kept too.
"""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatch
from statistics import mean, median
from typing import Any

from figure_tables import accuracy, kinds, poses, speed
from kept import hide_folders, keep, print_rows, rounded, run_parser
from ratings import kinds_of, rate_groups
from run_folder import Run, open_run
from speed import AGAINST, OF, speed_ratios

from sfmcam.errors import SfmcamError

POSE_FIGURES = ("rotation_mean_deg", "direction_mean_deg", "ate_rmse", "ate_relative", "rpe_rotation_rmse_deg", "focal_percent", "answered")
POSE_PARTS = {"RealEstate10K": "re10k_*"}  # summed up apart where the set has such clips
MOST_POSES_LISTED = 50  # clips; of a larger set only the summary is kept


def condense(results: dict[str, Any]) -> dict[str, Any]:
    """Return the figures to keep of one results.json."""
    kept = {key: results[key] for key in ("sfmcam_version", "finished", "versions", "machine", "dataset")}
    kept["command"] = hide_folders(results["command"])
    pool = results["leaderboards"]["depth"]["pool"]
    kept["positives"] = {task: counts["positives"] for task, counts in pool["tasks"].items()}
    kept["methods"] = {method["slug"]: _method(method, results) for method in results["methods"]}
    return kept


def record(run: Run) -> dict[str, Any]:
    """Return the figures to keep of a run: those of its results.json, its kinds of clips apart, and the ratios of times."""
    kept = condense(run.results)
    if groups := kinds_of(run):
        kept["kinds"] = {scoring: rate_groups(run, groups, scoring=scoring) for scoring in run.scorings}
    if OF in run.slugs and any(slug in run.slugs for slug in AGAINST):
        kept["speed"] = speed_ratios(run)
    return rounded(kept)


def _method(method: dict[str, Any], results: dict[str, Any]) -> dict[str, Any]:
    slug = method["slug"]
    rated = {scoring: _rated(board, slug) for scoring, board in results["leaderboards"].items()}
    statuses = Counter(clip["status"] for clip in method["clips"].values())
    return {
        "scoring": rated,
        "statuses": dict(statuses.most_common()),
        "cost": method["cost"],
        "poses": _poses([row for row in results["pose_errors"] if row["method"] == slug]),
    }


def _rated(board: dict[str, Any], slug: str) -> dict[str, Any]:
    method = next(m for m in board["methods"] if m["name"].split(" ")[0] == slug)  # "glomap camerabench-scoring"
    mean_all = method["mean_all"]
    return {
        "mean_ap_all": mean_all["ap"],
        "interval": mean_all["interval"],
        "mean_ap_answered": method["mean_answered"]["ap"],
        "coverage": method["coverage"],
        "ap_all": {task: result["all"]["ap"] for task, result in method["tasks"].items()},
    }


def _poses(rows: list[dict[str, Any]]) -> dict[str, Any]:
    parts = {name: [row for row in rows if fnmatch(row["clip"], pattern)] for name, pattern in POSE_PARTS.items()}
    kept = _pose_summary(rows) | {"parts": {name: _pose_summary(part) for name, part in parts.items() if part}}
    if len(rows) <= MOST_POSES_LISTED:
        kept["per_clip"] = {row["clip"]: {"status": row["status"]} | _pose_figures(row) for row in rows}
    return kept


def _pose_figures(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row["errors"][name] for name in POSE_FIGURES} if row["errors"] else {}


def _pose_summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    solved = [row["errors"] for row in rows if row["errors"] is not None]
    figures = {name: [e[name] for e in solved if e[name] is not None] for name in POSE_FIGURES}
    summary = {name: {"mean": mean(v), "median": median(v)} for name, v in figures.items() if v}
    return {"clips": len(rows), "solved": len(solved), "summary": summary}


def main() -> None:
    """Read the command line."""
    given = run_parser(__doc__).parse_args()
    try:
        kept = record(open_run(given.run, given.labels))
    except SfmcamError as error:
        raise SystemExit(f"Error: {error}") from error
    has_poses = any(method["poses"]["clips"] for method in kept["methods"].values())
    for table, is_there in ((accuracy, True), (poses, has_poses), (kinds, "kinds" in kept), (speed, "speed" in kept)):
        if not is_there:
            continue
        print_rows(table(kept))
        print()
    print(f"Written: {keep(kept, given.name, folder=given.results)}")


if __name__ == "__main__":
    main()
