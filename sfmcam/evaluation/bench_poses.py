"""Pose errors of a run, on the clips of the set whose camera path is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sfmcam.datasets.labelled_set import Clip
from sfmcam.evaluation.benchmark import BenchPlan, Results
from sfmcam.evaluation.leaderboard_text import TextTable
from sfmcam.evaluation.pose_error import PoseErrors, pose_errors
from sfmcam.io.reference import read_reference
from sfmcam.io.trajectory_file import read_trajectory
from sfmcam.results import ClipResult
from sfmcam.workspace import ClipFolder

NOTHING = "-"
# column -> the figure it shows and its digits
COLUMNS: dict[str, tuple[str, int]] = {
    "rot deg": ("rotation_mean_deg", 2),
    "dir deg": ("direction_mean_deg", 1),
    "ATE": ("ate_rmse", 3),
    "ATE rel": ("ate_relative", 3),
    "RPE t": ("rpe_translation_rmse", 4),
    "RPE deg": ("rpe_rotation_rmse_deg", 2),
    "focal %": ("focal_percent", 1),
}
SUMMARISED = ("rotation_mean_deg", "direction_mean_deg", "ate_relative", "rpe_rotation_rmse_deg", "focal_percent")
LEGEND = (
    "rot: angle between estimated and true relative rotation, mean over all pairs of frames; dir: likewise for the direction of "
    "translation (90 is what chance has, and what an estimate without translation counts as); ATE: RMS distance of the centres after "
    "Sim3 alignment, in the reference's unit, and relative to the path's own extent (1: as good as standing still); RPE: from one compared "
    "frame to the next; posed: share of the frames used that have a pose. A failed clip has no errors: read them with `solved` and `posed`."
)


@dataclass(frozen=True)
class PoseRow:
    """One method on one clip: `errors` is None where the clip failed."""

    slug: str
    clip_id: str
    status: str
    errors: PoseErrors | None


def pose_rows(plan: BenchPlan, results: Results) -> tuple[PoseRow, ...]:
    """Compare the main shot of every result with the clip's known path; clips without one are left out.

    Raises:
        TrajectoryFileError: a reference is malformed.
        MissingDependencyError: evo is not installed.
    """
    known = [clip for clip in plan.labelled_set.clips if clip.poses is not None]
    return tuple(_row(plan, clip, method.slug, results[method.slug][clip.id]) for clip in known for method in plan.methods)


def _row(plan: BenchPlan, clip: Clip, slug: str, result: ClipResult) -> PoseRow:
    shot = result.main_shot
    if shot is None or not result.status.is_success:
        return PoseRow(slug, clip.id, result.status.value, None)
    folder = ClipFolder(plan.folder.clip(slug, clip.id).root).shot(shot.index, num_shots=len(result.shots))
    assert clip.poses is not None
    reference = read_reference(clip.poses, clip.intrinsics, image_size_px=shot.source_size_px)
    return PoseRow(slug, clip.id, result.status.value, pose_errors(read_trajectory(folder.trajectory, "sfmcam"), reference))


def pose_table(rows: Sequence[PoseRow]) -> TextTable:
    """One row per clip and method."""
    columns = ("Clip, method", "status", "frames", "posed", *COLUMNS)
    return TextTable(
        "Pose errors per clip", columns, tuple((f"{row.clip_id}, {row.slug}", row.status, *_cells(row.errors)) for row in rows)
    )


def pose_summary_table(rows: Sequence[PoseRow]) -> TextTable:
    """Mean and median over the solved clips: one row per method."""
    headings = {figure: column for column, (figure, _) in COLUMNS.items()}
    columns = ("Method", "solved", "posed", *(f"{headings[f]}\n{kind}" for f in SUMMARISED for kind in ("mean", "median")))
    slugs = dict.fromkeys(row.slug for row in rows)
    return TextTable("Pose errors", columns, tuple(_summary_row(slug, [row for row in rows if row.slug == slug]) for slug in slugs))


def pose_json(rows: Sequence[PoseRow]) -> list[dict[str, Any]]:
    """Return the rows as JSON values."""
    return [
        {"method": row.slug, "clip": row.clip_id, "status": row.status, "errors": asdict(row.errors) if row.errors else None}
        for row in rows
    ]


def _cells(errors: PoseErrors | None) -> tuple[str, ...]:
    if errors is None:
        return (NOTHING,) * (2 + len(COLUMNS))
    figures = (_number(getattr(errors, name), digits) for name, digits in COLUMNS.values())
    return (f"{errors.num_compared}/{errors.num_reference}", _number(errors.answered, 2), *figures)


def _summary_row(slug: str, rows: Sequence[PoseRow]) -> tuple[str, ...]:
    solved = [row.errors for row in rows if row.errors is not None]
    digits = dict(COLUMNS.values())
    cells = []
    for figure in SUMMARISED:
        values = np.array([getattr(errors, figure) for errors in solved], dtype=float)
        cells += [_number(_over_known(statistic, values), digits[figure]) for statistic in (np.mean, np.median)]
    posed = np.array([errors.answered for errors in solved] + [0.0] * (len(rows) - len(solved)))
    return (slug, f"{len(solved)}/{len(rows)}", _number(_over_known(np.mean, posed), 2), *cells)


def _over_known(statistic: Callable[..., Any], values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(statistic(known)) if len(known) else float("nan")


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else NOTHING
