"""Things with an outline: trees, bushes, grass tufts, hill ridges, people. Each returns (h, w, 4) bytes, opacity last."""

from __future__ import annotations

import cv2
import numpy as np

from sfmcam.datasets.synthetic.textures.materials import rock
from sfmcam.datasets.synthetic.textures.patch import Color, Patch, Picture, fbm, flat, grain, mixed, ramp, tinted, varied, with_alpha
from sfmcam.types import UInt8

LEAF_COLORS: tuple[tuple[Color, Color], ...] = (
    ((0.1, 0.17, 0.06), (0.45, 0.56, 0.2)),
    ((0.13, 0.2, 0.1), (0.38, 0.5, 0.28)),
    ((0.22, 0.14, 0.05), (0.8, 0.56, 0.18)),
    ((0.1, 0.2, 0.12), (0.55, 0.64, 0.3)),
)


def tree(patch: Patch, rng: np.random.Generator) -> UInt8:
    """Broad-leaved tree: trunk, branches and a crown of leaf clusters, lit from above."""
    h, w = patch.shape
    picture, alpha = _bark(patch, rng), np.zeros((h, w), np.float32)
    cv2.line(alpha, (w // 2, h), (w // 2, int(0.4 * h)), 1.0, max(int(0.07 * w), 1), cv2.LINE_AA)
    for _ in range(7):
        tip = (int(rng.uniform(0.2, 0.8) * w), int(rng.uniform(0.15, 0.5) * h))
        cv2.line(alpha, (w // 2, int(rng.uniform(0.5, 0.7) * h)), tip, 1.0, max(int(0.025 * w), 1), cv2.LINE_AA)
    centers = np.stack([rng.normal(0.5, 0.2, 26), rng.normal(0.32, 0.13, 26)], axis=1).clip((0.15, 0.12), (0.85, 0.56))
    return _leafy(picture, alpha, rng, centers=centers, spread=0.075, leaves=90)


def conifer(patch: Patch, rng: np.random.Generator) -> UInt8:
    """Spruce: a dark cone of drooping twigs."""
    h, w = patch.shape
    picture, alpha = _bark(patch, rng), np.zeros((h, w), np.float32)
    cv2.line(alpha, (w // 2, h), (w // 2, int(0.1 * h)), 1.0, max(int(0.05 * w), 1), cv2.LINE_AA)
    level = np.sort(rng.uniform(0.06, 0.92, 1800))
    side = rng.uniform(-1, 1, 1800) * (0.04 + 0.4 * level) * (0.75 + 0.25 * np.sin(level * 40))
    tones = rng.uniform(0.45, 1.35, 1800) * (1.1 - 0.8 * np.abs(side)) * (1.1 - 0.5 * (side > 0) * np.abs(side))
    width = max(int(0.011 * w), 1)
    for x, y, tone in zip((0.5 + side).tolist(), level.tolist(), tones.tolist(), strict=True):
        reach = 0.08 if x > 0.5 else -0.08
        start, tip = (int(x * w), int(y * h)), (int((x + reach) * w), int((y + 0.035) * h))
        cv2.line(picture, start, tip, (0.16 * tone, 0.27 * tone, 0.15 * tone), width, cv2.LINE_AA)
        cv2.line(alpha, start, tip, 1.0, width, cv2.LINE_AA)
    return with_alpha(picture, alpha)


def bush(patch: Patch, rng: np.random.Generator) -> UInt8:
    """Round shrub or pot plant: leaf clusters down to the ground."""
    h, w = patch.shape
    picture, alpha = _bark(patch, rng), np.zeros((h, w), np.float32)
    angle, radius = rng.uniform(np.pi, 2 * np.pi, 40), np.sqrt(rng.uniform(0, 1, 40))
    centers = np.stack([0.5 + 0.34 * radius * np.cos(angle), 0.92 + 0.66 * radius * np.sin(angle)], axis=1)
    return _leafy(picture, alpha, rng, centers=centers, spread=0.055, leaves=75)


def boulder(patch: Patch, rng: np.random.Generator) -> UInt8:
    """Boulder half sunk into the ground: a rugged outline, lit from above."""
    x, y = patch.meters()
    bump = 0.22 * (fbm(patch, rng, cell_m=patch.width_m / 3, octaves=6, gain=0.5) - 0.5)
    radius = np.sqrt(((x / patch.width_m - 0.5) / 0.47) ** 2 + ((1 - y / patch.height_m) / 0.93) ** 2) + bump
    facets = rock(patch, rng) * (1.35 - 0.75 * (y / patch.height_m))[..., None]
    return with_alpha(facets.astype(np.float32), np.clip((1 - radius) * patch.shape[0] / 2, 0, 1).astype(np.float32))


def tufts(patch: Patch, rng: np.random.Generator) -> UInt8:
    """Strip of tall grass seen from the side."""
    h, w = patch.shape
    picture, alpha = flat(patch, (0.22, 0.32, 0.1)), np.zeros((h, w), np.float32)
    for _ in range(int(170 * patch.width_m / patch.height_m)):
        x, height, lean = rng.uniform(0, w), rng.uniform(0.4, 0.97) * h, rng.normal(0, 0.3) * h
        blade = np.array([[x, h], [x + 0.3 * lean, h - 0.6 * height], [x + lean, h - height]]).astype(np.int32)
        tone = rng.uniform(0.6, 1.5)
        cv2.polylines(picture, [blade], False, (0.34 * tone, 0.44 * tone, 0.16 * tone), max(int(0.03 * h), 1), cv2.LINE_AA)
        cv2.polylines(alpha, [blade], False, 1.0, max(int(0.03 * h), 1), cv2.LINE_AA)
    return with_alpha(np.clip(picture, 0, 1), alpha)


def ridge(patch: Patch, rng: np.random.Generator, *, colors: tuple[Color, Color], haze: tuple[Color, float], roughness_m: float) -> UInt8:
    """Line of hills: a skyline, wooded or grassy slopes, faded towards the `haze` colour by its share."""
    h, w = patch.shape
    line = fbm(patch, rng, cell_m=patch.width_m / 4, octaves=7, gain=0.48)[h // 2]
    skyline = (0.5 - 1.1 * (line - 0.5)) * h * 0.8 + 0.04 * h
    skyline = skyline + rng.normal(0, 1, w) * patch.px(roughness_m) * 0.4
    rows = np.arange(h, dtype=np.float32)[:, None]
    slope = 0.55 * fbm(patch, rng, cell_m=patch.width_m / 10, octaves=7, gain=0.7) + 0.45 * fbm(
        patch, rng, cell_m=roughness_m * 2, octaves=3, gain=0.8
    )
    hill = tinted(ramp(np.clip((slope - 0.3) * 2.2, 0, 1), colors), 1 + grain(patch, rng, 0.05))
    return with_alpha(mixed(hill, haze[0], np.full((h, w), haze[1], np.float32)), np.clip(rows - skyline[None, :], 0, 1).astype(np.float32))


def lamp_post(patch: Patch, rng: np.random.Generator) -> UInt8:
    """Street lamp: a pole with a base and a lantern."""
    h, w = patch.shape
    picture = tinted(flat(patch, varied((0.2, 0.22, 0.22), rng, 0.1)), 0.8 + 0.5 * fbm(patch, rng, cell_m=0.1))
    alpha = np.zeros((h, w), np.float32)
    cv2.line(alpha, (w // 2, h), (w // 2, int(0.12 * h)), 1.0, max(int(0.14 * w), 2), cv2.LINE_AA)
    cv2.line(alpha, (w // 2, h), (w // 2, int(0.86 * h)), 1.0, max(int(0.3 * w), 2), cv2.LINE_AA)
    lantern = np.array([[0.22 * w, 0.03 * h], [0.78 * w, 0.03 * h], [0.66 * w, 0.14 * h], [0.34 * w, 0.14 * h]]).astype(np.int32)
    cv2.fillPoly(alpha, [lantern], 1.0, cv2.LINE_AA)
    cv2.fillPoly(picture, [lantern], (0.93, 0.88, 0.7), cv2.LINE_AA)
    cv2.polylines(picture, [lantern], True, (0.15, 0.15, 0.15), max(int(0.05 * w), 1), cv2.LINE_AA)
    return with_alpha(picture, alpha)


def limb(patch: Patch, rng: np.random.Generator, color: Color, *, end: Color) -> UInt8:
    """Arm or leg, hanging down: a sleeve or trouser leg in `color` that ends in a hand or shoe of colour `end`."""
    h, w = patch.shape
    picture, alpha = _cloth(patch, rng, color), np.zeros((h, w), np.float32)
    outline = np.array([[0.12, 0.03], [0.88, 0.03], [0.76, 0.9], [0.72, 0.98], [0.28, 0.98], [0.24, 0.9]]) * (w, h)
    cv2.fillPoly(alpha, [outline.astype(np.int32)], 1.0, cv2.LINE_AA)
    picture[int(0.88 * h) :] = end
    return with_alpha(picture, alpha)


def torso(patch: Patch, rng: np.random.Generator, color: Color, *, skin: Color) -> UInt8:
    """Upper body with head: hair, face, neck, and a patterned jacket."""
    h, w = patch.shape
    picture, alpha = _cloth(patch, rng, color, may_be_striped=True), np.zeros((h, w), np.float32)
    outline = np.array([[0.36, 0.27], [0.64, 0.27], [0.9, 0.34], [0.84, 0.7], [0.8, 0.99], [0.2, 0.99], [0.16, 0.7], [0.1, 0.34]]) * (w, h)
    cv2.fillPoly(alpha, [outline.astype(np.int32)], 1.0, cv2.LINE_AA)
    neck, head = (slice(int(0.2 * h), int(0.3 * h)), slice(int(0.42 * w), int(0.58 * w))), (w // 2, int(0.13 * h))
    picture[neck], alpha[neck] = skin, 1.0
    axes = (int(0.19 * w), int(0.115 * h))
    hair = varied((0.22, 0.15, 0.09), rng, 0.4)
    cv2.ellipse(alpha, head, axes, 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    cv2.ellipse(picture, head, (axes[0] + 2, axes[1] + 2), 0, 0, 360, skin, -1, cv2.LINE_AA)
    cv2.ellipse(picture, head, (axes[0] + 2, axes[1] + 2), 0, 150, 390, hair, -1, cv2.LINE_AA)
    return with_alpha(picture, alpha)


def blob_shadow(patch: Patch) -> UInt8:
    """Soft dark ellipse for the ground under a mover."""
    x, y = patch.meters()
    radius = np.sqrt(((x / patch.width_m - 0.5) * 2) ** 2 + ((y / patch.height_m - 0.5) * 2) ** 2)
    return with_alpha(flat(patch, (0.07, 0.07, 0.07)), np.clip(1.1 * (1 - radius), 0, 0.7).astype(np.float32))


def _cloth(patch: Patch, rng: np.random.Generator, color: Color, *, may_be_striped: bool = False) -> Picture:
    """Clothing with folds and perhaps stripes; darker towards the sides, as round things are."""
    x, y = patch.meters()
    cloth = flat(patch, color)
    if may_be_striped and rng.random() < 0.5:
        stripes = ((y / (patch.height_m / 12)).astype(np.intp) % 2).astype(np.float32)
        cloth = mixed(cloth, varied((0.85, 0.83, 0.78), rng, 0.1), np.broadcast_to(stripes, patch.shape) * 0.6)
    rounding = 1.05 - 0.9 * (x / patch.width_m - 0.42) ** 2
    return tinted(cloth, rounding * (0.75 + 0.5 * fbm(patch, rng, cell_m=patch.width_m / 2)) + grain(patch, rng, 0.03))


def _bark(patch: Patch, rng: np.random.Generator) -> Picture:
    return tinted(flat(patch, (0.3, 0.24, 0.18)), 0.6 + 0.8 * fbm(patch, rng, cell_m=patch.width_m / 12, octaves=4, stretch=0.3))


def _leafy(picture: Picture, alpha: Picture, rng: np.random.Generator, *, centers: np.ndarray, spread: float, leaves: int) -> UInt8:
    """Scatter leaves round cluster centres (shares of the picture), back ones dark, upper left ones light, and cut their outline out."""
    h, w = alpha.shape
    dark, light = (np.array(c) for c in LEAF_COLORS[int(rng.integers(len(LEAF_COLORS)))])
    axis = max(int(0.016 * max(h, w)), 1)
    axes = (axis, max(axis // 2, 1))
    for depth, center in enumerate(centers[rng.permutation(len(centers))]):
        offsets = rng.normal(0, spread, (leaves, 2))
        lit = 0.35 + 0.4 * depth / len(centers) - 2.2 * (offsets[:, 1] + 0.5 * offsets[:, 0]) + rng.normal(0, 0.16, leaves)
        colors = dark + (light - dark) * np.clip(lit, 0, 1)[:, None]
        spots = ((center + offsets) * (w, h)).astype(np.int_)
        for spot, color, turn in zip(spots.tolist(), colors.tolist(), rng.uniform(0, 180, leaves).tolist(), strict=True):
            cv2.ellipse(picture, spot, axes, turn, 0, 360, color, -1, cv2.LINE_AA)
            cv2.ellipse(alpha, spot, axes, turn, 0, 360, 1.0, -1, cv2.LINE_AA)
    return with_alpha(picture, alpha)
