"""Depth priors: relative disparity tied to metric depth, brought to the tracker's units and to its grid.

A relative disparity `da` is an inverse depth up to an unknown scale and shift (Ranftl et al. 2020), sharp and steady; a metric depth
`D` has a unit, and is coarser. a da + b fits 1 / D, and one (a, b) serves the clip (MegaSaM, Li et al. 2025, as released). The tracker's
unit of length is chosen so that the near disparity (98th percentile) is 2: with `norm` = that percentile / 2,

    tracker depth = norm / (a da + b),   metres per tracker unit = 1 / norm.

Everywhere 0 means: no depth here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sfmcam.errors import InputError
from sfmcam.estimators.megasam.resize import STRIDE
from sfmcam.types import Bool, Float

TINY = 1e-8
NEAR_PERCENTILE, NEAR_DISPARITY = 98.0, 2.0  # where the clip's disparities end, and what that is in the tracker's units
MIN_DEPTH, MAX_DEPTH, SHORTEST_DEPTH = 1e-4, 1e4, 1e-2  # tracker units: clip, and what is too near to be true
FAILED_SKY_M, FAR_DISPARITY = 2.0, 0.01  # a metric model that sees the sky nearer than 2 m; what is put there instead, 1 / 100 m
CUTOFF_MADS, REWEIGHTINGS = 2.5, 3
MIN_CELL_SHARE = 0.5  # of a cell that must have a depth
EPSILON, ROUNDING = 1e-12, 1e-9

Sampling = Literal["block_mean", "centred_mean", "point"]


@dataclass(frozen=True)
class SkyRule:
    """Leave the sky out of the fit where there is much of it.

    `MegaSaM`'s demo computes this with (0.01, 0.5) and then does not use it; its Sintel script does, with (0.02, 0.4).

    Attributes:
        disparity: relative disparity below which a pixel is sky.
        share: of the picture that must be sky for the rule to apply.
    """

    disparity: float = 0.02
    share: float = 0.4


@dataclass(frozen=True)
class Affine:
    """1 / depth = scale * relative disparity + shift, per frame (F,) or for the clip ()."""

    scale: Float
    shift: Float

    def __call__(self, relative: Float) -> Float:
        """Return the inverse depths in 1 / m (..., H, W) of relative disparities."""
        return np.asarray(self.scale[..., None, None] * relative + self.shift[..., None, None])


def fit_frame(relative: Float, metric_m: Float, *, failed_below: float = 0.02, sky: SkyRule | None = None) -> tuple[float, float]:
    """Return scale and shift of one frame by the published medians.

    A fifth of the pixels that err all to one side bends the line by up to 40 %; `fit_frames_robustly` stays within 1 %.

    Args:
        relative: (h, w) relative disparity; where its metric depth is not positive and finite, a pixel does not count.
        metric_m: (h, w) metric depth in metres.
        failed_below: where the relative disparity is below this and the metric depth below 2 m, the metric model has failed on the
            sky and 100 m is assumed.
        sky: leave the sky out.

    Raises:
        InputError: no pixel has a depth, or all have the same relative disparity.
    """
    is_usable = np.isfinite(relative) & np.isfinite(metric_m) & (metric_m > 0)
    if sky is not None:
        is_sky = relative < sky.disparity
        if is_sky.mean() > sky.share and (is_usable & ~is_sky).any():
            is_usable &= ~is_sky
    da, depth = relative[is_usable].astype(float), metric_m[is_usable].astype(float)
    if not len(da) or np.ptp(da) <= 0:
        raise InputError("a depth model sees no depth, or the same one everywhere, in a frame of this clip; run it without depth prior")
    inverse = np.where((depth < FAILED_SKY_M) & (da < failed_below), FAR_DISPARITY, 1.0 / (depth + TINY))
    apart = da - np.median(da) + TINY
    slope = (inverse - np.median(inverse) + TINY) / np.where(apart == 0, TINY, apart)
    scale = float(np.median(slope))
    return scale, float(np.median(inverse - scale * da))


def fit_clip(scale: Float, shift: Float) -> Affine:
    """Return the one scale and shift of a clip: those of the frame whose product is nearest to the median product.

    Where the frames are evenly many and two are equally near, the first.
    """
    product = np.asarray(scale) * np.asarray(shift)
    away = np.abs(product - np.median(product))
    best = int(np.flatnonzero(away <= away.min() + EPSILON + ROUNDING * np.abs(product).max())[0])
    return Affine(np.asarray(scale[best], float), np.asarray(shift[best], float))


def fit_frames_robustly(relative: Float, metric_m: Float, *, memory: float = 0.99) -> Affine:
    """Return scale and shift for each frame, each fitted by itself and then averaged over its neighbours.

    Within a frame: least squares in inverse depth over the pixels between the 10th and the 90th percentile of both, then three times
    again without what lies beyond 2.5 median absolute deviations. Over frames: weights memory^|i - k|, both ways since the whole
    clip is known (ViPE, Huang et al. 2025, uses the one-sided average).

    Args:
        relative: (F, h, w) relative disparity.
        metric_m: (F, h, w) metric depth in metres.
        memory: 0 to 1; 0 leaves each frame alone.
    """
    fits = np.array([_trimmed_fit(da.ravel(), depth.ravel()) for da, depth in zip(relative, metric_m, strict=True)])
    number = np.arange(len(fits))
    weight = np.power(float(memory), np.abs(number[:, None] - number[None]))
    averaged = weight @ fits / weight.sum(axis=1, keepdims=True)
    return Affine(averaged[:, 0], averaged[:, 1])


def _trimmed_fit(da: Float, depth: Float) -> tuple[float, float]:
    is_usable = np.isfinite(da) & np.isfinite(depth) & (depth > 0)
    x, y = da[is_usable].astype(float), 1.0 / (depth[is_usable].astype(float) + TINY)
    if not len(x) or np.ptp(x) <= 0:
        raise InputError("a depth model sees no depth, or the same one everywhere, in a frame of this clip; run it without depth prior")
    kept = _between_deciles(x) & _between_deciles(y)
    if kept.sum() < 2 or np.ptp(x[kept]) <= 0:
        kept = np.ones(len(x), bool)
    for _ in range(REWEIGHTINGS + 1):
        scale, shift = _line(x[kept], y[kept])
        residual = np.abs(scale * x + shift - y)
        closer = residual <= CUTOFF_MADS * np.median(residual[kept]) + EPSILON
        if closer.sum() < 2 or np.ptp(x[closer]) <= 0:
            break
        kept = closer
    return scale, shift


def _between_deciles(values: Float) -> Bool:
    low, high = np.quantile(values, [0.1, 0.9])
    return np.asarray((values >= low) & (values <= high))


def _line(x: Float, y: Float) -> tuple[float, float]:
    dx, dy = x - x.mean(), y - y.mean()
    scale = float(dx @ dy / (dx @ dx))
    return scale, float(y.mean() - scale * x.mean())


def near_norm(inverse_m: Float) -> float:
    """Return tracker units per metre for inverse depths (F, H, W) in 1 / m: their 98th percentile becomes 2.

    Raises:
        InputError: hardly anything has a positive depth.
    """
    norm = float(np.percentile(inverse_m[np.isfinite(inverse_m)], NEAR_PERCENTILE)) / NEAR_DISPARITY
    if not norm > 0:
        raise InputError("a depth model puts all of this clip at or beyond infinity; run it without depth prior")
    return norm


def tracker_depth(inverse_m: Float, norm: float) -> Float:
    """Return depths (..., H, W) in tracker units for inverse depths in 1 / m; 0 where they are not positive, or nearer than 0.01."""
    inverse = np.nan_to_num(np.asarray(inverse_m, float) / norm, nan=0.0)
    with np.errstate(divide="ignore"):
        depth = np.clip(1.0 / inverse, MIN_DEPTH, MAX_DEPTH)
    return np.where((inverse <= 0) | (depth < SHORTEST_DEPTH), 0.0, depth)


def grid_disparity(depth: Float, *, sampling: Sampling = "centred_mean", count_invalid: bool = False) -> Float:
    """Return inverse depths (..., H/8, W/8) on the tracker's grid; 0 where there is none.

    Args:
        depth: (..., H, W), H and W multiples of 8; 0 where there is none.
        sampling: "block_mean" averages the depths of the cell's 8x8 block, as the published tracker does, whose middle lies 3.5 pixels
            right of and below the pixel that the cell's features are centred on; "centred_mean" averages the 8x8 pixels about
            that pixel; "point" takes the pixel itself.
        count_invalid: average pixels without a depth as zeros, as the published tracker does: a cell that is half sky then comes out
            much too near. Otherwise they are left out, and a cell that has fewer than half of its pixels has no depth.
    """
    if sampling == "point":
        picked = depth[..., ::STRIDE, ::STRIDE]
        return np.where(picked > 0, 1.0 / np.where(picked > 0, picked, 1.0), 0.0)
    if sampling == "centred_mean":
        half = STRIDE // 2
        margin = [(0, 0)] * (depth.ndim - 2) + [(half, 0), (half, 0)]
        depth = np.pad(depth, margin, mode="edge")[..., : depth.shape[-2], : depth.shape[-1]]
    rows, columns = depth.shape[-2] // STRIDE, depth.shape[-1] // STRIDE
    blocks = depth.reshape(*depth.shape[:-2], rows, STRIDE, columns, STRIDE)
    total, known = blocks.sum(axis=(-3, -1)), (blocks > 0).sum(axis=(-3, -1))
    count = np.full_like(known, STRIDE**2) if count_invalid else known
    is_known = known > 0 if count_invalid else known >= MIN_CELL_SHARE * STRIDE**2
    return np.where(is_known, count / np.where(total > 0, total, 1.0), 0.0)
