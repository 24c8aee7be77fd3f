"""The dense depth of an estimator's keyframes, as a compressed npz (docs/outputs.md lists the arrays)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sfmcam.io.atomic import replacing
from sfmcam.types import DenseDepth

VERSION = 1
VERSION_KEY = "sfmcam_depth"


def write_depth(path: Path, depth: DenseDepth) -> None:
    """Write `depth`, whole or not at all, in single precision.

    Raises:
        InputError: the file cannot be written.
    """
    arrays: dict[str, Any] = {
        VERSION_KEY: np.int64(VERSION),
        "frame": depth.frames.astype(np.int32),
        "inverse_depth": depth.inverse_depth.astype(np.float32),
        "prior": depth.prior.astype(np.float32),
        "static_probability": depth.static_probability.astype(np.float32),
        "xy_px": depth.xy_px.astype(np.float32),
    }
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)
