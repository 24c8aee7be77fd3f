"""What the learned operator keeps of frames and of edges between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain
from typing import Self

import torch
from torch import Tensor

from sfmcam.estimators.megasam.net.correlation import Volume, build_volume, look_up, pool_features


@dataclass(frozen=True)
class FrameContext:
    """What a frame brings along as the source of edges.

    Attributes:
        hidden: (hidden, h, w) the state that its edges start from.
        gates: (3 hidden, h, w) what its context adds to their gates.
    """

    hidden: Tensor
    gates: Tensor


@dataclass(eq=False)
class FrameFeatures:
    """A frame as the network sees it.

    Attributes:
        image: (3, H, W) uint8 RGB on the device.
        index: frame of the clip.
        features: (features, h, w) to correlate.
        context: made when the frame first is the source of an edge: most frames of a video never are.
    """

    image: Tensor
    index: int
    features: Tensor
    context: FrameContext | None = None


@dataclass(frozen=True)
class Correlated:
    """Consecutive edges whose correlation is kept together: as a volume, or as the features that make one.

    Attributes:
        sources, targets: (features, h, w) per edge.
        volume: pyramid of all these edges; None where it is made anew at every look, `at_once` edges at a time.
        at_once: see `volume`.
    """

    sources: tuple[Tensor, ...]
    targets: tuple[Tensor, ...]
    volume: Volume | None
    at_once: int = 1

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def volume_bytes(self) -> int:
        """Memory of the volume."""
        return sum(level.numel() * level.element_size() for level in self.volume or ())

    def look_up(self, coords: Tensor, *, levels: int, radius: int) -> list[Tensor]:
        """Return parts of the (E, levels * (2 radius + 1)^2, h, w) lookup at (E, h, w, 2) `coords`, in order."""
        if self.volume is not None:
            return [look_up(self.volume, coords, radius)]
        return [
            look_up(
                correlate(self.sources[k : k + self.at_once], self.targets[k : k + self.at_once], levels),
                coords[k : k + self.at_once],
                radius,
            )
            for k in range(0, len(self), self.at_once)
        ]

    def select(self, positions: Sequence[int]) -> Self:
        """Return these of the edges, in this order; untouched where that is all of them."""
        if list(positions) == list(range(len(self))):
            return self
        index = torch.tensor(positions, dtype=torch.long, device=self.sources[0].device)
        volume = None if self.volume is None else tuple(level[index] for level in self.volume)
        return type(self)(tuple(self.sources[k] for k in positions), tuple(self.targets[k] for k in positions), volume, self.at_once)

    def join(self, other: Self) -> Self:
        """Return one block of both; only of blocks that both have a volume, or neither."""
        volume = None
        if self.volume is not None and other.volume is not None:
            volume = tuple(torch.cat(pair) for pair in zip(self.volume, other.volume, strict=True))
        return type(self)(self.sources + other.sources, self.targets + other.targets, volume, self.at_once)


def correlate(sources: Sequence[Tensor], targets: Sequence[Tensor], levels: int) -> Volume:
    """Return the pyramid of edges between (features, h, w) maps."""
    return build_volume(torch.stack(list(sources)), pool_features(torch.stack(list(targets)), levels))


@dataclass(frozen=True)
class LearnedEdges:
    """The state of E edges; see `operator.EdgeState`.

    Attributes:
        sources: frame that each edge leaves.
        hidden: (E, hidden, h, w) recurrent state.
        blocks: their correlations, in order. Copying a volume is dear on a CPU, launching a kernel per block on a GPU: so the CPU
            keeps a block per edge, and the GPU joins its blocks.
        joined: whether blocks are joined.
        volume_bytes: most memory that volumes may take; later ones are dropped where edges are joined.
    """

    sources: tuple[FrameFeatures, ...]
    hidden: Tensor
    blocks: tuple[Correlated, ...]
    joined: bool
    volume_bytes: int

    def __len__(self) -> int:
        return len(self.sources)

    def select(self, mask: Tensor) -> Self:
        """See `operator.EdgeState`."""
        positions: list[int] = (mask.nonzero()[:, 0] if mask.dtype == torch.bool else mask).tolist()
        index = torch.tensor(positions, dtype=torch.long, device=self.hidden.device)
        blocks = _select_blocks(self.blocks, positions)
        return replace(self, sources=tuple(self.sources[k] for k in positions), hidden=self.hidden[index], blocks=blocks)

    def join(self, other: Self) -> Self:
        """See `operator.EdgeState`."""
        blocks = _within(self.blocks + other.blocks, self.volume_bytes)
        if self.joined:
            blocks = _join_blocks(blocks)
        return replace(self, sources=self.sources + other.sources, hidden=torch.cat([self.hidden, other.hidden]), blocks=blocks)

    def look_up(self, coords: Tensor, *, levels: int, radius: int, dtype: torch.dtype) -> Tensor:
        """Return the (E, levels * (2 radius + 1)^2, h, w) lookup at (E, h, w, 2) `coords`, cast to `dtype`."""
        ends = list(accumulate(map(len, self.blocks)))
        looks = (
            block.look_up(coords[end - len(block) : end], levels=levels, radius=radius)
            for block, end in zip(self.blocks, ends, strict=True)
        )
        parts = [part.to(dtype) for part in chain.from_iterable(looks)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)


def _select_blocks(blocks: tuple[Correlated, ...], positions: Sequence[int]) -> tuple[Correlated, ...]:
    """Return the blocks of the edges at `positions`: consecutive ones of one block stay together."""
    home = [(block, k) for block in blocks for k in range(len(block))]
    runs: list[tuple[Correlated, list[int]]] = []
    for position in positions:
        block, k = home[position]
        if runs and runs[-1][0] is block:
            runs[-1][1].append(k)
        else:
            runs.append((block, [k]))
    return tuple(block.select(inside) for block, inside in runs)


def _within(blocks: tuple[Correlated, ...], limit: int) -> tuple[Correlated, ...]:
    """Return the blocks without the volumes, from the first that goes beyond `limit` bytes on."""
    out, used = [], 0
    for block in blocks:
        used += block.volume_bytes
        out.append(block if used <= limit else replace(block, volume=None))
    return tuple(out)


def _join_blocks(blocks: tuple[Correlated, ...]) -> tuple[Correlated, ...]:
    out: list[Correlated] = []
    for block in blocks:
        if out and (out[-1].volume is None) == (block.volume is None):
            out[-1] = out[-1].join(block)
        else:
            out.append(block)
    return tuple(out)
