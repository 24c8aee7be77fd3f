"""Light baked into textures: sun on faces, darkened corners, shadows. Seen from anywhere, a point keeps its colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from sfmcam.datasets.synthetic.scene import Point
from sfmcam.datasets.synthetic.textures.patch import Color, Patch, Picture
from sfmcam.types import Float


@dataclass(frozen=True)
class Light:
    """One distant lamp and the light that comes from everywhere.

    Attributes:
        toward: (3,) direction from the scene to the lamp, in the world (y down, so a lamp above has y < 0).
        ambient: share of the light without direction.
        diffuse: brightness that the lamp adds to a face turned towards it.
        color: tint of the whole.
    """

    toward: tuple[float, float, float]
    ambient: float = 0.62
    diffuse: float = 0.5
    color: Color = (1.0, 1.0, 1.0)

    def lit(self, picture: Picture, normal: Float) -> Picture:
        """Return `picture` as a face with this outward normal shows it (Lambert's law)."""
        toward = np.asarray(self.toward) / np.linalg.norm(self.toward)
        strength = self.ambient + self.diffuse * max(float(normal @ toward), 0.0)
        return picture * (strength * np.asarray(self.color, np.float32)).astype(np.float32)


@dataclass(frozen=True)
class Footprint:
    """Where a thing stands: corners (k, 2) in world x and z, convex, and the thing's height in metres."""

    corners: Float
    height_m: float

    @staticmethod
    def of_box(base_center: Point, size_m: Point, turn_deg: float = 0.0) -> Footprint:
        """Return the footprint of a box as `scene.box` places it."""
        w, h, d = size_m
        turn = np.radians(turn_deg)
        local = np.array([[-w, -d], [w, -d], [w, d], [-w, d]]) / 2
        x, z = local[:, 0], local[:, 1]
        turned = np.stack([x * np.cos(turn) + z * np.sin(turn), z * np.cos(turn) - x * np.sin(turn)], axis=1)
        return Footprint(turned + np.array([base_center[0], base_center[2]]), h)


def with_dark_edges(picture: Picture, patch: Patch, *, reach_m: float = 0.35, depth: float = 0.35) -> Picture:
    """Darken a wall, floor or ceiling towards its edges, where little light gets in."""
    x, y = patch.meters()
    across = np.exp(-x / reach_m) + np.exp(-(patch.width_m - x) / reach_m)
    along = np.exp(-y / reach_m) + np.exp(-(patch.height_m - y) / reach_m)
    return picture * ((1 - depth * np.minimum(across, 1)) * (1 - depth * np.minimum(along, 1)))[..., None].astype(np.float32)


def with_light_pool(picture: Picture, patch: Patch, center_m: tuple[float, float], *, radius_m: float, gain: float) -> Picture:
    """Brighten a picture round a point, as a lamp or a window does; the rest keeps its brightness."""
    x, y = patch.meters()
    distance = ((x - center_m[0]) ** 2 + (y - center_m[1]) ** 2) / radius_m**2
    return picture * (1 + gain * np.exp(-distance))[..., None].astype(np.float32)


def with_shadows(picture: Picture, patch: Patch, left_far: Point, *, footprints: Iterable[Footprint], light: Light) -> Picture:
    """Paint the shadows of things into a floor or ground that `scene.horizontal` will place at `left_far`."""
    contact, cast = np.zeros(patch.shape, np.float32), np.zeros(patch.shape, np.float32)
    toward = np.asarray(light.toward, float)
    lean = -toward[[0, 2]] / max(-toward[1], 0.2)  # metres of shadow per metre of height
    for footprint in footprints:
        tip = footprint.corners + lean * min(footprint.height_m, 6.0)
        _fill(contact, patch, left_far=left_far, corners=footprint.corners)
        _fill(cast, patch, left_far=left_far, corners=np.concatenate([footprint.corners, tip]))
    near = cv2.GaussianBlur(contact, (0, 0), max(patch.px(0.09), 0.5))
    soft = cv2.GaussianBlur(cast, (0, 0), max(patch.px(0.04), 0.5))
    shade = (1 - 0.55 * near) * (1 - light.diffuse / (light.ambient + light.diffuse) * 0.9 * soft)
    return picture * np.asarray(shade, np.float32)[..., None]


def _fill(canvas: Picture, patch: Patch, *, left_far: Point, corners: Float) -> None:
    h, w = patch.shape
    column = (corners[:, 0] - left_far[0]) / patch.width_m * w
    row = (left_far[2] - corners[:, 1]) / patch.height_m * h
    hull = cv2.convexHull(np.stack([column, row], axis=1).astype(np.float32))
    cv2.fillConvexPoly(canvas, np.rint(hull).astype(np.int32), (1.0,))
