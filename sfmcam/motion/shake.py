"""What a picture's path does faster than about 1 Hz: cubic splines of two knot spacings part it into bands, starts and turns left out.

A cubic spline with a knot every h seconds follows what is slower than about 1 / (2 h) Hz and lets the rest stand; its own rounding of an
eased move is a hundredth of that of a moving average. Least squares onto nested splines are orthogonal projections, so that the
energies of the bands add up, for any frame rate and for frames at uneven times (de Boor, A Practical Guide to Splines, 1978).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sfmcam.types import Bool, Float, Int

SPAN_S = 3.0  # a clip is worked off in spans of about this length, so that a long one is judged like a short one
KNOT_S = 0.5  # the spline follows what is slower than 1 Hz ...
FINE_KNOTS = 4  # ... and with four times the knots what is slower than 4 Hz
TURN_S = 0.8  # at most one start, stop or turn in so much time is taken for one; hands turn more often
MAX_TURNS = 3
WHIP_S = (0.4, 0.7, 1.0)  # lengths of a quick turn from rest to rest
TURN_STEP_S = 0.04  # how finely their times are tried, whatever the frame rate
SAMPLES_PER_TURN = 5  # free samples that each turn needs, lest it explain whatever there is
TURN_SHARE = (0.015, 0.06)  # share left over once the turns are out: below, they were all there was; above, the camera shakes
NOISE_DOUBT = 0.8  # of the stated noise is taken off both sides of that share: the turns take up some of it
NEGLIGIBLE_WIDTHS = 3e-4  # a residual that nobody would call shake needs no explanation


@dataclass(frozen=True)
class Residual:
    """What is left of a path (M, C) above the slow part.

    Attributes:
        hand: (M, C) about 1 to 4 Hz; up to half the frame rate where `tremble` is unknown.
        tremble: (M, C) above; NaN where the frame rate is too low to part the two.
        window: (M,) number of the half second that each sample lies in; -1 where too few frames have a pose to tell.
        noise_share: (2,) share of white noise that falls into each band.
    """

    hand: Float
    tremble: Float
    window: Int
    noise_share: Float


def residual(times_s: Float, values: Float, *, noise: Float, parts_tremble: bool) -> Residual:
    """Part `values` (M, C) with white noise of standard deviation `noise` (C,) at ascending `times_s` (M,) into bands.

    A sudden start, stop or turn, and a quick move from rest to rest, are shapes that no slow spline follows, and they are no shake. Up
    to three in a span are fitted too; where they explain the residual nearly alone they are taken out of it, where they explain only
    part of it, as is always so with shake, the residual stays whole, with a smooth transition in between.
    """
    hand, tremble = np.zeros_like(values), np.zeros_like(values)
    window, free = np.full(len(times_s), -1, dtype=np.int64), np.zeros(2)
    known = 0
    for first_window, rows, start_s, end_s in _spans(times_s):
        intervals = max(1, round((end_s - start_s) / KNOT_S))
        slow = _orthonormal(_cubic_basis(times_s[rows], start_s, end_s, intervals))
        count, fine_count = int(rows.sum()), FINE_KNOTS * intervals + 3
        if count < slow.shape[1] + 2 or (parts_tremble and count <= fine_count):
            continue
        left = _unexplained(times_s[rows], values[rows], slow, noise=noise)
        if parts_tremble:
            fine = _orthonormal(_cubic_basis(times_s[rows], start_s, end_s, FINE_KNOTS * intervals))
            tremble[rows] = left - fine @ (fine.T @ left)
        hand[rows] = left - tremble[rows]
        place = np.floor((times_s[rows] - start_s) / (end_s - start_s) * intervals)
        window[rows] = first_window + np.minimum(place, intervals - 1).astype(np.int64)
        parted = fine_count if parts_tremble else count
        free += parted - slow.shape[1], count - parted
        known += count
    share = free / known if known else np.full(2, np.nan)
    return Residual(hand, tremble if parts_tremble else np.full_like(tremble, np.nan), window, share)


def _spans(times_s: Float) -> Iterator[tuple[int, Bool, float, float]]:
    """Yield equal spans of about SPAN_S: number of the first window, rows, start and end."""
    count = max(1, round(float(times_s[-1] - times_s[0]) / SPAN_S))
    edges = np.linspace(times_s[0], times_s[-1], count + 1)
    number = np.clip(np.searchsorted(edges, times_s, side="right") - 1, 0, count - 1)
    windows_per_span = int(np.ceil((edges[1] - edges[0]) / KNOT_S)) + 1
    for k in range(count):
        yield k * windows_per_span, number == k, float(edges[k]), float(edges[k + 1])


def _cubic_basis(times_s: Float, start_s: float, end_s: float, intervals: int) -> Float:
    """Uniform cubic B-splines (M, intervals + 3) on [start_s, end_s]."""
    place = (times_s - start_s) / (end_s - start_s) * intervals
    u = np.abs(place[:, None] - np.arange(-1, intervals + 2))
    return np.where(u < 1, 2 / 3 - u**2 + u**3 / 2, np.maximum(2 - u, 0) ** 3 / 6)


def _orthonormal(columns: Float) -> Float:
    return np.linalg.qr(columns)[0]


def _unexplained(times_s: Float, values: Float, slow: Float, *, noise: Float) -> Float:
    """Return the residual (M, C) of `values` against the orthonormal columns `slow`, less the turns as far as they explain it."""
    left = values - slow @ (slow.T @ values)
    turns = round(float(times_s[-1] - times_s[0]) / TURN_S)
    turns = min(turns, MAX_TURNS, (len(times_s) - slow.shape[1]) // SAMPLES_PER_TURN)
    energy = (left**2).sum(axis=0)
    noise_energy = NOISE_DOUBT * noise**2 * (len(times_s) - slow.shape[1])
    doubtful = np.flatnonzero(energy > np.maximum(len(times_s) * NEGLIGIBLE_WIDTHS**2, 2 * noise_energy))
    shapes = [_unit_columns(shape - slow @ (slow.T @ shape)) for shape in _turn_shapes(times_s)] if len(doubtful) else []
    for c in doubtful:
        rest = min((_greedy_remainder(left[:, c], shape, turns) for shape in shapes), key=lambda rest: float(rest @ rest))
        share = (float(rest @ rest) - noise_energy[c]) / (energy[c] - noise_energy[c])
        low, high = TURN_SHARE
        left[:, c] = rest + np.clip((share - low) / (high - low), 0.0, 1.0) * (left[:, c] - rest)
    return left


def _turn_shapes(times_s: Float) -> tuple[Float, Float]:
    """Return sudden changes of speed (M, J), and quick moves from rest to rest (M, 3 J), at every time that is tried."""
    first_s, last_s = float(times_s[1]), float(times_s[-2])
    since_s = times_s[:, None] - np.linspace(first_s, last_s, max(2, round((last_s - first_s) / TURN_STEP_S)))
    shares = [np.clip(0.5 + since_s / length_s, 0, 1) for length_s in WHIP_S]
    return np.maximum(since_s, 0.0), (1 - np.cos(np.pi * np.hstack(shares))) / 2


def _greedy_remainder(column: Float, columns: Float, count: int) -> Float:
    """Return `column` (M,) without its parts along `count` of the unit `columns` (M, J), by orthogonal matching pursuit (Pati 1993)."""
    for _ in range(count if columns.shape[1] else 0):
        along = columns.T @ column
        best = int(np.argmax(np.abs(along)))
        chosen = columns[:, best]
        column = column - along[best] * chosen
        columns = _unit_columns(columns - chosen[:, None] * (chosen @ columns), at_least=0.05)
        if not columns.shape[1]:
            break
    return column


def _unit_columns(columns: Float, *, at_least: float = 1e-6) -> Float:
    """Return the columns longer than `at_least`, at unit length."""
    length = np.linalg.norm(columns, axis=0)
    long = length > at_least
    return columns[:, long] / length[long]
