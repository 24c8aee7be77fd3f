"""Brushes: rectangles, raised frames and made-up lettering, painted in place onto (h, w, 3) pictures."""

from __future__ import annotations

import numpy as np

from sfmcam.datasets.synthetic.textures.patch import Color, Picture

Rect = tuple[float, float, float, float]  # left, top, right, bottom as shares of the picture

INKS: tuple[Color, ...] = (
    (0.75, 0.18, 0.15),
    (0.14, 0.3, 0.52),
    (0.9, 0.72, 0.24),
    (0.2, 0.42, 0.3),
    (0.88, 0.85, 0.78),
    (0.16, 0.16, 0.19),
    (0.82, 0.46, 0.2),
    (0.5, 0.36, 0.52),
)


def paint_rect(picture: Picture, rect: Rect, color: Color) -> None:
    """Fill a rectangle in place."""
    picture[window_of(picture, rect)] = color


def shade_rect(picture: Picture, rect: Rect, factor: float) -> None:
    """Darken or brighten a rectangle in place."""
    picture[window_of(picture, rect)] *= factor


def frame_rect(picture: Picture, rect: Rect, color: Color, *, width_px: float) -> None:
    """Draw a raised frame just inside a rectangle, lit from the top left, in place."""
    h, w = picture.shape[:2]
    dx, dy = max(width_px, 1) / w, max(width_px, 1) / h
    left, top, right, bottom = rect
    light, dark = scaled(color, 1.18), scaled(color, 0.72)
    paint_rect(picture, (left, top, right, top + dy), light)
    paint_rect(picture, (left, top, left + dx, bottom), light)
    paint_rect(picture, (right - dx, top, right, bottom), dark)
    paint_rect(picture, (left, bottom - dy, right, bottom), dark)


def type_lines(picture: Picture, rng: np.random.Generator, rect: Rect, *, color: Color) -> None:
    """Write lines of made-up lettering into a rectangle, the first line largest, in place."""
    left, top, right, bottom = rect
    line = top
    for share in (0.42, 0.2, 0.2):
        height, x = share * (bottom - top), left
        while x < right - 0.04:
            width = min(rng.uniform(0.25, 0.8) * height, right - x)
            paint_rect(picture, (x, line, x + width, line + 0.72 * height), color)
            if rng.random() < 0.7:  # a counter, as letters have
                inner = rng.uniform(0.2, 0.5)
                paint_rect(
                    picture,
                    (x + 0.3 * width, line + inner * 0.6 * height, x + 0.7 * width, line + (inner + 0.3) * 0.6 * height),
                    scaled(color, 2.2),
                )
            x += width + 0.18 * height
            x += 0.5 * height if rng.random() < 0.2 else 0.0
        line += height


def scaled(color: Color, factor: float) -> Color:
    """Return a darker or brighter colour, cut off at white."""
    r, g, b = (min(c * factor, 1.0) for c in color)
    return r, g, b


def window_of(picture: Picture, rect: Rect) -> tuple[slice, slice]:
    """Return the rows and columns of a rectangle, at least one of each."""
    h, w = picture.shape[:2]
    left, top, right, bottom = (round(min(max(float(share), 0.0), 1.0) * side) for share, side in zip(rect, (w, h, w, h), strict=True))
    return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))
