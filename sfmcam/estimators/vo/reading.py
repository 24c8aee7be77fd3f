"""A reading of a window's tracks: which of them are the background, by which motion model, in which of its two solutions."""

from __future__ import annotations

from typing import NamedTuple

from sfmcam.estimators.vo.bundle import Freedom

FREEDOMS = tuple(Freedom)


class Reading(NamedTuple):
    """One way to understand a window.

    Attributes:
        freedom: the motion model.
        flipped: its other solution, which fits nearly as well (`bundle.mirrored`).
        swapped: the background is what the first fit took for movers (`background.swapped_background`).
    """

    freedom: Freedom
    flipped: bool = False
    swapped: bool = False

    @property
    def rank(self) -> tuple[bool, int, bool]:
        """Place among the readings: from the least free to the freest, first those of the first background."""
        return self.swapped, FREEDOMS.index(self.freedom), self.flipped
