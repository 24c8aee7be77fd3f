"""Paint a scene with matplotlib, for machines on which Open3D cannot: the same projection, far lines first."""

from __future__ import annotations

from typing import Any

import numpy as np

from sfmcam.types import Float, UInt8
from sfmcam.viz.scene import Scene
from sfmcam.viz.stroke import Strokes
from sfmcam.viz.viewpoint import Viewpoint

DPI = 100
POINTS_PER_PX = 72 / DPI
POINT_SIZE_PX = 3.4
PIECES = 12  # long lines are cut up, so that they sort by depth and end at the eye


def draw_with_matplotlib(scene: Scene, view: Viewpoint) -> UInt8:
    """Return the scene as (H, W, 3), H and W as in `view.size_px`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = view.size_px
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    _paint_points(axes, scene, view)
    _paint_strokes(axes, scene.strokes, view)
    dots = view.pixels(scene.dots.centers)
    areas = (2 * scene.dots.radii_px * POINTS_PER_PX) ** 2
    axes.scatter(dots[:, 0], dots[:, 1], s=areas, c=scene.dots.colors, linewidths=0, zorder=3)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _paint_points(axes: Any, scene: Scene, view: Viewpoint) -> None:
    if not len(scene.points):
        return
    depth = view.depths_and_points(scene.points)[:, 2]
    order = np.argsort(-depth)
    order = order[depth[order] > 0]
    pixels = view.pixels(scene.points[order])
    axes.scatter(
        pixels[:, 0], pixels[:, 1], s=(POINT_SIZE_PX * POINTS_PER_PX) ** 2, c=scene.point_colors[order], marker="s", linewidths=0, zorder=1
    )


def _paint_strokes(axes: Any, strokes: Strokes, view: Viewpoint) -> None:
    from matplotlib.collections import LineCollection

    ends, colors, widths = _cut(strokes, view)
    depth = view.depths_and_points(ends)[..., 2]
    order = np.argsort(-depth.mean(axis=1))
    order = order[(depth[order] > 1e-9).all(axis=1)]
    lines = view.pixels(ends[order])
    axes.add_collection(
        LineCollection(list(lines), colors=colors[order], linewidths=widths[order] * POINTS_PER_PX, capstyle="round", zorder=2)
    )


def _cut(strokes: Strokes, view: Viewpoint) -> tuple[Float, Float, Float]:
    """Cut lines that are long beside the distance of the eye into PIECES."""
    length = np.linalg.norm(strokes.ends[:, 1] - strokes.ends[:, 0], axis=1)
    middle = view.depths_and_points(strokes.ends.mean(axis=1))
    is_long = length > 0.05 * np.linalg.norm(middle, axis=1)
    share = np.linspace(0, 1, PIECES + 1)[:, None]
    long = strokes.ends[is_long]
    knots = long[:, None, 0] * (1 - share) + long[:, None, 1] * share  # (L, PIECES + 1, 3)
    pieces = np.stack([knots[:, :-1], knots[:, 1:]], axis=2).reshape(-1, 2, 3)
    ends = np.concatenate([strokes.ends[~is_long], pieces])
    colors = np.concatenate([strokes.colors[~is_long], np.repeat(strokes.colors[is_long], PIECES, axis=0)])
    widths = np.concatenate([strokes.widths_px[~is_long], np.repeat(strokes.widths_px[is_long], PIECES)])
    return ends, colors, widths
