"""Which rectangle each pixel sees, and how far away: an exact depth buffer over planar rectangles.

A rectangle is the set of points corner + u right + v down with u and v in [0, 1]. For a pixel at picture position (x, y), the vector
G (x, y, 1) = (u/z, v/z, 1/z), where G = [right down corner]^-1 K^-1 in camera coordinates and z is the depth along the optical axis.
So 1/z and the rectangle's four edges are straight lines in the picture: no clipping is needed, since u/z >= 0 and (1-u)/z >= 0
already mean that the point lies in front of the camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sfmcam.geometry.projection import intrinsics
from sfmcam.types import Float, UInt8

EDGE_SLACK = 1e-6  # in u and v: neighbouring rectangles leave no crack between them
EDGE_ON = 1e-9  # determinant below which the camera lies in the rectangle's plane

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """Where a picture is sampled. Positions are in pixels of the full picture, whose first pixel has its centre at (0.5, 0.5).

    Attributes:
        x: (W,) positions of the columns.
        y: (H,) positions of the rows.
    """

    x: Float
    y: Float

    @staticmethod
    def over(size_px: tuple[int, int], samples: tuple[int, int] | None = None, *, offset_px: tuple[float, float] = (0.0, 0.0)) -> Grid:
        """Return `samples` (columns, rows) positions, by default one per pixel, at the centres of equal cells, shifted by `offset_px`."""
        columns, rows = samples or size_px
        x = (np.arange(columns) + 0.5) * (size_px[0] / columns) + offset_px[0]
        y = (np.arange(rows) + 0.5) * (size_px[1] / rows) + offset_px[1]
        return Grid(x, y)

    @property
    def step_px(self) -> float:
        """Distance between columns."""
        return float(self.x[1] - self.x[0]) if len(self.x) > 1 else 1.0


@dataclass(frozen=True)
class Visible:
    """What a grid sees: `surface` (H, W) index, -1 for nothing; `inverse_depth` (H, W) in 1/m, 0 for nothing."""

    surface: NDArray[np.intp]
    inverse_depth: Float32


def plane_maps(quads_in_world: Float, cam_from_world: Float, focal_px: float, size_px: tuple[int, int]) -> Float:
    """Return G (S, 3, 3) of the module's docstring; rows of NaN where the camera lies in a rectangle's plane."""
    in_cam = cam_from_world[:3, :3] @ quads_in_world
    in_cam[:, :, 2] += cam_from_world[:3, 3]
    edge_on = np.abs(np.linalg.det(in_cam)) < EDGE_ON
    in_cam[edge_on] = np.eye(3)
    maps = np.linalg.inv(in_cam) @ np.linalg.inv(intrinsics(focal_px, size_px))
    maps[edge_on] = np.nan
    return maps


def row_spans(maps: Float, grid: Grid) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return, per rectangle and row, the first column inside it and the first one past it: two (S, H) arrays."""
    u, v, w = maps[:, 0], maps[:, 1], maps[:, 2]
    slack = EDGE_SLACK * w
    edges = np.stack([u + slack, w - u + slack, v + slack, w - v + slack], axis=1)  # each must be >= 0 inside
    slope, height = edges[..., :1], edges[..., 1:2] * grid.y + edges[..., 2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = -height / slope
    low = np.where(slope > 0, crossing, -np.inf).max(axis=1)
    high = np.where(slope < 0, crossing, np.inf).min(axis=1)
    outside = (~(height >= 0) & (slope == 0)).any(axis=1) | np.isnan(maps).any(axis=(1, 2))[:, None]
    columns = len(grid.x)
    first = np.clip(np.ceil((low - grid.x[0]) / grid.step_px), 0, columns)
    last = np.clip(np.floor((high - grid.x[0]) / grid.step_px) + 1, 0, columns)
    first, last = np.where(outside, columns, first), np.where(outside, 0, last)
    return first.astype(np.intp), last.astype(np.intp)


def find_visible(maps: Float, grid: Grid, *, cutouts: dict[int, tuple[UInt8, ...]], alpha_threshold: float = 0.5) -> Visible:
    """Return the nearest rectangle of every grid position.

    Args:
        maps: (S, 3, 3) from `plane_maps`.
        grid: the positions.
        cutouts: alpha levels of the rectangles that have an outline cut out, by rectangle.
        alpha_threshold: share of opacity, 0 to 1, from which a texel counts as solid.
    """
    first, last = row_spans(maps, grid)
    inverse_depth = np.zeros((len(grid.y), len(grid.x)), np.float32)
    surface = np.full(inverse_depth.shape, -1, np.intp)
    columns = np.arange(len(grid.x))
    for index in np.flatnonzero((first < last).any(axis=1)):
        rows = np.flatnonzero(first[index] < last[index])
        top, bottom = rows[0], rows[-1] + 1
        left, right = first[index, rows].min(), last[index, rows].max()
        window = (slice(top, bottom), slice(left, right))
        here = columns[left:right]
        plane = maps[index, 2]
        nearness = (plane[0] * grid.x[left:right] + plane[2]).astype(np.float32) + (plane[1] * grid.y[top:bottom]).astype(np.float32)[
            :, None
        ]
        seen = nearness > inverse_depth[window]
        seen &= here >= first[index, top:bottom, None]
        seen &= here < last[index, top:bottom, None]
        if index in cutouts and seen.any():
            corner = Grid(grid.x[left:right], grid.y[top:bottom])
            seen &= _alpha(maps[index], corner, cutouts[index]) > 255 * alpha_threshold
        np.copyto(inverse_depth[window], nearness, where=seen)
        np.copyto(surface[window], index, where=seen)
    return Visible(surface, inverse_depth)


def texel_level(maps: Float, texture_size_px: Float32) -> Float32:
    """Return (S,) k, so that k - 1.5 log2(1/z) is the mip level at which a texel has the area of a pixel.

    The area of a pixel in u and v is det(G) z^3, the Jacobian of (u, v) by (x, y).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        level = 0.5 * np.log2(np.abs(np.linalg.det(maps)) * texture_size_px[:, 0] * texture_size_px[:, 1])
    return np.nan_to_num(level, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)


def _alpha(plane_map: Float, window: Grid, levels: tuple[UInt8, ...]) -> UInt8:
    """Return the opacity (H, W) that the rectangle's outline has at the window's positions."""
    h, w = levels[0].shape
    center = plane_map @ np.array([window.x.mean(), window.y.mean(), 1.0])
    area = abs(np.linalg.det(plane_map)) / max(abs(center[2]), 1e-6) ** 3 * w * h * window.step_px**2
    level = levels[int(np.clip(np.floor(0.5 * np.log2(max(area, 1e-12))), 0, len(levels) - 1))]
    texel_from_uv = np.diag([level.shape[1], level.shape[0], 1.0])
    texel_from_uv[:2, 2] = -0.5  # a texel's index is its centre
    step = window.step_px
    row_step = float(window.y[1] - window.y[0]) if len(window.y) > 1 else step
    position_from_index = np.array([[step, 0, window.x[0]], [0, row_step, window.y[0]], [0, 0, 1.0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (len(window.x), len(window.y))
    return np.asarray(cv2.warpPerspective(level, texel_from_uv @ plane_map @ position_from_index, size, flags=flags), np.uint8)
