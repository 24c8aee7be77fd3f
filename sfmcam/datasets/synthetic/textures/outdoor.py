"""Painted fronts of things found outdoors: house fronts, walls with posters, vans. Each returns an (h, w, 3) picture."""

from __future__ import annotations

import cv2
import numpy as np

from sfmcam.datasets.synthetic.textures.brush import INKS, Rect, paint_rect, scaled, shade_rect, type_lines, window_of
from sfmcam.datasets.synthetic.textures.indoor import poster
from sfmcam.datasets.synthetic.textures.materials import plaster
from sfmcam.datasets.synthetic.textures.patch import Color, Patch, Picture, fbm, flat, grain, mixed, tinted, varied


def house_front(patch: Patch, rng: np.random.Generator, wall: Picture) -> Picture:
    """House front on `wall`: rows of windows with sills and curtains, cornice, shops or doors on the ground floor."""
    front = wall.copy()
    floors, bays = max(int(patch.height_m / 3.1), 1), max(int(patch.width_m / 2.6), 1)
    trim = varied((0.82, 0.79, 0.72), rng, 0.08)
    for floor in range(floors):
        ground = floor == floors - 1
        for bay in range(bays):
            left, top = (bay + 0.24) / bays, (floor + (0.2 if ground else 0.26)) / floors
            rect = (left, top, left + 0.52 / bays, (floor + (1.0 if ground else 0.82)) / floors)
            _opening(front, patch, rng, rect=rect, trim=trim, is_shop=ground)
        shade_rect(front, (0, (floor + 0.99) / floors, 1, (floor + 1) / floors), 0.55)
        paint_rect(front, (0, (floor + 0.965) / floors, 1, (floor + 0.99) / floors), trim)
    return tinted(front, 0.9 + 0.2 * fbm(patch, rng, cell_m=3.0))


def _opening(front: Picture, patch: Patch, rng: np.random.Generator, *, rect: Rect, trim: Color, is_shop: bool) -> None:
    """Draw one window or shop front with reflections, curtains, bars, lintel and sill."""
    left, top, right, bottom = rect
    wide, tall = right - left, bottom - top
    paint_rect(front, (left - 0.1 * wide, top - 0.08 * tall, right + 0.1 * wide, bottom + 0.05 * tall), trim)
    glass = varied((0.24, 0.27, 0.3), rng, 0.2)
    paint_rect(front, rect, glass)
    window_of_front = front[window_of(front, rect)]
    small = Patch(1.0, 1.0, max(window_of_front.shape[:2]))
    shine = cv2.resize(fbm(small, rng, cell_m=0.8, octaves=4), window_of_front.shape[1::-1], interpolation=cv2.INTER_AREA)
    window_of_front *= (0.6 + 1.1 * np.asarray(shine, np.float32)[..., None]).astype(np.float32)
    if rng.random() < 0.6 and not is_shop:
        curtain = varied((0.78, 0.74, 0.66), rng, 0.12)
        paint_rect(front, (left, top, left + 0.25 * wide, bottom), curtain)
        paint_rect(front, (right - rng.uniform(0.1, 0.4) * wide, top, right, bottom), scaled(curtain, 0.9))
    if is_shop:
        accent = INKS[int(rng.integers(len(INKS)))]
        paint_rect(front, (left - 0.2 * wide, top, right + 0.2 * wide, top + 0.2 * tall), accent)
        type_lines(front, rng, (left, top + 0.04 * tall, right, top + 0.2 * tall), color=(0.92, 0.9, 0.84))
    paint_rect(front, (left + 0.48 * wide, top, left + 0.52 * wide, bottom), trim)
    paint_rect(front, (left, top + 0.4 * tall, right, top + 0.43 * tall), trim)
    shade_rect(front, (left, top, right, top + 0.07 * tall), 0.5)


