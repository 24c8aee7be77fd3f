"""Where to put points: corners spread over the picture, a few per cell, so that no textured corner of it takes them all."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sfmcam.types import Bool, UInt8

Float32 = NDArray[np.float32]

POINTS_PER_CELL = 3
SUPPRESSION_PX = 7  # a corner is the best of a square of this size
BLOCK_PX = 5  # neighbourhood over which the structure tensor is summed
MIN_STRENGTH = 2e-5  # smaller eigenvalue of the structure tensor, in cv2's unit; below it lies the noise of a flat wall
MIN_SHARE = 0.02  # of the strongest corner of the cell: points along an edge slide


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels: columns x0 to x1 and rows y0 to y1, the ends not included."""

    x0: int
    y0: int
    x1: int
    y1: int

    def shrunk(self, margin_px: int) -> Box:
        """Return the box without a margin on all sides; it may be empty."""
        return Box(self.x0 + margin_px, self.y0 + margin_px, self.x1 - margin_px, self.y1 - margin_px)

    @property
    def is_empty(self) -> bool:
        """True where no pixel lies inside."""
        return self.x1 <= self.x0 or self.y1 <= self.y0

    def contains(self, points_px: Float32) -> Bool:
        """Return which points (M, 2), in OpenCV's coordinates, lie inside (M,)."""
        x, y = points_px[:, 0], points_px[:, 1]
        return np.asarray((x >= self.x0) & (x <= self.x1 - 1) & (y >= self.y0) & (y <= self.y1 - 1))


def detect_corners(image: UInt8, box: Box, *, taken_px: Float32, max_points: int) -> Float32:
    """Return new corners (K, 2) float32 inside `box`, away from those that are `taken_px` (M, 2); OpenCV's coordinates.

    Every cell of a grid is filled up to its quota, strongest corners first (Shi and Tomasi 1994: smaller eigenvalue of the
    structure tensor), so that the number alive stays near `max_points`.
    """
    if box.is_empty:
        return np.empty((0, 2), np.float32)
    strength = np.asarray(cv2.cornerMinEigenVal(image, BLOCK_PX, ksize=3), np.float32)
    peaks = strength >= cv2.dilate(strength, np.ones((SUPPRESSION_PX, SUPPRESSION_PX), np.uint8))
    peaks &= strength > MIN_STRENGTH
    rows, columns = np.nonzero(peaks[box.y0 : box.y1, box.x0 : box.x1])
    corners = np.column_stack([columns + box.x0, rows + box.y0]).astype(np.float32)
    found = strength[rows + box.y0, columns + box.x0]
    free = _is_free(corners, taken_px, image.shape)
    return _fill_cells(corners[free], found[free], box, taken_px=taken_px, max_points=max_points)


def _is_free(corners: Float32, taken_px: Float32, shape: tuple[int, ...]) -> Bool:
    marks = np.zeros(shape, np.uint8)
    at = np.rint(taken_px).astype(np.intp)
    marks[np.clip(at[:, 1], 0, shape[0] - 1), np.clip(at[:, 0], 0, shape[1] - 1)] = 1
    occupied = cv2.dilate(marks, np.ones((2 * SUPPRESSION_PX - 1, 2 * SUPPRESSION_PX - 1), np.uint8))
    at = corners.astype(np.intp)
    return np.asarray(occupied[at[:, 1], at[:, 0]] == 0)


def _fill_cells(corners: Float32, strength: Float32, box: Box, *, taken_px: Float32, max_points: int) -> Float32:
    area = (box.x1 - box.x0) * (box.y1 - box.y0)
    cell_px = max(float(np.sqrt(area * POINTS_PER_CELL / max_points)), 1.0)
    columns = int((box.x1 - box.x0) / cell_px) + 1
    cell = _cell_of(corners, box, cell_px, columns)
    order = np.lexsort((-strength, cell))
    cell, corners, strength = cell[order], corners[order], strength[order]
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    sizes = np.diff(np.append(starts, len(cell)))
    rank = np.arange(len(cell)) - np.repeat(starts, sizes)
    best = np.repeat(strength[starts], sizes)
    num_cells = columns * (int((box.y1 - box.y0) / cell_px) + 1)
    alive = np.bincount(np.clip(_cell_of(taken_px, box, cell_px, columns), 0, num_cells - 1), minlength=num_cells)
    return corners[(rank + alive[cell] < POINTS_PER_CELL) & (strength > MIN_SHARE * best)]


def _cell_of(points: Float32, box: Box, cell_px: float, columns: int) -> NDArray[np.intp]:
    return ((points[:, 1] - box.y0) // cell_px * columns + (points[:, 0] - box.x0) // cell_px).astype(np.intp)
