"""kornia's networks with the weights of a file, or an error: none of them is ever left with the random weights it is made with.

kornia's own constructors give random weights without a word (`DISK()`, `ALIKED()`, `LoFTR(None)`, `LightGlue(None)`) or download.
Nothing else in this package makes these networks (held by tests/estimators/colmap_learned/test_loading.py).
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from kornia.feature import ALIKED, DISK, LightGlue, LoFTR
from torch import Tensor, nn

from sfmcam.errors import InputError

State = dict[str, Tensor]
MOST_NAMED = 3  # tensors named in a message
UNUSED = re.compile(r"\.num_batches_tracked$")  # counts training batches; no result depends on it
MATCHER_PREFIX = "matcher."  # of the training program around LoFTR and some LightGlue files
OLD_ATTENTION = re.compile(r"^(self|cross)_attn\.(\d+)\.")  # how LightGlue's published files number their layers


@dataclass(frozen=True)
class NetworkFile:
    """How a network is made and what its published file looks like.

    Attributes:
        make: makes it with random weights, and with the settings given to `load_network`.
        derived: names of buffers that follow from the configuration and may be absent from the file.
        state: the key under which the file holds the tensors; empty where the file is the dictionary itself.
    """

    make: Callable[..., nn.Module]
    derived: frozenset[str] = frozenset()
    state: str = ""


def _lightglue() -> nn.Module:
    # `features=None` is the one spelling that downloads nothing; 128 numbers describe a point of DISK and of ALIKED alike.
    # Flash attention would round to half precision, and answer otherwise than the CPU.
    network: nn.Module = LightGlue(None, input_dim=128, flash=False)  # type: ignore[arg-type]
    return network


NETWORKS: dict[str, NetworkFile] = {
    "disk": NetworkFile(DISK, state="extractor"),
    "aliked": NetworkFile(partial(ALIKED, "aliked-n16"), derived=frozenset({"dkd.hw_grid"})),
    "lightglue-disk": NetworkFile(_lightglue, derived=frozenset({"confidence_thresholds"})),
    "lightglue-aliked": NetworkFile(_lightglue, derived=frozenset({"confidence_thresholds"})),
    "loftr-outdoor": NetworkFile(partial(LoFTR, pretrained=None), state="state_dict"),
}


def load_network(name: str, path: Path, **settings: int) -> nn.Module:
    """Return a network of `NETWORKS` with the weights of `path`, float32 on the CPU, ready to infer.

    `settings` go to kornia's constructor; they are not learned.

    Raises:
        InputError: the file cannot be read, or does not hold exactly this network, finite.
    """
    kind = NETWORKS[name]
    state = _renamed(_tensors(_read(name, path), kind, path))
    network = kind.make(**settings)
    own = network.state_dict()
    needed = {key for key in own if key not in kind.derived and not UNUSED.search(key)}
    _require_fit(name, path, state=state, own=own, needed=needed)
    network.load_state_dict({key: tensor.float() for key, tensor in state.items() if key in needed}, strict=False)
    return network.requires_grad_(False).eval()


def _read(name: str, path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"cannot read the weights {path}: {(error.strerror or str(error)).lower()}; {_advice(name)}") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{path} is no PyTorch file of tensors alone; {_advice(name)}") from error


def _tensors(content: Any, kind: NetworkFile, path: Path) -> State:
    """Return the file's tensors; a file that holds them bare, without the key it is published under, is taken too."""
    inner = content.get(kind.state, content) if isinstance(content, dict) else content
    if not isinstance(inner, dict) or not inner or not all(isinstance(value, Tensor) for value in inner.values()):
        raise InputError(f"{path} holds no dictionary of tensors; it is of something else")
    return inner


def _renamed(state: State) -> State:
    """Name the tensors as kornia's modules do."""
    bare = {key.removeprefix(MATCHER_PREFIX): tensor for key, tensor in state.items()}
    return {OLD_ATTENTION.sub(r"transformers.\2.\1_attn.", key): tensor for key, tensor in bare.items()}


def _require_fit(name: str, path: Path, *, state: State, own: State, needed: set[str]) -> None:
    faults = {
        "lacks": sorted(needed - state.keys()),
        "has too much:": sorted(state.keys() - own.keys()),
        "has in another shape": sorted(key for key in needed & state.keys() if state[key].shape != own[key].shape),
        "has numbers that are not finite in": sorted(key for key in needed & state.keys() if not bool(torch.isfinite(state[key]).all())),
    }
    told = [f"{what} {_some(keys)}" for what, keys in faults.items() if keys]
    if told:
        raise InputError(f"{path} does not fit the network '{name}': it {'; it '.join(told)}; {_advice(name)}")


def _some(keys: list[str]) -> str:
    more = f" and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else ""
    return ", ".join(keys[:MOST_NAMED]) + more


def _advice(name: str) -> str:
    return f"`sfmcam weights get {name}` fetches the published file"
