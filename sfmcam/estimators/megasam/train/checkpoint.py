"""The state of a training run on disk: weights and progress in one file, the optimiser's memory in another, each small enough to carry.

The optimiser's two moments are kept in bfloat16, which halves them: a run that is taken up again goes on as well, but not bit by bit.
"""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sfmcam.errors import InputError
from sfmcam.estimators.megasam.net.network import Network
from sfmcam.io.atomic import replacing

FORMAT = 1
CHECKPOINT, OPTIMISER = "checkpoint.pt", "optimiser.pt"
MOMENTS = ("exp_avg", "exp_avg_sq")

# what torch and pickle raise on content that is no checkpoint
DAMAGE = (OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError, EOFError, pickle.UnpicklingError)

Curve = list[dict[str, float]]


@dataclass(frozen=True)
class Progress:
    """How far a run has come: steps made and seconds used."""

    step: int = 0
    seconds: float = 0.0


def write_state(folder: Path, network: Network, optimiser: torch.optim.Optimizer, progress: Progress, curve: Curve) -> None:
    """Write what `read_state` needs.

    Raises:
        InputError: a file cannot be written.
    """
    head = {"format": FORMAT, "network": asdict(network.config), **asdict(progress)}
    weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    state = optimiser.state_dict()["state"]
    moments = {key: {name: _narrow(name, value) for name, value in entry.items()} for key, entry in state.items()}
    _write(folder / CHECKPOINT, {**head, "weights": weights, "curve": curve})
    _write(folder / OPTIMISER, {**head, "moments": moments})


def read_state(folder: Path, network: Network, optimiser: torch.optim.Optimizer) -> tuple[Progress, Curve]:
    """Bring network and optimiser to where the run in `folder` stopped; where there is none, leave them as they are.

    Raises:
        InputError: a file is damaged, of another version or of another network.
    """
    if not (folder / CHECKPOINT).is_file():
        return Progress(), []
    saved = _read(folder / CHECKPOINT, network)
    network.load_state_dict(saved["weights"])
    progress = Progress(int(saved["step"]), float(saved["seconds"]))
    moments = _read(folder / OPTIMISER, network)
    if moments["step"] != progress.step:
        raise InputError(
            f"{folder / OPTIMISER} is of step {moments['step']}, {CHECKPOINT} of step {progress.step}; train into an empty folder"
        )
    state = {key: {name: _wide(name, value) for name, value in entry.items()} for key, entry in moments["moments"].items()}
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    return progress, saved["curve"]


def _narrow(name: str, value: Any) -> Any:
    kept = value.detach().cpu() if isinstance(value, Tensor) else value
    return kept.to(torch.bfloat16).contiguous() if name in MOMENTS else kept


def _wide(name: str, value: Any) -> Any:
    return value.float() if name in MOMENTS else value


def _write(path: Path, content: dict[str, Any]) -> None:
    with replacing(path) as part:
        torch.save(content, part)


def _read(path: Path, network: Network) -> dict[str, Any]:
    advice = f"train into an empty folder, or delete {path}"
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        version, config = saved["format"], saved["network"]
    except DAMAGE as error:
        raise InputError(f"{path} is not the state of a training run ({type(error).__name__}); {advice}") from error
    if version != FORMAT:
        raise InputError(f"{path} is of version {version}, and this program reads version {FORMAT}; {advice}")
    if config != asdict(network.config):
        raise InputError(f"{path} is of a network with other widths; {advice}")
    return dict(saved)
