"""From an estimate to what is said about its shot: measurement, scores, sentence, and the files that hold them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sfmcam import __version__
from sfmcam.errors import InputError
from sfmcam.io.artifacts import write_artifacts
from sfmcam.io.feature_document import features_document
from sfmcam.io.json_file import finite, write_json
from sfmcam.io.probability_file import shipped_probabilities
from sfmcam.motion.camerabench import camerabench_scores
from sfmcam.motion.describe import describe
from sfmcam.motion.features import WeighedFeatures, weighed_features
from sfmcam.motion.measure import measure
from sfmcam.motion.probability import ProbabilityModel, probabilities
from sfmcam.motion.score import score_primitives
from sfmcam.motion.steadiness import SteadinessMeasurement, measure_steadiness
from sfmcam.motion.track_count import TrackCount, count_tracks
from sfmcam.results import Checkpoint, ClipResult, ShotResult, failed_clip
from sfmcam.types import CameraTrajectory, Estimate, Frames, PointTracks, Status, UInt8
from sfmcam.workspace import ClipFolder, ShotFolder

if TYPE_CHECKING:  # a file of another tool is judged without the video libraries
    from sfmcam.jobs import ClipJob
    from sfmcam.video.source import Shot

MIN_FRAMES = 2  # no estimator is asked about fewer
# of a picture's contrast: measured 0 to 1.7 % where MPEG-4, H.264, H.265 and VP9 got one picture twice, and 44 % where it moved by 2 px
SAME_PICTURE_SHARE = 0.02
MIN_POSES = 2  # a motion needs two


def refuse(frames: Frames) -> Estimate | None:
    """Return the failure of a shot that no estimator is asked about: a single frame, or one picture twice; else None.

    One picture twice is a photograph, or a frame that the container repeats: it shows no motion, but no stillness either.
    """
    if len(frames) < MIN_FRAMES:
        return Estimate(Status.TOO_FEW_FRAMES, message=f"{len(frames)} frame")
    if len(frames) == MIN_FRAMES and _is_same_picture(frames.images[0], frames.images[1]):
        return Estimate(Status.TOO_FEW_FRAMES, message="the two frames are the same picture")
    return None


def _is_same_picture(first: UInt8, second: UInt8) -> bool:
    """Whether two pictures, each (H, W, 3), differ by no more than what coding does to one that is given to the coder twice."""
    a, b = first.astype(np.float32), second.astype(np.float32)
    return float(np.abs(b - a).mean()) <= SAME_PICTURE_SHARE * float(a.std())


def judge_shot(shot: Shot, estimate: Estimate, *, estimator: str) -> ShotResult:
    """Measure and score one estimate of a shot by the estimator of the slug `estimator`."""
    result = judge_estimate(estimate, start_s=shot.start_s, end_s=shot.end_s, num_frames=len(shot.frames), estimator=estimator)
    frames = shot.frames
    size_px = result.image_size_px or frames.size_px
    return replace(result, index=shot.index, image_size_px=size_px, source_size_px=frames.source_size_px)


def judge_estimate(estimate: Estimate, *, start_s: float, end_s: float, num_frames: int, estimator: str = "") -> ShotResult:
    """Measure and score one estimate, of a shot or of a file of another tool; its probabilities are those fitted to `estimator`, a slug."""
    result = ShotResult(
        0,
        start_s,
        end_s,
        estimate.status,
        estimate.message,
        num_frames=num_frames,
        diagnostics=estimate.diagnostics,
        tracks=_count(estimate.tracks),
    )
    if estimate.trajectory is None:
        return result
    trajectory, num_posed = estimate.trajectory, estimate.trajectory.num_valid
    if num_posed < MIN_POSES:
        message = f"only {num_posed} of {len(trajectory)} frames have a pose"
        return replace(result, status=Status.TOO_FEW_REGISTERED, message=message, num_posed=num_posed)
    measurement = measure(estimate.measured or trajectory)
    steadiness = measure_steadiness(measurement)
    scores, features = _scored(estimate, steadiness, model=shipped_probabilities().model_of(estimator))
    return replace(
        result,
        num_posed=num_posed,
        focal_px=_median_focal_px(trajectory),
        image_size_px=trajectory.image_size_px,
        scores=scores,
        features=features_document(features),
        sentence=describe(measurement, steadiness),
        motion=measurement.to_json() | {"steadiness": steadiness.to_json()},
        evidence=finite(asdict(trajectory.evidence)),
    )


def _scored(
    estimate: Estimate, steadiness: SteadinessMeasurement, *, model: ProbabilityModel
) -> tuple[dict[str, dict[str, float]], WeighedFeatures]:
    """Return the scores under every scoring, each the mean over the hypotheses, and the features behind the probabilities."""
    hypotheses, alone = estimate.weighed, not estimate.hypotheses
    weights, measurements = [h.weight for h in hypotheses], [measure(h.trajectory) for h in hypotheses]
    features = weighed_features(measurements, weights, steadiness, alone=alone)
    scores = {
        "depth": _mean(weights, [score_primitives(m) for m in measurements]),
        "probability": probabilities(features, model, zoom_known=any(m.zoom_known for m in measurements)),
        "camerabench": _mean(weights, [camerabench_scores(h.trajectory) for h in hypotheses]),
    }
    return scores, features


def _mean(weights: Sequence[float], scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(sum(w * s[name] for w, s in zip(weights, scores, strict=True))) for name in scores[0]}


def _count(tracks: PointTracks | None) -> TrackCount | None:
    return count_tracks(tracks.static_probability) if tracks is not None and len(tracks) else None


def write_shot(folder: ShotFolder, result: ShotResult, *, trajectory: CameraTrajectory | None, problems: tuple[str, ...]) -> None:
    """Write the artefacts of one shot; a failed one has `motion.json` with its status alone."""
    motion = motion_document(result, problems=problems)
    if trajectory is None or not result.status.is_success:
        write_json(folder.motion, motion)
    else:
        scores = {"sfmcam_version": __version__, **result.scores, "features": result.features}
        write_artifacts(folder.root, trajectory=trajectory, motion=motion, scores=scores)


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
        "tracks": None if result.tracks is None else asdict(result.tracks),
        "problems": problems,
        "probabilities": result.scores.get("probability", {}),
        "motion": result.motion,
    }


def close_clip(job: ClipJob, *, status: Status, message: str) -> ClipResult:
    """Return what is known of a clip whose run ended early: the shots in its checkpoint, and `status` for the others; write their files."""
    try:
        checkpoint = Checkpoint.from_json(json.loads(job.checkpoint.read_text(encoding="utf-8")))
        result = checkpoint.closed(status=status, message=message)
    except (OSError, ValueError):  # it ended before its first shot was done
        result = failed_clip(job.clip_id, str(job.source), status=status, message=message)
    try:
        write_failures(ClipFolder(job.folder), result)
    except InputError as error:  # what is known is kept all the same
        return replace(result, problems=(*result.problems, f"Not every motion.json was written: {error}"))
    return result


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
