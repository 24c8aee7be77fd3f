"""How alike every cell of one frame is to every cell of another, in a pyramid, and the windows that are read from it (RAFT, 2020, 3.2).

A level of the volume is (E, h*w, h_l, w_l): for each of E edges and each source cell, its likeness to the target cells of that level. A
level has half the size of the one before it, rounded down; pooling the target's features and correlating them is the same as
pooling the volume, and cheaper.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (what everybody calls it)

SCALE = 1 / 16  # both maps are divided by 4; whatever their width, as trained weights depend on it

Volume = tuple[Tensor, ...]


def pool_features(features: Tensor, levels: int) -> list[Tensor]:
    """Return `levels` maps: (N, C, h, w) and its 2x2 means, halved each time with sizes rounded down.

    Raises:
        ValueError: the map is too small for so many levels.
    """
    if min(features.shape[-2:]) >> (levels - 1) < 1:
        raise ValueError(f"a map of {tuple(features.shape[-2:])} cells has no {levels} pyramid levels")
    pyramid = [features]
    for _ in range(levels - 1):
        pyramid.append(F.avg_pool2d(pyramid[-1], 2))
    return pyramid


def build_volume(sources: Tensor, targets: Sequence[Tensor]) -> Volume:
    """Return the pyramid of (E, C, h, w) source features against the pyramid of the target's, as `pool_features` gives it.

    It has the type of the features: pass float32, or float16 to store half on a GPU.
    """
    flat = (sources * SCALE).flatten(2).transpose(1, 2)
    return tuple((flat @ level.flatten(2)).unflatten(2, tuple(level.shape[-2:])) for level in targets)


def look_up(volume: Volume, coords: Tensor, radius: int) -> Tensor:
    """Return float32 (E, levels * (2 radius + 1)^2, h, w): windows around `coords`, bilinear, zero outside.

    Args:
        volume: as `build_volume` gives it.
        coords: (E, h, w, 2) float32 (x, y) in cells of the target's finest level; integers are centres of cells.
        radius: the window reaches that far in cells of each level.

    Channel level * (2r+1)^2 + (2r+1) * (dx + r) + (dy + r): the offset in x is the slow one.
    """
    edges, height, width, _ = coords.shape
    side = 2 * radius + 1
    centres = coords.reshape(edges * height * width, 1, 1, 2)
    windows = []
    for level, likeness in enumerate(volume):
        at = centres / 2**level
        read = _gather_windows if likeness.dtype in (torch.float16, torch.bfloat16) else _sample_windows
        windows.append(read(likeness.flatten(0, 1), at, radius).view(edges, height, width, side * side))
    return torch.cat(windows, dim=-1).permute(0, 3, 1, 2)


def _sample_windows(likeness: Tensor, at: Tensor, radius: int) -> Tensor:
    """Return (N, 2r+1, 2r+1) windows of (N, h, w) around (N, 1, 1, 2) by grid_sample.

    Its convention without aligned corners is used, as the other divides by zero where a level is one cell wide.
    """
    height, width = likeness.shape[-2:]
    per_cell = 2 / torch.tensor((width, height), device=at.device, dtype=at.dtype)
    offsets = torch.arange(-radius, radius + 1, device=at.device, dtype=at.dtype)
    around = torch.stack(torch.meshgrid(offsets, offsets, indexing="ij"), dim=-1) * per_cell
    grid = (at * per_cell + (per_cell / 2 - 1)) + around  # one large sum: everything else is done before it grows
    return F.grid_sample(likeness[:, None], grid, mode="bilinear", padding_mode="zeros", align_corners=False)[:, 0]


def _gather_windows(likeness: Tensor, at: Tensor, radius: int) -> Tensor:
    """Return the same, in float32 whatever the volume is stored in: grid_sample would round the coordinates to its type.

    All offsets share one fraction, so (2r+2)^2 cells are read once and combined.
    """
    count, height, width = likeness.shape
    base = at.floor()
    fraction = (at - base).view(count, 1, 1, 2)
    steps = torch.arange(-radius, radius + 2, device=at.device)
    corner = base.view(count, 2).clamp(-1e6, 1e6).long()
    x, y = corner[:, :1] + steps, corner[:, 1:] + steps
    inside = ((x >= 0) & (x < width))[:, :, None] & ((y >= 0) & (y < height))[:, None, :]
    index = y.clamp(0, height - 1)[:, None, :] * width + x.clamp(0, width - 1)[:, :, None]
    cells = likeness.reshape(count, -1).gather(1, index.flatten(1)).view_as(index).float() * inside
    fx, fy = fraction[..., 0], fraction[..., 1]
    columns = cells[:, :-1] * (1 - fx) + cells[:, 1:] * fx
    return columns[..., :-1] * (1 - fy) + columns[..., 1:] * fy
