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
from typing import Any, TypeVar

from sfmcam.errors import SfmcamError, VideoError
from sfmcam.estimators.base import Estimator
from sfmcam.estimators.registry import make_estimator
from sfmcam.io.depth_file import write_depth
from sfmcam.io.point_file import write_points
from sfmcam.io.text_file import write_text
from sfmcam.io.track_file import write_tracks
from sfmcam.jobs import ClipJob
from sfmcam.judgement import close_clip, judge_shot, refuse, write_shot
from sfmcam.motion.measure import measure
from sfmcam.results import Checkpoint, ClipResult, Seconds, ShotResult
from sfmcam.types import Estimate, Status
from sfmcam.video.source import Shot, load_shots
from sfmcam.viz.moments import Moments, keep_moments
from sfmcam.workspace import ClipFolder, ShotFolder

logger = logging.getLogger(__name__)

KIB_PER_MIB = 1024

T = TypeVar("T")


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
    """A finished shot with what its pictures need; `moments` where there are tracks to show."""

    result: ShotResult
    estimate: Estimate
    folder: ShotFolder
    moments: Moments | None = None


@dataclass(frozen=True)
class _Failure:
    """Why a piece of work was not done."""

    status: Status
    message: str


def process_clip(job: ClipJob) -> ClipResult:
    """Run one job and write its artefacts; every failure comes back as a status or a problem of the result, none as an exception."""
    clock = _Clock()
    done = _attempt(f"{job.method.slug} on {job.clip_id}", lambda: _process(job, clock))
    if not isinstance(done, _Failure):
        return done
    result = close_clip(job, status=done.status, message=done.message)
    return replace(result, seconds=clock.read(), peak_mb=peak_mb())


def _attempt(what: str, work: Callable[[], T]) -> T | _Failure:
    """Do `work`, or say why it failed; what is no fault of the input goes to the clip's log with its traceback."""
    try:
        return work()
    except VideoError as error:
        return _Failure(Status.UNREADABLE_VIDEO, str(error))
    except SfmcamError as error:
        return _Failure(Status.INTERNAL_ERROR, str(error))
    except MemoryError as error:
        logger.exception("%s ran out of memory", what)
        return _Failure(Status.OUT_OF_MEMORY, str(error) or "an allocation failed")
    # the one boundary at which a bug in a shot, a picture or a clip must not cost the others
    except Exception as error:
        logger.exception("%s failed", what)
        return _Failure(Status.INTERNAL_ERROR, f"{type(error).__name__}: {error}")


def _process(job: ClipJob, clock: _Clock) -> ClipResult:
    shots: list[Shot] = clock.time("decode", lambda: load_shots(job.source, job.method.frames))
    estimator = make_estimator(job.method.entry, job.method.options, job.method.run)
    problems = shots[0].frames.problems
    solved: list[_Solved] = []
    for shot in shots:
        folder = ClipFolder(job.folder).shot(shot.index, num_shots=len(shots))
        solved.append(_solve(job, estimator, shot, folder=folder, clock=clock))
        result = _result(job, solved, digest=shot.frames.digest, problems=problems, clock=clock)
        pending = tuple((s.index, s.start_s, s.end_s) for s in shots[len(solved) :])
        write_text(job.checkpoint, json.dumps(Checkpoint(result, pending).to_json()))
    if job.draw:
        drawn = clock.time("draw", lambda: _attempt(f"drawing {job.clip_id}", lambda: _draw(solved, title=job.clip_id)))
        if isinstance(drawn, _Failure):
            problems = (*problems, f"Not every picture was drawn: {drawn.message}")
    return _result(job, solved, digest=shots[0].frames.digest, problems=problems, clock=clock)


def _result(job: ClipJob, solved: list[_Solved], *, digest: str, problems: tuple[str, ...], clock: _Clock) -> ClipResult:
    return ClipResult(
        job.clip_id,
        str(job.source),
        digest,
        shots=tuple(replace(s.result, files=s.folder.files(relative_to=job.folder)) for s in solved),
        problems=problems,
        seconds=clock.read(),
        peak_mb=peak_mb(),
    )


def _solve(job: ClipJob, estimator: Estimator, shot: Shot, *, folder: ShotFolder, clock: _Clock) -> _Solved:
    """Estimate, judge and write one shot; one that fails in any way leaves the others as they are."""
    what = f"{job.method.slug} on shot {shot.index + 1} of {job.clip_id}"
    done = _attempt(what, lambda: _solve_or_raise(job, estimator, shot, folder=folder, clock=clock))
    if not isinstance(done, _Failure):
        return done
    failed = Estimate(done.status, message=done.message)
    result = judge_shot(shot, failed, estimator=job.method.slug)
    write_shot(folder, result, trajectory=None, problems=shot.frames.problems)
    return _Solved(result, failed, folder)


def _solve_or_raise(job: ClipJob, estimator: Estimator, shot: Shot, *, folder: ShotFolder, clock: _Clock) -> _Solved:
    workspace = job.scratch / f"shot_{shot.index + 1:02d}"
    workspace.mkdir()
    estimate: Estimate = clock.time("estimate", lambda: refuse(shot.frames) or estimator.estimate(shot.frames, workspace=workspace))
    result = clock.time("score", lambda: judge_shot(shot, estimate, estimator=job.method.slug))
    write_shot(folder, result, trajectory=estimate.trajectory, problems=shot.frames.problems)
    moments = keep_moments(shot.frames) if job.draw and result.tracks is not None else None
    return _Solved(result, estimate, folder, moments)


def peak_mb() -> float:
    """Return the largest resident memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_MIB


def _draw(solved: list[_Solved], *, title: str) -> None:
    """Draw the pictures of every solved shot and write its points; matplotlib and Open3D are loaded only here."""
    from sfmcam.viz.motion_plot import plot_motion_png
    from sfmcam.viz.render import render_trajectory_png
    from sfmcam.viz.tracks_picture import render_tracks_png

    for shot in solved:
        trajectory, points = shot.estimate.trajectory, shot.estimate.points
        if trajectory is None or not shot.result.status.is_success:
            continue
        name = title if len(solved) == 1 else f"{title}, shot {shot.result.index + 1}"
        if points is not None:
            write_points(shot.folder.points, points)
        render_trajectory_png(shot.folder.picture, trajectory=trajectory, points=points, title=name)
        plot_motion_png(shot.folder.motion_picture, measurement=measure(shot.estimate.measured or trajectory), title=name)
        if shot.estimate.depth is not None:
            write_depth(shot.folder.depth, shot.estimate.depth)
        if shot.estimate.tracks is not None and shot.moments is not None:
            write_tracks(shot.folder.tracks, shot.estimate.tracks)
            render_tracks_png(shot.folder.tracks_picture, tracks=shot.estimate.tracks, moments=shot.moments, title=name)
