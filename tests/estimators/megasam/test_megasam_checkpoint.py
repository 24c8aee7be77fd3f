"""Checkpoints load strictly: published ones as they are, our own with their configuration, and everything else not, in one sentence."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sfmcam.errors import ConfigError, InputError

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")

from small_network import SMALL, small_network  # noqa: E402  (only where torch is)

from sfmcam.estimators.megasam.net.checkpoint import load_network, save_network  # noqa: E402
from sfmcam.estimators.megasam.net.config import NetworkConfig  # noqa: E402
from sfmcam.estimators.megasam.net.loading import load_operator  # noqa: E402
from sfmcam.estimators.megasam.net.network import Network  # noqa: E402

PUBLISHED_PARAMETERS = 5_192_467  # of MegaSaM's classes


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    """A state with the names and shapes of the published network."""
    torch.manual_seed(0)
    return {name: tensor.clone() for name, tensor in Network().state_dict().items()}


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def test_the_network_has_the_published_size(published: dict[str, Any]) -> None:
    assert len(published) == 130
    assert sum(tensor.numel() for tensor in published.values()) == PUBLISHED_PARAMETERS


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_flat_file(prefix: str, published: dict[str, Any], tmp_path: Path) -> None:
    network = load_network(saved(tmp_path / "a.pth", {prefix + name: tensor for name, tensor in published.items()}))
    assert network.config == NetworkConfig()
    assert not network.training
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in published.items())


def test_a_file_like_droid_slams(published: dict[str, Any], tmp_path: Path) -> None:
    """No motion head, and three rows in two heads."""
    state = {name: tensor for name, tensor in published.items() if not name.startswith("update.agg_motion.")}
    for name in ("update.weight.2.weight", "update.weight.2.bias", "update.delta.2.weight", "update.delta.2.bias"):
        state[name] = torch.cat([state[name], torch.ones_like(state[name][:1])])
    network = load_network(saved(tmp_path / "droid.pth", {f"module.{name}": tensor for name, tensor in state.items()}))
    assert network.config == NetworkConfig(motion_head=False, dead_heads=False)
    assert torch.equal(network.state_dict()["update.delta.2.bias"], published["update.delta.2.bias"])


def test_half_precision_is_read_as_single(published: dict[str, Any], tmp_path: Path) -> None:
    network = load_network(saved(tmp_path / "a.pth", {name: tensor.half() for name, tensor in published.items()}))
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(
    "config",
    [SMALL, NetworkConfig(stem=4, features=8, hidden=8, context=4, flow=4, levels=2, radius=4, motion_head=False, dead_heads=False)],
    ids=["small", "smaller"],
)
def test_our_own(half: bool, config: NetworkConfig, tmp_path: Path) -> None:
    network = small_network(config)
    save_network(network, tmp_path / "new" / "own.pt", half=half)
    found = load_network(tmp_path / "new" / "own.pt")
    assert found.config == config
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(found.state_dict()[name], tensor, atol=1e-3 if half else 0, rtol=0)


def test_missing_unknown_and_misshapen_tensors_are_named(published: dict[str, Any], tmp_path: Path) -> None:
    state = dict(published)
    del state["update.gru.convq.bias"]
    state["update.gru.convs.bias"] = torch.zeros(3)
    state["update.gru.convz.weight"] = torch.zeros(128, 448, 1, 1)
    with pytest.raises(InputError) as error:
        load_network(saved(tmp_path / "odd.pth", state))
    for part in (
        "odd.pth does not hold the network",
        "1 tensors are missing (update.gru.convq.bias)",
        "1 tensors are unknown (update.gru.convs.bias)",
        "update.gru.convz.weight is (128, 448, 1, 1) instead of (128, 448, 3, 3)",
        "sfmcam weights get megasam",
    ):
        assert part in str(error.value)


def test_a_missing_file_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no checkpoint .*none\.pth; `sfmcam weights get megasam`"):
        load_network(tmp_path / "none.pth")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"\n<!DOCTYPE html><html>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS pointer"),
        (b"PK\x03\x04 broken off", "broken off"),
        (b"something else", "no PyTorch checkpoint"),
        (pickle.dumps({"a": Path("x")}, protocol=2), "no PyTorch checkpoint"),
    ],
    ids=["empty", "page", "pointer", "broken", "text", "pickle of objects"],
)
def test_what_is_no_checkpoint(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.pth"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        load_network(path)


@pytest.mark.parametrize("content", [torch.zeros(3), [1], {}, {"epoch": 3}, {"model": {"a": torch.zeros(1)}}], ids=str)
def test_a_checkpoint_of_something_else(content: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="dictionary of tensors"):
        load_network(saved(tmp_path / "bad.pth", content))


def test_a_configuration_that_the_tensors_contradict(tmp_path: Path) -> None:
    path = tmp_path / "own.pt"
    save_network(small_network(), path)
    content = torch.load(path, weights_only=True)
    content["config"]["hidden"] = 17
    with pytest.raises(InputError, match="it states hidden 17 but tensors of 16"):
        load_network(saved(path, content))
    content["config"]["depth"] = 4
    with pytest.raises(InputError, match="does not know"):
        load_network(saved(path, content))


@pytest.mark.parametrize(("name", "value"), [("hidden", 0), ("levels", 1.5), ("motion_head", 1), ("radius", True)])
def test_impossible_widths(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=name):
        replace(SMALL, **{name: value})


def test_an_operator_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFMCAM_WEIGHTS", str(tmp_path))
    with pytest.raises(InputError, match="sfmcam weights get megasam"):
        load_operator(None, device=torch.device("cpu"))
    save_network(small_network(), tmp_path / "megasam_final.pth")
    assert load_operator(None, device=torch.device("cpu"), dtype="float32").config == SMALL
    with pytest.raises(ConfigError, match="no dtype 'int8'"):
        load_operator(None, device=torch.device("cpu"), dtype="int8")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="PyTorch finds none"):
        load_operator(Path("x"), device=torch.device("cuda"))
