"""Windows are read from the correlation pyramid where they are asked for, zero outside, however the volume is kept."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")

from sfmcam.estimators.megasam.net.correlation import build_volume, look_up, pool_features  # noqa: E402  (only where torch is)


def features(*, seed: int = 0, height: int = 6, width: int = 9) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(2, 8, height, width, generator=random), torch.randn(2, 8, height, width, generator=random)


def coordinates(height: int = 6, width: int = 9) -> torch.Tensor:
    """Integers, halves, borders, and places far outside."""
    random = torch.Generator().manual_seed(3)
    coords = torch.rand(2, height, width, 2, generator=random) * torch.tensor([width + 6.0, height + 6.0]) - 3
    coords[0, 0] = coords[0, 0].round()
    coords[0, 1] = coords[0, 1].floor() + 0.5
    coords[1, 0, 0] = torch.tensor([1e5, -1e5])
    coords[1, 0, 1] = torch.tensor([width - 1.0, height - 1.0])
    return coords


def by_loop(level: torch.Tensor, at: tuple[float, float]) -> float:
    """Bilinear value of one (h, w) map, each corner that lies outside counting zero."""
    height, width = level.shape
    x0, y0 = math.floor(at[0]), math.floor(at[1])
    total = 0.0
    for x, y in ((x0, y0), (x0 + 1, y0), (x0, y0 + 1), (x0 + 1, y0 + 1)):
        if 0 <= x < width and 0 <= y < height:
            total += float(level[y, x]) * (1 - abs(at[0] - x)) * (1 - abs(at[1] - y))
    return total


def test_a_scalar_loop_reads_the_same() -> None:
    source, target = features()
    coords, radius, levels = coordinates(), 2, 3
    found = look_up(build_volume(source, pool_features(target, levels)), coords, radius)
    pyramid = [target]
    for _ in range(levels - 1):
        pyramid.append(torch.nn.functional.avg_pool2d(pyramid[-1], 2))
    for edge, v, u in [(0, 0, 0), (0, 1, 4), (0, 5, 8), (1, 0, 0), (1, 0, 1), (1, 3, 3)]:
        for level in range(levels):
            likeness = torch.einsum("c,chw->hw", source[edge, :, v, u] / 4, pyramid[level][edge] / 4)
            x, y = (coords[edge, v, u] / 2**level).tolist()
            wanted = [by_loop(likeness, (x + a, y + b)) for a in range(-radius, radius + 1) for b in range(-radius, radius + 1)]
            channels = slice(25 * level, 25 * (level + 1))
            torch.testing.assert_close(found[edge, channels, v, u], torch.tensor(wanted), atol=1e-5, rtol=0)


def test_pooling_the_volume_is_the_same_as_pooling_the_features() -> None:
    source, target = features(height=8, width=10)
    volume = build_volume(source, pool_features(target, 3))
    pooled = torch.nn.functional.avg_pool2d(volume[0].flatten(0, 1)[:, None], 2)[:, 0].view_as(volume[1])
    torch.testing.assert_close(pooled, volume[1], atol=1e-6, rtol=0)


def test_half_precision_storage_keeps_the_coordinates_exact() -> None:
    source, target = features(height=8, width=12)
    coords = coordinates(8, 12)
    exact = look_up(build_volume(source, pool_features(target, 3)), coords, 3)
    for kind in (torch.float16, torch.bfloat16):
        stored = tuple(level.to(kind) for level in build_volume(source, pool_features(target, 3)))
        wanted = look_up(tuple(level.float() for level in stored), coords, 3)
        torch.testing.assert_close(look_up(stored, coords, 3), wanted, atol=1e-5, rtol=0)
        assert float((wanted - exact).abs().max()) < 0.02


def test_a_level_one_cell_wide_is_no_trouble() -> None:
    source, target = features(height=4, width=5)
    found = look_up(build_volume(source, pool_features(target, 3)), coordinates(4, 5), 3)
    assert bool(torch.isfinite(found).all())


def test_a_map_too_small_for_its_levels_is_refused() -> None:
    with pytest.raises(ValueError, match="no 4 pyramid levels"):
        pool_features(torch.zeros(1, 2, 7, 20), 4)
