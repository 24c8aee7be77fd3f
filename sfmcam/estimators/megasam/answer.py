"""From a solved shot to an Estimate: verdict, evidence, trajectories, points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sfmcam.estimators.megasam.paths import point_places
from sfmcam.estimators.megasam.resize import WorkingSize, source_from_grid
from sfmcam.estimators.megasam.shot import Solved
from sfmcam.estimators.vo.verdict import trajectory_of, translation_sigma, verdict
from sfmcam.estimators.vo.windows import WindowPath
from sfmcam.types import DenseDepth, Estimate, Evidence, Frames, Hypothesis, PointCloud, Status

NEAREST, SURE = 0.05, 0.5  # inverse depth and static probability of a point that is shown
LEAST_VALID = 0.3  # share of frames that must have a pose
MAX_POINTS = 20_000


def answer(solved: Solved, frames: Frames, size: WorkingSize, *, metres: float | None = None) -> Estimate:
    """Return what is said of a shot.

    Args:
        solved: the shot.
        frames: as they were given.
        size: at which they were tracked.
        metres: of one unit of the path, where a metric prior says; else the scale is arbitrary.
    """
    evidence = _evidence(solved, solved.mean, size)
    status, message = verdict_of(solved, frames.size_px)
    if solved.filled.valid.sum() < max(2, LEAST_VALID * len(frames)):
        return Estimate(Status.TOO_FEW_MATCHES, message=f"only {solved.filled.valid.sum()} of {len(frames)} frames could be placed")
    told: dict[str, float | int | str] = {f"belief_{f.name.lower()}": round(b, 4) for f, b in solved.belief.items()}
    return Estimate(
        status,
        trajectory_of(solved.filled, frames, evidence, metres=metres),
        message,
        points=_points(solved, frames, size),
        depth=_depth(solved, metres),
        hedged=trajectory_of(solved.hedged, frames, evidence, metres=metres),
        hypotheses=tuple(
            Hypothesis(h.weight, trajectory_of(h.filled, frames, _evidence(solved, h.keyframes, size), metres=metres))
            for h in solved.hypotheses
        ),
        diagnostics=told | {"keyframes": len(solved.points.frames), "noise_px": round(solved.noise_px, 4)},
    )


def verdict_of(solved: Solved, size_px: tuple[int, int]) -> tuple[Status, str]:
    """Say whether a translation was found beyond its bound, by the weights that chose the motion."""
    return verdict(solved.decided, solved.decided, likely=solved.points, size_px=size_px)


def _evidence(solved: Solved, path: WindowPath, size: WorkingSize) -> Evidence:
    residual = solved.filled.residual
    to_source = max(size.source_px) / max(size.resized_px)
    sigma = path.sigma[-1]
    return Evidence(
        rotation_sigma_rad=float(sigma[:3].max()),
        translation_sigma=float(translation_sigma(path).max()),
        log_focal_sigma=float(sigma[6]),
        parallax_px=solved.parallax_px * to_source,
        reprojection_error_px=float(np.nanmedian(residual)) * to_source if np.isfinite(residual).any() else float("nan"),
    )


def _depth(solved: Solved, metres: float | None) -> DenseDepth | None:
    """Return the depth in the unit of the trajectory, where the camera is said to travel."""
    if solved.depth is None or metres is None:
        return solved.depth
    return replace(solved.depth, inverse_depth=solved.depth.inverse_depth / metres, prior=solved.depth.prior / metres)


def _points(solved: Solved, frames: Frames, size: WorkingSize) -> PointCloud:
    """Return the static points at a finite depth, coloured from the keyframe that they were taken from."""
    path = solved.points
    kept = np.flatnonzero((path.rho > NEAREST) & (path.static > SURE))
    kept = kept[:: max(1, len(kept) // MAX_POINTS)]
    taken, cells = point_places(path, size.grid)
    xy = source_from_grid(cells[kept], size)
    return PointCloud(np.asarray(path.direction[kept] / path.rho[kept, None], float), frames.colors_at(taken[kept], xy))
