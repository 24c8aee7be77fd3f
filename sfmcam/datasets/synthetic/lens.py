"""A lens that bends straight lines: the pinhole picture is drawn somewhat larger, and each pixel of the clip fetches its place in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from sfmcam.types import Float, UInt8

STRONGEST_BARREL, STRONGEST_CUSHION = -0.1, 0.15  # beyond the barrel's, the corners would be drawn much larger and soon fold over
NEWTON_STEPS = 8

Float32 = NDArray[np.float32]


def distorted(positions: Float, k: float) -> Float:
    """Return where the lens puts points (..., 2): p (1 + k |p|^2), both from the picture's centre in half diagonals.

    Brown's radial model with one coefficient. In normalised camera coordinates (x/z, y/z), as COLMAP's SIMPLE_RADIAL and OpenCV's k1
    have it, the coefficient is k (focal_px / half diagonal in pixels)^2.
    """
    return positions * (1 + k * (positions**2).sum(axis=-1, keepdims=True))


def undistorted(positions: Float, k: float) -> Float:
    """Return the points (..., 2) that `distorted` maps onto `positions`; Newton's method on the radius."""
    target = np.linalg.norm(positions, axis=-1, keepdims=True)
    radius = target.copy()
    for _ in range(NEWTON_STEPS):
        radius -= (radius * (1 + k * radius**2) - target) / (1 + 3 * k * radius**2)
    return positions * np.where(target > 0, radius / np.maximum(target, 1e-12), 1.0)


@dataclass(frozen=True)
class Lens:
    """Radial distortion of a picture.

    Attributes:
        size_px: (width, height) of the clip.
        k: the coefficient of `distorted`; negative bulges (barrel), positive pinches (cushion).
    """

    size_px: tuple[int, int]
    k: float

    @cached_property
    def drawn_size_px(self) -> tuple[int, int]:
        """(width, height) of the pinhole picture that covers the clip's; both even, the principal point in the middle of both."""
        corner = np.array(self.size_px) / np.hypot(*self.size_px)
        growth = max(float(np.linalg.norm(undistorted(corner, self.k))), 1.0)
        width, height = (2 * int(np.ceil(side * growth / 2)) for side in self.size_px)
        return width, height

    def sources(self, samples: tuple[int, int]) -> Float:
        """Return the positions (rows, columns, 2) in the drawn picture that the centres of `samples` (columns, rows) equal cells show."""
        size, half_diagonal = np.array(self.size_px), np.hypot(*self.size_px) / 2
        x, y = (np.arange(0.5, n) * (side / n) for n, side in zip(samples, self.size_px, strict=True))
        from_center = (np.stack(np.meshgrid(x, y), axis=-1) - size / 2) / half_diagonal
        return undistorted(from_center, self.k) * half_diagonal + np.array(self.drawn_size_px) / 2

    @cached_property
    def _pixel_maps(self) -> tuple[Float32, Float32]:
        indices = (self.sources(self.size_px) - 0.5).astype(np.float32)  # OpenCV counts from the first pixel's centre
        return np.ascontiguousarray(indices[..., 0]), np.ascontiguousarray(indices[..., 1])

    def bend(self, picture: UInt8) -> UInt8:
        """Return the clip's picture (H, W, 3) of a drawn one."""
        return np.asarray(cv2.remap(picture, *self._pixel_maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8)

    def nearest(self, drawn: NDArray, samples: tuple[int, int]) -> NDArray:
        """Sample an array (h, w) of the drawn picture, one value per pixel, at the centres of `samples` cells: the nearest value."""
        column, row = np.moveaxis(np.floor(self.sources(samples)).astype(np.intp), -1, 0)
        return drawn[np.clip(row, 0, drawn.shape[0] - 1), np.clip(column, 0, drawn.shape[1] - 1)]
