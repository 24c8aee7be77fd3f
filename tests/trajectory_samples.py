"""Camera paths for tests."""

from __future__ import annotations

import numpy as np

from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import CameraTrajectory, Float


def random_poses(n: int, *, seed: int = 0) -> Float:
    """Return n poses (n, 4, 4) with rotations up to half a turn and translations of a few units."""
    rng = np.random.default_rng(seed)
    return rigid_from_parts(rotation_from_vector(rng.normal(size=(n, 3))), rng.normal(size=(n, 3)) * 3)


def smooth_poses(n: int, *, seed: int = 0) -> Float:
    """Return n `cam_from_world` poses (n, 4, 4) of a camera that wanders and turns a little from frame to frame."""
    rng = np.random.default_rng(seed)
    rotations = rotation_from_vector(np.cumsum(rng.normal(size=(n, 3)) * 0.05, axis=0))
    return rigid_from_parts(rotations, np.cumsum(rng.normal(size=(n, 3)) * 0.3, axis=0))


def trajectory_of(cam_from_world: Float, *, fps: float = 10.0, **fields: object) -> CameraTrajectory:
    """Return a trajectory with nothing known but the poses, and whatever `fields` replace."""
    n = len(cam_from_world)
    unknown = np.full(n, np.nan)
    values: dict[str, object] = {
        "timestamps_s": np.arange(n) / fps,
        "cam_from_world": cam_from_world,
        "focal_px": unknown,
        "valid": np.ones(n, dtype=bool),
        "median_depth": unknown,
    }
    return CameraTrajectory(**(values | fields))  # type: ignore[arg-type]
