"""One video through one estimator: decode, cut into shots, estimate, measure, score, write.

`process_clip` is what a child process runs (sfmcam/batch/worker.py); called directly it does the same in this process.
"""

from __future__ import annotations

import json
import logging
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sfmcam.errors import SfmcamError, VideoError
from sfmcam.estimators.base import Estimator
from sfmcam.estimators.registry import make_estimator
from sfmcam.io.point_file import write_points
from sfmcam.jobs import ClipJob
from sfmcam.judgement import judge_shot, write_failures, write_shot
from sfmcam.motion.measure import measure
from sfmcam.results import Checkpoint, ClipResult, Seconds, ShotResult, failed_clip
from sfmcam.types import Estimate, Frames, Status
from sfmcam.video.source import Shot, load_shots
from sfmcam.workspace import ClipFolder, ShotFolder

logger = logging.getLogger(__name__)

MIN_FRAMES = 2  # no estimator is asked about fewer
KIB_PER_MIB = 1024


@dataclass
class _Clock:
    """Adds up wall time by stage."""

    started: float = field(default_factory=time.perf_counter)
    spent: dict[str, float] = field(default_factory=dict)

    def time(self, stage: str, work: Callable[[], Any]) -> Any:
        """Run `work` and book its time under `stage`."""
        begin = time.perf_counter()
        try:
            return work()
        finally:
            self.spent[stage] = self.spent.get(stage, 0.0) + time.perf_counter() - begin

    def read(self) -> Seconds:
        """Return the times so far."""
        return Seconds(**self.spent, total=time.perf_counter() - self.started)


@dataclass(frozen=True)
class _Solved:
    """A finished shot with what its pictures need."""

    result: ShotResult
    estimate: Estimate
    folder: ShotFolder


def process_clip(job: ClipJob) -> ClipResult:
    """Run one job and write its artefacts; every failure comes back as the result's status, none as an exception."""
    clock = _Clock()
    try:
        return _process(job, clock)
    except VideoError as error:
        return _failed(job, Status.UNREADABLE_VIDEO, message=str(error), clock=clock)
    except MemoryError as error:
        return _failed(job, Status.OUT_OF_MEMORY, message=str(error), clock=clock)
    except SfmcamError as error:
        return _failed(job, Status.INTERNAL_ERROR, message=str(error), clock=clock)
    # the one boundary at which a bug in one clip must not cost the others: its traceback goes to the clip's log
    except Exception as error:
        logger.exception("%s failed on %s", job.method.slug, job.clip_id)
        return _failed(job, Status.INTERNAL_ERROR, message=f"{type(error).__name__}: {error}", clock=clock)


def _process(job: ClipJob, clock: _Clock) -> ClipResult:
    shots: list[Shot] = clock.time("decode", lambda: load_shots(job.source, job.method.frames))
    estimator = make_estimator(job.method.entry, job.method.options, job.method.run)
    solved: list[_Solved] = []
    for shot in shots:
        folder = ClipFolder(job.folder).shot(shot.index, num_shots=len(shots))
        solved.append(_solve(job, estimator, shot, folder=folder, clock=clock))
        result = _result(job, solved, frames=shots[0].frames, clock=clock)
        pending = tuple((s.index, s.start_s, s.end_s) for s in shots[len(solved) :])
        job.checkpoint.write_text(json.dumps(Checkpoint(result, pending).to_json()), encoding="utf-8")
    if job.draw:
        clock.time("draw", lambda: _draw(solved, title=job.clip_id))
    return _result(job, solved, frames=shots[0].frames, clock=clock)


def _result(job: ClipJob, solved: list[_Solved], *, frames: Frames, clock: _Clock) -> ClipResult:
    return ClipResult(
        job.clip_id,
        str(job.source),
        frames.digest,
        shots=tuple(replace(s.result, files=s.folder.files(relative_to=job.folder)) for s in solved),
        problems=frames.problems,
        seconds=clock.read(),
        peak_mb=peak_mb(),
    )


def _failed(job: ClipJob, status: Status, *, message: str, clock: _Clock) -> ClipResult:
    result = failed_clip(job.clip_id, str(job.source), status=status, message=message)
    write_failures(ClipFolder(job.folder), result)
    return replace(result, seconds=clock.read(), peak_mb=peak_mb())


def _solve(job: ClipJob, estimator: Estimator, shot: Shot, *, folder: ShotFolder, clock: _Clock) -> _Solved:
    workspace = job.scratch / f"shot_{shot.index + 1:02d}"
    workspace.mkdir()
    estimate: Estimate = clock.time("estimate", lambda: _estimate(estimator, shot.frames, workspace=workspace))
    result = clock.time("score", lambda: judge_shot(shot, estimate))
    write_shot(folder, result, trajectory=estimate.trajectory, problems=shot.frames.problems)
    return _Solved(result, estimate, folder)


def _estimate(estimator: Estimator, frames: Frames, *, workspace: Path) -> Estimate:
    if len(frames) < MIN_FRAMES:
        return Estimate(Status.TOO_FEW_FRAMES, message=f"{len(frames)} frame")
    return estimator.estimate(frames, workspace=workspace)


def peak_mb() -> float:
    """Return the largest resident memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_MIB


def _draw(solved: list[_Solved], *, title: str) -> None:
    """Draw the pictures of every solved shot and write its points; matplotlib and Open3D are loaded only here."""
    from sfmcam.viz.motion_plot import plot_motion_png
    from sfmcam.viz.render import render_trajectory_png

    for shot in solved:
        trajectory, points = shot.estimate.trajectory, shot.estimate.points
        if trajectory is None or not shot.result.status.is_success:
            continue
        name = title if len(solved) == 1 else f"{title}, shot {shot.result.index + 1}"
        if points is not None:
            write_points(shot.folder.points, points)
        render_trajectory_png(shot.folder.picture, trajectory=trajectory, points=points, title=name)
        plot_motion_png(shot.folder.motion_picture, measurement=measure(trajectory), title=name)
