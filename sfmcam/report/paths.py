"""A clip's trajectory and motion over time, thinned out and brought to a common frame for drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sfmcam.errors import InputError
from sfmcam.io.own_npz import read_npz
from sfmcam.io.reference import read_reference
from sfmcam.motion.measurement import DOF_KEYS
from sfmcam.report.run import Run
from sfmcam.results import ClipResult, ShotResult
from sfmcam.types import CameraTrajectory, Float
from sfmcam.video.sampling import Index
from sfmcam.workspace import ClipFolder

MOST_SAMPLES = 120  # of one path
MOST_CAMERAS = 9  # drawn as frusta
DIGITS = 4
LEAST_EXTENT = 1e-9


def method_path(run: Run, slug: str, result: ClipResult) -> dict[str, Any] | None:
    """Return the path and the motion of the shot that speaks for a clip; None where the clip failed.

    `path` is None where its file is gone or damaged, which `note` then says: one broken file must not cost the whole report.
    """
    shot = result.main_shot
    if shot is None or not result.status.is_success:
        return None
    folder = ClipFolder(run.folder.clip(slug, result.clip_id).root).shot(shot.index, num_shots=len(result.shots))
    note = "" if len(result.shots) == 1 else f"shot {shot.index + 1} of {len(result.shots)} speaks for the clip"
    try:
        path = path_json(read_npz(folder.trajectory, with_evidence=False))
    except InputError as error:
        path, note = None, f"no path: {error}"
    return {"path": path, "motion": _motion(shot), "note": note}


def reference_path(run: Run, clip: str) -> dict[str, Any] | None:
    """Return the true path of a clip, where the set knows it; its unit is a scene depth only where the manifest states that depth."""
    known = next((c for c in run.labelled_set.clips if c.id == clip and c.poses is not None), None)
    if known is None or known.poses is None:
        return None
    try:
        trajectory = read_reference(known.poses)
    except InputError:
        return None  # `sfmcam bench` has told it already, where its table of pose errors would be
    depth = run.manifest.get(clip, {}).get("median_depth_m")
    return path_json(trajectory, depth=float(depth) if isinstance(depth, int | float) and depth > 0 else None)


def path_json(trajectory: CameraTrajectory, *, depth: float | None = None) -> dict[str, Any] | None:
    """Return positions seen from the first camera with a pose (x right, y down, z forward); None where no frame has a pose.

    `unit` is `depths` where positions are in scene depths, by `depth` or else the trajectory's own median depth, and `extent` where
    neither is known: there the longest distance from the start is 1.
    """
    frames = np.flatnonzero(trajectory.valid)
    if not len(frames):
        return None
    cam0_from_cam = trajectory.cam_from_world[frames[0]] @ np.linalg.inv(trajectory.cam_from_world[frames])
    centers = cam0_from_cam[:, :3, 3]
    unit, scale = _unit(trajectory, centers, depth)
    kept = frames_to_keep(len(frames), MOST_SAMPLES)
    cameras = frames_to_keep(len(kept), MOST_CAMERAS)
    size = trajectory.image_size_px
    focal = trajectory.focal_px[frames]
    known = size is not None and bool(np.isfinite(focal).any())
    return {
        "unit": unit,
        "times": _rounded(trajectory.timestamps_s[frames][kept]),
        "centers": _rounded(centers[kept] / scale),
        "cameras": [{"at": int(k), "axes": _rounded(cam0_from_cam[kept[k], :3, :3])} for k in cameras],
        "focal_over_width": round(float(np.nanmedian(focal)) / size[0], DIGITS) if known and size is not None else None,
        "aspect": round(size[1] / size[0], DIGITS) if size is not None else None,
    }


def frames_to_keep(count: int, most: int) -> Index:
    """Return at most `most` of the numbers 0 to count - 1, evenly, both ends among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def _unit(trajectory: CameraTrajectory, centers: Float, depth: float | None) -> tuple[str, float]:
    depths = trajectory.median_depth[trajectory.valid]
    own = float(np.nanmedian(depths)) if np.isfinite(depths).any() else float("nan")
    scale = depth if depth is not None else own
    if np.isfinite(scale) and scale > 0:
        return "depths", float(scale)
    return "extent", max(float(np.linalg.norm(centers, axis=1).max()), LEAST_EXTENT)


def _motion(shot: ShotResult) -> dict[str, Any] | None:
    """Return times and per degree of freedom the smooth path, the raw one and sigma; None where nothing was measured."""
    frames = shot.motion.get("frames")
    if not frames:
        return None
    kept = frames_to_keep(len(frames["timestamp_s"]), MOST_SAMPLES)
    dofs = shot.motion["dofs"]
    return {
        "times": _picked(frames["timestamp_s"], kept),
        "depth_source": shot.motion["depth_source"],
        "dofs": {
            key: {
                "smooth": _picked(frames[f"smooth_{key}"], kept),
                "raw": _picked(frames[key], kept),
                "sigma": None if dofs[key]["sigma"] is None else round(dofs[key]["sigma"], DIGITS),
            }
            for key in DOF_KEYS
        },
    }


def _picked(values: Sequence[float | None], kept: Index) -> list[float | None]:
    """Return the values at `kept`, rounded, None where they are unknown."""
    numbers = np.round(np.array(values, float)[kept], DIGITS)
    return [None if math.isnan(number) else number for number in numbers.tolist()]


def _rounded(values: Float) -> Any:
    return np.round(values, DIGITS).tolist()
