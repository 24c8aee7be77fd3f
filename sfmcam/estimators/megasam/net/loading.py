"""From a file of weights to an operator, with what is usual where nothing is said."""

from __future__ import annotations

from pathlib import Path

import torch

from sfmcam.errors import ConfigError
from sfmcam.estimators.megasam.net.checkpoint import load_network
from sfmcam.estimators.megasam.net.operator import LearnedOperator, OperatorOptions
from sfmcam.estimators.megasam.net.precision import fast_dtype
from sfmcam.io.weights import weights_path

DEFAULT_WEIGHTS = "megasam"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def load_operator(weights: Path | None, *, device: torch.device, dtype: str = "auto", graphs: bool = False) -> LearnedOperator:
    """Return the operator of a checkpoint.

    Args:
        weights: the file; None for the one that `sfmcam weights get megasam` fetches.
        device: where it runs.
        dtype: of the convolutions, by name; `auto` for what the device multiplies fastest without harm.
        graphs: see `OperatorOptions`.

    Raises:
        InputError: the file is missing, is no checkpoint, or does not hold this network.
        ConfigError: there is no such dtype, or the device does not exist here.
    """
    if dtype != "auto" and dtype not in DTYPES:
        raise ConfigError(f"there is no dtype '{dtype}' for the network; known: auto, {', '.join(DTYPES)}")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError("a CUDA device is asked for and PyTorch finds none; take the device cpu or auto, or install a PyTorch with CUDA")
    network = load_network(weights or weights_path(DEFAULT_WEIGHTS))
    kind = fast_dtype(device) if dtype == "auto" else DTYPES[dtype]
    return LearnedOperator(network, OperatorOptions(device, dtype=kind, graphs=graphs))
