"""What learned features come to before they enter a database: keypoints per frame, and which of them match.

Points are (x, y) in COLMAP's picture frame: pixels, the centre of the first pixel at (0.5, 0.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CELL_PX = 2.0  # side of the squares in which semi-dense points become one keypoint: half a pixel off in the mean, at most 1.4

FramePair = tuple[int, int]


@dataclass(frozen=True)
class LocalFeatures:
    """Keypoints of one frame with descriptors.

    Attributes:
        xy_px: (N, 2) float32.
        descriptors: (N, D) float32.
        size_px: (width, height) of the frame.
    """

    xy_px: NDArray[np.float32]
    descriptors: NDArray[np.float32]
    size_px: tuple[int, int]


@dataclass(frozen=True)
class PointPairs:
    """Points of two frames that show the same thing, found without keypoints.

    Attributes:
        first_px: (M, 2) float32 in the first frame.
        second_px: (M, 2) float32 in the second.
        confidence: (M,) float32, larger is surer.
    """

    first_px: NDArray[np.float32]
    second_px: NDArray[np.float32]
    confidence: NDArray[np.float32]


@dataclass(frozen=True)
class FeatureTable:
    """What a database takes.

    Attributes:
        keypoints_px: (N_i, 2) float32 per frame.
        matches: (M, 2) uint32 per pair of frame numbers, rows of both keypoint tables; each row at most once.
        descriptors: (N_i, D) float32 per frame, or None for a matcher that has none.
    """

    keypoints_px: tuple[NDArray[np.float32], ...]
    matches: Mapping[FramePair, NDArray[np.uint32]]
    descriptors: tuple[NDArray[np.float32], ...] | None = None


def merge_points(pairs: Mapping[FramePair, PointPairs], *, num_frames: int, max_per_frame: int, cell_px: float = CELL_PX) -> FeatureTable:
    """Make keypoints of points that were matched pair by pair, so that tracks run through more than two frames.

    The points of a frame that fall into one square of a grid become one keypoint, at their mean weighted by confidence; the squares
    with the largest sum of confidence are kept. Quantising semi-dense matches for structure from motion is the published practice
    of LoFTR (Sun et al. 2021, section 4.3) and of hloc (Sarlin et al. 2019); there the keypoint is the centre of the square, which
    costs accuracy that the mean keeps.

    Args:
        pairs: by frame numbers, the first below the second.
        num_frames: of the clip.
        max_per_frame: keypoints to keep of a frame.
        cell_px: side of a square.
    """
    ends: list[list[tuple[FramePair, int]]] = [[] for _ in range(num_frames)]
    for pair in pairs:
        for side in (0, 1):
            ends[pair[side]].append((pair, side))
    keypoints: list[NDArray[np.float32]] = []
    rows: dict[tuple[FramePair, int], NDArray[np.int64]] = {}
    for ends_here in ends:
        points = [pairs[pair].first_px if side == 0 else pairs[pair].second_px for pair, side in ends_here]
        weights = [pairs[pair].confidence for pair, _ in ends_here]
        merged, row_of_point = _merge_frame(_stack(points, 2), _stack(weights, 0), max_kept=max_per_frame, cell_px=cell_px)
        keypoints.append(merged)
        splits = np.cumsum([len(p) for p in points])[:-1]
        rows.update(zip(ends_here, np.split(row_of_point, splits), strict=False))  # a frame of no pair has one empty part and no end
    matches = {pair: _one_to_one(rows[pair, 0], rows[pair, 1], found.confidence) for pair, found in pairs.items()}
    return FeatureTable(tuple(keypoints), matches)


def _stack(parts: list[NDArray[np.float32]], width: int) -> NDArray[np.float64]:
    if not parts:
        return np.zeros((0, width) if width else 0)
    return np.concatenate(parts).astype(np.float64)


def _merge_frame(
    xy_px: NDArray[np.float64], weights: NDArray[np.float64], *, max_kept: int, cell_px: float
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the keypoints (N, 2) and the keypoint of each point, -1 where its square was not kept."""
    if not len(xy_px):
        return np.zeros((0, 2), np.float32), np.zeros(0, np.int64)
    # rounded, not cut: LoFTR's own grid of 8 px then lies in the middle of squares, and rounding errors part no track
    cells = np.rint(xy_px / cell_px).astype(np.int64)
    _, cell_of_point = np.unique(cells, axis=0, return_inverse=True)
    cell_of_point = cell_of_point.reshape(-1)
    total = np.bincount(cell_of_point, weights)
    means = np.stack([np.bincount(cell_of_point, weights * xy_px[:, axis]) for axis in (0, 1)], axis=1) / total[:, None]
    kept = np.sort(np.argsort(-total, kind="stable")[:max_kept])
    row_of_cell = np.full(len(total), -1, np.int64)
    row_of_cell[kept] = np.arange(len(kept))
    return means[kept].astype(np.float32), row_of_cell[cell_of_point]


def _one_to_one(first: NDArray[np.int64], second: NDArray[np.int64], confidence: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Keep the pairs of rows that are the surest of both their keypoints, as (M, 2) uint32 in the order of the first."""
    order = np.argsort(-confidence, kind="stable")
    order = order[(first[order] >= 0) & (second[order] >= 0)]
    is_best = np.zeros((2, len(order)), bool)
    for side, column in enumerate((first[order], second[order])):
        is_best[side, np.unique(column, return_index=True)[1]] = True
    kept = order[is_best.all(axis=0)]
    matches = np.stack([first[kept], second[kept]], axis=1)
    return matches[np.argsort(matches[:, 0], kind="stable")].astype(np.uint32)
