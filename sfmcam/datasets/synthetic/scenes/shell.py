"""The box that every indoor set is built in, and what all sets share: hanging pictures, the starting camera, putting it together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.datasets.synthetic.scene import Scene, Surface, horizontal, vertical
from sfmcam.datasets.synthetic.scenes.lighting import with_dark_edges, with_shadows
from sfmcam.datasets.synthetic.scenes.props import Painter, Prop, Studio
from sfmcam.datasets.synthetic.textures.patch import Color, Patch, Picture, to_uint8
from sfmcam.types import Float

WALL_GAINS = (("far", 0.98), ("right", 1.04), ("left", 0.84), ("near", 0.9))


@dataclass(frozen=True)
class Shell:
    """A rectangular hall: x from `left` to `right`, y from `top` (ceiling, negative) to `bottom` (floor), z from `near` to `far`."""

    left: float
    right: float
    top: float
    bottom: float
    near: float
    far: float

    @property
    def height_m(self) -> float:
        """Height of the walls."""
        return self.bottom - self.top

    def wall(self, side: str, texture_of: Painter, studio: Studio, *, gain: float) -> Surface:
        """Return one wall, seen from inside: `side` is far, near, left or right."""
        length = self.right - self.left if side in ("far", "near") else self.far - self.near
        patch = Patch(length, self.height_m, studio.texels_per_m)
        texture = to_uint8(with_dark_edges(texture_of(patch), patch) * gain)
        placed = {
            "far": ((self.left, self.bottom, self.far), 0.0),
            "right": ((self.right, self.bottom, self.far), 90.0),
            "near": ((self.right, self.bottom, self.near), 180.0),
            "left": ((self.left, self.bottom, self.near), 270.0),
        }
        corner, turn = placed[side]
        return vertical(corner, (length, self.height_m), texture, turn_deg=turn)

    def floor(self, texture_of: Painter, studio: Studio, props: list[Prop]) -> Surface:
        """Return the floor with the props' shadows."""
        patch = Patch(self.right - self.left, self.far - self.near, studio.texels_per_m * 0.75)  # seen at a slant
        corner = (self.left, self.bottom, self.far)
        picture = with_dark_edges(texture_of(patch), patch)
        picture = with_shadows(picture, patch, corner, footprints=(p.footprint for p in props), light=studio.light)
        return horizontal(corner, (patch.width_m, patch.height_m), to_uint8(picture))

    def ceiling(self, texture_of: Painter, studio: Studio) -> Surface:
        """Return the ceiling."""
        patch = Patch(self.right - self.left, self.far - self.near, studio.texels_per_m * 0.6)
        width, depth = np.array([patch.width_m, 0.0, 0.0]), np.array([0.0, 0.0, patch.height_m])
        return Surface(np.array([self.left, self.top, self.near]), width, depth, to_uint8(with_dark_edges(texture_of(patch), patch)))


def on_wall(wall: Surface, picture: Picture, *, left_m: float, bottom_m: float, patch: Patch) -> Surface:
    """Hang a picture on a wall, 1 cm in front of it, at a distance from its left edge and above its bottom edge."""
    right, down = wall.right / np.linalg.norm(wall.right), wall.down / np.linalg.norm(wall.down)
    toward_viewer = -np.cross(right, down)
    corner = wall.corner + wall.down + left_m * right - (bottom_m + patch.height_m) * down + 0.01 * toward_viewer
    return Surface(corner, right * patch.width_m, down * patch.height_m, to_uint8(picture))


def pick(rng: np.random.Generator, colors: list[Color]) -> Color:
    """Return one of the colours."""
    return colors[int(rng.integers(len(colors)))]


def assemble(surfaces: list[Surface], props: list[Prop], *, mover_ground: tuple[float, float, float], pitch_deg: float = -3.0) -> Scene:
    """Return the scene of loose surfaces and props, the camera starting at the origin."""
    every = [*surfaces, *(s for prop in props for s in prop.surfaces)]
    return Scene(tuple(every), start_pose(pitch_deg=pitch_deg), np.array(mover_ground))


def start_pose(*, pitch_deg: float = 0.0, yaw_deg: float = 0.0, at: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Float:
    """Return world_from_camera (4, 4) of a level camera turned right by `yaw_deg` and then tilted up by `pitch_deg`."""
    yaw, pitch = np.radians(yaw_deg), np.radians(pitch_deg)
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = about_y @ about_x, at
    return pose
