"""The colour of a moment: dark at the start of the shot, bright at its end."""

from __future__ import annotations

import numpy as np

from sfmcam.types import Float

COLORMAP = "plasma"
BRIGHTEST = 0.86  # the map's last, yellow part is lost on a white ground


def time_colors(times_s: Float) -> Float:
    """Return (n, 3) colours in [0, 1] for ascending times (n,), from the first to the last of them."""
    import matplotlib as mpl

    span = float(times_s[-1] - times_s[0])
    share = (times_s - times_s[0]) / span if span > 0 else np.zeros(len(times_s))
    return np.asarray(mpl.colormaps[COLORMAP](share * BRIGHTEST))[:, :3]
