"""The estimator `vo`: visual odometry that knows zooms, and says when it cannot tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from sfmcam.config import RunConfig
from sfmcam.estimators.vo.belief import shipped_belief
from sfmcam.estimators.vo.options import VoOptions
from sfmcam.estimators.vo.shot import SolvedShot, fit_windows, solve_shot
from sfmcam.estimators.vo.tracking import TrackingOptions, track_points
from sfmcam.estimators.vo.verdict import trajectory_of, translation_sigma, verdict
from sfmcam.estimators.vo.windows import WindowPath
from sfmcam.types import Estimate, Evidence, Frames, Hypothesis, PointCloud, PointTracks, Status

MIN_TRACKS = 6  # in the median frame
SPARSE = 24.0  # points in the median frame, below which fainter ones are followed too
FAINT = TrackingOptions(max_sigma_px=1.0, min_likeness=0.85)


class Vo:
    """Visual odometry for short clips: corners are followed, and one small bundle adjustment is solved per motion model."""

    name = "vo"
    Options = VoOptions

    def __init__(self, options: VoOptions, run: RunConfig) -> None:
        self.options, self.run = options, run

    def estimate(self, frames: Frames, *, workspace: Path) -> Estimate:
        """See `estimators.base.Estimator`."""
        if len(frames) < 2:
            return Estimate(Status.TOO_FEW_FRAMES, message=f"{len(frames)} frame")
        cv2.setNumThreads(self.run.threads)
        tracks = follow_points(frames)
        alive = _median_alive(tracks, len(frames))
        if alive < MIN_TRACKS:
            return Estimate(Status.TOO_FEW_FEATURES, message=f"{alive:.0f} points in the median frame", tracks=tracks)
        fitted = fit_windows(tracks, frames.timestamps_s, self.options, threads=self.run.threads)
        if fitted is None:
            return Estimate(
                Status.TOO_FEW_MATCHES, message="a part of the shot has hardly any point that two keyframes share", tracks=tracks
            )
        solved = solve_shot(fitted, tracks, frames.timestamps_s, options=self.options, belief=shipped_belief())
        if solved.filled.valid.sum() < 2:
            return Estimate(Status.TOO_FEW_MATCHES, message="the frames share too few points", tracks=tracks)
        return _estimate(solved, frames, tracks)


def follow_points(frames: Frames) -> PointTracks:
    """Return the tracks of a shot, fainter points among them where there are hardly any others."""
    tracks = track_points(frames, TrackingOptions())
    if _median_alive(tracks, len(frames)) >= SPARSE:
        return tracks
    return max((tracks, track_points(frames, FAINT)), key=lambda t: _median_alive(t, len(frames)))


def _median_alive(tracks: PointTracks, num_frames: int) -> float:
    return float(np.median(np.bincount(tracks.frame, minlength=num_frames)))


def _estimate(solved: SolvedShot, frames: Frames, tracks: PointTracks) -> Estimate:
    evidence = _evidence(solved, solved.keyframes)
    status, message = verdict(solved.points, solved.keyframes, likely=solved.points, size_px=frames.size_px)
    return Estimate(
        status,
        trajectory_of(solved.filled, frames, evidence),
        message,
        points=_points(solved, frames, tracks),
        tracks=replace(tracks, static_probability=solved.filled.static_probability),
        hedged=trajectory_of(solved.hedged, frames, evidence),
        hypotheses=tuple(Hypothesis(h.weight, trajectory_of(h.filled, frames, _evidence(solved, h.keyframes))) for h in solved.hypotheses),
        diagnostics=_diagnostics(solved),
    )


def _diagnostics(solved: SolvedShot) -> dict[str, float | int | str]:
    told: dict[str, float | int | str] = {f"belief_{f.name.lower()}": round(b, 4) for f, b in solved.belief.items()}
    return told | {
        "keyframes": len(solved.keyframes.frames),
        "points": len(solved.points.track),
        "noise_px": round(solved.noise_px, 4),
    }


def _evidence(solved: SolvedShot, path: WindowPath) -> Evidence:
    sigma = path.sigma[-1]
    residual = float(np.nanmedian(solved.filled.residual)) if np.isfinite(solved.filled.residual).any() else float("nan")
    return Evidence(
        rotation_sigma_rad=float(sigma[:3].max()),
        translation_sigma=float(translation_sigma(path).max()),
        log_focal_sigma=float(sigma[6]),
        reprojection_error_px=residual,
    )


def _points(solved: SolvedShot, frames: Frames, tracks: PointTracks) -> PointCloud:
    """Return the static points at a finite depth, coloured from the frame in which each was first seen."""
    path = solved.points
    keep = (path.rho > 0.05) & (path.static > 0.5)
    xyz = path.direction[keep] / path.rho[keep, None]
    first = np.full(len(tracks), -1)
    first[tracks.track[::-1]] = np.arange(len(tracks.track))[::-1]
    rows = first[path.track[keep]]
    return PointCloud(np.asarray(xyz, float), frames.colors_at(tracks.frame[rows], tracks.xy_px[rows]))
