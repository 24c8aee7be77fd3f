"""Materials that cover walls and grounds. Each takes a patch and a source of randomness and returns an (h, w, 3) picture."""

from __future__ import annotations

import cv2
import numpy as np

from sfmcam.datasets.synthetic.textures.patch import Color, Patch, Picture, fbm, flat, grain, mixed, ramp, tinted

BRICK_M = (0.25, 0.075)


def plaster(patch: Patch, rng: np.random.Generator, color: Color) -> Picture:
    """Painted wall: faint mottling, roller marks, some stains and hairline cracks."""
    tone = (
        1 + 0.22 * (fbm(patch, rng, cell_m=1.2) - 0.5) + 0.16 * (fbm(patch, rng, cell_m=0.09, octaves=3) - 0.5) + grain(patch, rng, 0.015)
    )
    wall = tinted(flat(patch, color), tone)
    stain = np.clip((fbm(patch, rng, cell_m=0.8) - 0.62) * 5, 0, 1)
    wall = mixed(wall, (color[0] * 0.7, color[1] * 0.66, color[2] * 0.58), 0.45 * stain)
    return tinted(wall, 1 - 0.35 * _cracks(patch, rng, count=int(1 + patch.width_m)))


def bricks(patch: Patch, rng: np.random.Generator, color: Color, *, mortar: Color = (0.62, 0.6, 0.57)) -> Picture:
    """Brick wall in running bond, each brick with its own colour and worn edges."""
    rows, columns = int(np.ceil(patch.height_m / BRICK_M[1])) + 1, int(np.ceil(patch.width_m / BRICK_M[0])) + 2
    palette = np.asarray(color) * rng.normal(1, 0.16, (rows, columns, 1)) + rng.normal(0, 0.018, (rows, columns, 3))
    x, y = patch.meters()
    row = (y / BRICK_M[1]).astype(np.intp)
    along = x / BRICK_M[0] + 0.5 * (row % 2)
    column = along.astype(np.intp)
    wear = 0.012 * (fbm(patch, rng, cell_m=0.05, octaves=3) - 0.5)
    inset_x = np.minimum(along - column, column + 1 - along) * BRICK_M[0]
    inset_y = np.abs(y / BRICK_M[1] - row - 0.5) * BRICK_M[1]
    rim = np.minimum(inset_x, BRICK_M[1] / 2 - inset_y) + wear
    joint = np.clip((0.009 - rim) / 0.004, 0, 1).astype(np.float32)
    surface = tinted(
        np.clip(palette, 0.02, 1).astype(np.float32)[row, column], 1 + 0.5 * (fbm(patch, rng, cell_m=0.12) - 0.5) + grain(patch, rng, 0.05)
    )
    wall = mixed(surface, mortar, joint)
    return tinted(wall, 0.82 + 0.36 * fbm(patch, rng, cell_m=1.5, octaves=4))


def tiles(patch: Patch, rng: np.random.Generator, colors: tuple[Color, Color], *, tile_m: float = 0.4) -> Picture:
    """Stone tiles in two alternating colours, veined, with grout between them."""
    x, y = patch.meters()
    column, row = (x / tile_m).astype(np.intp), (y / tile_m).astype(np.intp)
    tone = rng.normal(1, 0.05, (row.max() + 1, column.max() + 1)).astype(np.float32)
    even = ((row + column) % 2 == 0).astype(np.float32)
    stone = mixed(flat(patch, colors[0]), colors[1], even)
    vein = np.abs(fbm(patch, rng, cell_m=0.5, octaves=6) - 0.5)
    stone = tinted(stone, tone[row, column] * (0.86 + 0.5 * (fbm(patch, rng, cell_m=0.15) - 0.5) + np.minimum(vein * 4, 0.22)))
    rim = np.minimum(np.minimum(x / tile_m - column, column + 1 - x / tile_m), np.minimum(y / tile_m - row, row + 1 - y / tile_m)) * tile_m
    return mixed(stone, (0.36, 0.34, 0.32), np.clip((0.006 - rim) / 0.004, 0, 1).astype(np.float32))


