"""All textures of a scene, at all their sizes, in one picture: the renderer then fetches a whole frame with one look-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sfmcam.types import UInt8

ATLAS_WIDTH_PX = 4096
LEVELS = 7
BORDER_PX = 1  # repeated edge, so that interpolation at a texture's rim never reads its neighbour in the atlas


@dataclass(frozen=True)
class Atlas:
    """Textures packed with their mip levels (Williams 1983: each level half the size of the one before).

    Attributes:
        picture: (H, 4096, 3) uint8.
        origin_px: (T * LEVELS, 2) float32 x and y of each level's first texel, level fastest.
        size_px: (T * LEVELS, 2) float32 width and height of each level in texels.
        alphas: per texture, its levels' alpha channels, or None where it has none.
    """

    picture: UInt8
    origin_px: NDArray[np.float32]
    size_px: NDArray[np.float32]
    alphas: tuple[tuple[UInt8, ...] | None, ...]


def build_atlas(textures: Sequence[UInt8]) -> Atlas:
    """Pack `textures`, each (h, w, 3) or (h, w, 4) and at most 4094 texels wide."""
    pyramids = [mip_levels(texture) for texture in textures]
    levels = [level for pyramid in pyramids for level in pyramid]
    sizes = np.array([level.shape[1::-1] for level in levels])
    corners, height = _pack(sizes + 2 * BORDER_PX)
    picture = np.zeros((height, ATLAS_WIDTH_PX, 3), np.uint8)
    for level, (x, y), (w, h) in zip(levels, corners, sizes + 2 * BORDER_PX, strict=True):
        framed = cv2.copyMakeBorder(level[..., :3], *(BORDER_PX,) * 4, cv2.BORDER_REPLICATE)
        picture[y : y + h, x : x + w] = framed
    alphas = tuple(tuple(np.ascontiguousarray(level[..., 3]) for level in p) if p[0].shape[2] == 4 else None for p in pyramids)
    return Atlas(picture, (corners + BORDER_PX).astype(np.float32), sizes.astype(np.float32), alphas)


def mip_levels(texture: UInt8) -> list[UInt8]:
    """Return LEVELS sizes of a texture, each half of the one before and never below one texel."""
    levels = [np.ascontiguousarray(texture)]
    while len(levels) < LEVELS:
        h, w = levels[-1].shape[:2]
        levels.append(np.asarray(cv2.resize(levels[-1], (max(w // 2, 1), max(h // 2, 1)), interpolation=cv2.INTER_AREA), np.uint8))
    return levels


def _pack(sizes_px: NDArray[np.int_]) -> tuple[NDArray[np.int_], int]:
    """Place rectangles on shelves, tallest first; return their corners (n, 2) and the height used."""
    corners = np.zeros_like(sizes_px)
    x = y = shelf = 0
    for index in np.argsort(-sizes_px[:, 1], kind="stable"):
        w, h = sizes_px[index]
        if x + w > ATLAS_WIDTH_PX:
            x, y, shelf = 0, y + shelf, 0
        corners[index] = x, y
        x, shelf = x + int(w), max(shelf, int(h))
    return corners, y + shelf
