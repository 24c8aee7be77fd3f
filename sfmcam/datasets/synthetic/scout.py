"""Finding a start for the camera: from there its whole path is free of obstacles, and what it looks at is part of the set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sfmcam.datasets.synthetic.camera_path import CameraPath
from sfmcam.datasets.synthetic.render import Renderer, View
from sfmcam.datasets.synthetic.scene import Scene, Surface, quads
from sfmcam.datasets.synthetic.scenes.shell import start_pose
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.geometry.rigid import camera_centers
from sfmcam.types import Float

TRIES = 72
SHRINK_EVERY, SHRINK = 12, 0.85  # after so many tries the camera's way is made this much shorter
SPREAD_DEG = (30.0, 6.0)  # of yaw and of pitch round where the recipe says
PITCH_RANGE_DEG = (-35.0, 25.0)
CLEARANCE = 0.06  # scene depths that the camera keeps away from everything
CHECKED_TIMES, VIEWED_TIMES = 40, 7
CELLS = (32, 18)
LEAST_SOLID = 0.3  # share of the picture that is not sky
DEPTH_CHANGE = 2.2  # factor by which the median depth may change over the clip


def scout(spec: ClipSpec, scene: Scene, *, renderer: Renderer, path: CameraPath) -> CameraPath:
    """Return `path` with a start and a scene depth for which it is free and in sight.

    Candidates pass the scene's own viewpoint at a random moment of the path, so that a camera that ends high starts low. The way is
    shortened step by step where nothing fits; the labels follow from the path as it is in the end. Where no candidate is
    faultless, the least bad one is taken.
    """
    rng = np.random.default_rng((spec.seed, 2))
    solid = [surface for surface in scene.surfaces if not surface.is_backdrop]
    best, least = replace(path, depth_m=_median_depth(path, renderer) or path.depth_m), np.inf
    for attempt in range(TRIES):
        anchor, phase = _aim(spec, scene, rng), float(rng.random())
        candidate = _candidate(path, anchor, renderer, phase=phase, shrink=SHRINK ** (attempt // SHRINK_EVERY))
        if candidate is None:
            continue
        fault = _collisions(candidate, solid) or _faults_in_view(candidate, renderer)
        if fault < least:
            best, least = candidate, fault
        if fault == 0:
            break
    return best


def _aim(spec: ClipSpec, scene: Scene, rng: np.random.Generator) -> Float:
    """Return a pose (4, 4) of the camera at the scene's own viewpoint, near where the recipe wants it to look."""
    yaw, pitch = np.array([spec.start_yaw_deg, spec.start_pitch_deg]) + rng.normal(0, SPREAD_DEG)
    return scene.world_from_start @ start_pose(yaw_deg=float(yaw), pitch_deg=float(np.clip(pitch, *PITCH_RANGE_DEG)))


def _candidate(path: CameraPath, anchor: Float, renderer: Renderer, *, phase: float, shrink: float) -> CameraPath | None:
    """Return the path that is at `anchor` at a share of its time, its way made shorter; None where too little but sky is in view."""
    at_anchor = _median_depth(replace(path, world_from_start=anchor), renderer)
    if at_anchor is None:
        return None
    rough = replace(path, depth_m=at_anchor * shrink).anchored(anchor, phase)
    at_start = _median_depth(rough, renderer)  # a scene depth is measured where the path starts, which depends on its length
    return None if at_start is None else replace(path, depth_m=at_start * shrink).anchored(anchor, phase)


def _median_depth(path: CameraPath, renderer: Renderer) -> float | None:
    depth = renderer.depth(_view(path, 0.0), CELLS)
    return float(np.nanmedian(depth)) if np.isfinite(depth).mean() > LEAST_SOLID else None


def _view(path: CameraPath, time_s: float) -> View:
    cam_from_world, focals_px = path.cameras(np.array([time_s]))
    return View(cam_from_world[0], float(focals_px[0]), time_s)


def _collisions(path: CameraPath, solid: list[Surface]) -> float:
    """Return 1 plus the share of the path on which the camera is too near to something, or passes through it; 0 if it never is."""
    centers = camera_centers(path.cam_from_world(np.linspace(0, path.duration_s, CHECKED_TIMES)))
    frames = quads(solid)
    touching = np.asarray((distances(centers, frames) < CLEARANCE * path.depth_m).any(axis=1))
    touching[1:] |= crossings(centers, frames).any(axis=1)
    return 1.0 + float(touching.mean()) if touching.any() else 0.0


def distances(points: Float, rectangles: Float) -> Float:
    """Return the distance (P, S) of points (P, 3) from rectangles (S, 3, 3), columns right, down and corner; edges at right angles."""
    right, down, corner = (rectangles[:, :, k] for k in range(3))
    offset = points[:, None] - corner
    inside = [np.clip((offset * edge).sum(axis=-1) / (edge**2).sum(axis=-1), 0, 1) for edge in (right, down)]
    return np.linalg.norm(offset - inside[0][..., None] * right - inside[1][..., None] * down, axis=-1)


def crossings(points: Float, rectangles: Float) -> Float:
    """Return whether each step (P - 1) from one of the points (P, 3) to the next passes through each rectangle, (P - 1, S)."""
    right, down, corner = (rectangles[:, :, k] for k in range(3))
    normal = np.cross(right, down)
    height = ((points[:, None] - corner) * normal).sum(axis=-1)
    before, after = height[:-1], height[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = before / (before - after)
        hit = points[:-1, None] + share[..., None] * (points[1:, None] - points[:-1, None]) - corner
        u, v = ((hit * edge).sum(axis=-1) / (edge**2).sum(axis=-1) for edge in (right, down))
        return np.asarray((before * after < 0) & (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1))


def _faults_in_view(path: CameraPath, renderer: Renderer) -> float:
    """Return how much of the views along the path is nothing, or nearly all sky, or of quite another depth; 0 where all is well."""
    fault = 0.0
    for time_s in np.linspace(0, path.duration_s, VIEWED_TIMES):
        view = _view(path, float(time_s))
        holes = renderer.hole_share(view, CELLS)
        depth = renderer.depth(view, CELLS)
        solid = float(np.isfinite(depth).mean())
        change = abs(np.log(np.nanmedian(depth) / path.depth_m)) if solid > 0 else np.inf
        fault += holes + max(LEAST_SOLID - solid, 0) + 0.01 * max(change - np.log(DEPTH_CHANGE), 0)
    return min(fault, 1.0)