def planks(patch: Patch, rng: np.random.Generator, color: Color, *, plank_m: float = 0.14, length_m: float = 1.6) -> Picture:
    """Floor boards along the rows: a colour for each board, grain, butt joints and dark gaps."""
    x, y = patch.meters()
    row = (y / plank_m).astype(np.intp)
    shift = rng.random(int(row.max()) + 1).astype(np.float32)
    along = x / length_m + shift[row]
    column = along.astype(np.intp)
    tone = rng.normal(1, 0.13, (int(row.max()) + 1, int(column.max()) + 1)).astype(np.float32)
    rings = fbm(patch, rng, cell_m=0.05, octaves=4, stretch=14.0)
    streak = 0.5 + 0.5 * np.sin(26 * rings + 6 * tone[row, column] * 5)
    wood = tinted(flat(patch, color), tone[row, column] * (0.8 + 0.22 * streak + 0.3 * (rings - 0.5)) + grain(patch, rng, 0.02))
    rim_y = np.minimum(y / plank_m - row, row + 1 - y / plank_m) * plank_m
    rim_x = np.minimum(along - column, column + 1 - along) * length_m
    gap = np.clip((0.005 - np.minimum(rim_x, rim_y)) / 0.003, 0, 1).astype(np.float32)
    return mixed(wood, (color[0] * 0.25, color[1] * 0.22, color[2] * 0.2), 0.85 * gap)


def concrete(patch: Patch, rng: np.random.Generator, color: Color, *, slab_m: float = 1.5) -> Picture:
    """Cast concrete or paving slabs: clouds, pores, stains, joints."""
    tone = 1 + 0.45 * (fbm(patch, rng, cell_m=1.0, octaves=7, gain=0.65) - 0.5) + grain(patch, rng, 0.035)
    ground = tinted(flat(patch, color), tone - 0.5 * _spots(patch, rng, per_m2=25, radius_m=(0.004, 0.016)))
    x, y = patch.meters()
    phase_x, phase_y = x / slab_m - np.floor(x / slab_m), y / slab_m - np.floor(y / slab_m)
    rim = np.minimum(np.minimum(phase_x, 1 - phase_x), np.minimum(phase_y, 1 - phase_y)) * slab_m
    ground = tinted(ground, 1 - 0.55 * np.clip((0.009 - rim) / 0.006, 0, 1).astype(np.float32))
    return tinted(ground, 1 - 0.4 * _cracks(patch, rng, count=int(2 + patch.width_m / 2)))


def asphalt(patch: Patch, rng: np.random.Generator) -> Picture:
    """Road surface: stone chips, patched areas, tar seams, tyre tracks along the columns."""
    chips = fbm(patch, rng, cell_m=0.06, octaves=3, gain=0.8)
    tone = 0.33 + 0.22 * (chips - 0.5) + 0.12 * (fbm(patch, rng, cell_m=2.5, octaves=6, gain=0.6) - 0.5) + grain(patch, rng, 0.018)
    patchwork = np.clip((fbm(patch, rng, cell_m=2.0, octaves=2) - 0.6) * 30, 0, 1)
    tone = tone - 0.07 * patchwork
    road = ramp(tone, [(0.0, 0.0, 0.0), (0.51, 0.5, 0.49), (1.0, 0.99, 0.96)])
    return tinted(road, 1 - 0.6 * _cracks(patch, rng, count=int(3 + patch.width_m / 2)))


def grass(patch: Patch, rng: np.random.Generator, *, dry: float = 0.3) -> Picture:
    """Meadow seen from above: patches from green to dry, blades, and a few flowers."""
    clumps = fbm(patch, rng, cell_m=1.8, octaves=6, gain=0.65)
    fine = fbm(patch, rng, cell_m=0.12, octaves=4, gain=0.8)
    tone = np.clip(0.55 * clumps + 0.45 * fine + 0.25 * (dry - 0.3), 0, 1)
    meadow = ramp(np.clip((tone - 0.25) * 2, 0, 1), [(0.12, 0.2, 0.06), (0.25, 0.37, 0.11), (0.42, 0.5, 0.2), (0.6, 0.57, 0.32)])
    meadow = tinted(meadow, 1 + grain(patch, rng, 0.12))
    flowers = _spots(patch, rng, per_m2=3, radius_m=(0.012, 0.03))
    petals: Color = (0.93, 0.88, 0.5) if rng.random() < 0.5 else (0.9, 0.88, 0.92)
    return mixed(meadow, petals, 0.9 * flowers)


def soil(patch: Patch, rng: np.random.Generator, color: Color = (0.5, 0.4, 0.29)) -> Picture:
    """Trodden earth or gravel with pebbles."""
    tone = 0.75 + 0.55 * (fbm(patch, rng, cell_m=0.8, octaves=7, gain=0.7) - 0.5) + grain(patch, rng, 0.05)
    ground = tinted(flat(patch, color), tone + 0.25)
    ground = mixed(ground, (0.68, 0.65, 0.6), 0.8 * _spots(patch, rng, per_m2=40, radius_m=(0.008, 0.035)))
    return tinted(ground, 1 - 0.5 * _spots(patch, rng, per_m2=25, radius_m=(0.006, 0.02)))


