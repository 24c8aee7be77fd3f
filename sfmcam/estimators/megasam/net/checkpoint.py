"""Weights from a file and into one: MegaSaM's and DROID-SLAM's as published, and our own, which carry their configuration.

A published file is a flat dictionary of tensors, sometimes with `module.` before every name; DROID-SLAM's has a third row in two
heads that no result depends on. Loading is strict: a tensor too many, too few or of another shape is an error, never a guess.
"""

from __future__ import annotations

import pickle
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sfmcam.errors import ConfigError, InputError
from sfmcam.estimators.megasam.net.config import NetworkConfig
from sfmcam.estimators.megasam.net.network import Network
from sfmcam.io.atomic import replacing
from sfmcam.io.text_file import make_folder

FORMAT = "sfmcam megasam network"
PREFIX = "module."
TWO_ROWS = ("update.weight.2.weight", "update.weight.2.bias", "update.delta.2.weight", "update.delta.2.bias")
MOST_NAMED = 3  # keys named in a message
ADVICE = "`sfmcam weights get megasam` fetches the published weights"

State = dict[str, Tensor]


def load_network(path: Path) -> Network:
    """Return the network of a checkpoint, float32 on the CPU, ready to infer.

    Raises:
        InputError: the file is missing, is no checkpoint, or does not hold this network.
    """
    state, config = read_checkpoint(path)
    with torch.device("meta"):  # its random weights would be drawn for nothing
        network = Network(config)
    _require_fit(state, network.state_dict(), path)
    network.load_state_dict(state, assign=True)
    return network.requires_grad_(False).eval()


def read_checkpoint(path: Path) -> tuple[State, NetworkConfig]:
    """Return the float32 tensors of a checkpoint, named as `Network` names them, and the configuration they are of.

    Raises:
        InputError: the file is missing, is no checkpoint, or its tensors contradict its configuration.
    """
    content = _read(path)
    stored = content.get("config") if content.get("format") == FORMAT else None
    tensors = content.get("state") if stored is not None else content
    if not isinstance(tensors, dict) or not all(isinstance(value, Tensor) for value in tensors.values()) or not tensors:
        raise InputError(f"{path} holds no dictionary of tensors; it is a checkpoint of something else, or a training state; {ADVICE}")
    state = {str(name).removeprefix(PREFIX): tensor.float().contiguous() for name, tensor in tensors.items()}
    for name in TWO_ROWS:
        if name in state:
            state[name] = state[name][:2].clone()
    inferred = infer_config(state)
    return state, inferred if stored is None else _stored_config(stored, inferred, path)


def save_network(network: Network, path: Path, *, half: bool = False) -> None:
    """Write the network with its configuration; `half` stores float16, which halves the file.

    Raises:
        InputError: the system refuses to write there.
    """
    kind = torch.float16 if half else torch.float32
    state = {name: tensor.detach().to("cpu", kind).contiguous() for name, tensor in network.state_dict().items()}
    make_folder(path.parent)
    with replacing(path) as part:
        torch.save({"format": FORMAT, "config": asdict(network.config), "state": state}, part)


def infer_config(state: State) -> NetworkConfig:
    """Return the configuration whose shapes the tensors have; what a missing tensor would tell is taken from the published one.

    The radius cannot be told from shapes and is the published one.
    """
    published = NetworkConfig()

    def rows(name: str, otherwise: int) -> int:
        return state[name].shape[0] if name in state and state[name].ndim else otherwise

    hidden = rows("update.gru.w.weight", published.hidden)
    lookup = state.get("update.corr_encoder.0.weight")
    correlations = lookup.shape[1] if lookup is not None and lookup.ndim == 4 else published.correlations
    return NetworkConfig(
        stem=max(1, rows("fnet.conv1.weight", published.stem)),
        features=max(1, rows("fnet.conv2.weight", published.features)),
        hidden=max(1, hidden),
        context=max(1, rows("cnet.conv2.weight", hidden + published.context) - hidden),
        flow=max(1, rows("update.flow_encoder.2.weight", published.flow)),
        levels=max(1, correlations // published.window),
        motion_head=any(name.startswith("update.agg_motion.") for name in state),
        dead_heads=any(name.startswith("update.agg_motion.conv4") for name in state),
    )


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"there is no checkpoint {path}; {ADVICE}, and `sfmcam weights path megasam` says where they are")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"cannot read the checkpoint {path}: {(error.strerror or str(error)).lower()}") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{path} is no PyTorch checkpoint of tensors alone{_looks_like(path)}; fetch it again: {ADVICE}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds a {type(content).__name__} instead of a dictionary of tensors; {ADVICE}")
    return content


def _looks_like(path: Path) -> str:
    """Return what the file's first bytes give away, for the message: what servers send where the weights should be."""
    with path.open("rb") as file:
        head = file.read(200).lstrip()
    if not head:
        return " (it is empty)"
    if head[:1] == b"<":
        return " (it is a web page: the address led to one)"
    if head.startswith(b"version https://git-lfs"):
        return " (it is a Git LFS pointer, not the file it points to)"
    return " (it may have broken off while being copied)" if head.startswith(b"PK") else ""


def _stored_config(stored: Any, inferred: NetworkConfig, path: Path) -> NetworkConfig:
    try:
        config = NetworkConfig(**stored)
    except (TypeError, ConfigError) as error:
        raise InputError(
            f"{path} has a configuration that this version does not know ({error}); train it again, or update sfmcam"
        ) from error
    told = replace(inferred, levels=config.levels, radius=config.radius, dead_heads=config.dead_heads)
    if told != config:
        differing = [
            f"{name} {asdict(config)[name]} but tensors of {value}" for name, value in asdict(told).items() if asdict(config)[name] != value
        ]
        raise InputError(f"{path} contradicts itself: it states {differing[0]}; train it again, or fetch it again")
    return config


def _require_fit(state: State, wanted: State, path: Path) -> None:
    missing = [name for name in wanted if name not in state]
    unexpected = [name for name in state if name not in wanted]
    shapes = [
        f"{name} is {tuple(state[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in wanted
        if name in state and state[name].shape != wanted[name].shape
    ]
    faults = [
        f"{len(names)} tensors {what} ({', '.join(names[:MOST_NAMED])}{', ...' if len(names) > MOST_NAMED else ''})"
        for names, what in ((missing, "are missing"), (unexpected, "are unknown"), (shapes, "have another shape"))
        if names
    ]
    if faults:
        raise InputError(f"{path} does not hold the network of MegaSaM or DROID-SLAM: {'; '.join(faults)}; {ADVICE}")
