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

from sfmcam.datasets.synthetic import raster
from sfmcam.geometry.projection import intrinsics
from sfmcam.types import Bool, Float, UInt8

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
        x = np.arange(0.5, columns) * (size_px[0] / columns) + offset_px[0]
        y = np.arange(0.5, rows) * (size_px[1] / rows) + offset_px[1]
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


def plane_maps(
    quads_in_world: Float, cam_from_world: Float, focal_px: float, *, size_px: tuple[int, int], one_sided: Bool | None = None
) -> Float:
    """Return G (S, 3, 3) of the module's docstring.

    Rows are NaN where the camera lies in a rectangle's plane, and, for the rectangles that are `one_sided` (S,), behind it.
    """
    in_cam = cam_from_world[:3, :3] @ quads_in_world
    in_cam[:, :, 2] += cam_from_world[:3, 3]
    facing = np.linalg.det(in_cam)  # positive on the side from which right x down points away
    hidden = np.abs(facing) < EDGE_ON if one_sided is None else (np.abs(facing) < EDGE_ON) | (one_sided & (facing < 0))
    in_cam[hidden] = np.eye(3)
    maps = np.linalg.inv(in_cam) @ np.linalg.inv(intrinsics(focal_px, size_px))
    maps[hidden] = np.nan
    return maps


def edge_lines(maps: Float) -> Float:
    """Return the four edges (S, 4, 3) as lines l with l (x, y, 1) >= 0 on the inside."""
    u, v, w = maps[:, 0], maps[:, 1], maps[:, 2]
    slack = EDGE_SLACK * w
    return np.stack([u + slack, w - u + slack, v + slack, w - v + slack], axis=1)


def in_view(edges: Float, grid: Grid) -> NDArray[np.intp]:
    """Return the rectangles that may touch the grid: none of their edges has all of it outside. NaN counts as outside."""
    corners = np.array([[x, y, 1.0] for x in grid.x[[0, -1]] for y in grid.y[[0, -1]]])
    touches: Bool = ((edges @ corners.T).max(axis=2) >= 0).all(axis=1)
    return np.flatnonzero(touches)


def find_visible(maps: Float, grid: Grid, *, cutouts: dict[int, tuple[UInt8, ...]], alpha_threshold: float = 0.5) -> Visible:
    """Return the nearest rectangle of every grid position.

    Args:
        maps: (S, 3, 3) from `plane_maps`.
        grid: the positions.
        cutouts: alpha levels of the rectangles that have an outline cut out, by rectangle.
        alpha_threshold: share of opacity, 0 to 1, from which a texel counts as solid.
    """
    edges = edge_lines(maps)
    candidates = in_view(edges, grid)
    shown, edges = maps[candidates], edges[candidates]
    first, last = raster.spans(edges, grid.x, grid.y, grid.step_px)
    bounds, area = raster.bounds(first, last), np.abs(np.linalg.det(shown))
    across = (shown[:, 2, :1] * grid.x + shown[:, 2, 2:]).astype(np.float32)
    down = (shown[:, 2, 1:2] * grid.y).astype(np.float32)
    seen = np.full((len(grid.y), len(grid.x)), -1, np.intp), np.zeros((len(grid.y), len(grid.x)), np.float32)
    for i in _near_first(shown, first < last, grid):
        index = int(candidates[i])
        place = across[i], down[i], first[i], last[i]
        if index not in cutouts:
            raster.enter(seen, index, *place)
        elif raster.is_nearest(seen[1], *place):
            top, bottom, left, right = bounds[i]
            window = Grid(grid.x[left:right], grid.y[top:bottom])
            alpha = _alpha(shown[i], window, cutouts[index], area=float(area[i]))
            raster.enter_cutout(seen, index, *place, alpha, 255 * alpha_threshold)
    return Visible(*seen)


def _near_first(maps: Float, rows: Bool, grid: Grid) -> list[int]:
    """Return the rectangles that have a span in any of their `rows` (S, H), nearer ones first: what is behind then costs less."""
    count = rows.sum(axis=1)
    middle_y = (rows * grid.y).sum(axis=1) / np.maximum(count, 1)
    nearness = maps[:, 2, 0] * grid.x.mean() + maps[:, 2, 1] * middle_y + maps[:, 2, 2]
    order = np.argsort(-nearness, kind="stable")
    return [int(i) for i in order[count[order] > 0]]


def texel_level(maps: Float, texture_size_px: Float32) -> Float32:
    """Return (S,) k, so that k - 1.5 log2(1/z) is the mip level at which a texel has the area of a pixel.

    The area of a pixel in u and v is det(G) z^3, the Jacobian of (u, v) by (x, y).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        level = 0.5 * np.log2(np.abs(np.linalg.det(maps)) * texture_size_px[:, 0] * texture_size_px[:, 1])
    return np.nan_to_num(level, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)


def _alpha(plane_map: Float, window: Grid, levels: tuple[UInt8, ...], *, area: float) -> UInt8:
    """Return the opacity (H, W) that the rectangle's outline has at the window's positions; `area` is the determinant of its map."""
    h, w = levels[0].shape
    x, y = window.x, window.y
    center = plane_map @ np.array([np.add.reduce(x) / len(x), np.add.reduce(y) / len(y), 1.0])
    step = window.step_px
    texels = area / max(abs(center[2]), 1e-6) ** 3 * w * h * step**2  # in a pixel
    level = levels[min(max(int(np.floor(0.5 * np.log2(max(texels, 1e-12)))), 0), len(levels) - 1)]
    # a texel's index is its centre
    texel_from_uv = np.array([[level.shape[1], 0.0, -0.5], [0.0, level.shape[0], -0.5], [0.0, 0.0, 1.0]])
    row_step = float(y[1] - y[0]) if len(y) > 1 else step
    position_from_index = np.array([[step, 0, x[0]], [0, row_step, y[0]], [0, 0, 1.0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPerspective(level, texel_from_uv @ plane_map @ position_from_index, (len(x), len(y)), flags=flags), np.uint8)
