"""Pictures of a known texture under known homographies, exact to a few thousandths of a pixel."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from rendered_frames import frames_of
from scipy.ndimage import gaussian_filter, map_coordinates, spline_filter

from sfmcam.types import Float, Frames, PointTracks

SIZE_PX = (256, 144)
MARGIN_PX = 160
CENTER = np.array(SIZE_PX) / 2

Warp = Callable[[int], Float]


@cache
def _texture(seed: int) -> Float:
    """Spline coefficients of a texture with detail of several sizes."""
    rng = np.random.default_rng(seed)
    shape = (SIZE_PX[1] + 2 * MARGIN_PX, SIZE_PX[0] + 2 * MARGIN_PX)
    layers = [gaussian_filter(rng.standard_normal(shape), sigma, mode="wrap") * sigma for sigma in (1.2, 2.5, 6.0, 14.0)]
    return np.asarray(spline_filter(sum(layers) * 75 + 128))


def picture(now_from_first: Float, *, seed: int = 0, noise: float = 0.0) -> Float:
    """Draw (H, W) grey levels of the texture after its points moved by a homography (3, 3)."""
    y, x = np.mgrid[: SIZE_PX[1], : SIZE_PX[0]] + 0.5
    first = np.linalg.inv(now_from_first) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    at = first[1::-1] / first[2] - 0.5 + MARGIN_PX
    drawn = map_coordinates(_texture(seed), at, order=3, prefilter=False, mode="nearest").reshape(x.shape)
    return drawn + noise * np.random.default_rng(int(1e6 * abs(now_from_first).sum()) % 2**32).standard_normal(x.shape)


def grey_frames(pictures: list[Float], fps: float = 12.0) -> Frames:
    """Round to bytes."""
    return frames_of(np.stack([np.clip(np.rint(p), 0, 255).astype(np.uint8) for p in pictures]), fps)


def warped_frames(warp: Warp, count: int, *, noise: float = 0.0) -> Frames:
    """Frames under `warp(k)`, which maps the first frame's positions to frame k's."""
    return grey_frames([picture(warp(k), noise=noise) for k in range(count)])


def similarity(scale: float = 1.0, roll_deg: float = 0.0, shift: tuple[float, float] = (0.0, 0.0)) -> Float:
    """Scale and turn about the picture's centre, then shift."""
    c, s = scale * np.cos(np.radians(roll_deg)), scale * np.sin(np.radians(roll_deg))
    out = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    out[:2, 2] = CENTER - out[:2, :2] @ CENTER + shift
    return out


def errors_px(tracks: PointTracks, warp: Warp) -> Float:
    """Distance of each observation but a track's first from where the homography carries that first one."""
    first_at = np.unique(tracks.track, return_index=True)[1]
    out = []
    for track, frame, xy in zip(tracks.track, tracks.frame, tracks.xy_px, strict=True):
        start = first_at[track]
        if tracks.frame[start] == frame:
            continue
        there = warp(int(frame)) @ np.linalg.inv(warp(int(tracks.frame[start]))) @ np.append(tracks.xy_px[start], 1)
        out.append(np.linalg.norm(there[:2] / there[2] - xy))
    return np.array(out)
