"""Trajectories that another tool estimated, scored as if an estimator of this package had made them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from sfmcam.config import Model, RunConfig
from sfmcam.errors import TrajectoryFileError
from sfmcam.geometry.timeline import half_interval_s, match_times
from sfmcam.io.paths import clip_id, is_file, is_folder
from sfmcam.io.trajectory_file import READERS, TrajectoryContent, detect_format, load_trajectory
from sfmcam.types import CameraTrajectory, Estimate, Float, Frames, Status

MIN_POSES = 2

# where the trajectory of the clip `{id}` may lie in the folder, first match first
FILES = (
    "{id}.npz",
    "{id}.tum",
    "{id}.txt",
    "{id}/trajectory.npz",  # what `sfmcam trajectory` writes
    "{id}/trajectory.tum",
    "pose/{id}.npz",  # ViPE
    "{id}_sgd_cvd_hr.npz",  # MegaSAM, after depth optimisation
    "{id}_droid.npz",  # MegaSAM, tracker
)
MODEL_FOLDERS = ("{id}/sparse/0", "{id}/0", "{id}")  # COLMAP


class ExternalOptions(Model):
    """Where the trajectories lie and how to read them."""

    folder: Path = Field(description="folder with one trajectory per clip, named after the video")
    format: Literal["auto", "tum", "kitti", "colmap", "megasam", "vipe", "sfmcam"] = Field(
        default="auto", description="auto tells the format of each file by its content"
    )
    fps: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="rate of the poses, for formats without times; None: one pose per frame of the video",
    )
    contents: str = Field(default="", description="digest of the folder's listing; a changed file is a changed option, so it is read anew")

    @model_validator(mode="before")
    @classmethod
    def _note_contents(cls, values: dict[str, Any]) -> dict[str, Any]:
        return (
            values if values.get("contents") or "folder" not in values else {**values, "contents": _listing_digest(Path(values["folder"]))}
        )


class External:
    """Poses from files of another tool, one per clip and named after its video; written external:FOLDER."""

    name = "external"
    Options = ExternalOptions

    def __init__(self, options: ExternalOptions, run: RunConfig) -> None:
        del run  # nothing here takes time, chance or threads
        self._options = options

    def estimate(self, frames: Frames, *, workspace: Path) -> Estimate:
        """Return the poses of the file named after `frames.source`, each one at the frame nearest in time."""
        del workspace
        name = clip_id(frames.source)
        try:
            path = find_file(self._options.folder, name)
            if path is None:
                return Estimate(Status.MISSING_TRAJECTORY, message=f"{self._options.folder} has no trajectory of '{name}'")
            content = self._load(path, frames.source_fps)
        except TrajectoryFileError as error:
            return Estimate(Status.UNREADABLE_TRAJECTORY, message=str(error))
        trajectory = at_frames(content.trajectory, frames.timestamps_s)
        if trajectory.num_valid < MIN_POSES:
            return Estimate(Status.TOO_FEW_REGISTERED, message=_no_overlap(path, content.trajectory, frames.timestamps_s))
        return Estimate(Status.OK, trajectory, points=content.points)

    def _load(self, path: Path, source_fps: float) -> TrajectoryContent:
        fmt = detect_format(path) if self._options.format == "auto" else self._options.format
        fps = None if READERS[fmt].has_times else self._options.fps or source_fps
        return load_trajectory(path, fmt, fps=fps)


def estimate_from_file(path: Path, fmt: str, fps: float | None = None) -> Estimate:
    """Return a trajectory file as an estimate, frame by frame as the file has them.

    Raises:
        TrajectoryFileError: the file cannot be read as `fmt`.
        ConfigError: an unknown format, or an `fps` that it cannot use.
    """
    content = load_trajectory(path, fmt, fps=fps)
    return Estimate(Status.OK, content.trajectory, points=content.points)


def find_file(folder: Path, name: str) -> Path | None:
    """Return the trajectory of the clip `name` in `folder`, or None.

    Raises:
        TrajectoryFileError: a place where it may lie cannot be looked into.
    """
    for place in FILES:
        if is_file(path := folder / place.format(id=name), refuse=TrajectoryFileError):
            return path
    models = (folder / place.format(id=name) for place in MODEL_FOLDERS)
    return next((path for path in models if is_folder(path, refuse=TrajectoryFileError)), None)


def at_frames(trajectory: CameraTrajectory, timestamps_s: Float) -> CameraTrajectory:
    """Lay a trajectory onto frames at other times: each takes the pose nearest in time, and no pose serves two frames.

    A frame without a pose within half an interval (of the poses or of the frames, whichever is longer) is not valid;
    a pose is never repeated or interpolated, which would invent a camera that halts or glides.
    """
    tolerance_s = max(half_interval_s(trajectory.timestamps_s), half_interval_s(timestamps_s))
    rows, sources = match_times(timestamps_s, trajectory.timestamps_s, tolerance_s=tolerance_s)
    rows, sources = rows[trajectory.valid[sources]], sources[trajectory.valid[sources]]

    def spread(values: Float) -> Float:
        out = np.full((len(timestamps_s), *values.shape[1:]), np.nan)
        out[rows] = values[sources]
        return out

    return CameraTrajectory(
        timestamps_s=timestamps_s,
        cam_from_world=spread(trajectory.cam_from_world),
        focal_px=spread(trajectory.focal_px),
        valid=np.isin(np.arange(len(timestamps_s)), rows),
        median_depth=spread(trajectory.median_depth),
        scale=trajectory.scale,
        image_size_px=trajectory.image_size_px,
        evidence=trajectory.evidence,
    )


def _no_overlap(path: Path, trajectory: CameraTrajectory, timestamps_s: Float) -> str:
    spans = [f"{times[0]:.3f} to {times[-1]:.3f} s" for times in (trajectory.timestamps_s, timestamps_s)]
    return f"fewer than {MIN_POSES} poses of {path} ({spans[0]}) fall on frames of the video ({spans[1]}); times count from its start"


def _listing_digest(folder: Path) -> str:
    """Return a digest of names, sizes and change times of all files below `folder`."""
    listing = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            stat = path.stat()
            listing.update(f"{path.relative_to(folder)}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return listing.hexdigest()[:16]
