"""Packed sequences with a known truth, made without a renderer: a camera slides along a textured wall, a square goes its own way."""

from __future__ import annotations

import cv2
import numpy as np

from sfmcam.estimators.megasam.train.pack import CELL_PX, MOVER, PackedSequence

FOCAL_PX, DEPTH_M = 100.0, 4.0


def make_sequences(count: int = 4, *, frames: int = 5, size_px: tuple[int, int] = (144, 112), held_out: int = 1) -> list[PackedSequence]:
    """Return sequences, the last ones held out; the picture slides by up to 5 px per frame, the wall's disparity is 1/4."""
    return [_sequence(n, frames, size_px, held_out=n >= count - held_out) for n in range(count)]


def _sequence(number: int, frames: int, size_px: tuple[int, int], *, held_out: bool) -> PackedSequence:
    rng = np.random.default_rng(number)
    width, height = size_px
    wall = _texture(rng, (height + 80, width + 80))
    square = _texture(rng, (32, 32))
    slide, own = rng.uniform(-5, 5, 2), rng.uniform(4, 8, 2)
    pictures, masks, poses = [], [], []
    for k in range(frames):
        shift = np.array([[1, 0, slide[0] * k - 40], [0, 1, slide[1] * k - 40]])
        picture = cv2.warpAffine(wall, shift, size_px, flags=cv2.INTER_CUBIC)
        x, y = (CELL_PX * np.rint((np.array([20, 30]) + own * k) / CELL_PX)).astype(int)
        picture[y : y + 32, x : x + 32] = square
        mask = np.zeros((height // CELL_PX, width // CELL_PX), np.uint8)
        mask[y // CELL_PX : y // CELL_PX + 8, x // CELL_PX : x // CELL_PX + 8] = MOVER
        pictures.append(picture)
        masks.append(mask)
        poses.append([slide[0] * k * DEPTH_M / FOCAL_PX, slide[1] * k * DEPTH_M / FOCAL_PX, 0, 0, 0, 0, 1])
    disparity = np.full((frames, height // CELL_PX, width // CELL_PX), 1 / DEPTH_M, np.float32)
    return PackedSequence(
        name=f"wall_{number}",
        held_out=held_out,
        pictures=np.stack(pictures),
        poses=np.array(poses),
        focals_px=np.full(frames, FOCAL_PX),
        disparity=disparity,
        mask=np.stack(masks),
    )


def _texture(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    coarse, fine = (cv2.resize(rng.uniform(0, 255, (n, n, 3)), shape[::-1], interpolation=cv2.INTER_CUBIC) for n in (12, 40))
    return np.clip(0.6 * coarse + 0.4 * fine, 0, 255).astype(np.uint8)
