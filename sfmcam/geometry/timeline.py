"""Which frames of two recordings belong together."""

from __future__ import annotations

import numpy as np

from sfmcam.types import Float, Int

ROUNDING_ULPS = 4  # differences of two times are exact to no more than this


def match_times(times_s: Float, others_s: Float, *, tolerance_s: float) -> tuple[Int, Int]:
    """Pair the frames that are each other's nearest in time, no more than `tolerance_s` apart.

    Args:
        times_s: (N,) ascending.
        others_s: (M,) ascending.
        tolerance_s: largest difference of a pair, beyond the rounding of the times themselves.

    Returns:
        Indices (K,) into `times_s` and (K,) into `others_s`, both ascending; no frame is in two pairs.
    """
    if len(times_s) == 0 or len(others_s) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    nearest_other = _nearest(times_s, others_s)
    nearest_time = _nearest(others_s, times_s)
    own = np.arange(len(times_s))
    mutual = nearest_time[nearest_other] == own
    rounding_s = ROUNDING_ULPS * np.spacing(max(np.abs(times_s).max(), np.abs(others_s).max()))
    close = np.abs(times_s - others_s[nearest_other]) <= tolerance_s + rounding_s
    kept = np.flatnonzero(mutual & close)
    return kept, nearest_other[kept]


def half_interval_s(times_s: Float) -> float:
    """Return half of the median interval between frames; 0 where there are fewer than two."""
    return float(np.median(np.diff(times_s))) / 2 if len(times_s) > 1 else 0.0


def _nearest(times_s: Float, candidates_s: Float) -> Int:
    """Index (N,) of the candidate nearest to each time, the earlier one of two equally near."""
    after = np.searchsorted(candidates_s, times_s).clip(1, max(len(candidates_s) - 1, 1))
    if len(candidates_s) == 1:
        return np.zeros(len(times_s), np.int64)
    before = after - 1
    return np.where(times_s - candidates_s[before] <= candidates_s[after] - times_s, before, after)
