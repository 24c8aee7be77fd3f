"""What COLMAP's text and binary files both hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sfmcam.types import Float, UInt8


@dataclass(frozen=True)
class ColmapImage:
    """A placed image: `cam_from_world` as quaternion and translation, and the ids (K,) of the points seen in it."""

    name: str
    camera_id: int
    quaternion_wxyz: tuple[float, float, float, float]
    translation: tuple[float, float, float]
    point_ids: NDArray[np.int64]


@dataclass(frozen=True)
class ColmapPoints:
    """The points (M, 3) of a model with their ids (M,) and colours (M, 3)."""

    ids: NDArray[np.int64]
    points_in_world: Float
    colors_rgb: UInt8
