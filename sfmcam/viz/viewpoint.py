"""From where a trajectory is looked at: over the first camera's shoulder, turned until its motion shows best."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from sfmcam.geometry.projection import project
from sfmcam.geometry.rigid import rigid_from_parts, transform_points
from sfmcam.types import Float

FIELD_OF_VIEW_DEG = 36.0  # vertical; narrow, so that near cameras are not blown up
FILL = 0.78  # share of the picture that the cameras may take
FILL_WITH_POINTS = 0.42  # the least they keep when scene points are to be seen too
AZIMUTHS_DEG = (35.0, -35.0, 20.0, -20.0, 55.0, -55.0)  # from behind the camera: the viewer's right is the camera's right
ELEVATIONS_DEG = (30.0, 18.0, 48.0)
GAIN_TO_TURN = 1.1  # a later choice must show the motion this much longer to be taken


@dataclass(frozen=True)
class Viewpoint:
    """The pinhole camera that looks at the scene: eye_from_scene (4, 4), OpenCV axes; focal length and picture size in pixels."""

    eye_from_scene: Float
    focal_px: float
    size_px: tuple[int, int]

    def pixels(self, points: Float) -> Float:
        """Project (..., 3) to (..., 2) pixels; NaN behind the eye."""
        return project(self.depths_and_points(points), self.focal_px, self.size_px)

    def depths_and_points(self, points: Float) -> Float:
        """Return (..., 3) in the eye's frame; the last coordinate is the depth."""
        flat = transform_points(self.eye_from_scene, points.reshape(-1, 3))
        return flat.reshape(points.shape)

    def world_per_pixel(self, points: Float) -> Float:
        """Length (...,) that one pixel covers at each of (..., 3) points."""
        return np.linalg.norm(self.depths_and_points(points), axis=-1) / self.focal_px


def choose_viewpoint(in_view: Float, trails: tuple[Float, ...], points: Float, *, size_px: tuple[int, int]) -> Viewpoint:
    """Return the viewpoint among a few that shows the trails longest; the earlier one where they are nearly equal.

    Args:
        in_view: (K, 3) what must be in the picture.
        trails: polylines (n, 3) that tell the motion.
        points: (M, 3) scene points, brought into the picture as far as the cameras stay large enough.
        size_px: (width, height) of the picture.
    """
    best, best_length = None, -1.0
    for elevation_deg, azimuth_deg in product(ELEVATIONS_DEG, AZIMUTHS_DEG):
        view = _fit(in_view, _direction(azimuth_deg, elevation_deg), fill=FILL, size_px=size_px)
        length = sum(float(np.linalg.norm(np.diff(view.pixels(trail), axis=0), axis=1).sum()) for trail in trails)
        if best is None or length > best_length * GAIN_TO_TURN:
            best, best_length = view, length
    assert best is not None
    return _widen(best, in_view, points) if len(points) else best


def _direction(azimuth_deg: float, elevation_deg: float) -> Float:
    """Rotation eye_from_scene (3, 3) of an eye behind (azimuth 0), to the right of (positive) and above the first camera."""
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    forward = np.array([-np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])
    right = np.cross([0.0, 1.0, 0.0], forward)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])


def _fit(in_view: Float, rotation: Float, *, fill: float, size_px: tuple[int, int]) -> Viewpoint:
    """Stand back along `rotation` until `in_view` fills the share `fill` of the picture, and centre it."""
    focal = size_px[1] / 2 / np.tan(np.radians(FIELD_OF_VIEW_DEG) / 2)
    turned = in_view @ rotation.T
    middle = (turned.min(axis=0) + turned.max(axis=0)) / 2
    radius = max(float(np.linalg.norm(turned - middle, axis=1).max()), 1e-9)
    shift = -middle + [0.0, 0.0, radius * 4]
    room = np.array(size_px, float) * fill
    for _ in range(12):
        view = Viewpoint(rigid_from_parts(rotation, shift), float(focal), size_px)
        pixels = view.pixels(in_view)
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        distance = shift[2] + middle[2]
        off = ((low + high) / 2 - np.array(size_px) / 2) * distance / focal
        shift[:2] -= off
        closer = distance * float(np.max((high - low) / room))
        shift[2] = max(closer, 1.3 * radius) - middle[2]
    return Viewpoint(rigid_from_parts(rotation, shift), float(focal), size_px)


def _widen(view: Viewpoint, in_view: Float, points: Float) -> Viewpoint:
    """Step back to take in scene points, until the cameras would fill less than FILL_WITH_POINTS."""
    center = in_view.mean(axis=0)
    rotation = view.eye_from_scene[:3, :3]
    core = points[:: max(1, len(points) // 2000)]
    low, high = np.quantile(core, (0.1, 0.9), axis=0)
    core = core[((core >= low) & (core <= high)).all(axis=1)]
    chosen = view
    for share in np.linspace(0.1, 1.0, 10):
        wider = _fit(np.concatenate([in_view, center + share * (core - center)]), rotation, fill=0.92, size_px=view.size_px)
        pixels = wider.pixels(in_view)
        if np.max(np.ptp(pixels, axis=0) / view.size_px) < FILL_WITH_POINTS:
            break
        chosen = wider
    return chosen
