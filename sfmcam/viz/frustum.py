"""The pyramid that stands for a camera: apex at its centre, opening by its focal length, a tick on the upper edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.geometry.rigid import transform_points
from sfmcam.types import Float

USUAL_FOCAL_RATIO = 0.85  # focal over picture width of a usual lens, for cameras without a focal length
_RIM = ((1, 2), (2, 3), (3, 4), (4, 1))
_SIDES = ((0, 1), (0, 2), (0, 3), (0, 4))
_TICK = ((5, 6), (6, 7))


@dataclass(frozen=True)
class Frustum:
    """One camera as lines.

    Attributes:
        vertices: (8, 3) apex; picture corners upper left, upper right, lower right, lower left; tick left, tip, right.
        gaze: (3,) where the optical axis meets the drawn picture plane.
        depth: distance of that plane from the apex.
    """

    vertices: Float
    gaze: Float
    depth: float

    @property
    def tip(self) -> Float:
        """(3,) the top of the tick, which shows a roll."""
        return self.vertices[6]

    def edges(self, *, sides: bool) -> Float:
        """Return the lines as (n, 2, 3): picture rim and tick, and with `sides` the four from the apex."""
        index = (*_RIM, *_TICK, *(_SIDES if sides else ()))
        return self.vertices[np.array(index)]


def camera_frustum(target_from_cam: Float, focal_ratio: float, *, aspect: float, depth: float) -> Frustum:
    """Place a camera.

    Args:
        target_from_cam: (4, 4) pose.
        focal_ratio: focal length over picture width; NaN takes a usual lens. All planes lie at the same depth, so a zoom
            shows as a narrower opening.
        aspect: picture height over width.
        depth: distance of the picture plane.
    """
    ratio = focal_ratio if np.isfinite(focal_ratio) else USUAL_FOCAL_RATIO
    half_width = depth * float(np.clip(0.5 / ratio, 0.02, 1.5))
    half_height = half_width * aspect
    tick = 0.16 * half_height
    flat = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    corners = [(x * half_width, y * half_height, depth) for x, y in flat]
    ticks = [(-tick, -half_height, depth), (0.0, -half_height - 1.6 * tick, depth), (tick, -half_height, depth)]
    vertices = np.array([(0.0, 0.0, 0.0), *corners, *ticks, (0.0, 0.0, depth)])
    placed = transform_points(target_from_cam, vertices)
    return Frustum(placed[:8], placed[8], depth)
