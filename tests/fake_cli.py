"""The command line with the fake estimator in its table, as a program of its own: `python fake_cli.py bench ...`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sfmcam.cli.main import main
from sfmcam.estimators import registry

TESTS = Path(__file__).resolve().parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(TESTS.parent), str(TESTS), os.environ.get("PYTHONPATH")]))}


PRESETS = {"tuned": {}, "wide": {"options": {"pan_deg": 5.0}}}


def register(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the fake into the estimators' table, with two presets."""
    presets = registry._presets
    monkeypatch.setitem(registry.ESTIMATORS, "fake", registry.EstimatorEntry("fake_estimator:FakeEstimator", "fake_estimator:FakeOptions"))
    monkeypatch.setattr(registry, "_presets", lambda name: PRESETS if name == "fake" else presets(name))


if __name__ == "__main__":
    register(pytest.MonkeyPatch())
    main(sys.argv[1:])
