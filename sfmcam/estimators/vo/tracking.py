"""Points followed through a shot: corners spread over the picture, found again in every frame, and topped up where cells run empty."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.spatial import cKDTree

from sfmcam.config import Model
from sfmcam.estimators.vo.features import MIN_NOISE, Box, Float32, detect_corners, rank_in_cell
from sfmcam.estimators.vo.overlay import is_overlay, letterbox
from sfmcam.estimators.vo.tracking_flow import Flock, View, follow
from sfmcam.estimators.vo.tracking_patches import Patches, cut_patches
from sfmcam.types import Bool, Frames, PointTracks, UInt8

DWINDLED = 0.6  # share left of the points after the last search, below which the next one comes early
WEAKER = 2.5  # times the expected error that is accepted otherwise will do in a region ...
REGION_PX, POINTS_PER_REGION = 64.0, 4  # ... that has fewer points than this
GROWTH_TO_RENEW = 1.5  # of a patch's area, either way, at which its first look is replaced
BAR_MARGIN_PX = 10  # half a patch
CLOSE_PX = 3.0  # points that come nearer than this follow the same thing
DISASTER = 0.3  # share of the points that vanish at once: a flash, a dropped frame, a blow; they are searched for again ...
PATIENCE = 2  # ... in as many later frames
RETURN = 0.3  # share of them that must come back for the search to end

Int32 = NDArray[np.int32]


class TrackingOptions(Model):
    """How points are found and followed."""

    max_points: int = Field(default=320, ge=20, description="points alive at a time")
    search_every: int = Field(default=4, ge=1, description="frames between two searches for new points")
    max_sigma_px: float = Field(default=0.3, gt=0, description="expected error of position above which a corner is not worth following")
    min_likeness: float = Field(default=0.94, gt=0, lt=1, description="correlation with their first look that a point's surroundings keep")
    border_px: int = Field(default=8, ge=0, description="points nearer to the picture's border than this end; half a patch fits in 8")


def track_points(frames: Frames, options: TrackingOptions) -> PointTracks:
    """Follow corners through the frames of one shot.

    Args:
        frames: grey or RGB.
        options: how.

    Returns:
        Tracks of at least two observations each; `static_probability` is NaN throughout. A track may miss up to two frames
        in which many points could not be seen (black, blurred). Same frames, same tracks.
    """
    box = _where_to_look(frames, options.border_px)
    tracker = _Tracker(box, options)
    for index, picture in enumerate(frames.images):
        tracker.advance(View.of(luma(picture), box), is_search_due=index % options.search_every == 0)
    tracks = _collect(tracker, frames.size_px)
    overlaid = is_overlay(tracks)
    return _select(tracks, ~overlaid) if overlaid.any() else tracks


def _where_to_look(frames: Frames, border_px: int) -> Box:
    """Return the picture without bars, and without a margin in which a patch would see the bar's edge or the border."""
    width, height = frames.size_px
    box = letterbox(frames)
    margins = (BAR_MARGIN_PX if is_bar else border_px for is_bar in (box.x0 > 0, box.y0 > 0, box.x1 < width, box.y1 < height))
    return Box(*(side + sign * margin for side, sign, margin in zip(box, (1, 1, -1, -1), margins, strict=True)))


def luma(picture: UInt8) -> UInt8:
    """Return the grey picture (H, W) of one that is grey or RGB."""
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


