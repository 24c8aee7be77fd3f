"""Which points a background holds and where they lie: movers fill the middle of the picture more often than its border."""

from __future__ import annotations

import numpy as np

from sfmcam.estimators.vo.bundle import Observations
from sfmcam.types import Float

SUPPORT = ("at_border", "spread", "lifetime", "held", "held_at_border", "held_points")
STATIC_RANGE = (0.15, 0.65)  # robust weight of a point's residuals, from "does not belong" to "belongs"
BORDER = 0.8  # of the way from the middle to the outermost observation
SMALL_SHARE = 0.05
SMALL_COUNT = 0.02


def belonging(static: Float) -> Float:
    """Return (P,) how much each point belongs to a background, 0 to 1, from the robust weight of its residuals."""
    low, high = STATIC_RANGE
    return np.clip((static - low) / (high - low), 0.0, 1.0)


def held_share(seen: Observations, static: Float) -> float:
    """Return the share of the picture, by the weights of the observations, that a background holds."""
    return float(np.average(belonging(static)[seen.point], weights=seen.weight))


def support_features(seen: Observations, static: Float) -> Float:
    """Return what `SUPPORT` names, of a background with the robust weights `static` (P,).

    at_border: log of the share held near the border of the picture, over that held everywhere; spread: log of the standard deviation of
    the held positions over that of all; lifetime: log of the mean number of keyframes that a held point is seen in, over that of any;
    held, held_at_border: those shares; held_points: log of the share of the points, all counting alike.
    """
    held = belonging(static)
    of_rows, weight = held[seen.point], seen.weight
    border = (np.abs(seen.xy) / (np.abs(seen.xy).max(axis=0) + 1e-9)).max(axis=1) > BORDER
    share = held_share(seen, static)
    near = float((of_rows * weight)[border].sum() / max(float(weight[border].sum()), 1e-9))
    length, of_points = np.diff(seen.point_start), weight[seen.point_start[:-1]]
    return np.array(
        [
            np.log((near + SMALL_SHARE) / (share + SMALL_SHARE)),
            np.log(_deviation(seen.xy, weight * of_rows + 1e-9) / _deviation(seen.xy, weight)),
            np.log(np.average(length, weights=of_points * held + 1e-9) / np.average(length, weights=of_points)),
            share,
            near,
            np.log(held.mean() + SMALL_COUNT),
        ]
    )


def _deviation(xy: Float, weight: Float) -> float:
    off = xy - np.average(xy, axis=0, weights=weight)
    return float(np.sqrt(np.average((off**2).sum(axis=1), weights=weight))) + 1e-6
