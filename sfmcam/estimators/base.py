"""What an estimator is: a name, and a function from Frames to an Estimate that knows nothing of primitives."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from sfmcam.types import Estimate, Frames


class Estimator(Protocol):
    """Contract (held by tests/estimators/test_contract.py over the whole table).

    `estimate` is deterministic for a given seed, returns one pose row per frame with `valid` False where it has no pose,
    writes only under `workspace`, and says 'it did not work' with a status, never with an exception or an identity pose.
    """

    name: str

    def estimate(self, frames: Frames, *, workspace: Path) -> Estimate:
        """Return the camera path of `frames`; `workspace` is an existing empty folder for scratch files."""
        ...
