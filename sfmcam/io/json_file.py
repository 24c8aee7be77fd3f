"""Strict JSON on disk: what Python would write as NaN or Infinity, which no other reader accepts, becomes null."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from sfmcam.io.text_file import write_text


def write_json(path: Path, value: Any) -> None:
    """Write `value` whole or not at all, with every number that is not finite as null.

    Raises:
        InputError: the file cannot be written.
    """
    write_text(path, json.dumps(finite(value), indent=1, allow_nan=False) + "\n")


def finite(value: Any) -> Any:
    """Return the JSON value with None in place of every NaN and infinity."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
