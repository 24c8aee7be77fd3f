"""What a depth model is, and how it is run over a clip: in batches, on every k-th frame, interpolated in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sfmcam.errors import SfmcamError
from sfmcam.types import Float, UInt8

Float32 = NDArray[np.float32]


class DepthKind(StrEnum):
    """What the maps of a model hold."""

    RELATIVE = "relative"  # inverse depth up to scale and shift
    METRIC = "metric"  # depth in metres


@dataclass(frozen=True)
class DepthMaps:
    """What a model says of N pictures.

    Attributes:
        values: (N, H, W) float32 at the pictures' own size, by `kind`; 0 or less: no depth.
        kind: relative disparity or metric depth.
        fov_rad: (N,) horizontal field of view, from a model that tells it.
    """

    values: Tensor
    kind: DepthKind
    fov_rad: Tensor | None = None


class DepthModel(Protocol):
    """A monocular depth model. `predict` is a pure function of the pictures; each is looked at by itself."""

    name: str
    kind: DepthKind

    def predict(self, images: Tensor) -> DepthMaps:
        """Return the maps of pictures (N, 3, H, W) uint8 RGB, on the model's device."""
        ...


@dataclass(frozen=True)
class ClipDepth:
    """Depth of every frame of a clip.

    Attributes:
        inverse: (F, H, W) float32, relative disparity, or inverse depth in 1 / m; 0 where there is no depth.
        kind: which of the two.
        fov_rad: the median horizontal field of view, from a model that tells it.
    """

    inverse: Float32
    kind: DepthKind
    fov_rad: float | None = None


def predict_clip(model: DepthModel, images: UInt8, *, every: int = 1, batch: int = 4) -> ClipDepth:
    """Run a model over frames.

    Args:
        model: the model.
        images: (F, H, W, 3) RGB, or (F, H, W) grey.
        every: look at every k-th frame and at the last; in between, inverse depths are interpolated over time.
        batch: pictures at a time; halved as often as the device runs out of memory.

    Raises:
        SfmcamError: the device has no memory for a single picture.
    """
    count = len(images)
    looked_at = np.unique(np.append(np.arange(0, count, every), count - 1))
    inverse, fov = np.zeros((len(looked_at), *images.shape[1:3]), np.float32), []
    start = 0
    while start < len(looked_at):
        rows = slice(start, start + batch)
        try:
            maps = model.predict(_channels_first(images[looked_at[rows]]))
        except torch.OutOfMemoryError as error:
            if batch == 1:
                raise SfmcamError(
                    f"the device has no memory for the depth model {model.name} on one picture; choose a smaller model, "
                    "a smaller `long_side_px`, or the CPU"
                ) from error
            batch //= 2
            continue
        inverse[rows] = _inverse(maps).cpu().numpy()
        fov += [] if maps.fov_rad is None else maps.fov_rad.cpu().tolist()
        start += batch
    return ClipDepth(_fill_between(inverse, looked_at, count), model.kind, float(np.median(fov)) if fov else None)


def _channels_first(images: UInt8) -> Tensor:
    rgb = images if images.ndim == 4 else np.repeat(images[..., None], 3, axis=-1)
    return torch.from_numpy(np.ascontiguousarray(rgb.transpose(0, 3, 1, 2)))


def _inverse(maps: DepthMaps) -> Tensor:
    values = torch.nan_to_num(maps.values.float(), nan=0.0, posinf=0.0, neginf=0.0)
    if maps.kind is DepthKind.RELATIVE:
        return values.clamp(min=0)
    return torch.where(values > 0, values.clamp(min=torch.finfo(torch.float32).tiny).reciprocal(), 0.0)


def _fill_between(inverse: Float32, looked_at: Sequence[int] | NDArray[np.int64], count: int) -> Float32:
    """Interpolate (K, H, W) at frames `looked_at` linearly to (count, H, W); where one of two has no depth, the nearer in time counts."""
    if len(looked_at) == count:
        return inverse
    at = np.interp(np.arange(count), looked_at, np.arange(len(looked_at)))
    before = np.minimum(at.astype(np.int64), max(len(looked_at) - 2, 0))
    share: Float = at - before
    filled = np.empty((count, *inverse.shape[1:]), np.float32)
    for frame, (k, s) in enumerate(zip(before, share, strict=True)):
        a, b = inverse[k], inverse[k + 1]
        mixed = (1 - s) * a + s * b
        filled[frame] = np.where((a > 0) & (b > 0), mixed, a if s < 0.5 else b)
    return filled
