"""Strokes and dots as triangles: OpenGL draws every line one pixel wide, so a line with a width is a thin prism."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.types import Float, Int
from sfmcam.viz.stroke import Dots, Strokes
from sfmcam.viz.viewpoint import Viewpoint

SIDES = 8


@dataclass(frozen=True)
class Mesh:
    """Triangles: vertices (V, 3), colours (V, 3) in [0, 1], vertex indices (T, 3)."""

    vertices: Float
    colors: Float
    triangles: Int


def mesh_of(strokes: Strokes, dots: Dots, view: Viewpoint) -> Mesh:
    """Build prisms and balls that have the asked width in pixels when seen from `view`."""
    parts = [_prisms(strokes, view), _balls(dots, view)]
    offsets = np.cumsum([0, len(parts[0].vertices)])
    return Mesh(
        np.concatenate([p.vertices for p in parts]),
        np.concatenate([p.colors for p in parts]),
        np.concatenate([p.triangles + o for p, o in zip(parts, offsets, strict=True)]),
    )


def _prisms(strokes: Strokes, view: Viewpoint) -> Mesh:
    """One closed prism per line, SIDES-sided, its ends as wide as their own distance demands."""
    length = np.linalg.norm(strokes.ends[:, 1] - strokes.ends[:, 0], axis=1)
    kept = length > 0
    ends, length = strokes.ends[kept], length[kept]
    axis = (ends[:, 1] - ends[:, 0]) / length[:, None]
    helper = np.where(np.abs(axis[:, :1]) < 0.8, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    u = np.cross(axis, helper)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(axis, u)
    angle = np.arange(SIDES) * 2 * np.pi / SIDES
    ring = np.cos(angle)[:, None] * u[:, None] + np.sin(angle)[:, None] * v[:, None]  # (S, SIDES, 3)
    radius = view.world_per_pixel(ends) * strokes.widths_px[kept, None] / 2  # (S, 2)
    # A little longer than the line, so that the pieces of a bent path overlap.
    stretched = ends + np.stack([-axis, axis], axis=1) * radius[..., None] * 0.5
    vertices = stretched[:, :, None] + radius[..., None, None] * ring[:, None]  # (S, 2, SIDES, 3)
    near, far = np.arange(SIDES), np.arange(SIDES) + SIDES
    turn = np.roll(np.arange(SIDES), -1)
    wall = np.concatenate([np.stack([near, near[turn], far], 1), np.stack([near[turn], far[turn], far], 1)])
    fan = np.stack([np.zeros(SIDES - 2, int), np.arange(1, SIDES - 1), np.arange(2, SIDES)], 1)
    pattern = np.concatenate([wall, fan, fan + SIDES])
    triangles = pattern[None] + (np.arange(len(ends)) * 2 * SIDES)[:, None, None]
    return Mesh(vertices.reshape(-1, 3), np.repeat(strokes.colors[kept], 2 * SIDES, axis=0), triangles.reshape(-1, 3))


def _balls(dots: Dots, view: Viewpoint) -> Mesh:
    """A disc that faces the eye looks the same as a ball when nothing is shaded."""
    rotation = view.eye_from_scene[:3, :3]
    count = 4 * SIDES
    angle = np.arange(count) * 2 * np.pi / count
    ring = np.cos(angle)[:, None] * rotation[0] + np.sin(angle)[:, None] * rotation[1]
    per_pixel = view.world_per_pixel(dots.centers)
    radius = per_pixel * dots.radii_px
    # Pulled towards the eye, as the front of a ball would be, so that lines end at it; a later dot lies over an earlier one.
    lift = per_pixel * (dots.radii_px.max(initial=0.0) + np.arange(len(radius)))
    front = dots.centers - rotation[2] * lift[:, None]
    rims = front[:, None] + radius[:, None, None] * ring
    vertices = np.concatenate([rims, front[:, None]], axis=1)
    pattern = np.stack([np.arange(count), np.roll(np.arange(count), -1), np.full(count, count)], 1)
    triangles = pattern[None] + (np.arange(len(front)) * (count + 1))[:, None, None]
    return Mesh(vertices.reshape(-1, 3), np.repeat(dots.colors, count + 1, axis=0), triangles.reshape(-1, 3))
