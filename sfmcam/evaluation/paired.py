"""Is one method better than another? A paired bootstrap over videos: both are rated on the same resamples.

The p-value is two-sided: twice the smaller share of resamples on either side of zero, one counted on each side so that it is never 0:
p = min(1, 2 min(1 + #{d <= 0}, 1 + #{d >= 0}) / (B + 1)). It is the level at which the percentile interval of the difference just
reaches zero (Efron and Tibshirani 1993, chapters 13 and 16; Davison and Hinkley 1997, section 4.4 for the counting).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.evaluation.bootstrap import Interval, percentile_interval
from sfmcam.types import Float


@dataclass(frozen=True)
class PairedDifference:
    """A figure of one method minus that of another.

    Attributes:
        a: the figure of the one, on the whole pool.
        b: that of the other.
        interval: of the difference.
        p: two-sided; NaN without resamples.
        draws: resamples in which both are defined.
        p_holm: p after Holm's correction for looking at all tasks; NaN where it was not looked at together with others.
    """

    a: float
    b: float
    interval: Interval
    p: float
    draws: int
    p_holm: float = float("nan")

    @property
    def difference(self) -> float:
        """`a` minus `b`; NaN where either is undefined."""
        return self.a - self.b


def paired_difference(a: float, b: float, draws_a: Float, draws_b: Float) -> PairedDifference:
    """Compare two figures with their resamples (resamples,), NaN where a resample could not rate them."""
    gaps = draws_a - draws_b
    gaps = gaps[np.isfinite(gaps)]
    return PairedDifference(a, b, percentile_interval(gaps), two_sided_p(gaps) if np.isfinite(a - b) else float("nan"), len(gaps))


def two_sided_p(gaps: Float) -> float:
    """Return the p-value of the hypothesis that there is no difference, from its resamples; NaN without any."""
    if not len(gaps):
        return float("nan")
    tail = min(1 + int((gaps <= 0).sum()), 1 + int((gaps >= 0).sum()))
    return min(1.0, 2 * tail / (len(gaps) + 1))


def holm(p_values: Float) -> Float:
    """Return p-values after Holm's step-down correction (Holm 1979) for the defined ones among them; NaN stays NaN."""
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p_values[order] * factors))
    return adjusted
