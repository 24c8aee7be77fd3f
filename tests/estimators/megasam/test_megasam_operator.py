"""The learned operator gives what the plain network gives, in whatever order, groups and precision of storage its edges come."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sfmcam

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")

from small_network import CPU, HEIGHT, SMALL, WIDTH, Asked, asked, small_network  # noqa: E402  (only where torch is)

from sfmcam.estimators.megasam.net.config import NetworkConfig  # noqa: E402
from sfmcam.estimators.megasam.net.correlation import build_volume, look_up, pool_features  # noqa: E402
from sfmcam.estimators.megasam.net.fused import FusedUpdate  # noqa: E402
from sfmcam.estimators.megasam.net.grouping import group_means, membership, pack_sources, source_rows  # noqa: E402
from sfmcam.estimators.megasam.net.network import Network  # noqa: E402
from sfmcam.estimators.megasam.net.operator import LearnedOperator, OperatorOptions  # noqa: E402
from sfmcam.estimators.megasam.net.replay import ReplayedUpdate, cut, pad  # noqa: E402
from sfmcam.estimators.megasam.net.update import Update, motion_features, upsample  # noqa: E402
from sfmcam.estimators.megasam.operator import Sight  # noqa: E402

NEAR = {"atol": 2e-5, "rtol": 0.0}


def plain(network: Network, of: Asked, *, steps: int = 2) -> Update:
    """Return the last of some updates by the plain modules."""
    config = network.config
    features = network.features(of.images)
    hidden, context = (maps[of.ii] for maps in network.context(of.images))
    lookup = look_up(build_volume(features[of.ii], pool_features(features[of.jj], config.levels)), of.coords, config.radius)
    target, update = of.target, None
    for _ in range(steps):
        update = network.update(hidden, context, (lookup, motion_features(of.coords, target)), of.ii)
        hidden, target = update.hidden, of.coords + update.delta
    assert isinstance(update, Update)
    return update


def learned(network: Network, of: Asked, *, steps: int = 2, **options: Any) -> tuple[Any, Any]:
    """Return edges and revision after some revisions by the operator."""
    operator = LearnedOperator(network, OperatorOptions(CPU, **options))
    frames = [operator.encode(image, k) for k, image in enumerate(of.images)]
    edges = operator.open([frames[i] for i in of.ii], [frames[j] for j in of.jj])
    target, revision = of.target, None
    for _ in range(steps):
        edges, revision = operator.revise(edges, Sight(of.ii, of.coords, target))
        target = revision.target
    return edges, revision


@pytest.mark.parametrize(
    "options",
    [{}, {"edges_per_pass": 1}, {"edges_per_pass": 4}, {"volume_bytes": 0}, {"volume_bytes": 100_000, "edges_per_pass": 3}],
    ids=["volume", "one source at a time", "two passes", "no volume", "some volumes"],
)
@pytest.mark.parametrize("motion_head", [True, False], ids=["MegaSaM", "DROID-SLAM"])
def test_fused_is_plain(options: dict[str, int], motion_head: bool) -> None:
    network = small_network(NetworkConfig(**{**SMALL.__dict__, "motion_head": motion_head}))
    of = asked()
    wanted, (edges, found) = plain(network, of), learned(network, of, **options)
    torch.testing.assert_close(edges.hidden, wanted.hidden, **NEAR)
    torch.testing.assert_close(found.target, of.coords + wanted.delta, **NEAR)
    torch.testing.assert_close(found.weight, wanted.weight, **NEAR)
    torch.testing.assert_close(found.static_probability, wanted.static_probability, **NEAR)
    torch.testing.assert_close(found.eta, wanted.eta, **NEAR)
    assert bool((found.static_probability == 1).all()) is not motion_head


def test_order_of_edges_does_not_matter() -> None:
    network, of = small_network(), asked()
    order = torch.tensor([4, 0, 6, 2, 1, 5, 3])
    shuffled = Asked(of.images, of.ii[order], of.jj[order], of.coords[order], of.target[order])
    (_, one), (_, other) = learned(network, of), learned(network, shuffled)
    torch.testing.assert_close(other.target, one.target[order], **NEAR)
    torch.testing.assert_close(other.weight, one.weight[order], **NEAR)
    torch.testing.assert_close(other.eta, one.eta, **NEAR)


def test_sources_do_not_see_one_another() -> None:
    network, of = small_network(), asked()
    mine = of.ii == 1
    alone = Asked(of.images, of.ii[mine], of.jj[mine], of.coords[mine], of.target[mine])
    (_, together), (_, apart) = learned(network, of), learned(network, alone)
    torch.testing.assert_close(apart.weight, together.weight[mine], **NEAR)
    torch.testing.assert_close(apart.eta[0], together.eta[1], **NEAR)


def test_the_number_of_a_frame_does_not_matter() -> None:
    network, of = small_network(), asked()
    renumbered = Asked(of.images, of.ii, of.jj, of.coords, of.target)
    operator = LearnedOperator(network, OperatorOptions(CPU))
    frames = [operator.encode(image, k) for k, image in enumerate(of.images)]
    edges = operator.open([frames[i] for i in renumbered.ii], [frames[j] for j in renumbered.jj])
    _, later = operator.revise(edges, Sight(of.ii + 10, of.coords, of.target))
    _, wanted = learned(network, of, steps=1)
    torch.testing.assert_close(later.target, wanted.target, **NEAR)


@pytest.mark.parametrize("volume_bytes", [None, 0, 60_000])
def test_edges_are_selected_and_joined(volume_bytes: int | None) -> None:
    network, of = small_network(), asked()
    operator = LearnedOperator(network, OperatorOptions(CPU, volume_bytes=volume_bytes))
    frames = [operator.encode(image, k) for k, image in enumerate(of.images)]
    pairs = [(frames[i], frames[j]) for i, j in zip(of.ii, of.jj, strict=True)]
    edges = operator.open(*zip(*pairs[:4], strict=True))
    edges = edges.select(torch.tensor([True, False, True, True])).join(operator.open(*zip(*pairs[4:], strict=True)))
    edges = edges.select(torch.tensor([2, 0, 1, 3, 4, 5]))
    order = torch.tensor([3, 0, 2, 4, 5, 6])
    assert len(edges) == 6
    _, found = operator.revise(edges, Sight(of.ii[order], of.coords[order], of.target[order]))
    kept = Asked(of.images, of.ii[order], of.jj[order], of.coords[order], of.target[order])
    _, wanted = learned(network, kept, steps=1)
    torch.testing.assert_close(found.target, wanted.target, **NEAR)
    torch.testing.assert_close(found.eta, wanted.eta, **NEAR)


def test_joined_blocks_read_the_same() -> None:
    """What a GPU does with its blocks, on the CPU."""
    network, of = small_network(), asked()
    operator = LearnedOperator(network, OperatorOptions(CPU))
    frames = [operator.encode(image, k) for k, image in enumerate(of.images)]
    edges = operator.open([frames[i] for i in of.ii], [frames[j] for j in of.jj])
    joined = type(edges)(edges.sources, edges.hidden, (), True, edges.volume_bytes)
    for k in range(len(edges)):
        one = edges.select(torch.tensor([k]))
        joined = (
            joined.join(type(edges)(one.sources, one.hidden, one.blocks, True, edges.volume_bytes))
            if k
            else type(edges)(one.sources, one.hidden, one.blocks, True, edges.volume_bytes)
        )
    assert len(joined.blocks) == 1
    wanted, found = (operator.revise(e, Sight(of.ii, of.coords, of.target))[1] for e in (edges, joined.select(torch.arange(7))))
    torch.testing.assert_close(found.target, wanted.target, **NEAR)


def test_motion_filter_asks_one_update_from_the_grid() -> None:
    network, of = small_network(), asked()
    operator = LearnedOperator(network, OperatorOptions(CPU))
    a, b = (operator.encode(of.images[k], k) for k in (0, 2))
    features, (hidden, context) = network.features(of.images), network.context(of.images)
    height, width = features.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    grid = torch.stack([x, y], dim=-1).float()[None]
    lookup = look_up(build_volume(features[:1], pool_features(features[2:3], SMALL.levels)), grid, SMALL.radius)
    wanted = network.update(hidden[:1], context[:1], (lookup, torch.zeros(1, 4, height, width)))
    torch.testing.assert_close(operator.flow(a, b), wanted.delta[0], **NEAR)
    assert b.context is None  # a target needs no context


def test_the_first_frame_gets_all_channels_of_its_context() -> None:
    """The published code stores channel 0 of the first frame in all channels."""
    network, of = small_network(), asked()
    operator = LearnedOperator(network, OperatorOptions(CPU))
    first = operator.encode(of.images[0], 0)
    edges = operator.open([first], [first])
    torch.testing.assert_close(edges.hidden[0], network.context(of.images[:1])[0][0], **NEAR)
    assert float(edges.hidden[0].std(dim=0).max()) > 1e-3


def test_half_storage_and_reduced_precision_stay_near() -> None:
    network, of = small_network(), asked()
    _, wanted = learned(network, of, steps=1)
    for options in ({"volume_dtype": torch.float16}, {"dtype": torch.bfloat16}):
        _, found = learned(network, of, steps=1, **options)
        assert found.target.dtype == found.weight.dtype == found.eta.dtype == torch.float32
        assert float((found.target - wanted.target).abs().max()) < 0.02
        assert float((found.weight - wanted.weight).abs().max()) < 0.01


def test_out_of_memory_means_smaller_passes(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    network, of = small_network(), asked()
    _, wanted = learned(network, of, steps=1)
    call = LearnedOperator._update

    def refuse_many(self: LearnedOperator, edges: Any, seen: Any, part: Any) -> Update:
        if len(part.rows) > 3:
            raise torch.OutOfMemoryError("too many")
        return call(self, edges, seen, part)

    monkeypatch.setattr(LearnedOperator, "_update", refuse_many)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    _, found = learned(network, of, steps=1)
    torch.testing.assert_close(found.target, wanted.target, **NEAR)
    assert "at most" in caplog.text


def test_group_means() -> None:
    x, ii = torch.randn(5, 2, 3, 4), torch.tensor([7, 3, 7, 7, 3])
    rows, groups = source_rows(ii)
    found = group_means(x, membership(rows, groups))
    torch.testing.assert_close(found, torch.stack([x[[1, 4]].mean(0), x[[0, 2, 3]].mean(0)]), **NEAR)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_no_source_is_split_over_passes(limit: int) -> None:
    sources = [5, 0, 5, 1, 0, 5, 9]
    passes = pack_sources(sources, limit)
    assert sorted(edge for edges in passes for edge in edges) == list(range(7))
    of_pass = [{sources[edge] for edge in edges} for edges in passes]
    assert all(not one & other for k, one in enumerate(of_pass) for other in of_pass[:k])
    assert all(len(edges) <= limit or len(of) == 1 for edges, of in zip(passes, of_pass, strict=True))
    assert [min(of) for of in of_pass] == sorted(min(of) for of in of_pass)


def test_upsampling_is_a_convex_combination_of_neighbours() -> None:
    random = torch.Generator().manual_seed(0)
    disparity, mask = torch.rand(2, 3, 4, generator=random), torch.randn(2, 576, 3, 4, generator=random)
    found = upsample(disparity, mask)
    padded = torch.nn.functional.pad(disparity, (1, 1, 1, 1))
    for frame, v, u, dy, dx in [(0, 0, 0, 0, 0), (0, 2, 3, 7, 7), (1, 1, 2, 3, 5), (1, 2, 0, 0, 6)]:
        share = torch.softmax(mask[frame, :, v, u].view(9, 8, 8)[:, dy, dx], dim=0)
        wanted = (share * padded[frame, v : v + 3, u : u + 3].flatten()).sum()
        torch.testing.assert_close(found[frame, 8 * v + dy, 8 * u + dx], wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize("edges", [[0, 1, 2, 3, 4, 5, 6], [2, 6, 3]], ids=["padded to 8", "one source"])
def test_padding_changes_nothing(edges: list[int]) -> None:
    """What CUDA graphs are fed with, on the CPU."""
    of, chosen = asked(), torch.tensor(edges)
    fused, network = FusedUpdate(small_network(), device=CPU, dtype=torch.float32), small_network()
    hidden, context = network.context(of.images)
    ii = of.ii[chosen]
    rows, groups = source_rows(ii)
    random = torch.Generator().manual_seed(2)
    seen = tuple(torch.randn(len(ii), channels, HEIGHT, WIDTH, generator=random) for channels in (SMALL.correlations, 4))
    given = hidden[ii], fused.gates(context[ii.unique()]), *seen, rows, membership(rows, groups)
    wanted = fused(given[0], given[1], (given[2], given[3]), (given[4], given[5]))
    padded = pad(given)
    assert len(padded.tensors[0]) == 8
    assert len(padded.tensors[1]) % 4 == 0
    found = cut(padded.call(fused), edges=len(ii), sources=groups)
    for name in ("hidden", "delta", "raw_weight", "static_logit", "eta", "aggregated"):
        torch.testing.assert_close(getattr(found, name), getattr(wanted, name), **NEAR)


def test_without_a_gpu_recording_fails_over(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("no graphs here\nand more")

    monkeypatch.setattr(ReplayedUpdate, "_record", refuse)
    network, of = small_network(), asked()
    operator = LearnedOperator(network, OperatorOptions(CPU))
    operator._run = ReplayedUpdate(operator._fused)
    frames = [operator.encode(image, k) for k, image in enumerate(of.images)]
    edges = operator.open([frames[i] for i in of.ii], [frames[j] for j in of.jj])
    _, wanted = learned(network, of, steps=1)
    for _ in range(2):
        _, found = operator.revise(edges, Sight(of.ii, of.coords, of.target))
        torch.testing.assert_close(found.target, wanted.target, **NEAR)
    assert caplog.text.count("CUDA graphs do not work here (no graphs here)") == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("options", [{}, {"graphs": True}, {"volume_dtype": torch.float16}], ids=["eager", "graphs", "half volumes"])
def test_a_gpu_gives_the_same(options: dict[str, Any]) -> None:
    network, of = small_network(), asked()
    operator = LearnedOperator(network, OperatorOptions(torch.device("cuda"), **options))
    frames = [operator.encode(image, k) for k, image in enumerate(of.images)]
    edges = operator.open([frames[i] for i in of.ii], [frames[j] for j in of.jj])
    target = of.target
    for _ in range(3):
        edges, revision = operator.revise(edges, Sight(of.ii, of.coords, target))
        target = revision.target.cpu()
    _, wanted = learned(network, of, steps=3)
    assert float((target - wanted.target).abs().max()) < 0.01
    assert float((revision.weight.cpu() - wanted.weight).abs().max()) < 0.005


def test_the_speed_benchmark_needs_little_of_the_package() -> None:
    """It also runs on a machine with a GPU, torch and numpy, and nothing else of what sfmcam installs."""
    root = Path(sfmcam.__file__).resolve().parents[1]
    if not (root / "benchmarks" / "megasam_speed.py").is_file():
        pytest.skip("an installed package has no benchmarks")
    lacking = ("av", "click", "jinja2", "matplotlib", "numba", "pebble", "pycolmap", "pydantic", "rich", "sklearn")
    code = f"""
import sys
sys.modules |= dict.fromkeys({lacking!r})
sys.path[:0] = [{str(root)!r}, {str(root / "benchmarks")!r}]
import megasam_speed
sys.argv = ["megasam_speed.py", "--help"]
megasam_speed.main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "--device {cpu,cuda}" in done.stdout
