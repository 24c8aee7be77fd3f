"""What is changed in the pictures of a sequence while their geometry stays: colours, noise, and movers pasted over the scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (what everybody calls it)

from sfmcam.estimators.megasam.operator import STRIDE

GREY = (0.299, 0.587, 0.114)
SPEED_PX = (2.0, 20.0)  # of a pasted mover from frame to frame
RADIUS = (0.08, 0.33)  # of a pasted mover, as a share of the picture's width


@dataclass(frozen=True)
class Look:
    """How far the look of a sequence is changed; each is the standard deviation or the share of a change.

    Attributes:
        gain: log of brightness, contrast, saturation and of each colour's own gain (a third of it).
        flicker: log of brightness from frame to frame.
        noise: grey levels.
        grey: share of the sequences without colour.
    """

    gain: float = 0.25
    flicker: float = 0.03
    noise: float = 4.0
    grey: float = 0.1

    @classmethod
    def none(cls) -> Look:
        """Return the look that changes nothing."""
        return cls(0.0, 0.0, 0.0, 0.0)


def jittered(images: Tensor, look: Look, rng: np.random.Generator) -> Tensor:
    """Return pictures (B, S, 3, H, W), 0..255, with other colours: one change per sequence, flicker and noise per frame."""
    if look == Look.none():
        return images
    batch, frames = images.shape[:2]

    def drawn(sigma: float, *shape: int) -> Tensor:
        return torch.from_numpy(np.exp(rng.normal(0, sigma, (batch, *shape)))).float().to(images.device)

    grey_weights = torch.tensor(GREY, device=images.device)[:, None, None]
    grey = (images * grey_weights).sum(2, keepdim=True)
    colourless = torch.from_numpy(rng.random((batch, 1, 1, 1, 1)) < look.grey).to(images.device)
    saturation = drawn(look.gain, 1, 1, 1, 1).masked_fill(colourless, 0.0)
    out = grey + (images - grey) * saturation
    mean = out.mean(dim=(1, 2, 3, 4), keepdim=True)
    out = mean + (out - mean) * drawn(look.gain, 1, 1, 1, 1)
    out = out * drawn(look.gain, 1, 1, 1, 1) * drawn(look.gain / 3, 1, 3, 1, 1) * drawn(look.flicker, frames, 1, 1, 1)
    level = torch.from_numpy(rng.uniform(0, look.noise, (batch, 1, 1, 1, 1))).float().to(images.device)
    return out + level * torch.randn_like(out)


def with_pasted_movers(images: Tensor, static: Tensor, *, share: float, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Paste into a share of the sequences a lobed piece of another sequence's picture that flies and turns on its own.

    Args:
        images: (B, S, 3, H, W), 0..255.
        static: (B, S, h, w) bool where the static scene is seen.
        share: of the sequences.
        rng: draws shapes and ways.

    Returns:
        The pictures, and where the static scene is still seen.
    """
    batch = len(images)
    if not share or batch < 2:
        return images, static
    height, width = images.shape[-2:]
    piece = _Piece.draw(batch, images.shape[1], (width, height), rng)
    beside = piece.beside(images.device, width, height)
    shape = _Piece.opacity(piece, beside) * torch.from_numpy(rng.random((batch, 1, 1, 1)) < share).to(images.device)
    source = images[:, 0].roll(1, 0)[:, None].expand_as(images).flatten(0, 1)
    size = torch.tensor([width, height], device=images.device)
    origin = torch.tensor(piece.origin, dtype=torch.float32, device=images.device)[:, None, None, None]
    at = ((2 * (beside + origin) + 1) / size - 1).flatten(0, 1)
    texture = F.grid_sample(source, at, mode="bilinear", padding_mode="reflection", align_corners=False).view_as(images)
    pasted = torch.lerp(images, texture, shape[:, :, None])
    return pasted, static & (shape[..., ::STRIDE, ::STRIDE] < 0.5)


@dataclass(frozen=True)
class _Piece:
    """Shapes and ways of B pieces over S frames: centres (B, S, 2) and angles (B, S), radius, lobes, and where its texture is from."""

    centers: np.ndarray
    angles: np.ndarray
    radius: np.ndarray
    lobes: np.ndarray
    origin: np.ndarray

    @classmethod
    def draw(cls, batch: int, frames: int, size: tuple[int, int], rng: np.random.Generator) -> _Piece:
        """Return a piece for each of `batch` sequences of `frames` pictures of `size` (width, height): its way, shape and texture."""
        speed = np.exp(rng.uniform(np.log(SPEED_PX[0]), np.log(SPEED_PX[1]), batch))
        heading = rng.uniform(0, 2 * np.pi, batch)
        velocity = speed[:, None] * np.stack([np.cos(heading), np.sin(heading)], -1)
        time = np.arange(frames) - (frames - 1) / 2
        bend = rng.normal(0, 0.15, (batch, 2)) * speed[:, None]
        middle = rng.uniform(0.1, 0.9, (batch, 2)) * size
        centers = middle[:, None] + velocity[:, None] * time[:, None] + bend[:, None] * (time**2)[:, None]
        angles = rng.uniform(0, 2 * np.pi, (batch, 1)) + rng.normal(0, 0.05, (batch, 1)) * time
        radius = np.exp(rng.uniform(np.log(RADIUS[0]), np.log(RADIUS[1]), batch)) * size[0]
        return cls(centers, angles, radius, rng.uniform(0, 2 * np.pi, (batch, 3)), rng.uniform(0.2, 0.8, (batch, 2)) * size)

    def beside(self, device: torch.device, width: int, height: int) -> Tensor:
        """Return where every pixel is from the piece's centre, in the piece's own turned axes, (B, S, H, W, 2)."""
        y, x = torch.meshgrid(torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij")
        pixels = torch.stack([x, y], -1).float()
        centers = torch.from_numpy(self.centers).float().to(device)[:, :, None, None]
        cosine, sine = (torch.from_numpy(f(self.angles)).float().to(device)[:, :, None, None] for f in (np.cos, np.sin))
        dx, dy = (pixels - centers).unbind(-1)
        return torch.stack([cosine * dx + sine * dy, cosine * dy - sine * dx], -1)

    def opacity(self, beside: Tensor) -> Tensor:
        """Return (B, S, H, W) in 0..1: one inside the lobed outline, falling over about two pixels."""
        x, y = beside.unbind(-1)
        turn = torch.atan2(y, x)
        phase = torch.from_numpy(self.lobes).float().to(beside.device)[:, :, None, None, None]
        outline = (
            1
            + 0.25 * torch.sin(2 * turn + phase[:, 0])
            + 0.15 * torch.sin(3 * turn + phase[:, 1])
            + 0.1 * torch.sin(5 * turn + phase[:, 2])
        )
        radius = torch.from_numpy(self.radius).float().to(beside.device)[:, None, None, None]
        return torch.sigmoid(2 * (radius * outline - torch.hypot(x, y)))
