"""Which primitive wins on a clip that shows one: the true one, or one that the clip does not show.

A method gives each clip one value per primitive. On a clip that is labelled Yes for a primitive, its rivals are the primitives that the
same clip is labelled No for; those without a label, or with another Yes, take no part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.types import Bool, Float


@dataclass(frozen=True)
class Confusion:
    """Clips that show one primitive.

    Attributes:
        positives: their number.
        failed: the method gave no value for the true primitive.
        unrivalled: there is no label No with a value to compare with.
        nothing: the method said of none of them that it holds (answers of yes and no only).
        wins: (primitives,) clips on which each has the highest value, the true one included; ties are shared.
        strongest_wrong: (primitives,) clips on which each is the highest of the rivals, whether or not it beats the true one.
    """

    positives: int
    failed: int
    unrivalled: int
    nothing: float
    wins: Float
    strongest_wrong: Float


def confusion(true: int, values: Float, labels: Float, *, nothing_below: float | None = None) -> Confusion:
    """Count who wins on the clips that show primitive number `true`.

    Args:
        true: row of `values`.
        values: (primitives, clips), comparable between primitives; NaN where failed or not asked.
        labels: (primitives, clips): 1 yes, 0 no, NaN not asked.
        nothing_below: a highest value that is not above it wins nothing: the method has said no to all.
    """
    shows = labels[true] == 1
    known = shows & ~np.isnan(values[true])
    rival = (labels == 0) & ~np.isnan(values) & known
    counted = known & rival.any(axis=0)
    taking_part = rival & counted
    wrong = np.where(taking_part, values, -np.inf)[:, counted]
    every = wrong.copy()
    every[true] = values[true, counted]
    says = np.ones(every.shape[1], bool) if nothing_below is None else every.max(axis=0, initial=-np.inf) > nothing_below
    return Confusion(
        positives=int(shows.sum()),
        failed=int((shows & ~known).sum()),
        unrivalled=int((known & ~counted).sum()),
        nothing=float((~says).sum()),
        wins=_shared_maxima(every[:, says]),
        strongest_wrong=_shared_maxima(wrong),
    )


def share_of_no_below(scores: Float, labels: Bool) -> Float:
    """Return (n,) the share of a task's No clips that score lower, ties counting half: how unusual a score is where there is no motion.

    It puts scores of different scales side by side without a fit, and is the same for a common motion as for a rare one.

    Args:
        scores: (n,) NaN where failed; the result is NaN there too, and everywhere without an answered No clip.
        labels: (n,).
    """
    answered = ~np.isnan(scores)
    negatives = np.sort(scores[answered & ~labels])
    shares = np.full(len(scores), np.nan)
    if len(negatives):
        below = np.searchsorted(negatives, scores[answered], "left") + np.searchsorted(negatives, scores[answered], "right")
        shares[answered] = below / (2 * len(negatives))
    return shares


def _shared_maxima(values: Float) -> Float:
    """Return (rows,) how often each row holds the highest value of a column; rows that tie share the column."""
    if not values.shape[1]:
        return np.zeros(values.shape[0])
    highest = values == values.max(axis=0)
    total: Float = (highest / highest.sum(axis=0)).sum(axis=1)
    return total
