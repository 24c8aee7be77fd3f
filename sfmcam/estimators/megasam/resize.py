"""The size at which the tracker works, and the way there and back for pictures, focal lengths and positions.

A picture is resized to an area of about 384x512 pixels, smaller ones enlarged, and cropped to multiples of 8 (MegaSaM, Li et
al. 2025, as released). Positions on the tracker's grid count in 1/8 of these pixels, cell u being centred on pixel 8u with
pixel centres at integers; everywhere else in this package the first pixel's centre is (0.5, 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import cv2
import numpy as np

from sfmcam.errors import InputError
from sfmcam.types import Float, UInt8

STRIDE = 8  # pixels per grid cell
AREA_PX = 384 * 512
MIN_SIDE_PX = 128  # below, the coarsest level of the correlation pyramid has no cell
MAX_ELONGATION = 24.0  # long side over short side


@dataclass(frozen=True)
class WorkingSize:
    """How pictures of one size are brought to the tracker's size. All sizes are (width, height) in pixels.

    Attributes:
        source_px: of the pictures that are given.
        resized_px: after resizing, before the crop.
        cropped_px: what the tracker sees; multiples of 8.
        offset_px: of the crop inside the resized picture: left, top.
    """

    source_px: tuple[int, int]
    resized_px: tuple[int, int]
    cropped_px: tuple[int, int]
    offset_px: tuple[int, int] = (0, 0)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns (h, w) of the 1/8 grid."""
        return self.cropped_px[1] // STRIDE, self.cropped_px[0] // STRIDE

    @property
    def scale(self) -> tuple[float, float]:
        """Resized over source pixels along x and along y, which differ by the rounding to whole pixels."""
        return self.resized_px[0] / self.source_px[0], self.resized_px[1] / self.source_px[1]


def working_size(
    source_px: tuple[int, int], *, area_px: int = AREA_PX, min_side_px: int = MIN_SIDE_PX, centred: bool = False
) -> WorkingSize:
    """Return how pictures of (width, height) are brought to about `area_px` pixels and to multiples of 8.

    Args:
        source_px: (width, height).
        area_px: wanted number of pixels; 384x512 is what the published network was trained at.
        min_side_px: no side gets shorter than this, a multiple of 8.
        centred: crop on all sides alike; else at the right and at the bottom only, as the published tracker does.

    Raises:
        InputError: a picture without pixels, or so long and narrow that no working size suits it.
    """
    width, height = source_px
    if min(source_px) < 1 or max(source_px) > MAX_ELONGATION * min(source_px):
        raise InputError(
            f"pictures of {width}x{height} pixels are too long and narrow to be tracked (the limit is {MAX_ELONGATION:.0f}:1); "
            "crop the video"
        )
    factor = sqrt(area_px / (height * width))
    resized = max(int(width * factor), min_side_px), max(int(height * factor), min_side_px)
    spare = resized[0] % STRIDE, resized[1] % STRIDE
    offset = (spare[0] // 2, spare[1] // 2) if centred else (0, 0)
    return WorkingSize(source_px, resized, (resized[0] - spare[0], resized[1] - spare[1]), offset)


def resize_picture(picture: UInt8, size: WorkingSize) -> UInt8:
    """Return a picture (h0, w0, 3) or (h0, w0) of the source size as the tracker sees it: (H, W, 3) or (H, W)."""
    resized = cv2.resize(picture, size.resized_px, interpolation=cv2.INTER_AREA)
    (left, top), (width, height) = size.offset_px, size.cropped_px
    return np.asarray(resized[top : top + height, left : left + width], np.uint8)


def resize_map(values: Float, size: WorkingSize) -> Float:
    """Return maps (..., h, w) of the whole source picture, at any resolution, as the tracker sees it: (..., H, W), nearest neighbours.

    Nearest by pixel centres ("nearest-exact" in PyTorch), so that depths of two things are never mixed at their edge.
    """
    (left, top), (width, height) = size.offset_px, size.cropped_px
    rows = _nearest(values.shape[-2], size.resized_px[1])[top : top + height]
    columns = _nearest(values.shape[-1], size.resized_px[0])[left : left + width]
    return np.asarray(values[..., rows[:, None], columns])


def nearest_map(values: Float, shape: tuple[int, int]) -> Float:
    """Resize maps (..., h, w) to (..., *shape) by nearest neighbours, as `resize_map` does."""
    rows, columns = _nearest(values.shape[-2], shape[0]), _nearest(values.shape[-1], shape[1])
    return np.asarray(values[..., rows[:, None], columns])


def _nearest(old: int, new: int) -> np.ndarray:
    return np.minimum(((np.arange(new) + 0.5) * (old / new)).astype(np.int64), old - 1)


def tracker_intrinsics(focal_px: Float | float, size: WorkingSize, *, half_pixel: bool = False) -> Float:
    """Return fx fy cx cy (..., 4) on the tracker's grid, in 1/8 pixels, for focal lengths (...,) in source pixels.

    The principal point is the middle of the source picture. The published tracker puts it at half the width although its pixel
    centres are at integers; `half_pixel` takes the half pixel off, which is right for rendered clips.
    """
    (sx, sy), focal = size.scale, np.asarray(focal_px, float)
    center = [resized / 2 - offset - 0.5 * half_pixel for resized, offset in zip(size.resized_px, size.offset_px, strict=True)]
    full = np.stack([focal * sx, focal * sy, np.full_like(focal, center[0]), np.full_like(focal, center[1])], axis=-1)
    return np.asarray(full / STRIDE)


def source_focal_px(intrinsics: Float, size: WorkingSize) -> Float:
    """Return the focal lengths (...,) in source pixels for fx fy cx cy (..., 4) on the tracker's grid: the mean of both axes."""
    (sx, sy), full = size.scale, np.asarray(intrinsics, float) * STRIDE
    return np.asarray((full[..., 0] / sx + full[..., 1] / sy) / 2)


def grid_from_source(xy_px: Float, size: WorkingSize) -> Float:
    """Turn positions (..., 2) in the source picture, its first pixel's centre at (0.5, 0.5), into positions on the tracker's grid."""
    resized = np.asarray(xy_px, float) * size.scale
    return np.asarray((resized - 0.5 - np.asarray(size.offset_px)) / STRIDE)


def source_from_grid(grid_xy: Float, size: WorkingSize) -> Float:
    """Turn positions (..., 2) on the tracker's grid into positions in the source picture, its first pixel's centre at (0.5, 0.5)."""
    resized = np.asarray(grid_xy, float) * STRIDE + np.asarray(size.offset_px) + 0.5
    return np.asarray(resized / size.scale)
