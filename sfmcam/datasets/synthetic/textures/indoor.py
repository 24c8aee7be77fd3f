"""Painted fronts of things found indoors: posters, paintings, doors, windows, shelves, boxes. Each returns an (h, w, 3) picture."""

from __future__ import annotations

import cv2
import numpy as np

from sfmcam.datasets.synthetic.textures.brush import INKS, frame_rect, paint_rect, scaled, shade_rect, type_lines
from sfmcam.datasets.synthetic.textures.materials import planks, sky
from sfmcam.datasets.synthetic.textures.patch import Color, Patch, Picture, fbm, flat, grain, mixed, ramp, tinted, varied


def poster(patch: Patch, rng: np.random.Generator) -> Picture:
    """Printed poster: a gradient, a few large shapes, a headline and lines of type."""
    paper, ink, accent = (INKS[i] for i in rng.permutation(len(INKS))[:3])
    sheet = ramp(np.clip(fbm(patch, rng, cell_m=patch.height_m) * 1.2 - 0.1, 0, 1), [paper, scaled(paper, 0.75), accent])
    h, w = patch.shape
    for _ in range(int(rng.integers(3, 7))):
        color = varied(INKS[int(rng.integers(len(INKS)))], rng, 0.08)
        center = (int(rng.uniform(0.1, 0.9) * w), int(rng.uniform(0.1, 0.7) * h))
        axes = (int(rng.uniform(0.05, 0.28) * w), int(rng.uniform(0.05, 0.28) * w))
        cv2.ellipse(sheet, center, axes, float(rng.uniform(0, 180)), 0, float(rng.choice([180, 360])), color, -1)
    type_lines(sheet, rng, (0.08, 0.74, 0.92, 0.96), color=ink)
    frame_rect(sheet, (0, 0, 1, 1), scaled(paper, 0.9), width_px=patch.px(0.012))
    return tinted(sheet, 1 + grain(patch, rng, 0.02))


def painting(patch: Patch, rng: np.random.Generator) -> Picture:
    """Framed landscape: sky, two ridges, a field, brush strokes, a wooden frame."""
    view = sky(patch, rng, ((0.35, 0.5, 0.7), (0.93, 0.82, 0.62)), cloud=0.45)
    x, y = patch.meters()
    for level, tone in ((0.5, (0.36, 0.42, 0.5)), (0.62, (0.28, 0.38, 0.27)), (0.78, (0.55, 0.5, 0.26))):
        line = fbm(patch, rng, cell_m=patch.width_m / 2.5)[:1] * 0.3 + level - 0.15
        view = mixed(view, tone, ((y / patch.height_m) > line).astype(np.float32))
    view = tinted(view, 0.72 + 0.55 * fbm(patch, rng, cell_m=0.05, octaves=3, stretch=2.5))
    wood: Color = (0.35, 0.23, 0.12) if rng.random() < 0.6 else (0.72, 0.58, 0.28)
    rim = np.minimum(np.minimum(x, patch.width_m - x), np.minimum(y, patch.height_m - y))
    view = mixed(view, wood, (rim < 0.05).astype(np.float32))
    view = mixed(view, scaled(wood, 1.5), (np.abs(rim - 0.03) < 0.006).astype(np.float32))
    return mixed(view, scaled(wood, 0.4), (np.abs(rim - 0.05) < 0.004).astype(np.float32))


def door(patch: Patch, rng: np.random.Generator, color: Color) -> Picture:
    """Panelled door in its frame, with a handle."""
    leaf = tinted(flat(patch, color), 0.86 + 0.28 * fbm(patch, rng, cell_m=0.06, octaves=4, stretch=0.12) + grain(patch, rng, 0.015))
    for left, right in ((0.14, 0.47), (0.53, 0.86)):
        for top, bottom in ((0.08, 0.42), (0.5, 0.92)):
            shade_rect(leaf, (left, top, right, bottom), 0.9)
            frame_rect(leaf, (left, top, right, bottom), color, width_px=patch.px(0.018))
    frame_rect(leaf, (0, 0, 1, 1), (0.9, 0.88, 0.84), width_px=patch.px(0.05))
    h, w = patch.shape
    cv2.circle(leaf, (int(0.91 * w), int(0.48 * h)), max(int(patch.px(0.025)), 1), (0.85, 0.76, 0.45), -1, cv2.LINE_AA)
    paint_rect(leaf, (0.82, 0.47, 0.9, 0.485), (0.78, 0.68, 0.4))
    return leaf


