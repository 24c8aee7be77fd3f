"""Smoothing of a sampled path in time: spikes out, then local straight lines under a Gaussian window."""

from __future__ import annotations

import numpy as np

from sfmcam.types import Float

WINDOW_SIGMA_S = 0.25  # passes what is slower than about 1 Hz: hand shake goes, an intended motion stays
WINDOW_SIGMA_STEPS = 0.75  # at low frame rates the window still reaches the neighbours, so that shake can show as a residual
SPIKE_HALF_WIDTH_S = 0.1
ROWS_AT_ONCE = 64  # bounds memory and time on a long path
REACH_SIGMAS = 6.0  # beyond this the Gaussian weight is below 1e-7


def window_sigma_s(times_s: Float) -> float:
    """Return the standard deviation of the Gaussian window for samples at `times_s` (M,), M >= 2."""
    return max(WINDOW_SIGMA_S, WINDOW_SIGMA_STEPS * float(np.median(np.diff(times_s))))


def samples_per_window(times_s: Float) -> float:
    """Return how many independent samples one smoothed value averages (effective size of the Gaussian window), at least 1."""
    step_s = float(np.median(np.diff(times_s)))
    return max(1.0, 2.0 * np.sqrt(np.pi) * window_sigma_s(times_s) / step_s)


def smooth(times_s: Float, values: Float) -> Float:
    """Return `values` (M, D), sampled at ascending `times_s` (M,), without spikes and shake; a straight line stays as it is.

    A spike (one bad pose) is taken out by a running median first, since a mean would spread it. The window then fits a
    line, not a constant (Cleveland 1979, without the robust iterations), so that a steady motion keeps its full extent at
    both ends of the clip. What that leaves is smoothed and added again (Tukey's twicing), which halves the rounding of quick
    starts and stops that would otherwise shrink a motion and count as shake.
    """
    sigma_s = window_sigma_s(times_s)
    steady = despike(times_s, values)
    once = local_line(times_s, steady, sigma_s=sigma_s)
    return once + local_line(times_s, steady - once, sigma_s=sigma_s)


def despike(times_s: Float, values: Float) -> Float:
    """Return the running median of `values` (M, D) over +-0.1 s, at least +-1 sample, narrowing towards the ends.

    The two end values follow Tukey's rule (Exploratory Data Analysis, 1977): the median of the value itself, its
    neighbour, and the line through the next two prolonged to one step beyond the end.
    """
    count = len(values)
    if count < 3:
        return values.copy()
    reach = max(1, round(SPIKE_HALF_WIDTH_S / float(np.median(np.diff(times_s)))))
    reach = min(reach, (count - 1) // 2)
    out = values.copy()
    out[reach : count - reach] = np.median(np.lib.stride_tricks.sliding_window_view(values, 2 * reach + 1, axis=0), axis=-1)
    for k in range(1, reach):
        for i in (k, count - 1 - k):
            out[i] = np.median(values[i - k : i + k + 1], axis=0)
    for end, a, b in ((0, 1, 2), (-1, -2, -3)):
        slope = (out[a] - out[b]) / (times_s[a] - times_s[b])
        beyond = out[a] + 2 * (times_s[end] - times_s[a]) * slope
        out[end] = np.median([values[end], out[a], beyond], axis=0)
    return out


def local_line(times_s: Float, values: Float, *, sigma_s: float) -> Float:
    """Return, at every sample, the value of the line fitted under a Gaussian window of `sigma_s` around it; (M, D)."""
    out = np.empty_like(values)
    for start in range(0, len(times_s), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        at_s = times_s[rows]
        near = slice(*np.searchsorted(times_s, (at_s[0] - REACH_SIGMAS * sigma_s, at_s[-1] + REACH_SIGMAS * sigma_s)))
        out[rows] = _local_line_rows(at_s, times_s[near], values[near], sigma_s=sigma_s)
    return out


def _local_line_rows(at_s: Float, times_s: Float, values: Float, *, sigma_s: float) -> Float:
    lag = (times_s[None, :] - at_s[:, None]) / sigma_s
    weight = np.exp(-0.5 * lag**2)
    s0, s1, s2 = weight.sum(axis=1), (weight * lag).sum(axis=1), (weight * lag**2).sum(axis=1)
    mean = weight @ values / s0[:, None]
    determinant = s0 * s2 - s1**2
    alone = determinant < 1e-9 * s0**2  # no neighbour within reach: there is no slope to fit
    line = (s2[:, None] * (weight @ values) - s1[:, None] * ((weight * lag) @ values)) / np.where(alone, 1.0, determinant)[:, None]
    return np.where(alone[:, None], mean, line)
