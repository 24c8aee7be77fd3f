"""The estimator `vo`: visual odometry that knows zooms, and says when it cannot tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from sfmcam.config import RunConfig
from sfmcam.estimators.vo.belief import shipped_belief
from sfmcam.estimators.vo.fill import FilledPath
from sfmcam.estimators.vo.options import VoOptions
from sfmcam.estimators.vo.shot import SolvedShot, fit_windows, solve_shot
from sfmcam.estimators.vo.tracking import TrackingOptions, track_points
from sfmcam.estimators.vo.windows import WindowPath
from sfmcam.geometry.rigid import camera_centers, inverse, transform_points
from sfmcam.types import CameraTrajectory, Estimate, Evidence, Float, Frames, Hypothesis, PointCloud, PointTracks, Status

STILL_PX = 0.35  # picture motion at the corners, at 384 px, below which a camera is called still
LONG_SIDE_PX = 384.0
BOUND_SIGMAS = 1.96  # of the stated 95 % bound
SIGMA_FACTOR = 1.9  # on the spread of the models, which all share what bends the tracks
MIN_TRANSLATION_SIGMA = 0.004  # scene depths: about a quarter of a pixel
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
    status, message = _verdict(solved, frames.size_px)
    return Estimate(
        status,
        _trajectory(solved.filled, frames, evidence),
        message,
        points=_points(solved, frames, tracks),
        tracks=replace(tracks, static_probability=solved.filled.static_probability),
        hedged=_trajectory(solved.hedged, frames, evidence),
        hypotheses=tuple(Hypothesis(h.weight, _trajectory(h.filled, frames, _evidence(solved, h.keyframes))) for h in solved.hypotheses),
        diagnostics=_diagnostics(solved),
    )


def _trajectory(filled: FilledPath, frames: Frames, evidence: Evidence) -> CameraTrajectory:
    return CameraTrajectory(
        timestamps_s=frames.timestamps_s,
        cam_from_world=np.where(filled.valid[:, None, None], filled.cam_from_world, np.nan),
        focal_px=np.where(filled.valid, np.exp(filled.log_focal) * max(frames.size_px), np.nan),
        valid=filled.valid,
        median_depth=np.where(filled.valid & (filled.median_depth > 0), filled.median_depth, np.nan),
        image_size_px=frames.size_px,
        evidence=evidence,
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


def translation_sigma(path: WindowPath) -> Float:
    """Return (K,) one-sigma error of the keyframes' positions on a path, in scene depths.

    How much the models disagree and the noise of each, widened by what clips that do not travel ask for
    (`benchmarks/never_invents.py`).
    """
    return np.asarray(np.hypot(SIGMA_FACTOR * path.sigma[:, 3:6].max(axis=1), MIN_TRANSLATION_SIGMA), np.float64)


def _verdict(solved: SolvedShot, size_px: tuple[int, int]) -> tuple[Status, str]:
    offset = camera_centers(solved.points.cam_from_world) - camera_centers(solved.points.cam_from_world[:1])
    moved, bound = np.linalg.norm(offset, axis=1), BOUND_SIGMAS * translation_sigma(solved.keyframes)
    worst = int(np.argmax(moved - bound)) if (moved > bound).any() else int(np.argmax(bound))
    told = f"translation {moved[worst]:.3f} scene depths, 95 % bound of its error {bound[worst]:.3f}"
    if moved[worst] > bound[worst]:
        return Status.OK, told
    motion_px = corner_motion_px(solved.points, size_px) * LONG_SIDE_PX / max(size_px)
    if motion_px < STILL_PX:
        return Status.STILL, f"the picture moves by {motion_px:.2f} px at most; {told}"
    return Status.ROTATION_ONLY, told


def corner_motion_px(path: WindowPath, size_px: tuple[int, int]) -> float:
    """Return how far the camera moves the corners of its first picture at most, seen on a wall at one scene depth, in pixels."""
    half = np.array(size_px) / max(size_px) / 2
    corners = np.array([[sx * half[0], sy * half[1]] for sx in (-1, 1) for sy in (-1, 1)])
    focal, poses = np.exp(path.log_focal), path.cam_from_world @ inverse(path.cam_from_world[0])
    wall = np.column_stack([corners / focal[0], np.ones(4)])
    seen = transform_points(poses, wall)
    xy = focal[:, None, None] * seen[..., :2] / np.maximum(seen[..., 2:], 1e-3)
    return float(np.linalg.norm(xy - corners, axis=-1).max()) * max(size_px)


def _points(solved: SolvedShot, frames: Frames, tracks: PointTracks) -> PointCloud:
    """Return the static points at a finite depth, coloured from the frame in which each was first seen."""
    path = solved.points
    keep = (path.rho > 0.05) & (path.static > 0.5)
    xyz = path.direction[keep] / path.rho[keep, None]
    first = np.full(len(tracks), -1)
    first[tracks.track[::-1]] = np.arange(len(tracks.track))[::-1]
    rows = first[path.track[keep]]
    column, row = np.clip(tracks.xy_px[rows].astype(int), 0, np.array(frames.size_px) - 1).T
    picked = frames.images[tracks.frame[rows], row, column]
    colors = picked if picked.ndim == 2 else np.repeat(picked[:, None], 3, axis=1)
    return PointCloud(np.asarray(xyz, float), np.asarray(colors, np.uint8))
