"""Batches of short sequences from a pack: every picture lies decoded on the device, and cutting and jitter are done there too.

A batch of B sequences of S frames is one graph without edges between sequences. Its frames are ordered by time first: frame k of
sequence b is row k B + b, so that the first poses of all sequences are the first rows and can be held fixed together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (what everybody calls it)

from sfmcam.errors import InputError
from sfmcam.estimators.megasam.operator import STRIDE
from sfmcam.estimators.megasam.train.augment import Look, jittered, with_pasted_movers
from sfmcam.estimators.megasam.train.pack import CELL_PX, PackedSequence

SAME_SURFACE = 0.05  # disparities that differ by more are not averaged
FAR_M = 500.0  # what lies beyond does not tell a sequence's scale


@dataclass(frozen=True)
class Batch:
    """B sequences of S frames, F = B S, with E edges, on the 1/8 grid.

    Attributes:
        images: (F, 3, H, W) uint8 RGB.
        poses: (F, 7) cam_from_world; the unit of length is a typical depth of the sequence.
        disps: (F, h, w) of the static scene.
        intrinsics: (F, 4) fx fy cx cy in cells.
        static: (F, h, w) bool where the static scene itself is seen, neither mover nor lettering.
        ii: (E,) source of each edge.
        jj: (E,) target of each edge.
        sequences: B.
    """

    images: Tensor
    poses: Tensor
    disps: Tensor
    intrinsics: Tensor
    static: Tensor
    ii: Tensor
    jj: Tensor
    sequences: int


@dataclass(frozen=True)
class Sampling:
    """How sequences are drawn.

    Attributes:
        size_px: (width, height) of the cut pictures, multiples of 8.
        frames: S.
        radius: edges join frames at most so far apart.
        strides: how many stored frames lie between one frame and the next.
        scales: stored pixels per cut pixel, smallest and largest.
        mirrored, reversed, pasted: shares of the sequences that are seen in a mirror, backwards, and with pasted movers.
        look: how far colours are changed.
    """

    size_px: tuple[int, int] = (256, 192)
    frames: int = 5
    radius: int = 2
    strides: tuple[int, ...] = (1, 1, 2)
    scales: tuple[float, float] = (0.8, 1.25)
    mirrored: float = 0.5
    reversed: float = 0.5
    pasted: float = 0.4
    look: Look = field(default_factory=Look)

    def plain(self) -> Sampling:
        """Return the same without any jitter, for validation: the whole stored picture's middle, at its own scale."""
        return Sampling(self.size_px, self.frames, self.radius, (1,), (1.0, 1.0), 0.0, 0.0, 0.0, Look.none())


@dataclass(frozen=True)
class _Draw:
    """Random choices for B sequences: stored frames (B, S), and the cut x = side * scale * x_cut + corner (B,)."""

    frames: Tensor
    side: Tensor
    scale: Tensor
    corner: Tensor


