"""What is filmed: textured rectangles in a world of metres, standing still or carried by movers.

World axes are those of a level camera: x right, y DOWN, z forward. Everything solid is built of rectangles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from sfmcam.geometry.rigid import rigid_from_parts, transform_points
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Float, UInt8

Point = tuple[float, float, float]  # x, y, z in metres
MoverPath = Callable[[float], Float]  # time in seconds -> world_from_mover (4, 4)


@dataclass(frozen=True, eq=False)
class Surface:
    """A textured rectangle.

    Attributes:
        corner: (3,) where the texture's top left corner lies, metres, in the world (or in its mover).
        right: (3,) edge along the texture's rows, its length the rectangle's width in metres.
        down: (3,) edge along the texture's columns, its length the rectangle's height in metres.
        texture: (h, w, 3) or (h, w, 4) uint8 RGB or RGBA; alpha cuts the rectangle's outline out.
        is_backdrop: the sky and the like: drawn, but no part of the scene when its depth is measured.
        is_one_sided: side of something solid, never seen from behind; drawing leaves it out there.
    """

    corner: Float
    right: Float
    down: Float
    texture: UInt8
    is_backdrop: bool = False
    is_one_sided: bool = False

    @property
    def has_cutout(self) -> bool:
        """True where the texture has an alpha channel."""
        return self.texture.shape[2] == 4

    def moved(self, target_from_source: Float) -> Surface:
        """Return the same rectangle in another frame."""
        rotation = target_from_source[:3, :3]
        corner = transform_points(target_from_source, self.corner[None])[0]
        return replace(self, corner=corner, right=rotation @ self.right, down=rotation @ self.down)


@dataclass(frozen=True)
class Mover:
    """Rectangles that move as one body; `world_from_mover` gives their pose at a time in seconds."""

    surfaces: tuple[Surface, ...]
    world_from_mover: MoverPath


@dataclass(frozen=True)
class Scene:
    """A stage set.

    Attributes:
        surfaces: the static part.
        world_from_start: (4, 4) pose of the camera before its path begins.
        mover_ground: (3,) a point on the ground, in front of the camera and free to walk on, from which movers start.
    """

    surfaces: tuple[Surface, ...]
    world_from_start: Float
    mover_ground: Float


def quads(surfaces: Iterable[Surface]) -> Float:
    """Stack the rectangles as (S, 3, 3) matrices whose columns are `right`, `down` and `corner`."""
    return np.array([np.column_stack([s.right, s.down, s.corner]) for s in surfaces]).reshape(-1, 3, 3)


def vertical(left_bottom: Point, size_m: tuple[float, float], texture: UInt8, *, turn_deg: float = 0.0) -> Surface:
    """Return an upright rectangle, `size_m` (width, height), that faces -z.

    `turn_deg` swings it about its left edge, its right end coming nearer when positive.
    """
    turn = np.radians(turn_deg)
    (x, y, z), (width_m, height_m) = left_bottom, size_m
    along = np.array([np.cos(turn), 0.0, -np.sin(turn)])
    return Surface(np.array([x, y - height_m, z]), along * width_m, np.array([0.0, height_m, 0.0]), texture)


def horizontal(left_far: Point, size_m: tuple[float, float], texture: UInt8) -> Surface:
    """Return a level rectangle, such as a floor, `size_m` (width, depth), whose texture's top is its far edge."""
    width_m, depth_m = size_m
    return Surface(np.asarray(left_far, float), np.array([width_m, 0.0, 0.0]), np.array([0.0, 0.0, -depth_m]), texture)


@dataclass(frozen=True)
class BoxTextures:
    """Textures of a box: the four sides in the order front (-z), right (+x), back (+z), left (-x), and the top."""

    sides: tuple[UInt8, UInt8, UInt8, UInt8]
    top: UInt8


def box(base_center: Point, size_m: Point, textures: BoxTextures, *, turn_deg: float = 0.0) -> list[Surface]:
    """Return the sides and the top of a box that stands at `base_center`; `size_m` is (width, height, depth)."""
    w, h, d = size_m
    world_from_box = rigid_from_parts(rotation_from_vector(np.array([0.0, np.radians(turn_deg), 0.0])), np.asarray(base_center, float))
    down = np.array([0.0, h, 0.0])
    corners = ((-w / 2, -h, -d / 2), (w / 2, -h, -d / 2), (w / 2, -h, d / 2), (-w / 2, -h, d / 2))
    rights = ((w, 0, 0), (0, 0, d), (-w, 0, 0), (0, 0, -d))
    faces = [Surface(np.array(c), np.array(r, float), down, t) for c, r, t in zip(corners, rights, textures.sides, strict=True)]
    faces.append(Surface(np.array([-w / 2, -h, d / 2]), np.array([w, 0.0, 0.0]), np.array([0.0, 0.0, -d]), textures.top))
    return [replace(face.moved(world_from_box), is_one_sided=True) for face in faces]
