"""Pictures waiting to be handed out, held so that a long clip's are never in memory twice."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass

import numpy as np

from sfmcam.types import UInt8
from sfmcam.video.sampling import Index

BLOCK_BYTES = 16 << 20  # large enough that the allocator gives a block back to the system when it is dropped


@dataclass
class Block:
    """Room for some pictures in one piece.

    Attributes:
        room: (C, H, W) or (C, H, W, 3); the first `len(numbers)` are filled.
        numbers: frame number of each picture, ascending.
    """

    room: UInt8
    numbers: list[int]


class KeptPictures:
    """Takes pictures in the order of their frame numbers, and hands each out once, in the same order.

    What lies before the picture handed out last is let go, block by block.
    """

    def __init__(self, expected: int) -> None:
        """Prepare for `expected` pictures; more are taken too."""
        self._expected = expected
        self._blocks: deque[Block] = deque()
        self._added = 0

    @property
    def numbers(self) -> set[int]:
        """The frame numbers of the pictures held."""
        return {number for block in self._blocks for number in block.numbers}

    def add(self, number: int, picture: UInt8) -> None:
        """Keep a copy of `picture`, which belongs to a later frame than those before it and is of their size."""
        if not self._blocks or len(self._blocks[-1].numbers) == len(self._blocks[-1].room):
            fitting = max(1, min(self._expected - self._added, per_block(picture)))
            self._blocks.append(Block(np.empty((fitting, *picture.shape), np.uint8), []))
        block = self._blocks[-1]
        block.room[len(block.numbers)] = picture
        block.numbers.append(number)
        self._added += 1

    def take_block(self, numbers: Index) -> UInt8 | None:
        """Return the pictures of the frames `numbers` as they lie, if they are just those of the first block; else None."""
        if not self._blocks or self._blocks[0].numbers != numbers.tolist():
            return None
        block = self._blocks.popleft()
        return block.room[: len(block.numbers)]

    def take(self, number: int) -> UInt8 | None:
        """Return the picture of the frame `number`, to be copied before the next one is taken; None if it was not kept."""
        while self._blocks and self._blocks[0].numbers[-1] < number:
            self._blocks.popleft()
        if not self._blocks:
            return None
        block = self._blocks[0]
        place = bisect_left(block.numbers, number)
        return block.room[place] if block.numbers[place] == number else None


def per_block(picture: UInt8) -> int:
    """Return how many pictures of the size of `picture` make a block."""
    return max(1, BLOCK_BYTES // picture.nbytes)
