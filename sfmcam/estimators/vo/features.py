"""Where to put points: corners that can be located precisely, spread over the picture, a few per cell of a grid.

A corner's worth is the precision that its neighbourhood promises (Shi and Tomasi 1994, in units of noise): the smaller eigenvalue of the
structure tensor over the variance of what disturbs it, which is sensor noise plus a part that grows with the contrast itself, since
resampling and compression blur a strong edge more than a weak one. Points on a plain edge slide along it, and lose by this measure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from sfmcam.types import Bool, UInt8

Float32 = NDArray[np.float32]
Indices = NDArray[np.intp]

SMOOTHING_PX = 0.7  # linear interpolation smooths by up to this much, depending on the fraction of a pixel; so it varies less
NOISE_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)  # blind to slopes and curvature (Immerkaer 1996)
NOISE_RESPONSE = 0.525  # mean absolute answer of NOISE_KERNEL to white noise of deviation 1 that went through the smoothing
NOISE_SLOPE_VARIANCE = 0.073  # variance that the same noise gives to each slope
NOISE_TILE_PX, NOISE_SHARE = 16, 0.2  # noise is read from the smoothest fifth of the picture
MIN_NOISE = 1.5  # grey levels; what a codec leaves behind looks smooth, but is as wrong as sensor noise of this strength

MODEL_ERROR = 0.06  # of the contrast: what does not fit for reasons other than noise
EDGE_GUARD = 2.0  # times the slope that noise alone is expected to add
BLOCK_PX = 7  # neighbourhood of which the structure tensor is taken
SPACING_PX = 7  # a corner is the best of a square of this size, and as far from those that are already followed
POINTS_PER_CELL = 3


class Box(NamedTuple):
    """A rectangle of pixels: columns x0 to x1 and rows y0 to y1, the ends not included."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def is_empty(self) -> bool:
        """True where no pixel lies inside."""
        return self.x1 <= self.x0 or self.y1 <= self.y0

    def contains(self, points: Float32) -> Bool:
        """Return which points (N, 2), in OpenCV's coordinates, lie inside (N,)."""
        x, y = points[:, 0], points[:, 1]
        return np.asarray((x >= self.x0) & (x <= self.x1 - 1) & (y >= self.y0) & (y <= self.y1 - 1))


