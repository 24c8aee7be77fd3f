"""Real photographs as texture: the two that scikit-learn ships (CC BY 2.0; third_party/README.md), cut and tinted at random."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from sfmcam.datasets.synthetic.textures.brush import frame_rect
from sfmcam.datasets.synthetic.textures.patch import Patch, Picture, grain, tinted
from sfmcam.types import UInt8

NAMES = ("china.jpg", "flower.jpg")
SMALLEST_CUT = 0.45  # of a photograph's side; smaller ones would be blurred on the wall


def photograph(patch: Patch, rng: np.random.Generator) -> Picture:
    """Framed print of a part of a photograph, of the patch's shape, mirrored or not, lighter or darker."""
    whole = _photo(NAMES[int(rng.integers(len(NAMES)))])
    height, width = whole.shape[:2]
    aspect = patch.width_m / patch.height_m
    most = min(float(width), height * aspect)
    cut_width = most * float(rng.uniform(SMALLEST_CUT, 1.0))
    cut_height = cut_width / aspect
    left, top = float(rng.uniform(0, width - cut_width)), float(rng.uniform(0, height - cut_height))
    cut = whole[int(top) : max(int(top + cut_height), int(top) + 2), int(left) : max(int(left + cut_width), int(left) + 2)]
    shrinks = cut.shape[1] > patch.shape[1]
    sized = cv2.resize(cut, patch.size_px, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    mirrored = sized[:, ::-1] if rng.random() < 0.5 else sized
    sheet: Picture = np.clip(mirrored.astype(np.float32) * np.float32(rng.uniform(0.75, 1.15) / 255), 0, 1).astype(np.float32)
    frame_rect(sheet, (0, 0, 1, 1), (0.12, 0.11, 0.1), width_px=patch.px(0.03))
    return tinted(sheet, 1 + grain(patch, rng, 0.01))


@cache
def _photo(name: str) -> UInt8:
    from sklearn.datasets import load_sample_image

    return np.asarray(load_sample_image(name), np.uint8)
