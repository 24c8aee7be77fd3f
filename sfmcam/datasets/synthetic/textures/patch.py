"""The ground that textures are painted on: a rectangle of metres, noise over it, and colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sfmcam.types import UInt8

Picture = NDArray[np.float32]  # (h, w, 3) RGB, or (h, w) grey, 0 to 1
Color = tuple[float, float, float]

MAX_SIDE_PX = 2048


@dataclass(frozen=True)
class Patch:
    """A rectangle to paint: its size in metres and its resolution."""

    width_m: float
    height_m: float
    texels_per_m: float

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) in texels, at least 4 and at most 2048 each."""
        h, w = (int(np.clip(round(side * self.texels_per_m), 4, MAX_SIDE_PX)) for side in (self.height_m, self.width_m))
        return h, w

    @property
    def size_px(self) -> tuple[int, int]:
        """(w, h) in texels, as OpenCV wants it."""
        return self.shape[1], self.shape[0]

    def px(self, metres: float) -> float:
        """Return a length across the patch in texels."""
        return metres * self.shape[1] / self.width_m

    def meters(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the texels' positions in metres: x (1, w) and y (h, 1)."""
        h, w = self.shape
        x = (np.arange(w, dtype=np.float32) + 0.5) * np.float32(self.width_m / w)
        y = (np.arange(h, dtype=np.float32) + 0.5) * np.float32(self.height_m / h)
        return x[None, :], y[:, None]


def fbm(patch: Patch, rng: np.random.Generator, *, cell_m: float, octaves: int = 5, gain: float = 0.55, stretch: float = 1.0) -> Picture:
    """Return fractal value noise (h, w), mean 0.5, nearly all of it between 0 and 1.

    Args:
        patch: what to cover.
        rng: source of randomness.
        cell_m: size of the largest blobs.
        octaves: number of layers, each half the size of the one before; layers finer than two texels are left out.
        gain: amplitude of each layer against the one before.
        stretch: how much longer the blobs are along the rows than along the columns.
    """
    total, power = np.zeros(patch.shape, np.float32), 0.0
    for octave in range(octaves):
        cell_px = max(patch.px(cell_m) / 2**octave, 1.0)
        weight = gain**octave
        layer = _lattice(patch.shape, rng, cell_px=(cell_px * stretch, cell_px))
        layer *= weight
        total += layer
        power += weight**2
        if cell_px <= 2:
            break
    return np.clip(0.5 + 0.22 / np.sqrt(power) * total, 0, 1)


def _lattice(shape: tuple[int, int], rng: np.random.Generator, *, cell_px: tuple[float, float]) -> Picture:
    """Return random values of variance near 1 on a lattice, interpolated to `shape`, the lattice shifted at random."""
    h, w = shape
    columns, rows = int(np.ceil(w / cell_px[0])) + 2, int(np.ceil(h / cell_px[1])) + 2
    values = rng.standard_normal((rows, columns), dtype=np.float32)
    size = (max(round(columns * cell_px[0]), w), max(round(rows * cell_px[1]), h))
    y, x = int(rng.integers(size[1] - h + 1)), int(rng.integers(size[0] - w + 1))
    smooth = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_CUBIC), np.float32)
    return smooth[y : y + h, x : x + w] * np.float32(1.25)


def grain(patch: Patch, rng: np.random.Generator, amount: float) -> Picture:
    """Return fine noise (h, w) around 0 of the given standard deviation, slightly smoothed."""
    noise = rng.standard_normal(patch.shape, dtype=np.float32)
    return np.asarray(cv2.GaussianBlur(noise, (3, 3), 0.7), np.float32) * np.float32(1.8 * amount)


def ramp(values: Picture, colors: Sequence[Color]) -> Picture:
    """Map values (h, w) in 0 to 1 onto a gradient through `colors`; return (h, w, 3)."""
    stops = np.linspace(0, 1, len(colors))
    table = np.stack([np.interp(np.linspace(0, 1, 256), stops, [c[k] for c in colors]) for k in range(3)], axis=1).astype(np.float32)
    steps = np.clip(values * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.merge([cv2.LUT(steps, channel) for channel in np.ascontiguousarray(table.T)]), np.float32)


def flat(patch: Patch, color: Color) -> Picture:
    """Return one colour (h, w, 3)."""
    return np.broadcast_to(np.asarray(color, np.float32), (*patch.shape, 3)).copy()


def tinted(base: Picture, factor: Picture) -> Picture:
    """Multiply a picture (h, w, 3) by a grey factor (h, w) around 1."""
    return base * _in_color(factor)


def mixed(below: Picture, above: Picture | Color, share: Picture) -> Picture:
    """Blend two pictures; `share` (h, w) is how much of `above` shows."""
    top = np.asarray(above, np.float32)
    if top.ndim == 1:  # one colour: as a whole row, since short inner loops are slow
        top = np.tile(top, below.shape[1]).reshape(1, -1, 3)
    out = top - below
    out *= _in_color(share)
    out += below
    return out


def _in_color(grey: Picture) -> Picture:
    """Return a grey picture (h, w) as (h, w, 3)."""
    return np.asarray(cv2.merge([np.asarray(grey, np.float32)] * 3), np.float32)


def varied(color: Color, rng: np.random.Generator, amount: float) -> Color:
    """Return a colour near `color`: brightness and (a ninth as much) each channel change by about `amount`."""
    scale = 1 + rng.normal(0, amount)
    r, g, b = (float(np.clip(c * scale + rng.normal(0, amount / 9), 0.01, 0.99)) for c in color)
    return r, g, b


def to_uint8(picture: Picture) -> UInt8:
    """Round a picture in 0 to 1 to bytes."""
    scaled = picture * 255
    np.rint(scaled, out=scaled)
    return np.clip(scaled, 0, 255, out=scaled).astype(np.uint8)


def with_alpha(picture: Picture, alpha: Picture) -> UInt8:
    """Join a picture (h, w, 3) and its opacity (h, w) to (h, w, 4) bytes."""
    return np.dstack([to_uint8(picture), to_uint8(alpha)])
