"""Trajectories of the synthetic camera paths, without rendering: sampled at any rate, with the noise of an estimator that knows its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sfmcam.datasets.synthetic.camera_path import CameraPath, Curve, Shake
from sfmcam.geometry.rigid import inverse, rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.motion.primitive import Dof
from sfmcam.types import CameraTrajectory, Evidence

FOCAL_PX, SIZE_PX = 408.0, (480, 270)
LIGHT = Shake(float(np.radians(0.22)), 0.004, 0)  # the two levels of the embedded set
STRONG = Shake(float(np.radians(0.75)), 0.012, 0)
QUIET = (0.0002, 0.0004, 0.0004)  # per frame: radians, scene depths, log focal


def filmed(
    curves: Sequence[Curve] = (),
    *,
    shake: Shake | None = None,
    seed: int = 0,
    seconds: float = 3.0,
    fps: float = 24.0,
    noise: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> CameraTrajectory:
    """Return what an estimator says of a path at `fps`: the truth and white noise, which its evidence states."""
    shake = None if shake is None else replace(shake, seed=seed)
    path = CameraPath(tuple(curves), shake, seconds, np.eye(4), 1.0, FOCAL_PX)
    times_s = np.arange(round(seconds * fps) + 1) / fps
    rotation, translation, log_focal = noise
    dofs = path.dofs(times_s)
    sigma = np.array([rotation] * 3 + [translation] * 3 + [log_focal])
    dofs = dofs + sigma * np.random.default_rng(seed).normal(size=dofs.shape)
    return CameraTrajectory(
        timestamps_s=times_s,
        cam_from_world=inverse(rigid_from_parts(rotation_from_vector(dofs[:, : Dof.RIGHT]), dofs[:, Dof.RIGHT : Dof.ZOOM])),
        focal_px=FOCAL_PX * np.exp(dofs[:, Dof.ZOOM]),
        valid=np.ones(len(times_s), bool),
        median_depth=np.ones(len(times_s)),
        image_size_px=SIZE_PX,
        evidence=Evidence(*(max(np.sqrt(2) * value, 1e-6) for value in noise)),
    )