class _Tracker:
    """The points at the current frame, those that vanished at a blow, and the observations so far, frame by frame."""

    def __init__(self, box: Box, options: TrackingOptions) -> None:
        self.tracks: list[Int32] = []
        self.points: list[Float32] = []
        self.num_begun = 0
        self._box, self._options = box, options
        self._flock: Flock | None = None
        self._lost: Flock | None = None
        self._waited = 0
        self._noise = MIN_NOISE
        self._stock = 0

    def advance(self, view: View, *, is_search_due: bool) -> None:
        """Go on to the next frame."""
        flock = self._start(view, np.empty((0, 2), np.float32)) if self._flock is None else self._follow(self._flock, view)
        if is_search_due or len(flock) <= DWINDLED * self._stock:
            flock = self._top_up(flock)
            self._stock = len(flock)
        self._flock = flock
        self.tracks.append(flock.tracks.astype(np.int32))
        self.points.append(flock.points)

    def _follow(self, flock: Flock, view: View) -> Flock:
        moved, found = follow(flock, view, self._box, min_likeness=self._options.min_likeness, noise=self._noise)
        if self._lost is not None:
            returned, _ = follow(self._lost, view, self._box, min_likeness=self._options.min_likeness, noise=self._noise)
            self._waited += 1
            if len(returned) > RETURN * len(self._lost) or self._waited == PATIENCE:
                self._lost = None
                moved = without_close_ones(returned.joined(moved))
        elif len(found) and found.mean() < 1 - DISASTER:
            self._lost, self._waited = flock.take(~found), 0
        return moved

    def _top_up(self, flock: Flock) -> Flock:
        """Thin out, replace first looks that have grown old, and start new points where there is room."""
        flock, view = without_close_ones(flock), flock.view
        self._noise = view.surface.noise()
        flock = replace(flock, patches=_renewed(flock, self._noise))
        new = detect_corners(
            view.surface,
            self._box,
            taken=flock.points,
            max_points=self._options.max_points,
            noise=self._noise,
            max_sigma_px=WEAKER * self._options.max_sigma_px,
        )
        begun = self._start(view, new)
        return flock.joined(begun.take(self._is_wanted(begun, flock)))

    def _is_wanted(self, begun: Flock, flock: Flock) -> Bool:
        """Return which new points are good enough, or the best that a part of the picture has."""
        sigma_px, limit_px = begun.patches.sigma_px, self._options.max_sigma_px
        good = sigma_px < limit_px
        taken = np.concatenate([flock.points, begun.points[good]])
        passable = ~good & (sigma_px < WEAKER * limit_px)
        passable[passable] = rank_in_cell(begun.points[passable], self._box, REGION_PX, taken=taken) < POINTS_PER_REGION
        return good | passable

    def _start(self, view: View, points: Float32) -> Flock:
        self.num_begun += len(points)
        tracks = np.arange(self.num_begun - len(points), self.num_begun)
        return Flock(view, points, tracks, cut_patches(view.surface, points, noise=self._noise))


def without_close_ones(flock: Flock) -> Flock:
    """Return the flock without points that are too near to an earlier one of it."""
    if len(flock) < 2:
        return flock
    pairs = cKDTree(flock.points).query_pairs(CLOSE_PX, output_type="ndarray")
    kept = np.ones(len(flock), bool)
    kept[pairs[:, 1]] = False  # the greater index, which is the later one
    return flock if kept.all() else flock.take(kept)


def _renewed(flock: Flock, noise: float) -> Patches:
    """Return the patches with new first looks for those that grew or shrank much."""
    area = np.linalg.det(flock.patches.affine)
    old = np.asarray(np.abs(np.log(area)) > np.log(GROWTH_TO_RENEW))
    return flock.patches.renewed(old, cut_patches(flock.view.surface, flock.points[old], noise=noise)) if old.any() else flock.patches


def _collect(tracker: _Tracker, size_px: tuple[int, int]) -> PointTracks:
    """List the observations, without tracks that were seen only once, and number the rest from 0."""
    seen = np.zeros(tracker.num_begun, np.intp)
    for tracks in tracker.tracks:
        seen[tracks] += 1
    lasting = seen >= 2
    number = np.cumsum(lasting) - 1
    kept = [lasting[tracks] for tracks in tracker.tracks]
    ends = np.cumsum([k.sum() for k in kept])
    track, xy_px = np.empty(ends[-1], np.int64), np.empty((ends[-1], 2))
    for index, end in enumerate(ends):
        here = slice(end - kept[index].sum(), end)
        track[here] = number[tracker.tracks[index][kept[index]]]
        xy_px[here] = tracker.points[index][kept[index]] + 0.5
    frame = np.repeat(np.arange(len(kept)), np.diff(ends, prepend=0))
    return PointTracks(frame, track, xy_px, size_px, np.full(int(lasting.sum()), np.nan))


def _select(tracks: PointTracks, wanted: Bool) -> PointTracks:
    """Return the tracks that are `wanted` (T,), numbered anew."""
    kept = wanted[tracks.track]
    return PointTracks(
        frame=tracks.frame[kept],
        track=(np.cumsum(wanted) - 1)[tracks.track[kept]],
        xy_px=tracks.xy_px[kept],
        size_px=tracks.size_px,
        static_probability=tracks.static_probability[wanted],
    )
