"""Which frames and which points the bundle adjustment works on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.estimators.vo.bundle import Observations
from sfmcam.types import Bool, Float, Int, PointTracks

EVEN_KEYFRAMES = 14  # of a shot that is neither long nor quick
MAX_GAP_S = 0.75  # between keyframes of a long shot
MIN_SURVIVING = 0.55  # share of the points of a keyframe that must still be seen in the next
MIN_SEEN = 2  # keyframes in which a point must be seen
CELLS_ACROSS = 12  # of the grid over which points are spread


@dataclass(frozen=True)
class Window:
    """Keyframes with the points that tie them together.

    Attributes:
        frames: (K,) frame numbers, ascending.
        seen: the observations.
        track: (P,) track number of each point.
    """

    frames: Int
    seen: Observations
    track: Int

    def with_weights(self, weight: Float) -> Window:
        """Return the same window with a weight (P,) for each point."""
        seen = self.seen
        return Window(self.frames, Observations(seen.point_start, seen.key, seen.xy, weight[seen.point], seen.num_keys), self.track)


def choose_keyframes(tracks: PointTracks, timestamps_s: Float) -> Int:
    """Return (K,) frame numbers, the first and the last frame among them.

    Evenly spread in a short shot; nearer together where the points are lost quickly, so that neighbours share enough of them.
    """
    last = len(timestamps_s) - 1
    if last < 1:
        return np.arange(last + 1)
    even_s = (timestamps_s[-1] - timestamps_s[0]) / (EVEN_KEYFRAMES - 1)
    gap_s = min(even_s, MAX_GAP_S)
    first_row = np.searchsorted(tracks.frame, np.arange(last + 2))
    ends = np.zeros(len(tracks), np.int64)
    ends[tracks.track] = tracks.frame  # rows are ordered by frame, so the last one stays
    chosen = [0]
    while chosen[-1] < last:
        now = chosen[-1]
        alive = tracks.track[first_row[now] : first_row[now + 1]]
        survive = int(np.quantile(ends[alive], 1 - MIN_SURVIVING, method="lower")) if len(alive) else now + 1
        in_time = int(np.searchsorted(timestamps_s, timestamps_s[now] + gap_s * (1 + 1e-6), side="right")) - 1
        chosen.append(min(max(min(survive, in_time), now + 1), last))
    return _without_stub(np.array(chosen))


def _without_stub(chosen: Int) -> Int:
    """Drop the last but one keyframe where it lies much nearer to the last than the others to one another."""
    if len(chosen) > 4 and chosen[-1] - chosen[-2] < 0.5 * (chosen[-2] - chosen[-3]):
        return np.delete(chosen, -2)
    return chosen


def make_window(tracks: PointTracks, frames: Int, *, max_points: int) -> Window:
    """Gather the observations of the keyframes `frames`, of the points that are seen longest and lie well spread."""
    xy, track, seen = _table(tracks, frames)
    chosen = _spread_points(xy, seen, max_points)
    xy, track, seen = xy[:, chosen], track[chosen], seen[:, chosen]
    point, key = np.nonzero(seen.T)
    start = np.searchsorted(point, np.arange(len(track) + 1))
    observations = Observations(
        start.astype(np.int64), key.astype(np.int64), np.ascontiguousarray(xy[key, point]), np.ones(len(key)), len(frames)
    )
    return Window(frames, observations, track)


def centered(xy_px: Float, size_px: tuple[int, int]) -> Float:
    """Return positions relative to the principal point, in long sides of the picture."""
    return np.asarray((xy_px - np.asarray(size_px) / 2) / max(size_px), np.float64)


def _table(tracks: PointTracks, frames: Int) -> tuple[Float, Int, Bool]:
    """Return positions (K, T, 2), track numbers (T,) and where they are seen (K, T)."""
    first, past = np.searchsorted(tracks.frame, frames), np.searchsorted(tracks.frame, frames, side="right")
    rows = np.concatenate([np.arange(a, b) for a, b in zip(first, past, strict=True)])
    key = np.repeat(np.arange(len(frames)), past - first)
    numbers, column, count = np.unique(tracks.track[rows], return_inverse=True, return_counts=True)
    keep = count[column] >= MIN_SEEN
    renumber = np.cumsum(count >= MIN_SEEN) - 1
    xy, seen = np.zeros((len(frames), int((count >= MIN_SEEN).sum()), 2)), np.zeros((len(frames), int((count >= MIN_SEEN).sum())), bool)
    column = renumber[column]
    xy[key[keep], column[keep]] = centered(tracks.xy_px[rows[keep]], tracks.size_px)
    seen[key[keep], column[keep]] = True
    return xy, numbers[count >= MIN_SEEN].astype(np.int64), seen


def _spread_points(xy: Float, seen: Bool, max_points: int) -> Int:
    """Return (P,) columns: in every keyframe the longest-seen point of each cell, then the second of each, and so on."""
    length = seen.sum(axis=0)
    if seen.shape[1] <= max_points:
        return np.arange(seen.shape[1])
    best = np.full(seen.shape[1], seen.shape[1])
    for positions, visible in zip(xy, seen, strict=True):
        columns = np.flatnonzero(visible)
        cell = np.floor((positions[columns] + 0.5) * CELLS_ACROSS).astype(int) @ np.array([CELLS_ACROSS + 1, 1])
        order = np.lexsort((-length[columns], cell))
        first_of_cell = np.flatnonzero(np.diff(cell[order], prepend=cell[order[:1]] - 1))
        rank = np.arange(len(order)) - np.repeat(first_of_cell, np.diff(np.append(first_of_cell, len(order))))
        best[columns[order]] = np.minimum(best[columns[order]], rank)
    return np.sort(np.lexsort((-length, best))[:max_points])
