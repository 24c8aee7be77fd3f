"""The package's own npz: every field of a CameraTrajectory, lossless (docs/outputs.md lists the arrays)."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from sfmcam.errors import TrajectoryFileError
from sfmcam.io.atomic import replacing
from sfmcam.io.npz import NpzReader, open_npz
from sfmcam.io.poses import require_ascending
from sfmcam.types import CameraTrajectory, Evidence, Scale

VERSION = 1
VERSION_KEY = "sfmcam_trajectory"
EVIDENCE_PREFIX = "evidence_"


def write_npz(path: Path, trajectory: CameraTrajectory) -> None:
    """Write `trajectory`, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    evidence = {EVIDENCE_PREFIX + name: np.float64(value) for name, value in asdict(trajectory.evidence).items()}
    arrays: dict[str, Any] = {
        VERSION_KEY: np.int64(VERSION),
        "timestamps_s": trajectory.timestamps_s,
        "cam_from_world": trajectory.cam_from_world,
        "focal_px": trajectory.focal_px,
        "valid": trajectory.valid,
        "median_depth": trajectory.median_depth,
        "scale": np.array(str(trajectory.scale)),
        "image_size_px": np.array(trajectory.image_size_px or (), dtype=np.int64),
    }
    with replacing(path) as part, part.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays, **evidence)


def read_npz(path: Path, *, with_evidence: bool = True) -> CameraTrajectory:
    """Read what `write_npz` wrote; without its evidence, which then is unknown, in less time.

    Raises:
        TrajectoryFileError: not such a file, damaged, of a later version, or with values that are no camera path.
    """
    with open_npz(path) as npz:
        if VERSION_KEY not in npz:
            raise TrajectoryFileError(f"{path} was not written by sfmcam; for MegaSAM's or ViPE's archives give that --format")
        version = int(npz.array(VERSION_KEY, ()))
        if version != VERSION:
            raise TrajectoryFileError(f"{path} has version {version} of the format, and this sfmcam reads version {VERSION}")
        return _trajectory(npz, with_evidence=with_evidence)


def _trajectory(npz: NpzReader, *, with_evidence: bool) -> CameraTrajectory:
    timestamps_s = npz.array("timestamps_s", (None,)).astype(float)
    n = len(timestamps_s)
    if n == 0:
        raise TrajectoryFileError(f"{npz.path} holds no pose")
    require_ascending(timestamps_s, lambda i: f"{npz.path}, frame {i}")
    size = npz.array("image_size_px", (0,), (2,))
    stated = fields(Evidence) if with_evidence else ()
    evidence = {field.name: float(npz.array(EVIDENCE_PREFIX + field.name, ())) for field in stated}
    try:
        return CameraTrajectory(
            timestamps_s=timestamps_s,
            cam_from_world=npz.array("cam_from_world", (n, 4, 4)).astype(float),
            focal_px=npz.array("focal_px", (n,)).astype(float),
            valid=npz.array("valid", (n,)).astype(bool),
            median_depth=npz.array("median_depth", (n,)).astype(float),
            scale=Scale(str(npz.array("scale", ()))),
            image_size_px=(int(size[0]), int(size[1])) if len(size) else None,
            evidence=Evidence(**evidence),
        )
    except ValueError as error:
        raise TrajectoryFileError(f"{npz.path}: {error}") from error
