"""Which rectangle each pixel sees, and how far away: an exact depth buffer over planar rectangles.

A rectangle is the set of points corner + u right + v down with u and v in [0, 1]. For a pixel at picture position (x, y), the vector
G (x, y, 1) = (u/z, v/z, 1/z), where G = [right down corner]^-1 K^-1 in camera coordinates and z is the depth along the optical axis.
So 1/z and the rectangle's four edges are straight lines in the picture: no clipping is needed, since u/z >= 0 and (1-u)/z >= 0
already mean that the point lies in front of the camera.
"""

from __future__ import annotations

import math
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
    across = (shown[:, 2, :1] * grid.x + shown[:, 2, 2:]).astype(np.float32)
    down = (shown[:, 2, 1:2] * grid.y).astype(np.float32)
    seen = np.full((len(grid.y), len(grid.x)), -1, np.intp), np.zeros((len(grid.y), len(grid.x)), np.float32)
    order, outlines = _near_first(shown, first < last, grid), [cutouts.get(int(i)) for i in candidates]
    has_outline = np.array([outline is not None for outline in outlines], bool)
    bounds, views = raster.bounds(first, last), None
    place = raster.enter(seen, order, 0, candidates, has_outline, (across, down), (first, last))
    while place < len(order):
        i = order[place]
        views = views or _outline_views(shown, bounds, grid, outlines)
        alpha = _alpha(views[i], bounds[i])
        raster.enter_cutout(seen, int(candidates[i]), across[i], down[i], first[i], last[i], alpha, 255 * alpha_threshold)
        place = raster.enter(seen, order, place + 1, candidates, has_outline, (across, down), (first, last))
    return Visible(*seen)


def _near_first(maps: Float, rows: Bool, grid: Grid) -> NDArray[np.intp]:
    """Return the rectangles that have a span in any of their `rows` (S, H), nearer ones first: what is behind then costs less."""
    count = rows.sum(axis=1)
    middle_y = (rows * grid.y).sum(axis=1) / np.maximum(count, 1)
    nearness = maps[:, 2, 0] * grid.x.mean() + maps[:, 2, 1] * middle_y + maps[:, 2, 2]
    order = np.argsort(-nearness, kind="stable")
    return order[count[order] > 0]


def texel_level(maps: Float, texture_size_px: Float32) -> Float32:
    """Return (S,) k, so that k - 1.5 log2(1/z) is the mip level at which a texel has the area of a pixel.

    The area of a pixel in u and v is det(G) z^3, the Jacobian of (u, v) by (x, y).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        level = 0.5 * np.log2(np.abs(np.linalg.det(maps)) * texture_size_px[:, 0] * texture_size_px[:, 1])
    return np.nan_to_num(level, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)


OutlineView = tuple[UInt8, Float]  # an outline at one of its sizes, and the (3, 3) map of the place in a window to the one in it


def _outline_views(maps: Float, bounds: NDArray[np.intp], grid: Grid, outlines: list[tuple[UInt8, ...] | None]) -> list[OutlineView | None]:
    """Return how each rectangle's outline, if it has one, is to be looked up in the window of its `bounds` (S, 4)."""
    top, bottom, left, right = np.minimum(bounds, [len(grid.y) - 1, len(grid.y), len(grid.x) - 1, len(grid.x)]).T
    x, y = grid.x[left], grid.y[top]
    middle = np.stack([(x + grid.x[right - 1]) / 2, (y + grid.y[bottom - 1]) / 2, np.ones(len(x))], axis=1)
    nearness = np.abs(np.einsum("sk,sk->s", maps[:, 2], middle)).clip(1e-6)
    # a window of one column takes the step of a full picture: too fine a level, kept so that rendered sets keep their pixels
    step = np.where(right - left > 1, grid.step_px, 1.0)
    row_step = np.where(bottom - top > 1, grid.y[1] - grid.y[0], step) if len(grid.y) > 1 else step
    uv_per_pixel = np.abs(np.linalg.det(maps)) / nearness**3 * step**2  # area of a pixel as a share of the rectangle
    uv_from_place = maps.copy()
    uv_from_place[:, :, 2] += maps[:, :, 0] * x[:, None] + maps[:, :, 1] * y[:, None]
    uv_from_place[:, :, :2] *= np.stack([step, row_step], axis=1)[:, None]
    return [
        None if levels is None else _at_level(levels, share, matrix)
        for levels, share, matrix in zip(outlines, uv_per_pixel.tolist(), uv_from_place, strict=True)
    ]


def _at_level(levels: tuple[UInt8, ...], uv_per_pixel: float, uv_from_place: Float) -> OutlineView:
    """Choose the size at which a texel has about the area of a pixel."""
    h, w = levels[0].shape
    number = math.floor(0.5 * math.log2(max(uv_per_pixel * w * h, 1e-12)))
    level = levels[min(max(number, 0), len(levels) - 1)]
    h, w = level.shape
    # a texel's index is its centre
    return level, np.array([[w, 0.0, -0.5], [0.0, h, -0.5], [0.0, 0.0, 1.0]]) @ uv_from_place


def _alpha(view: OutlineView | None, bounds: NDArray[np.intp]) -> UInt8:
    """Return the opacity (H, W) that an outline has at the positions within the bounds."""
    assert view is not None  # only what has an outline is looked up
    (level, texel_from_place), (top, bottom, left, right) = view, bounds.tolist()
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPerspective(level, texel_from_place, (right - left, bottom - top), flags=flags), np.uint8)
