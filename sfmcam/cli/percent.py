"""A probability for a person."""

from __future__ import annotations


def percent(probability: float) -> str:
    """Return a whole percentage; never 0 or 100, which no measurement can promise."""
    if probability < 0.005:
        return "< 1 %"
    return "> 99 %" if probability > 0.995 else f"{100 * probability:.0f} %"
