"""A clip from its recipe: `render_clip(ClipSpec) -> RenderedClip`, pictures together with everything that is true about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sfmcam.datasets.synthetic.camera_path import CameraPath
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.datasets.synthetic.stage import build_stage
from sfmcam.types import Bool, CameraTrajectory, Float, Scale, UInt8


@dataclass(frozen=True)
class RenderedClip:
    """Frames and their truth.

    Attributes:
        spec: the recipe.
        frames: (N, H, W, 3) uint8 RGB.
        timestamps_s: (N,).
        cam_from_world: (N, 4, 4), world in metres, OpenCV camera axes; at the middle of the exposure.
        focal_px: (N,); the principal point is (W/2, H/2) and the first pixel's centre lies at (0.5, 0.5).
        depth: (N, H//4, W//4) float32 depth of the static scene along the optical axis in metres, movers left out; NaN for the sky.
            Row i, column j is exact at the picture position ((j + 0.5) W / (W//4), (i + 0.5) H / (H//4)).
        mover_masks: (N, H//4, W//4) where a mover is seen, at the same positions.
        path: the camera's path, with and without shake.
    """

    spec: ClipSpec
    frames: UInt8
    timestamps_s: Float
    cam_from_world: Float
    focal_px: Float
    depth: NDArray[np.float32]
    mover_masks: Bool
    path: CameraPath

    @property
    def median_depth(self) -> Float:
        """(N,) median depth of the static scene, in metres."""
        return np.nanmedian(self.depth.reshape(len(self.depth), -1), axis=1).astype(float)

    def trajectory(self) -> CameraTrajectory:
        """Return the true camera path."""
        return CameraTrajectory(
            timestamps_s=self.timestamps_s,
            cam_from_world=self.cam_from_world,
            focal_px=self.focal_px,
            valid=np.ones(len(self.timestamps_s), bool),
            median_depth=self.median_depth,
            scale=Scale.METRIC,
            image_size_px=self.spec.size_px,
        )


def render_clip(spec: ClipSpec) -> RenderedClip:
    """Draw every frame of a clip, with depth and mover masks."""
    stage = build_stage(spec)
    times = spec.timestamps_s
    return RenderedClip(
        spec=spec,
        frames=np.stack([stage.frame(t, np.random.default_rng((spec.seed, index))) for index, t in enumerate(times.tolist())]),
        timestamps_s=times,
        cam_from_world=stage.path.cam_from_world(times),
        focal_px=stage.path.focals_px(times),
        depth=np.stack([stage.depth(t) for t in times.tolist()]),
        mover_masks=np.stack([stage.mover_mask(t) for t in times.tolist()]),
        path=stage.path,
    )
