"""How many of the points followed through a shot stand still with the scene, and how many move by themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.types import Float

EVEN = 0.5  # static probability at which a track counts as moving and as static alike


@dataclass(frozen=True)
class TrackCount:
    """Numbers of tracks.

    Attributes:
        static: more likely part of the static scene than not.
        moving: more likely on something that moves by itself.
        unjudged: nobody has said.
    """

    static: int = 0
    moving: int = 0
    unjudged: int = 0

    def in_words(self) -> tuple[str, ...]:
        """Return the counts as "312 static", "45 moving", "3 not judged"; those not judged only where there are some."""
        judged = (f"{self.static} static", f"{self.moving} moving") if self.static + self.moving or not self.unjudged else ()
        return (*judged, f"{self.unjudged} not judged") if self.unjudged else judged


def count_tracks(static_probability: Float) -> TrackCount:
    """Count tracks by their static probability (T,), NaN where nobody has said."""
    unjudged = np.isnan(static_probability)
    static = int((static_probability >= EVEN).sum())  # NaN compares as False
    return TrackCount(static, len(static_probability) - static - int(unjudged.sum()), int(unjudged.sum()))
