"""Lines and dots with a width in pixels: what both backends paint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.types import Float


@dataclass(frozen=True)
class Strokes:
    """Straight lines.

    Attributes:
        ends: (S, 2, 3).
        colors: (S, 3) in [0, 1].
        widths_px: (S,) in pixels of the finished picture.
    """

    ends: Float
    colors: Float
    widths_px: Float


@dataclass(frozen=True)
class Dots:
    """Round marks: centres (D, 3), colours (D, 3) in [0, 1], radii (D,) in pixels of the finished picture."""

    centers: Float
    colors: Float
    radii_px: Float


def segments(ends: Float, color: Float, width_px: float) -> Strokes:
    """Lines (S, 2, 3) of one colour and width."""
    return Strokes(ends, np.tile(color, (len(ends), 1)), np.full(len(ends), width_px))


def polyline(vertices: Float, colors: Float, width_px: float) -> Strokes:
    """The line through vertices (n, 3), each piece in the mean colour of its ends (n, 3)."""
    return Strokes(
        np.stack([vertices[:-1], vertices[1:]], axis=1), (colors[:-1] + colors[1:]) / 2, np.full(max(len(vertices) - 1, 0), width_px)
    )


def join(*strokes: Strokes) -> Strokes:
    """All lines in one."""
    return Strokes(
        np.concatenate([s.ends for s in strokes]),
        np.concatenate([s.colors for s in strokes]),
        np.concatenate([s.widths_px for s in strokes]),
    )
