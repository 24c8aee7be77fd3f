"""One frame with the points followed through it: where each is, where it came from, and whether it moves by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.types import Float, Int, PointTracks, UInt8

# sky blue and orange of Okabe and Ito's palette, which the colour-blind tell apart, on a darkened ground
STATIC_RGB, MOVING_RGB, UNJUDGED_RGB = (86, 180, 233), (255, 148, 20), (205, 205, 205)
RIM_RGB, EMPTY_RGB = (12, 14, 20), (38, 42, 50)
GROUND_BLACK, GROUND_SHARE = 14.0, 0.58  # a frame's white becomes this share of white, so that the tracks outshine it
LUMA = (0.299, 0.587, 0.114)
COLOR_STEPS = 8
FADE_STEPS, FAINTEST, BRIGHTEST = 8, 0.12, 0.85  # of a tail, from its end to the dot
SUPERSAMPLING = 2
SHIFT = 4  # bits behind the point of OpenCV's coordinates
DOT_RADIUS_PX, RIM_PX, TAIL_WIDTH_PX = 2.3, 0.9, 1.5
CROWD_PX = 14.0  # mean distance of dots of that radius; they grow a little where there are fewer, and shrink where there are more


@dataclass(frozen=True)
class Tails:
    """The tracks seen in one frame, with where they were in the frames before it.

    Attributes:
        track: (K,) track numbers.
        xy_px: (A, K, 2) positions from the oldest frame of the tail to this one; NaN where a track was not yet seen.
    """

    track: Int
    xy_px: Float


def tails_at(tracks: PointTracks, frame: int, *, since: int) -> Tails:
    """Return the tracks seen in `frame`, with their positions since the frame `since`."""
    begin, end = np.searchsorted(tracks.frame, (since, frame + 1))
    frames, numbers = tracks.frame[begin:end], tracks.track[begin:end]
    seen = np.sort(numbers[frames == frame])
    column = np.minimum(np.searchsorted(seen, numbers), max(len(seen) - 1, 0))
    kept = seen[column] == numbers if len(seen) else np.zeros(len(numbers), dtype=bool)
    xy_px = np.full((frame - since + 1, len(seen), 2), np.nan)
    xy_px[frames[kept] - since, column[kept]] = tracks.xy_px[begin:end][kept]
    return Tails(seen, xy_px)


def track_colors(static_probability: Float) -> UInt8:
    """Return (K, 3) RGB: from orange at 0 to blue at 1 in COLOR_STEPS steps, grey where NaN."""
    share = np.round(np.nan_to_num(static_probability) * COLOR_STEPS)[:, None] / COLOR_STEPS
    blend = share * np.array(STATIC_RGB) + (1 - share) * np.array(MOVING_RGB)
    return np.where(np.isnan(static_probability)[:, None], np.array(UNJUDGED_RGB), blend).round().astype(np.uint8)


def paint_panel(ground: UInt8 | None, tails: Tails, static_probability: Float, *, px_per_px: float, size_px: tuple[int, int]) -> UInt8:
    """Return the panel (H, W, 3): the frame in dark grey, on it each track's fading tail and its dot, moving ones on top.

    Args:
        ground: the frame, (h, w) or (h, w, 3), of any size; None for a plain dark ground.
        tails: the tracks to paint, in pixels of the estimator's frames.
        static_probability: (K,) of those tracks.
        px_per_px: pixels of the panel per pixel of those frames.
        size_px: (W, H) of the panel.
    """
    import cv2

    large = (size_px[0] * SUPERSAMPLING, size_px[1] * SUPERSAMPLING)
    canvas = _ground(ground, large)
    order = np.argsort(-np.nan_to_num(static_probability, nan=1.5), kind="stable")  # unjudged, static, moving
    colors = track_colors(static_probability[order])
    xy = (tails.xy_px[:, order] * px_per_px * SUPERSAMPLING - 0.5) * (1 << SHIFT)
    canvas = _paint_tails(canvas, xy, colors)
    spacing_px = np.sqrt(size_px[0] * size_px[1] / max(len(order), 1))
    radius_px = DOT_RADIUS_PX * float(np.clip(spacing_px / CROWD_PX, 0.6, 1.3))
    _paint_dots(canvas, xy[-1], colors, radius_px=radius_px)
    return np.asarray(cv2.resize(canvas, size_px, interpolation=cv2.INTER_AREA))


def _ground(picture: UInt8 | None, size_px: tuple[int, int]) -> UInt8:
    import cv2

    if picture is None:
        return np.full((size_px[1], size_px[0], 3), EMPTY_RGB, dtype=np.uint8)
    luma = picture if picture.ndim == 2 else picture @ np.array(LUMA)
    dark = (GROUND_BLACK + GROUND_SHARE * luma.astype(np.float32)).astype(np.uint8)
    shrinks = size_px[0] < dark.shape[1]
    resized = cv2.resize(dark, size_px, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.repeat(resized[:, :, None], 3, axis=2)


def _paint_tails(canvas: UInt8, xy: Float, colors: UInt8) -> UInt8:
    """Paint the tails (A, K, 2) in layers from the oldest steps to the newest, each less transparent."""
    import cv2

    layers = np.array_split(np.arange(len(xy) - 1), min(FADE_STEPS, max(len(xy) - 1, 1)))
    opacity = np.linspace(FAINTEST, BRIGHTEST, len(layers)) if len(layers) > 1 else (BRIGHTEST,)
    width = round(TAIL_WIDTH_PX * SUPERSAMPLING)
    for steps, alpha in zip(layers, opacity, strict=True):
        if not len(steps):
            continue
        painted = canvas.copy()
        pieces = xy[steps[0] : steps[-1] + 2].transpose(1, 0, 2)
        for color in dict.fromkeys(map(tuple, colors.tolist())):  # in the order of the rows: moving ones last, on top
            rows = (colors == color).all(axis=1)
            lines = [line[~np.isnan(line[:, 0])] for line in pieces[rows]]
            cv2.polylines(
                painted, [line.round().astype(np.int32) for line in lines if len(line) > 1], False, color, width, cv2.LINE_AA, SHIFT
            )
        canvas = np.asarray(cv2.addWeighted(painted, float(alpha), canvas, 1.0 - float(alpha), 0.0))
    return canvas


def _paint_dots(canvas: UInt8, xy: Float, colors: UInt8, *, radius_px: float) -> None:
    """Paint dots (K, 2) with a dark rim, that they stand out from one another and from a bright ground."""
    import cv2

    inner, outer = (round(r * SUPERSAMPLING * (1 << SHIFT)) for r in (radius_px, radius_px + RIM_PX))
    for (x, y), color in zip(xy.round().astype(int).tolist(), colors.tolist(), strict=True):
        cv2.circle(canvas, (x, y), outer, RIM_RGB, -1, cv2.LINE_AA, SHIFT)
        cv2.circle(canvas, (x, y), inner, color, -1, cv2.LINE_AA, SHIFT)
