"""Where the measurement data lies: `shared/` beside the repository, or SFMCAM_SHARED. Tests that need it skip where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_FOLDER = Path(os.environ.get("SFMCAM_SHARED") or Path(__file__).resolve().parents[2] / "shared")
SHARED: Path | None = _FOLDER if (_FOLDER / "clips" / "manifest.json").is_file() else None


def needs_shared(*parts: str) -> pytest.MarkDecorator:
    """Mark a test that reads `shared/<parts>`; `.ci/run` fails if the data is there and such a test skips all the same."""
    present = SHARED is not None and SHARED.joinpath(*parts).exists()
    return pytest.mark.skipif(not present, reason=f"measurement data shared/{'/'.join(parts)} is not beside the repository")
