"""The patch around each point as it first looked, and its precise alignment with later frames.

Frame-to-frame Lucas-Kanade adds up its errors, and under zoom or roll it follows the patch's centre of gravity instead of the point.
So each patch is aligned anew with its first look under an affine warp, by inverse compositional Gauss-Newton (Baker and Matthews 2004),
with gain and offset of the brightness projected out (their part 3): what is costly is done once per patch, and an alignment is one
product of a small matrix with the patch's grey levels. The affine part is held near its value in the frame before, as firmly as the
patch's noise demands; else a weak patch would trade shift for shear.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np

from sfmcam.estimators.vo.features import Float32, Surface, precision
from sfmcam.types import Bool

SIDE_PX = 17  # of a patch, of which every second pixel is taken, as on a chess-board: neighbours say nearly the same
WEIGHT_SIGMA_PX = 6.0
STEPS = 2
AFFINE_STEP = 0.02  # how much a patch may shear or grow from frame to frame, one sigma
LIMITS = np.array([2, 2, 0.15, 0.15, 0.15, 0.15], np.float32)  # of one step: pixels, and shares
MIN_CONTRAST = 1e-3  # grey levels; a flat patch has none


def _pattern() -> Float32:
    offsets = np.arange(SIDE_PX) - SIDE_PX // 2
    y, x = np.meshgrid(offsets, offsets, indexing="ij")
    return np.stack([x, y])[:, (x + y) % 2 == 0].astype(np.float32)


PATTERN = _pattern()  # (2, P) offsets from the point
OFFSETS = np.concatenate([PATTERN, np.ones((1, PATTERN.shape[1]), np.float32)])  # to be multiplied by (warp, point)
WEIGHT = np.exp(-(PATTERN**2).sum(axis=0) / (2 * WEIGHT_SIGMA_PX**2)).astype(np.float32)
WEIGHT /= WEIGHT.sum()
INDEPENDENT_PIXELS = float(2 / (WEIGHT**2).sum())  # that the weighted pattern stands for, those left out included
IDENTITY = np.eye(2, dtype=np.float32)


@dataclass(frozen=True)
class Patches:
    """First looks of N points.

    Attributes:
        solver: (N, 7, P) rows that, applied to a patch's grey levels, give six times the warp's change, and seventh the contrast in which
            they are expressed.
        pull: (N, 6, 4) change of the warp per deviation of its affine part from the frame before.
        affine: (N, 2, 2) warp from the first look to the frame at hand.
        contrast: (N,) weighted deviation of the first look's grey levels.
        sigma_px: (N,) expected error of position along the weakest direction.
    """

    solver: Float32
    pull: Float32
    affine: Float32
    contrast: Float32
    sigma_px: Float32

    def __len__(self) -> int:
        return len(self.contrast)

    def take(self, which: Bool) -> Patches:
        """Return some of them."""
        return Patches(**{f.name: getattr(self, f.name)[which] for f in fields(self)})

    def joined(self, more: Patches) -> Patches:
        """Return these and `more`."""
        return Patches(**{f.name: np.concatenate([getattr(self, f.name), getattr(more, f.name)]) for f in fields(self)})

    def renewed(self, which: Bool, looks: Patches) -> Patches:
        """Return these with new first looks for some."""
        out = {f.name: getattr(self, f.name).copy() for f in fields(self)}
        for name, values in out.items():
            values[which] = getattr(looks, name)
        return Patches(**out)


@dataclass(frozen=True)
class Aligned:
    """Where N patches were found.

    Attributes:
        points: (N, 2) OpenCV's coordinates.
        affine: (N, 2, 2) warps from the first looks.
        likeness: (N,) correlation with the first look, -1 to 1.
        last_step_px: (N,) what the last step still changed.
    """

    points: Float32
    affine: Float32
    likeness: Float32
    last_step_px: Float32


def cut_patches(surface: Surface, points: Float32, *, noise: float) -> Patches:
    """Take the first looks of `points` (N, 2) from a picture whose noise is known."""
    upright = np.tile(IDENTITY, (len(points), 1, 1))
    look, right, down = (_sample(image, points, upright) for image in (surface.level, *surface.slopes))
    x, y = PATTERN
    slopes = np.stack([right, down, right * x, right * y, down * x, down * y], axis=1)
    centred = look - (look @ WEIGHT)[:, None]
    contrast = np.maximum(np.sqrt(centred**2 @ WEIGHT), np.float32(MIN_CONTRAST))
    unit = centred / contrast[:, None]
    slopes -= (slopes @ WEIGHT)[..., None]
    slopes -= (slopes @ (unit * WEIGHT)[..., None]) * unit[:, None]
    weighted = slopes * WEIGHT
    information = weighted @ slopes.transpose(0, 2, 1)
    sigma_px = _expected_error(information, noise)
    hold = np.float32(noise**2 / INDEPENDENT_PIXELS / AFFINE_STEP**2) * np.array([1e-6, 1e-6, 1, 1, 1, 1], np.float32) + np.float32(1e-6)
    inverse = np.linalg.inv(information + np.diag(hold))
    solver = np.concatenate([inverse @ weighted * contrast[:, None, None], (unit * WEIGHT)[:, None]], axis=1)
    return Patches(solver, inverse[:, :, 2:] * hold[2:], upright, contrast, sigma_px)


def align(surface: Surface, points: Float32, patches: Patches) -> Aligned:
    """Find the patches in another picture, starting from `points` (N, 2) that are right to about a pixel."""
    affine = patches.affine
    to_before = _inverse(affine)
    seen, answer, change = (np.empty((0, columns), np.float32) for columns in (PATTERN.shape[1], 7, 6))
    for _ in range(STEPS):
        seen = _sample(surface.level, points, affine)
        answer = np.einsum("nkp,np->nk", patches.solver, seen)
        change = answer[:, :6] / np.maximum(answer[:, 6:], 0.1 * patches.contrast[:, None])
        change += np.einsum("nka,na->nk", patches.pull, (to_before @ affine - IDENTITY).reshape(-1, 4))
        change = np.clip(change, -LIMITS, LIMITS)
        affine = affine @ _inverse(change[:, 2:].reshape(-1, 2, 2) + IDENTITY)
        points = points - np.einsum("nij,nj->ni", affine, change[:, :2])
    likeness = answer[:, 6] / np.sqrt(np.maximum(seen**2 @ WEIGHT - (seen @ WEIGHT) ** 2, MIN_CONTRAST))
    return Aligned(points, affine, likeness, np.abs(change[:, :2]).max(axis=1, initial=0))


def _expected_error(information: Float32, noise: float) -> Float32:
    worth = precision(information[:, 0, 0], information[:, 1, 1], information[:, 0, 1], noise=noise)
    return np.asarray(1 / np.sqrt(np.maximum(worth * INDEPENDENT_PIXELS, 1e-9)), np.float32)


def _sample(image: Float32, points: Float32, affine: Float32) -> Float32:
    """Return the patches (N, P) at points under warps, by linear interpolation."""
    if not len(points):
        return np.empty((0, PATTERN.shape[1]), np.float32)
    x, y = (np.column_stack([affine[:, axis], points[:, axis]]) @ OFFSETS for axis in (0, 1))
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _inverse(matrices: Float32) -> Float32:
    a, b, c, d = (matrices[:, i, j] for i in (0, 1) for j in (0, 1))
    scale = 1 / (a * d - b * c)
    return np.asarray(np.stack([d * scale, -b * scale, -c * scale, a * scale], axis=1).reshape(-1, 2, 2), np.float32)