def rock(patch: Patch, rng: np.random.Generator, color: Color = (0.5, 0.48, 0.45)) -> Picture:
    """Weathered stone: ridged noise, lichen."""
    ridges = 1 - 2 * np.abs(fbm(patch, rng, cell_m=patch.width_m / 2.5, octaves=7, gain=0.7) - 0.5)
    stone = tinted(flat(patch, color), 0.35 + 0.85 * ridges**2 + grain(patch, rng, 0.05))
    lichen = np.clip((fbm(patch, rng, cell_m=patch.width_m / 5) - 0.6) * 8, 0, 1)
    return mixed(stone, (0.55, 0.56, 0.3), 0.5 * lichen)


def fabric(patch: Patch, rng: np.random.Generator, colors: tuple[Color, Color]) -> Picture:
    """Woven cloth or a rug: bands of ornament in two colours, thread structure, wear."""
    x, y = patch.meters()
    period = 0.22
    diamond = np.abs((x / period) % 1 - 0.5) + np.abs((y / period) % 1 - 0.5)
    ornament = ((diamond * 6).astype(np.intp) % 2).astype(np.float32) * ((y / (2 * period)).astype(np.intp) % 3 != 0)
    cloth = mixed(flat(patch, colors[0]), colors[1], ornament.astype(np.float32))
    weave = 1 + 0.06 * np.sin(x * 2 * np.pi / 0.012) * np.sin(y * 2 * np.pi / 0.012)
    return tinted(cloth, weave.astype(np.float32) * (0.8 + 0.4 * fbm(patch, rng, cell_m=0.4)) + grain(patch, rng, 0.04))


def ceiling(patch: Patch, rng: np.random.Generator, color: Color = (0.86, 0.85, 0.82)) -> Picture:
    """Ceiling panels of 60 cm with pores and metal rails."""
    x, y = patch.meters()
    rim = 0.5 - np.maximum(np.abs((x / 0.6) % 1 - 0.5), np.abs((y / 0.6) % 1 - 0.5))
    pores = _spots(patch, rng, per_m2=60, radius_m=(0.004, 0.01))
    panel = tinted(flat(patch, color), 1 + 0.12 * (fbm(patch, rng, cell_m=0.7) - 0.5) - 0.35 * pores)
    return mixed(panel, (0.6, 0.6, 0.6), np.clip((0.02 - rim) / 0.01, 0, 1).astype(np.float32))


def sky(patch: Patch, rng: np.random.Generator, colors: tuple[Color, Color], *, cloud: float = 0.5) -> Picture:
    """Sky from `colors[0]` at the top to `colors[1]` at the horizon, with clouds; `cloud` is roughly their share."""
    _, y = patch.meters()
    height = np.broadcast_to((y / patch.height_m).astype(np.float32), patch.shape)
    clear = ramp(height, [colors[0], colors[1]])
    body = fbm(patch, rng, cell_m=patch.width_m / 5, octaves=7, gain=0.55, stretch=2.2)
    cover = np.clip((body - (0.75 - 0.45 * cloud)) * 3.5, 0, 1)
    light = ramp(np.clip(0.35 + 1.1 * (body - 0.3), 0, 1), [(0.66, 0.69, 0.74), (0.95, 0.95, 0.95), (1.0, 0.99, 0.97)])
    return mixed(clear, light, cover)


def _spots(patch: Patch, rng: np.random.Generator, *, per_m2: float, radius_m: tuple[float, float]) -> Picture:
    """Return soft round spots (h, w), 0 to 1."""
    canvas = np.zeros(patch.shape, np.uint8)
    h, w = patch.shape
    count = min(int(per_m2 * patch.width_m * patch.height_m), 2000)
    columns, rows, tones = rng.integers(0, w, count), rng.integers(0, h, count), rng.integers(90, 256, count)
    radii = np.maximum(patch.px(1) * rng.uniform(*radius_m, count), 1).astype(np.int_)
    for x, y, radius, tone in zip(columns.tolist(), rows.tolist(), radii.tolist(), tones.tolist(), strict=True):
        cv2.circle(canvas, (x, y), radius, tone, -1, cv2.LINE_AA)
    return canvas.astype(np.float32) * np.float32(1 / 255)


def _cracks(patch: Patch, rng: np.random.Generator, *, count: int) -> Picture:
    """Return wandering thin lines (h, w), 0 to 1."""
    canvas = np.zeros(patch.shape, np.uint8)
    h, w = patch.shape
    for _ in range(count):
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.35, 14))
        steps = np.stack([np.cos(heading), np.sin(heading)], axis=1) * patch.px(0.07)
        path = rng.random(2) * (w, h) + np.cumsum(steps, axis=0)
        cv2.polylines(canvas, [path.astype(np.int32)], False, int(rng.integers(90, 220)), 1, cv2.LINE_AA)
    return canvas.astype(np.float32) * np.float32(1 / 255)