class TrainingSet:
    """The sequences of a pack on a device."""

    def __init__(self, sequences: Sequence[PackedSequence], *, device: torch.device) -> None:
        """Copy sequences to the device.

        Raises:
            InputError: there are none.
        """
        if not sequences:
            raise InputError("the pack has no sequence of this kind; make it with both --prepare and --held-out folders")
        self.device = device
        self.lengths = np.array([len(s.pictures) for s in sequences])
        self.firsts = np.concatenate([[0], np.cumsum(self.lengths)[:-1]])
        self._pictures = torch.from_numpy(np.concatenate([s.pictures for s in sequences])).to(device).permute(0, 3, 1, 2)
        self._disparity = torch.from_numpy(np.concatenate([s.disparity for s in sequences])).to(device)
        self._mask = torch.from_numpy(np.concatenate([s.mask for s in sequences])).to(device)
        self._poses = torch.from_numpy(np.concatenate([s.poses for s in sequences])).to(device)
        self._focals = torch.from_numpy(np.concatenate([s.focals_px for s in sequences])).float().to(device)

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, chosen: np.ndarray, sampling: Sampling, rng: np.random.Generator) -> Batch:
        """Return the batch of the sequences with the numbers `chosen`.

        Raises:
            InputError: the pictures wanted are larger than the stored ones.
        """
        draw = self._draw(chosen, sampling, rng)
        images = self._cut(draw, sampling.size_px)
        disps, static = self._cells(draw, sampling.size_px)
        poses = _mirrored(self._poses[draw.frames], draw.side)
        images, static = with_pasted_movers(images, static, share=sampling.pasted, rng=rng)
        images = jittered(images, sampling.look, rng)
        poses, disps = _with_unit_depth(poses, disps)
        ii, jj = edges(len(chosen), sampling.frames, sampling.radius)
        return Batch(
            images=_by_time(images).round().clamp(0, 255).to(torch.uint8),
            poses=_by_time(poses).float(),
            disps=_by_time(disps),
            intrinsics=_by_time(self._intrinsics(draw)),
            static=_by_time(static),
            ii=ii.to(self.device),
            jj=jj.to(self.device),
            sequences=len(chosen),
        )

    def _draw(self, chosen: np.ndarray, sampling: Sampling, rng: np.random.Generator) -> _Draw:
        stored = np.array(self._pictures.shape[-1:-3:-1], float)
        size = np.array(sampling.size_px, float)
        largest = float((stored / size).min())
        if largest < sampling.scales[0]:
            raise InputError(
                f"the pack's pictures of {stored[0]:.0f} x {stored[1]:.0f} are too small for a training size of {sampling.size_px}"
            )
        frames = np.stack([self._frames(int(n), sampling, rng) for n in chosen])
        low, high = (float(np.log(min(s, largest))) for s in sampling.scales)
        scale = np.exp(rng.uniform(low, high, len(chosen)))
        side = np.where(rng.random(len(chosen)) < sampling.mirrored, -1.0, 1.0)
        room = stored - 1 - (size - 1) * scale[:, None]
        first = np.maximum(room, 0) * (rng.random((len(chosen), 2)) if sampling.scales[0] < sampling.scales[1] else 0.5)
        first[:, 0] = np.where(side < 0, first[:, 0] + (size[0] - 1) * scale, first[:, 0])
        return _Draw(torch.from_numpy(frames).to(self.device), *(torch.from_numpy(a).float().to(self.device) for a in (side, scale, first)))

    def _frames(self, number: int, sampling: Sampling, rng: np.random.Generator) -> np.ndarray:
        """Return stored frames (S,) of one sequence; one that is too short runs back and forth."""
        length, wanted = int(self.lengths[number]), sampling.frames
        fitting = [s for s in sampling.strides if (wanted - 1) * s < length] or [1]
        stride = fitting[rng.integers(len(fitting))]
        start = rng.integers(max(length - (wanted - 1) * stride, 1))
        steps = start + stride * np.arange(wanted)
        there_and_back = np.abs((steps + length - 1) % max(2 * length - 2, 1) - (length - 1)) if length > 1 else np.zeros(wanted, int)
        order = there_and_back[::-1] if rng.random() < sampling.reversed else there_and_back
        return np.ascontiguousarray(self.firsts[number] + order)

    def _cut(self, draw: _Draw, size_px: tuple[int, int]) -> Tensor:
        """Return the pictures (B, S, 3, H, W), float 0..255."""
        at = _positions(draw, size_px, 1)
        pictures = self._pictures[draw.frames]
        return _sampled(pictures.flatten(0, 1).float(), at.repeat_interleave(pictures.shape[1], 0), "bilinear").unflatten(
            0, pictures.shape[:2]
        )

    def _cells(self, draw: _Draw, size_px: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return disparity (B, S, h, w) in 1/m and where the static scene is seen, at the pixels 8 u of the cut pictures."""
        at = (_positions(draw, size_px, STRIDE) - (CELL_PX - 1) / 2) / CELL_PX
        disparity, mask = self._disparity[draw.frames], self._mask[draw.frames].float()
        smooth, nearest = _sampled(disparity, at, "bilinear"), _sampled(disparity, at, "nearest")
        same = (smooth - nearest).abs() < SAME_SURFACE * nearest
        return torch.where(same, smooth, nearest), _sampled(mask, at, "nearest") < 0.5

    def _intrinsics(self, draw: _Draw) -> Tensor:
        """Return (B, S, 4) in cells."""
        focals = self._focals[draw.frames] / draw.scale[:, None] / STRIDE
        middle = torch.tensor(self._pictures.shape[-1:-3:-1], device=self.device) / 2 - 0.5
        step = torch.stack([draw.side * draw.scale, draw.scale], -1)
        center = ((middle - draw.corner) / step / STRIDE)[:, None].expand(-1, focals.shape[1], -1)
        return torch.cat([torch.stack([focals, focals], -1), center], -1)


def edges(sequences: int, frames: int, radius: int) -> tuple[Tensor, Tensor]:
    """Return source and target (E,) of the edges between frames at most `radius` apart, both ways, of B sequences ordered by time."""
    pairs = [(i, j) for i in range(frames) for j in range(frames) if 0 < abs(i - j) <= radius]
    numbers = torch.tensor(pairs, dtype=torch.long)[:, :, None] * sequences + torch.arange(sequences)
    ii, jj = numbers.unbind(1)
    return ii.flatten(), jj.flatten()


def _positions(draw: _Draw, size_px: tuple[int, int], stride: int) -> Tensor:
    """Return where every stride-th pixel of the cut lies in the stored picture, (B, rows, columns, 2), first pixel's centre at (0, 0)."""
    x, y = (torch.arange(0, side, stride, device=draw.scale.device, dtype=torch.float32) for side in size_px)
    along_x = draw.corner[:, :1] + (draw.side * draw.scale)[:, None] * x
    along_y = draw.corner[:, 1:] + draw.scale[:, None] * y
    shape = (len(draw.scale), len(y), len(x))
    return torch.stack([along_x[:, None, :].expand(shape), along_y[:, :, None].expand(shape)], -1)


def _sampled(values: Tensor, at: Tensor, mode: str) -> Tensor:
    """Sample (N, C, H, W) at (N, rows, columns, 2) pixels; beyond the border its nearest value holds."""
    size = torch.tensor(values.shape[-1:-3:-1], device=values.device)
    return F.grid_sample(values, (2 * at + 1) / size - 1, mode=mode, padding_mode="border", align_corners=False)


def _mirrored(poses: Tensor, side: Tensor) -> Tensor:
    """Return poses (B, S, 7) as seen in a mirror across x, where `side` (B,) is -1: x and the turns about y and z change sign."""
    sign = side[:, None].to(poses)
    one = torch.ones_like(sign)
    return poses * torch.stack([sign, one, one, one, sign, sign, one], -1)


def _with_unit_depth(poses: Tensor, disps: Tensor) -> tuple[Tensor, Tensor]:
    """Return poses (B, S, 7) and disparities (B, S, h, w) in a unit of length that makes the median disparity of what is near enough 1."""
    near = disps.flatten(1).masked_fill(disps.flatten(1) < 1 / FAR_M, float("nan"))
    unit = near.nanmedian(dim=1).values.nan_to_num(nan=1 / FAR_M)
    scaled = torch.cat([poses[..., :3] * unit[:, None, None].to(poses), poses[..., 3:]], -1)
    return scaled, disps / unit[:, None, None, None]


def _by_time(x: Tensor) -> Tensor:
    return x.transpose(0, 1).flatten(0, 1)
