"""The few frames of a shot that its picture shows, kept when the others go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.types import Float, Frames, UInt8
from sfmcam.viz.tracks_layout import choose_count

TAIL_S = 0.5  # of a track that is shown behind its dot


@dataclass(frozen=True)
class Moments:
    """The frames of a shot that its picture shows, kept so that the others need not be.

    Attributes:
        timestamps_s: (N,) of all frames of the shot.
        frames: numbers of those shown, ascending.
        images: their pictures (h, w) or (h, w, 3); empty where they are gone, and the ground stays dark.
    """

    timestamps_s: Float
    frames: tuple[int, ...]
    images: tuple[UInt8, ...] = ()


def keep_moments(frames: Frames) -> Moments:
    """Return the frames of a shot that `render_tracks_png` shows: evenly spread, the last among them."""
    numbers = choose_frames(frames.timestamps_s, frames.size_px)
    return Moments(frames.timestamps_s, numbers, tuple(frames.images[number].copy() for number in numbers))


def choose_frames(timestamps_s: Float, size_px: tuple[int, int]) -> tuple[int, ...]:
    """Return the numbers of the frames to show, of N at `timestamps_s`: the first late enough for tails, where there is time."""
    num_frames = len(timestamps_s)
    count = choose_count(num_frames, size_px)
    after_tail = int(np.searchsorted(timestamps_s, timestamps_s[0] + TAIL_S))
    first = min(after_tail, num_frames // count, num_frames - count)
    return tuple(int(number) for number in np.linspace(first, num_frames - 1, count))
