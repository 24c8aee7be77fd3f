"""Moments as they are shown: their colour, dark at the start of the shot and bright at its end, and their clock."""

from __future__ import annotations

import numpy as np

from sfmcam.types import Float

COLORMAP = "plasma"
CLIP_CLOCK_S = 1e5  # a first timestamp beyond it comes from the clock of a recorder, not from the clip
BRIGHTEST = 0.86  # the map's last, yellow part is lost on a white ground


def time_colors(times_s: Float) -> Float:
    """Return (n, 3) colours in [0, 1] for ascending times (n,), from the first to the last of them."""
    import matplotlib as mpl

    span = float(times_s[-1] - times_s[0])
    share = (times_s - times_s[0]) / span if span > 0 else np.zeros(len(times_s))
    return np.asarray(mpl.colormaps[COLORMAP](share * BRIGHTEST))[:, :3]


def shown_times(times_s: Float) -> Float:
    """Return times (n,) as people read them: in the clip, or since the first where the clock is not the clip's own."""
    return times_s - times_s[0] if abs(times_s[0]) > CLIP_CLOCK_S else times_s
