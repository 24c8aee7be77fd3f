"""Where the random clips get their chance from: streams that belong to one split, one seed and one clip, and decks dealt without luck.

Splits are kept apart by construction, twice over. Every stream is a `numpy.random.SeedSequence` whose spawn key begins with the split's own
number, so no stream of one split is a stream of another, whatever the seeds. And the seed that a clip hands on to its scene, textures,
sensor noise and words is a multiple of three plus the split's number: no two splits can share a texture even by accident.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np

Card = TypeVar("Card")
CLIP_STREAM, DECK_STREAM = 0, 1


class Split(StrEnum):
    """What a set of random clips is for: tuning, choosing, judging."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"

    @property
    def number(self) -> int:
        """Its place in the spawn keys and its remainder among the clips' seeds."""
        return list(Split).index(self)


@dataclass(frozen=True)
class Chance:
    """The randomness of one clip.

    Attributes:
        split: the split that it belongs to.
        seed: the set's seed, 0 or more.
        index: the clip's number in its set.
    """

    split: Split
    seed: int
    index: int

    def generator(self) -> np.random.Generator:
        """Return the clip's own stream, the same at every call."""
        return np.random.default_rng(self._sequence(CLIP_STREAM, self.index))

    def clip_seed(self) -> int:
        """Return the seed (below 2^50) of the clip's scene, textures and noise; its remainder by three is the split's number."""
        words = self._sequence(CLIP_STREAM, self.index).generate_state(2, np.uint32)
        return ((int(words[0]) << 16) | int(words[1]) >> 16) * len(Split) + self.split.number

    def deal(self, deck: str, cards: Sequence[Card]) -> Card:
        """Return this clip's card: each run of `len(cards)` clips gets every card once, in an order of its own."""
        return cards[int(self._shuffled(deck, len(cards))[self.index % len(cards)])]

    def block_generator(self, deck: str, size: int) -> np.random.Generator:
        """Return a stream that the clips of one run of `size` share."""
        return np.random.default_rng(self._sequence(DECK_STREAM, zlib.crc32(deck.encode()), self.index // size))

    def _shuffled(self, deck: str, size: int) -> np.ndarray:
        return self.block_generator(deck, size).permutation(size)

    def _sequence(self, *key: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(self.seed, spawn_key=(self.split.number, *key))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number between `low` and `high`, both positive, whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def weighted(rng: np.random.Generator, choices: Sequence[tuple[Card, float]]) -> Card:
    """Return one of the choices (value, weight)."""
    weights = np.array([weight for _, weight in choices])
    return choices[int(rng.choice(len(choices), p=weights / weights.sum()))][0]
