"""Points followed through a shot: pyramidal Lucas-Kanade from frame to frame, checked backwards, topped up where cells run empty."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from pydantic import Field

from sfmcam.config import Model
from sfmcam.estimators.vo.features import Box, Float32, detect_corners
from sfmcam.types import Bool, Frames, PointTracks, UInt8

WINDOW_PX, CHECK_WINDOW_PX = 17, 9  # one more than a multiple of 8: what OpenCV's vector code is quick at
LEVELS = 3
STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.01)


class TrackingOptions(Model):
    """How points are found and followed."""

    max_points: int = Field(default=360, ge=20, description="points alive at a time")
    detect_every: int = Field(default=4, ge=1, description="frames between two searches for new points")
    max_return_px: float = Field(default=0.7, gt=0, description="a point tracked forth and back must come back to within this")
    border_px: int = Field(default=4, ge=0, description="points nearer to the picture's border than this end")


@dataclass
class _Recorder:
    """Collects observations; the numbers of tracks are given in order of birth."""

    frames: list[np.ndarray]
    tracks: list[np.ndarray]
    points: list[np.ndarray]
    born: int = 0

    def add(self, frame: int, tracks: np.ndarray, points: np.ndarray) -> None:
        self.frames.append(np.full(len(tracks), frame, np.int32))
        self.tracks.append(tracks.astype(np.int32))
        self.points.append(points.astype(np.float32))


def track_points(frames: Frames, options: TrackingOptions) -> PointTracks:
    """Follow corners through the frames of one shot.

    Args:
        frames: grey or RGB.
        options: how.

    Returns:
        Tracks of at least two observations; `static_probability` is NaN throughout. Same frames, same tracks.
    """
    width, height = frames.size_px
    box = Box(0, 0, width, height).shrunk(options.border_px)
    recorder = _Recorder([], [], [])
    points, ids = np.empty((0, 2), np.float32), np.empty(0, np.int64)
    before: UInt8 | None = None
    for index, picture in enumerate(frames.images):
        image = luma(picture)
        if before is not None and len(points):
            points, kept = _follow(before, image, points, box, options=options)
            points, ids = points[kept], ids[kept]
        if index % options.detect_every == 0 or len(points) < options.max_points // 3:
            new = detect_corners(image, box, taken_px=points, max_points=options.max_points)
            ids = np.concatenate([ids, recorder.born + np.arange(len(new))])
            recorder.born += len(new)
            points = np.concatenate([points, new])
        recorder.add(index, ids, points)
        before = image
    return _collect(recorder, frames.size_px)


def luma(picture: UInt8) -> UInt8:
    """Return the grey picture (H, W) of one that is grey or RGB."""
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def _follow(before: UInt8, image: UInt8, points: Float32, box: Box, *, options: TrackingOptions) -> tuple[Float32, Bool]:
    """Return the points in the next picture and which of them can be trusted."""
    moved, found = _lucas_kanade(before, image, points, window_px=WINDOW_PX)
    back, returned = _lucas_kanade(image, before, moved, window_px=CHECK_WINDOW_PX)
    close = np.linalg.norm(back - points, axis=1) < options.max_return_px
    return moved, found & returned & close & box.contains(moved)


def _lucas_kanade(before: UInt8, image: UInt8, points: Float32, *, window_px: int) -> tuple[Float32, Bool]:
    window = (window_px, window_px)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(before, image, points, np.empty_like(points), winSize=window, maxLevel=LEVELS, criteria=STOP)
    return np.asarray(moved, np.float32), np.asarray(found)[:, 0] == 1


def _collect(recorder: _Recorder, size_px: tuple[int, int]) -> PointTracks:
    """Drop what was seen once and number the rest from 0."""
    tracks = np.concatenate(recorder.tracks) if recorder.tracks else np.empty(0, np.int32)
    lasting = np.bincount(tracks, minlength=recorder.born) >= 2
    number = np.cumsum(lasting) - 1
    keep = lasting[tracks]
    return PointTracks(
        frame=np.concatenate(recorder.frames)[keep].astype(np.int64),
        track=number[tracks[keep]].astype(np.int64),
        xy_px=np.concatenate(recorder.points)[keep].astype(np.float64) + 0.5,
        size_px=size_px,
        static_probability=np.full(int(lasting.sum()), np.nan),
    )
