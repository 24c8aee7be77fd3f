"""The compiled loops do exactly what array operations do, bit by bit: rendered sets keep their pixels."""

from __future__ import annotations

import numpy as np
import pytest

from sfmcam.datasets.synthetic import raster
from sfmcam.datasets.synthetic.visibility import Grid, edge_lines, find_visible, plane_maps
from sfmcam.types import Float

SIZE = (48, 27)


def random_maps(seed: int, count: int = 60) -> Float:
    """Plane maps (S, 3, 3) of rectangles in front of, around and behind a camera."""
    rng = np.random.default_rng(seed)
    quads = rng.normal(0, 1, (count, 3, 3))
    quads[:, 2, 2] += rng.uniform(-1, 6, count)
    return plane_maps(quads, np.eye(4), 40.0, size_px=SIZE)


def spans_by_arrays(edges: Float, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    slope, height = edges[..., :1], edges[..., 1:2] * grid.y + edges[..., 2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = -height / slope
    low = np.where(slope > 0, crossing, -np.inf).max(axis=1)
    high = np.where(slope < 0, crossing, np.inf).min(axis=1)
    outside = ((slope == 0) & (height < 0)).any(axis=1)
    columns = len(grid.x)
    first = np.clip(np.ceil((low - grid.x[0]) / grid.step_px), 0, columns)
    last = np.clip(np.floor((high - grid.x[0]) / grid.step_px) + 1, 0, columns)
    return np.where(outside, columns, first).astype(np.intp), np.where(outside, 0, last).astype(np.intp)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("offset_px", [(0.0, 0.0), (-0.125, 0.375)])
def test_spans_are_those_of_array_operations(seed: int, offset_px: tuple[float, float]) -> None:
    grid, edges = Grid.over(SIZE, offset_px=offset_px), edge_lines(random_maps(seed))
    edges[::7, :, 0] = 0.0  # level edges, that no row crosses
    ours, theirs = raster.spans(edges, grid.x, grid.y, grid.step_px), spans_by_arrays(edges, grid)
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
    first, last = ours
    bounds = raster.bounds(first, last)
    for i, rows in enumerate(first < last):
        where = np.flatnonzero(rows)
        expected = (where[0], where[-1] + 1, first[i, rows].min(), last[i, rows].max()) if len(where) else (0, 0, 0, 0)
        assert tuple(bounds[i]) == expected


@pytest.mark.parametrize("seed", range(4))
def test_the_depth_buffer_keeps_the_nearest_rectangle(seed: int) -> None:
    maps, grid = random_maps(seed), Grid.over(SIZE)
    seen = find_visible(maps, grid, cutouts={})
    first, last = spans_by_arrays(edge_lines(maps), grid)
    columns = np.arange(len(grid.x))
    inside = (columns >= first[..., None]) & (columns < last[..., None]) & np.isfinite(maps[:, :1, :1])
    across = (maps[:, 2, :1] * grid.x + maps[:, 2, 2:]).astype(np.float32)
    nearness = across[:, None, :] + (maps[:, 2, 1:2] * grid.y).astype(np.float32)[..., None]
    expected = np.where(inside, nearness, np.float32(0)).max(axis=0).clip(0)
    assert np.array_equal(seen.inverse_depth, expected)
    rows, cols = np.nonzero(seen.surface >= 0)
    assert len(rows) > 100
    assert np.array_equal(nearness[seen.surface[rows, cols], rows, cols], expected[rows, cols])


def test_a_cutout_is_entered_only_where_it_is_opaque() -> None:
    wall = np.array([[[16.0, 0, -8], [0, 16, -8], [0, 0, 4.0]]])
    card = np.array([[[2.0, 0, -1], [0, 2, -1], [0, 0, 2.0]]])
    maps = plane_maps(np.concatenate([wall, card]), np.eye(4), 24.0, size_px=SIZE)
    alpha = np.zeros((64, 64), np.uint8)
    alpha[:, 32:] = 255
    seen = find_visible(maps, Grid.over(SIZE), cutouts={1: (alpha,)})
    row = seen.surface[SIZE[1] // 2]
    assert set(row[: SIZE[0] // 2 - 1]) == {0}
    assert set(row[SIZE[0] // 2 + 1 : 34]) == {1}
    assert not raster.is_nearest(seen.inverse_depth, *(np.zeros(n, np.float32) for n in SIZE), *(np.full(27, n) for n in (0, 48)))


@pytest.mark.parametrize("step", [1, 3])
def test_what_is_seen_through_outlines_does_not_depend_on_the_order_of_the_rectangles(step: int) -> None:
    rng = np.random.default_rng(step)
    maps, grid = random_maps(7), Grid.over(SIZE, (SIZE[0] // step, SIZE[1] // step))
    alphas = {i: rng.integers(0, 256, (64, 48), dtype=np.uint8) for i in range(len(maps)) if i % 3}
    cutouts = {i: (alpha, alpha[::2, ::2].copy()) for i, alpha in alphas.items()}
    seen = find_visible(maps, grid, cutouts=cutouts)
    shuffled = rng.permutation(len(maps))
    place = np.argsort(shuffled)
    again = find_visible(maps[shuffled], grid, cutouts={int(place[i]): levels for i, levels in cutouts.items()})
    assert np.array_equal(seen.inverse_depth, again.inverse_depth)
    shown = seen.surface >= 0
    assert np.array_equal(seen.surface[shown], shuffled[again.surface[shown]])
    assert len({int(i) for i in np.unique(seen.surface)} & set(cutouts)) > 3
    assert (np.unique(seen.surface[shown]) % 3 == 0).any()


def test_an_outline_is_looked_up_where_the_rectangle_has_it() -> None:
    card = plane_maps(np.array([[[2.0, 0, -1], [0, 2, -1], [0, 0.6, 2.0]]]), np.eye(4), 24.0, size_px=SIZE)
    grid = Grid.over(SIZE)
    place = np.stack([*np.broadcast_arrays(grid.x, grid.y[:, None]), np.ones(SIZE[::-1])], axis=-1) @ card[0].T
    u, v = place[..., 0] / place[..., 2], place[..., 1] / place[..., 2]
    half = np.zeros((64, 64), np.uint8)
    half[:40, :28] = 255
    opaque = find_visible(card, grid, cutouts={0: (half,)}).surface == 0
    inside = (u > 0) & (v > 0) & (u < 28 / 64) & (v < 40 / 64)
    clear = np.minimum(abs(u - 28 / 64), abs(v - 40 / 64)) > 0.02  # from the outline's edge
    assert np.array_equal(opaque[clear], inside[clear])
    assert 40 < opaque.sum() < 0.9 * (find_visible(card, grid, cutouts={}).surface == 0).sum()


def test_places_in_the_atlas_are_those_of_array_operations() -> None:
    rng = np.random.default_rng(0)
    surfaces, levels, textures, shape = 9, 7, 3, (13, 21)
    surface = rng.integers(0, surfaces, shape)
    nearness = rng.uniform(0.01, 3, shape).astype(np.float32)
    rows = rng.normal(0, 1, (surfaces, 3, 3)).astype(np.float32)
    level = rng.normal(2, 2, surfaces).astype(np.float32)
    first_level = (rng.integers(0, textures, surfaces) * levels).astype(np.intp)
    x, y = rng.uniform(0, 50, shape[1]).astype(np.float32), rng.uniform(0, 50, shape[0]).astype(np.float32)
    size, origin = (rng.uniform(1, 900, (textures * levels, 2)).astype(np.float32) for _ in range(2))
    bias = -0.6 + 0.375
    ours = raster.texels(surface, nearness, np.log2(nearness), rows, level, first_level, x, y, size, origin, bias, levels)
    entry = np.clip(level.take(surface) - 1.5 * np.log2(nearness) + bias, 0, levels - 1).astype(np.intp) + first_level.take(surface)
    for axis, found in enumerate(ours):
        r = rows[:, axis]
        along = r[:, 0].take(surface) * x + r[:, 1].take(surface) * y[:, None] + r[:, 2].take(surface)
        assert np.array_equal(found, along / nearness * size[:, axis].take(entry) + origin[:, axis].take(entry))
