"""What lies on top of the picture and does not move with it: letterbox bars, and burnt-in captions, logos and watermarks."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import cKDTree

from sfmcam.estimators.vo.features import Box, Indices
from sfmcam.types import Bool, Float, Frames, PointTracks, UInt8

SAMPLES = 12  # frames in which bars are looked for
BLACK = 26  # grey level up to which a bar is black, also where black is written as 16
CONSTANT = 8  # grey levels between the darkest and the brightest pixel of a bar's row
LARGEST_GAP = 0.1  # of the picture: rows within a bar that a caption fills
UNEQUAL = 0.05  # of the picture, between the bars of two sides; what differs by more is a dark scene ...
SMALLEST_PICTURE = 0.25  # ... as is what leaves less than this between the bars

SPANS = (2, 6, 18, 54)  # frames over which motion is compared: a shaky one shows in few, a slow one in many
STILL_PX, STILL_EVER_PX = 0.25, 0.6  # over a span; between the extremes of a track's whole life
MOVED_PX = 3.0  # what the surroundings do meanwhile, at least
REACH_PX = 10.0  # of an overlay, in which other points that stand still belong to it
NEIGHBOURS = 10
CERTAINTY = 4.0  # sigmas between the motion that the neighbours predict, and none
GRID = 6  # cells along each side
COVER = 0.8  # share of the cells with points which must move; else the still ones may be the scene, and the moving ones an actor


def letterbox(frames: Frames) -> Box:
    """Return the part of the frames that shows the picture, without constant near-black bars at the borders.

    A caption inside a bar belongs to the bar.
    """
    width, height = frames.size_px
    sample = frames.images[np.unique(np.linspace(0, len(frames) - 1, SAMPLES).astype(np.intp))]
    grey = sample if sample.ndim == 3 else np.stack([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in sample])
    top, bottom = _bars(_is_bar(grey, axis=2))
    left, right = _bars(_is_bar(grey, axis=1))
    return Box(left, top, width - right, height - bottom)


def _is_bar(grey: UInt8, *, axis: int) -> Bool:
    """Return which rows (axis 2) or columns (axis 1) of the pictures (N, H, W) are black and constant in all of them."""
    darkest, brightest = grey.min(axis=axis), grey.max(axis=axis)
    return np.asarray(((brightest <= BLACK) & (brightest - darkest <= CONSTANT)).all(axis=0))


def _bars(is_bar: Bool) -> tuple[int, int]:
    """Return the thickness of the bars at both ends: 0 where they are too unequal for bars, or leave too little between them."""
    first, last = _reach(is_bar), _reach(is_bar[::-1])
    believable = abs(first - last) <= UNEQUAL * len(is_bar) and first + last <= (1 - SMALLEST_PICTURE) * len(is_bar)
    return (first, last) if believable else (0, 0)


def _reach(is_bar: Bool) -> int:
    """Return how many lines from the first one on belong to a bar, small gaps included."""
    lines = np.flatnonzero(is_bar)
    if not len(lines) or lines[0] > 0:
        return 0
    breaks = np.flatnonzero(np.diff(lines) > max(1, LARGEST_GAP * len(is_bar)))
    return int(lines[breaks[0] if len(breaks) else -1]) + 1


def is_overlay(tracks: PointTracks) -> Bool:
    """Return which tracks (T,) stand still although everything around them moves in a way that would have taken them along.

    Stillness alone proves nothing: so stands the focus of expansion of a dolly, the horizon of a truck, the whole scene behind an actor.
    A track is an overlay where, over some span of frames, an affine motion fitted to its moving neighbours predicts a motion of at least
    MOVED_PX and four times the prediction's own error; and only while points move in nearly all parts of the picture.
    """
    flags = np.zeros(len(tracks), bool)
    if not len(tracks):
        return flags
    candidates = _extent_px(tracks) < STILL_EVER_PX
    num_frames = int(tracks.frame[-1]) + 1
    starts = np.searchsorted(tracks.frame, np.arange(num_frames + 1))
    for span in SPANS if candidates.any() else ():
        for first in range(0, num_frames - 1, span):
            last = min(first + span, num_frames - 1)
            here, there = (slice(starts[f], starts[f + 1]) for f in (first, last))
            seen, i, j = np.intersect1d(tracks.track[here], tracks.track[there], assume_unique=True, return_indices=True)
            begin, end = tracks.xy_px[here][i], tracks.xy_px[there][j]
            flags[seen[_defies_neighbours(begin, end - begin, candidates[seen], tracks.size_px)]] = True
    return flags | (candidates & _lies_on(tracks, flags))


def _lies_on(tracks: PointTracks, flags: Bool) -> Bool:
    """Return the tracks (T,) that begin close to where one of the `flags` did: a caption has short-lived points, too."""
    if not flags.any():
        return flags
    begin = np.empty((len(tracks), 2))
    begin[tracks.track[::-1]] = tracks.xy_px[::-1]  # the first observation is written last
    distance, _ = cKDTree(begin[flags]).query(begin, distance_upper_bound=REACH_PX)
    return np.isfinite(distance)


def _extent_px(tracks: PointTracks) -> Float:
    """Return the larger side (T,) of the rectangle that each track stays in."""
    low, high = np.full((len(tracks), 2), np.inf), np.full((len(tracks), 2), -np.inf)
    np.minimum.at(low, tracks.track, tracks.xy_px)
    np.maximum.at(high, tracks.track, tracks.xy_px)
    return np.asarray((high - low).max(axis=1))


def _defies_neighbours(points: Float, motion: Float, candidates: Bool, size_px: tuple[int, int]) -> Indices:
    """Return those of the points (N, 2) that stand still against what their moving neighbours predict."""
    still = candidates & (np.abs(motion).max(axis=1, initial=0) < STILL_PX)
    moving = ~still
    if not still.any() or moving.sum() <= NEIGHBOURS or _cover(points, moving, size_px) < COVER:
        return np.empty(0, np.intp)
    at, there = points[moving], motion[moving]
    suspects = np.flatnonzero(still)
    defies = []
    for point in points[suspects]:
        nearest = np.argpartition(((at - point) ** 2).sum(axis=1), NEIGHBOURS)[:NEIGHBOURS]
        predicted, error = _predict(at[nearest] - point, there[nearest])
        defies.append(predicted > max(MOVED_PX, CERTAINTY * error))
    return suspects[np.array(defies)]


def _cover(points: Float, moving: Bool, size_px: tuple[int, int]) -> float:
    """Return the share of the picture's cells, among those that hold points, in which most points move."""
    cell = np.clip(points / np.array(size_px) * GRID, 0, GRID - 1).astype(np.intp) @ np.array([1, GRID])
    total, moved = np.bincount(cell), np.bincount(cell, weights=moving)
    return float((2 * moved[total > 0] > total[total > 0]).mean())


def _predict(offsets: Float, motion: Float) -> tuple[float, float]:
    """Fit an affine motion to points (K, 2) and return its length at the origin, and the standard error of that for a further point."""
    design = np.column_stack([np.ones(len(offsets)), offsets / max(float(np.abs(offsets).max()), 1.0)])
    inverse = np.linalg.inv(design.T @ design + 1e-6 * np.eye(3))
    fit = inverse @ design.T @ motion
    variance = float(((motion - design @ fit) ** 2).sum()) / (len(offsets) - 3)
    return float(np.hypot(*fit[0])), float(np.sqrt(variance * (1 + inverse[0, 0])))
