"""What a training run leaves behind besides weights: a log for people, and the curve for plots."""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

from sfmcam.io.atomic import replacing


class Journal:
    """Lines of progress, on standard error and in `log.txt`, and the figures of the run in `curve.json`."""

    def __init__(self, folder: Path, *, curve: list[dict[str, float]] | None = None) -> None:
        """Go on with the curve of a run that broke off, or begin one."""
        self.folder = folder
        self.curve = list(curve or [])
        self._begun = time.monotonic()

    def say(self, text: str) -> None:
        """Write one line, with the seconds since the program began."""
        line = f"[{time.monotonic() - self._begun:6.1f} s] {text}\n"
        sys.stderr.write(line)
        sys.stderr.flush()
        with (self.folder / "log.txt").open("a", encoding="utf-8") as file:
            file.write(line)

    def note(self, figures: dict[str, float]) -> None:
        """Keep figures for the curve."""
        self.curve.append({name: round(value, 5) for name, value in figures.items() if math.isfinite(value)})

    def write_curve(self, about: dict[str, Any]) -> None:
        """Write the curve, and what was trained how.

        Raises:
            InputError: the file cannot be written.
        """
        with replacing(self.folder / "curve.json") as part:
            part.write_text(json.dumps({**about, "curve": self.curve}, indent=1), encoding="utf-8")