def wall_with_posters(patch: Patch, rng: np.random.Generator, wall: Picture, *, count: int) -> Picture:
    """Paste `count` posters of different sizes, some overlapping, onto a picture of a wall."""
    out = wall.copy()
    h, w = patch.shape
    for _ in range(count):
        sheet = Patch(rng.uniform(0.4, 0.9), rng.uniform(0.5, 1.1), patch.texels_per_m)
        printed = poster(sheet, rng)
        ph, pw = printed.shape[:2]
        if ph >= h or pw >= w:
            continue
        y, x = int(rng.integers(0, h - ph)), int(rng.integers(0, w - pw))
        shadow = slice(y + 2, min(y + ph + 3, h)), slice(x + 2, min(x + pw + 3, w))
        out[shadow] *= 0.65
        out[y : y + ph, x : x + pw] = printed
    return out


def whitewash(patch: Patch, rng: np.random.Generator, color: Color) -> Picture:
    """Plastered wall with a darker base band, as house walls have near the street."""
    wall = plaster(patch, rng, color)
    _, y = patch.meters()
    splash = np.clip((y - (patch.height_m - 0.5) + 0.3 * (fbm(patch, rng, cell_m=0.4) - 0.5)) * 6, 0, 1)
    return mixed(wall, scaled(color, 0.55), 0.7 * splash)


def van_side(patch: Patch, rng: np.random.Generator, color: Color) -> Picture:
    """Side of a delivery van: painted body, windows, wheels, lettering, panel gaps."""
    h, w = patch.shape
    body = tinted(
        flat(patch, color), np.broadcast_to(np.linspace(1.12, 0.78, h, dtype=np.float32)[:, None], (h, w)) + grain(patch, rng, 0.012)
    )
    paint_rect(body, (0.05, 0.1, 0.2, 0.44), (0.14, 0.17, 0.21))
    paint_rect(body, (0.07, 0.12, 0.13, 0.42), (0.3, 0.37, 0.43))
    accent = INKS[int(rng.integers(len(INKS)))]
    paint_rect(body, (0.24, 0.62, 1, 0.68), accent)
    type_lines(body, rng, (0.32, 0.2, 0.9, 0.55), color=accent)
    for gap in (0.22, 0.62):
        paint_rect(body, (gap, 0.06, gap + 0.006, 0.85), scaled(color, 0.5))
    paint_rect(body, (0, 0.86, 1, 1), (0.09, 0.09, 0.1))
    for center in (0.17, 0.81):
        for radius, tone in ((0.17, 0.07), (0.11, 0.5), (0.07, 0.3), (0.03, 0.62)):
            cv2.circle(body, (int(center * w), int(0.83 * h)), max(int(radius * h), 1), (tone,) * 3, -1, cv2.LINE_AA)
    return body


def van_front(patch: Patch, rng: np.random.Generator, color: Color) -> Picture:
    """Front (or back) of a delivery van: windscreen, grille, lamps, number plate, wheels below."""
    h, w = patch.shape
    body = tinted(
        flat(patch, color), np.broadcast_to(np.linspace(1.1, 0.8, h, dtype=np.float32)[:, None], (h, w)) + grain(patch, rng, 0.012)
    )
    paint_rect(body, (0.08, 0.12, 0.92, 0.46), (0.15, 0.18, 0.22))
    paint_rect(body, (0.12, 0.14, 0.4, 0.44), (0.3, 0.36, 0.42))
    paint_rect(body, (0.2, 0.6, 0.8, 0.74), (0.16, 0.16, 0.17))
    for left in (0.05, 0.83):
        paint_rect(body, (left, 0.6, left + 0.12, 0.71), (0.92, 0.9, 0.8))
        paint_rect(body, (left, 0.9, left + 0.14, 1.0), (0.06, 0.06, 0.06))
    paint_rect(body, (0.37, 0.78, 0.63, 0.84), (0.9, 0.89, 0.84))
    type_lines(body, rng, (0.39, 0.785, 0.61, 0.87), color=(0.12, 0.12, 0.12))
    paint_rect(body, (0, 0.86, 1, 0.9), (0.09, 0.09, 0.1))
    return body
