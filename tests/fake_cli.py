"""The command line with the fake estimator in its table, as a program of its own: `python fake_cli.py bench ...`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(TESTS.parent), str(TESTS), os.environ.get("PYTHONPATH")]))}


def register() -> None:
    """Put the fake into the estimators' table, with one preset."""
    from sfmcam.estimators import registry

    presets = registry._presets
    registry.ESTIMATORS["fake"] = "fake_estimator:FakeEstimator"
    registry._presets = lambda name: {"tuned": {}, "wide": {"options": {"pan_deg": 5.0}}} if name == "fake" else presets(name)


if __name__ == "__main__":
    register()
    from sfmcam.cli.main import main

    main(sys.argv[1:])