@dataclass(frozen=True)
class Surface:
    """A picture made ready for measuring: `level` (H, W) smoothed grey levels."""

    level: Float32

    @staticmethod
    def of(image: UInt8) -> Surface:
        """Smooth a grey picture (H, W)."""
        return Surface(np.asarray(cv2.GaussianBlur(image.astype(np.float32), (5, 5), SMOOTHING_PX), np.float32))

    @cached_property
    def slopes(self) -> tuple[Float32, Float32]:
        """Slopes (H, W) to the right and down, in grey levels per pixel."""
        flat, rise = np.ones(1, np.float32), np.array([-0.5, 0, 0.5], np.float32)
        right, down = cv2.sepFilter2D(self.level, -1, rise, flat), cv2.sepFilter2D(self.level, -1, flat, rise)
        return np.asarray(right, np.float32), np.asarray(down, np.float32)

    def noise(self) -> float:
        """Return the standard deviation of the sensor noise before smoothing, in grey levels."""
        answer = np.abs(cv2.filter2D(self.level, -1, NOISE_KERNEL))
        height, width = answer.shape
        tiles = (max(width // NOISE_TILE_PX, 1), max(height // NOISE_TILE_PX, 1))
        quiet = float(np.quantile(cv2.resize(answer, tiles, interpolation=cv2.INTER_AREA), NOISE_SHARE))
        return max(quiet / NOISE_RESPONSE, MIN_NOISE)


def precision(xx: Float32, yy: Float32, xy: Float32, *, noise: float) -> Float32:
    """Return what each observation tells of a corner's position along its weakest direction, in 1/px^2, from mean products of slopes."""
    half = (xx + yy) / 2
    smaller = half - np.sqrt(((xx - yy) / 2) ** 2 + xy**2) - np.float32(EDGE_GUARD * NOISE_SLOPE_VARIANCE * noise**2)
    return np.asarray(smaller / (np.float32(noise**2) + np.float32(2 * MODEL_ERROR**2) * half), np.float32)


def detect_corners(surface: Surface, box: Box, *, taken: Float32, max_points: int, noise: float, max_sigma_px: float) -> Float32:
    """Return new corners (K, 2) inside `box`, away from those that are `taken` (M, 2); OpenCV's coordinates.

    Every cell of a grid is filled up to its quota, best corners first, so that the number alive stays near `max_points`.

    Args:
        surface: the picture.
        box: where to look.
        taken: points that are already followed.
        max_points: how many points the whole box shall hold.
        noise: of the picture, see `Surface.noise`.
        max_sigma_px: expected error of position above which a corner is no good.
    """
    if box.is_empty:
        return np.empty((0, 2), np.float32)
    right, down = surface.slopes
    block = (BLOCK_PX, BLOCK_PX)
    products = (np.asarray(cv2.blur(a * b, block), np.float32) for a, b in ((right, right), (down, down), (right, down)))
    worth = precision(*products, noise=noise)
    free = (worth > 1 / (max_sigma_px * BLOCK_PX) ** 2) & (worth >= cv2.dilate(worth, np.ones((SPACING_PX, SPACING_PX), np.uint8)))
    free &= ~_near(taken, worth.shape)
    rows, columns = np.nonzero(free[box.y0 : box.y1, box.x0 : box.x1])
    corners = np.column_stack([columns + box.x0, rows + box.y0])
    best_first = np.argsort(-worth[corners[:, 1], corners[:, 0]], kind="stable")
    return _fill_cells(corners[best_first].astype(np.float32), box, taken=taken, max_points=max_points)


def _near(points: Float32, shape: tuple[int, ...]) -> Bool:
    """Return the pixels (H, W) that are closer than SPACING_PX to one of the points."""
    marks = np.zeros(shape, np.uint8)
    at = np.rint(points).astype(np.intp)
    marks[np.clip(at[:, 1], 0, shape[0] - 1), np.clip(at[:, 0], 0, shape[1] - 1)] = 1
    return np.asarray(cv2.dilate(marks, np.ones((2 * SPACING_PX - 1, 2 * SPACING_PX - 1), np.uint8)) > 0)


def _fill_cells(corners: Float32, box: Box, *, taken: Float32, max_points: int) -> Float32:
    """Keep of the corners, best first, as many per cell as its quota leaves room for."""
    area = (box.x1 - box.x0) * (box.y1 - box.y0)
    cell_px = float(np.sqrt(area * POINTS_PER_CELL / max_points))
    return corners[rank_in_cell(corners, box, cell_px, taken=taken) < POINTS_PER_CELL]


def rank_in_cell(points: Float32, box: Box, cell_px: float, *, taken: Float32) -> Indices:
    """Return how many of `taken` and of the points (N, 2) before it share each point's cell (N,); cells of about that size fill the box."""
    cell = _cell_of(points, box, cell_px)
    alive = np.bincount(_cell_of(taken, box, cell_px), minlength=int(cell.max(initial=0)) + 1)
    order = np.argsort(cell, kind="stable")
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    rank = np.empty(len(order), np.intp)
    rank[order] = np.arange(len(order)) - np.repeat(starts, sizes)
    return np.asarray(rank + alive[cell], np.intp)


def _cell_of(points: Float32, box: Box, cell_px: float) -> Indices:
    size_px = np.array([box.x1 - box.x0, box.y1 - box.y0])
    cells = np.maximum(np.rint(size_px / cell_px), 1)
    column_row = np.clip((points - (box.x0, box.y0)) // (size_px / cells), 0, cells - 1)
    return (column_row @ (1, cells[0])).astype(np.intp)
