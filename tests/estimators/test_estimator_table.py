"""The table of estimators: its two places belong together, and the options are read without the estimator."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from sfmcam.estimators import colmap
from sfmcam.estimators.registry import ESTIMATORS, EXTERNAL, estimator_class

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_the_table_and_the_class_mean_the_same_options(name: str) -> None:
    module, _, options = ESTIMATORS[name].options.partition(":")
    assert getattr(import_module(module), options) is estimator_class(name).Options


@pytest.mark.parametrize("name", sorted(set(ESTIMATORS) - {EXTERNAL}))
def test_a_method_is_planned_without_the_estimator(name: str) -> None:
    """pycolmap can abort its process, so the parent of the children never loads it (docs/adr/0003)."""
    code = f"""
import sys
from sfmcam.errors import SfmcamError
from sfmcam.jobs import plan_method
try:
    assert plan_method({name!r}, frames={{}}, run={{}}).options
except SfmcamError:  # what it needs is not on this machine: that too is found out without it
    pass
print(*({{"pycolmap", "torch", "numba", "cv2"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_a_class_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Colmpa"):
        _ = colmap.Colmpa
