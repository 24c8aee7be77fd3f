"""What a run over a labelled set leaves behind to be read: results.json with every figure, results.md with the tables."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sfmcam import __version__
from sfmcam.batch.store import configuration, configuration_hash
from sfmcam.errors import MissingDependencyError, TrajectoryFileError
from sfmcam.evaluation.bench_poses import LEGEND as POSES_LEGEND
from sfmcam.evaluation.bench_poses import PoseRow, pose_json, pose_rows, pose_summary_table, pose_table
from sfmcam.evaluation.bench_tables import cost, cost_table, status_table
from sfmcam.evaluation.benchmark import BenchPlan, Results
from sfmcam.evaluation.leaderboard import Leaderboard, leaderboard
from sfmcam.evaluation.leaderboard_text import TextTable
from sfmcam.io.json_file import write_json
from sfmcam.io.score_reader import read_score_dir
from sfmcam.io.text_file import write_text
from sfmcam.jobs import Method
from sfmcam.results import SCORINGS, ClipResult

# those that can change a figure; of those that come under several names, whichever is there
PACKAGES = (
    ("numpy",),
    ("scipy",),
    ("opencv-python-headless", "opencv-python"),
    ("av",),
    ("pycolmap",),
    ("scikit-learn",),
    ("numba",),
)
RESAMPLES = 1000


@dataclass(frozen=True)
class BenchReport:
    """Everything that is told about a run.

    Attributes:
        plan: what was run.
        command: the command line that asked for it.
        scoring: the one whose leaderboard is shown.
        results: every clip under every method.
        boards: per scoring of `SCORINGS`, the leaderboard.
        poses: pose errors on the clips whose path is known; empty where the set has none.
        poses_note: why there are none although the set has known paths; else empty.
    """

    plan: BenchPlan
    command: str
    scoring: str
    results: Results
    boards: dict[str, Leaderboard]
    poses: tuple[PoseRow, ...] = ()
    poses_note: str = ""

    @property
    def board(self) -> Leaderboard:
        """The leaderboard under the scoring that was asked for."""
        return self.boards[self.scoring]

    @property
    def tables(self) -> tuple[TextTable, ...]:
        """The tables beside the leaderboard."""
        poses = (pose_table(self.poses), pose_summary_table(self.poses)) if self.poses else ()
        return (status_table(self.results), cost_table(self.results), *poses)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that belong under those tables."""
        return tuple(filter(None, (POSES_LEGEND if self.poses else "", self.poses_note)))


def make_report(plan: BenchPlan, results: Results, *, scoring: str, command: str) -> BenchReport:
    """Rate the score files that `run_benchmark` wrote; both scorings, so that they can be compared without another run."""
    boards = {}
    for name in SCORINGS:
        methods = [method for m in plan.methods for method in read_score_dir(plan.folder.scores(m.slug, name))]
        boards[name] = leaderboard(methods, plan.labelled_set, resamples=RESAMPLES)
    poses, note = _poses(plan, results)
    return BenchReport(plan, command, scoring, results, boards, poses, note)


def _poses(plan: BenchPlan, results: Results) -> tuple[tuple[PoseRow, ...], str]:
    """Return the pose errors, or why there are none: a missing optional package or a broken reference costs no more than this table."""
    try:
        return pose_rows(plan, results), ""
    except (MissingDependencyError, TrajectoryFileError) as error:
        return (), f"No pose errors: {error}"


def write_report(report: BenchReport) -> None:
    """Write results.json and results.md into the run's folder.

    Raises:
        InputError: they cannot be written.
    """
    write_json(report.plan.folder.results_json, to_json(report))
    write_text(report.plan.folder.results_md, to_markdown(report))


def to_json(report: BenchReport) -> dict[str, Any]:
    """Return what `results.json` holds (docs/outputs.md)."""
    labelled_set = report.plan.labelled_set
    return {
        "sfmcam_version": __version__,
        "command": report.command,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **package_versions()},
        "machine": {"system": platform.platform(), "jobs": report.plan.workers},
        "dataset": {
            "name": labelled_set.name,
            "clips": len(labelled_set.clips),
            "labels": labelled_set.num_rows,
            "missing_videos": labelled_set.missing_videos,
        },
        "methods": [_method_json(method, report.results[method.slug]) for method in report.plan.methods],
        "scoring": report.scoring,
        "leaderboards": {name: board.to_json() for name, board in report.boards.items()},
        "pose_errors": pose_json(report.poses),
    }


def to_markdown(report: BenchReport) -> str:
    """Return the tables as GitHub Markdown."""
    head = f"# {report.plan.labelled_set.name}: {', '.join(report.results)}\n\n"
    made = f"Made by sfmcam {__version__} with `{report.command}`; scoring `{report.scoring}`. Every figure is in results.json.\n"
    return "\n".join([head + made, report.board.to_markdown(), *(table.markdown() for table in report.tables), *report.notes])


def _method_json(method: Method, results: dict[str, ClipResult]) -> dict[str, Any]:
    return {
        "slug": method.slug,
        "configuration": configuration(method),
        "configuration_hash": configuration_hash(method),
        "run": method.run.model_dump(mode="json"),
        "cost": cost(results.values()),
        "clips": {clip_id: _clip_json(result) for clip_id, result in results.items()},
    }


def _clip_json(result: ClipResult) -> dict[str, Any]:
    shot = result.main_shot
    return {
        "status": result.status.value,
        "message": result.message,
        "sentence": shot.sentence if shot else "",
        "shots": len(result.shots),
        "frames": result.num_frames,
        "posed": sum(s.num_posed for s in result.shots),
        "seconds": result.seconds.total,
        "peak_mb": result.peak_mb,
        "problems": result.problems,
        "scores": {scoring: result.scores(scoring) for scoring in SCORINGS},
    }


def package_versions() -> dict[str, str | None]:
    """Return the versions of `PACKAGES`, each under the name that it is installed by; None where it is not installed by any."""
    versions = {}
    for names in PACKAGES:
        installed = next((name for name in names if _version(name) is not None), names[0])
        versions[installed] = _version(installed)
    return versions


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