def window(patch: Patch, rng: np.random.Generator, *, bars: int = 2) -> Picture:
    """Window onto a bright outside: sky, a tree line, glazing bars."""
    view = sky(patch, rng, ((0.62, 0.75, 0.92), (0.93, 0.95, 0.97)), cloud=0.5)
    _, y = patch.meters()
    trees = fbm(patch, rng, cell_m=0.35, octaves=5)
    leaves = ramp(fbm(patch, rng, cell_m=0.1, octaves=4), [(0.2, 0.3, 0.14), (0.5, 0.62, 0.32), (0.8, 0.86, 0.6)])
    view = mixed(view, leaves, np.clip(((y / patch.height_m) + 0.7 * (trees - 0.5) - 0.55) * 25, 0, 1))
    white: Color = (0.9, 0.9, 0.88)
    for bar in range(1, bars):
        paint_rect(view, (bar / bars - 0.014, 0, bar / bars + 0.014, 1), white)
    paint_rect(view, (0, 0.36, 1, 0.39), white)
    frame_rect(view, (0, 0, 1, 1), white, width_px=patch.px(0.06))
    return view


def bookshelf(patch: Patch, rng: np.random.Generator, wood: Color) -> Picture:
    """Shelves of books: spines of many colours and heights with bands and titles, shadow under each board."""
    shelf = tinted(flat(patch, scaled(wood, 0.32)), 0.8 + 0.4 * fbm(patch, rng, cell_m=0.3))
    rows = max(round(patch.height_m / 0.34), 1)
    for row in range(rows):
        top, bottom = (row + 0.06) / rows, (row + 0.94) / rows
        _row_of_books(shelf, patch, rng, rows=(top, bottom))
        shade_rect(shelf, (0, top, 1, top + 0.2 / rows), 0.7)
        paint_rect(shelf, (0, bottom, 1, (row + 1.06) / rows), wood)
    for left in np.linspace(0, 1, max(int(patch.width_m / 0.9), 1) + 1):
        edge = 0.02 / patch.width_m
        paint_rect(shelf, (left - edge, 0, left + edge, 1), scaled(wood, 0.9))
    return tinted(shelf, 1 + grain(patch, rng, 0.02))


def _row_of_books(shelf: Picture, patch: Patch, rng: np.random.Generator, *, rows: tuple[float, float]) -> None:
    top, bottom = rows
    x, height = 0.01, bottom - top
    while x < 0.985:
        width = rng.uniform(0.018, 0.05) / patch.width_m
        if rng.random() < 0.07:
            x += 2 * width
            continue
        color, start = varied(INKS[int(rng.integers(len(INKS)))], rng, 0.15), top + height * rng.uniform(0.05, 0.38)
        paint_rect(shelf, (x, start, x + width, bottom), scaled(color, 0.8))
        paint_rect(shelf, (x + 0.12 * width, start, x + 0.7 * width, bottom), color)
        band = start + (bottom - start) * rng.uniform(0.12, 0.3)
        paint_rect(shelf, (x, band, x + width, band + 0.05 * height), scaled(color, rng.choice([0.5, 1.7])))
        paint_rect(shelf, (x + 0.35 * width, band + 0.15 * height, x + 0.55 * width, band + 0.4 * height), scaled(color, 1.6))
        x += width * 1.04


def crate(patch: Patch, rng: np.random.Generator, color: Color) -> Picture:
    """Wooden crate side: boards, a frame of battens, nails, stencilled marks."""
    side = planks(patch, rng, color, plank_m=patch.height_m / 5, length_m=patch.width_m * 3)
    batten = planks(patch, rng, scaled(color, 1.15), plank_m=patch.height_m / 9, length_m=patch.width_m * 2)
    x, y = patch.meters()
    rim = np.minimum(np.minimum(x, patch.width_m - x) / patch.width_m, np.minimum(y, patch.height_m - y) / patch.height_m)
    side = mixed(side, batten, (rim < 0.13).astype(np.float32))
    side = tinted(side, 1 - 0.5 * (np.abs(rim - 0.14) < 0.012).astype(np.float32))
    type_lines(side, rng, (0.25, 0.4, 0.75, 0.62), color=(0.12, 0.09, 0.07))
    return side


def carton(patch: Patch, rng: np.random.Generator) -> Picture:
    """Cardboard box side: corrugation, tape, a label with a bar code."""
    side = tinted(flat(patch, varied((0.66, 0.5, 0.33), rng, 0.08)), 0.9 + 0.2 * fbm(patch, rng, cell_m=0.2) + grain(patch, rng, 0.02))
    paint_rect(side, (0.44, 0, 0.56, 1), (0.74, 0.63, 0.45))
    left, top = rng.uniform(0.06, 0.14), rng.uniform(0.15, 0.45)
    paint_rect(side, (left, top, left + 0.3, top + 0.4), (0.93, 0.92, 0.89))
    for bar in np.sort(rng.uniform(left + 0.02, left + 0.27, 14)):
        paint_rect(side, (bar, top + 0.22, bar + rng.uniform(0.004, 0.012), top + 0.37), (0.1, 0.1, 0.1))
    type_lines(side, rng, (left + 0.02, top + 0.03, left + 0.28, top + 0.19), color=(0.2, 0.2, 0.2))
    return side
