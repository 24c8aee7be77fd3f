"""Frames with known truth for estimator tests: small clips of the synthetic set, rendered once per session."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from sfmcam.datasets.synthetic.camera_path import Shake, dolly, pan, roll, truck, zoom
from sfmcam.datasets.synthetic.clip import ClipSpec, RenderedClip, render_clip
from sfmcam.types import Frames

SIZE_PX = (320, 180)
SHOT = {"size_px": SIZE_PX, "fps": 4.0, "seconds": 2.0, "noise": 1.0}

SPECS = {
    "pan": ClipSpec("pan", "room", 11, (pan(18),), **SHOT),
    "roll": ClipSpec("roll", "gallery", 12, (roll(-20),), **SHOT),
    "zoom": ClipSpec("zoom", "street", 13, (zoom(1.4),), **SHOT),
    "truck": ClipSpec("truck", "garden", 14, (truck(0.3),), **SHOT),
    "dolly": ClipSpec("dolly", "corridor", 15, (dolly(0.4),), **SHOT),
    "still": ClipSpec("still", "room", 16, (), **SHOT),
    "shaky": ClipSpec("shaky", "storehouse", 17, (), shake=Shake(rotation_rad=0.014, translation=0.0, seed=1), **SHOT),
}


@cache
def clip(name: str) -> RenderedClip:
    """Render one of SPECS."""
    return render_clip(SPECS[name])


def frames_of(images: np.ndarray, fps: float = 4.0) -> Frames:
    """Wrap (N, H, W, 3) images as an estimator gets them."""
    size_px = (images.shape[2], images.shape[1])
    return Frames(images, np.arange(len(images)) / fps, fps, size_px, Path("made-by-the-test"), "0" * 64)


def frames(name: str) -> Frames:
    """Frames of one of SPECS."""
    return frames_of(clip(name).frames)


def noise_frames(num_frames: int = 4, seed: int = 0) -> Frames:
    """Frames that have nothing to do with one another: smoothed noise, another one each time."""
    import cv2

    rng = np.random.default_rng(seed)
    images = [cv2.GaussianBlur(rng.integers(0, 255, (SIZE_PX[1], SIZE_PX[0], 3), np.uint8), (0, 0), 2) for _ in range(num_frames)]
    return frames_of(np.stack(images))


def blank_frames(num_frames: int = 4) -> Frames:
    """Grey frames without any texture."""
    return frames_of(np.full((num_frames, SIZE_PX[1], SIZE_PX[0], 3), 127, np.uint8))
