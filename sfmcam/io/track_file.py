"""The picture points that an estimator followed, as a compressed npz (docs/outputs.md lists the arrays)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sfmcam.errors import TrajectoryFileError
from sfmcam.io.atomic import replacing
from sfmcam.io.npz import NpzReader, open_npz
from sfmcam.types import PointTracks

VERSION = 1
VERSION_KEY = "sfmcam_tracks"


def write_tracks(path: Path, tracks: PointTracks) -> None:
    """Write `tracks`, whole or not at all; positions and probabilities lose what float32 cannot hold.

    Raises:
        InputError: the file cannot be written.
    """
    arrays: dict[str, Any] = {
        VERSION_KEY: np.int64(VERSION),
        "frame": tracks.frame.astype(np.int32),
        "track": tracks.track.astype(np.int32),
        "xy_px": tracks.xy_px.astype(np.float32),
        "size_px": np.array(tracks.size_px, dtype=np.int64),
        "static_probability": tracks.static_probability.astype(np.float32),
    }
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_tracks(path: Path) -> PointTracks:
    """Read what `write_tracks` wrote.

    Raises:
        TrajectoryFileError: not such a file, damaged, of a later version, or with values that are no tracks.
    """
    with open_npz(path, advice="") as npz:
        if VERSION_KEY not in npz:
            raise TrajectoryFileError(f"{path} is not a file of tracks that sfmcam wrote")
        version = int(npz.array(VERSION_KEY, ()))
        if version != VERSION:
            raise TrajectoryFileError(f"{path} has version {version} of the format, and this sfmcam reads version {VERSION}")
        return _tracks(npz)


def _tracks(npz: NpzReader) -> PointTracks:
    frame = _integers(npz, "frame", (None,))
    track = _integers(npz, "track", (len(frame),))
    size_px = _integers(npz, "size_px", (2,))
    xy_px = npz.array("xy_px", (len(frame), 2)).astype(float)
    static_probability = npz.array("static_probability", (None,)).astype(float)
    _require(npz.path, (size_px > 0).all(), "the frames' size is not positive")
    _require(npz.path, np.isfinite(xy_px).all(), "a position is not finite")
    known = static_probability[~np.isnan(static_probability)]
    _require(npz.path, ((known >= 0) & (known <= 1)).all(), "a static probability is outside 0 to 1")
    try:
        return PointTracks(frame, track, xy_px, (int(size_px[0]), int(size_px[1])), static_probability)
    except ValueError as error:
        raise TrajectoryFileError(f"{npz.path}: {error}") from error


def _integers(npz: NpzReader, key: str, shape: tuple[int | None, ...]) -> NDArray[np.int64]:
    array = npz.array(key, shape)
    if array.dtype.kind not in "iu":
        raise TrajectoryFileError(f"{npz.path}: '{key}' holds {array.dtype} instead of whole numbers")
    numbers = array.astype(np.int64)  # what uint64 alone can hold turns negative here
    _require(npz.path, (numbers >= 0).all(), f"'{key}' has a number out of range")
    return numbers


def _require(path: Path, holds: bool | np.bool_, fault: str) -> None:
    if not holds:
        raise TrajectoryFileError(f"{path}: {fault}")
