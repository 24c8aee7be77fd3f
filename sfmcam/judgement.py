"""From an estimate to what is said about its shot: measurement, scores, sentence, and the files that hold them."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sfmcam import __version__
from sfmcam.io.artifacts import write_artifacts
from sfmcam.io.json_file import finite, write_json
from sfmcam.motion.camerabench import camerabench_scores
from sfmcam.motion.describe import describe
from sfmcam.motion.measure import measure
from sfmcam.motion.score import score_primitives
from sfmcam.results import ClipResult, ShotResult
from sfmcam.types import CameraTrajectory, Estimate, Status
from sfmcam.workspace import ClipFolder, ShotFolder

if TYPE_CHECKING:  # a file of another tool is judged without the video libraries
    from sfmcam.video.source import Shot

MIN_POSES = 2  # a motion needs two


def judge_shot(shot: Shot, estimate: Estimate) -> ShotResult:
    """Measure and score one estimate of a shot."""
    result = judge_estimate(estimate, start_s=shot.start_s, end_s=shot.end_s, num_frames=len(shot.frames))
    frames = shot.frames
    size_px = result.image_size_px or frames.size_px
    return replace(result, index=shot.index, image_size_px=size_px, source_size_px=frames.source_size_px)


def judge_estimate(estimate: Estimate, *, start_s: float, end_s: float, num_frames: int) -> ShotResult:
    """Measure and score one estimate, of a shot or of a file of another tool."""
    result = ShotResult(0, start_s, end_s, estimate.status, estimate.message, num_frames=num_frames, diagnostics=estimate.diagnostics)
    if estimate.trajectory is None:
        return result
    trajectory, num_posed = estimate.trajectory, estimate.trajectory.num_valid
    if num_posed < MIN_POSES:
        message = f"only {num_posed} of {len(trajectory)} frames have a pose"
        return replace(result, status=Status.TOO_FEW_REGISTERED, message=message, num_posed=num_posed)
    measurement = measure(trajectory)
    return replace(
        result,
        num_posed=num_posed,
        focal_px=_median_focal_px(trajectory),
        image_size_px=trajectory.image_size_px,
        scores={"depth": score_primitives(measurement), "camerabench": camerabench_scores(trajectory)},
        sentence=describe(measurement),
        motion=measurement.to_json(),
        evidence=finite(asdict(trajectory.evidence)),
    )


def write_shot(folder: ShotFolder, result: ShotResult, *, trajectory: CameraTrajectory | None, problems: tuple[str, ...]) -> None:
    """Write the artefacts of one shot; a failed one has `motion.json` with its status alone."""
    motion = motion_document(result, problems=problems)
    if trajectory is None or not result.status.is_success:
        write_json(folder.motion, motion)
    else:
        write_artifacts(folder.root, trajectory=trajectory, motion=motion, scores={"sfmcam_version": __version__, **result.scores})


def motion_document(result: ShotResult, *, problems: tuple[str, ...]) -> dict[str, Any]:
    """Return what `motion.json` holds (docs/outputs.md)."""
    return {
        "sfmcam_version": __version__,
        "status": result.status.value,
        "message": result.message,
        "sentence": result.sentence,
        "start_s": result.start_s,
        "end_s": result.end_s,
        "num_frames": result.num_frames,
        "num_posed": result.num_posed,
        "focal_px": result.focal_px,
        "image_size_px": result.image_size_px,
        "source_size_px": result.source_size_px,
        "evidence": result.evidence,
        "diagnostics": result.diagnostics,
        "problems": problems,
        "motion": result.motion,
    }


def write_failures(clip: ClipFolder, result: ClipResult) -> None:
    """Write `motion.json` for a clip that failed as a whole, and for the shots that its child did not get to."""
    if result.failure is not None:
        lost = ShotResult(0, 0.0, 0.0, result.failure, result.failure_message)
        write_shot(clip.shot(0, num_shots=1), lost, trajectory=None, problems=result.problems)
    for shot in result.shots:
        folder = clip.shot(shot.index, num_shots=len(result.shots))
        if not shot.status.is_success:
            write_shot(folder, shot, trajectory=None, problems=result.problems)


def _median_focal_px(trajectory: CameraTrajectory) -> float | None:
    focal_px = trajectory.focal_px[trajectory.valid]
    known = focal_px[np.isfinite(focal_px)]
    return float(np.median(known)) if len(known) else None
