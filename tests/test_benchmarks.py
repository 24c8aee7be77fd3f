"""The README's tables are those of benchmarks/results, and a run is condensed without loss of a method or clip."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


def script(name: str) -> ModuleType:
    """Import one of the scripts in benchmarks/, which are not a package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_shows_the_recorded_figures():
    readme = (ROOT / "README.md").read_text()
    assert script("readme_tables").render(readme) == readme


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks" / "results").glob("*.json")), ids=lambda p: p.stem)
def test_recorded_runs_are_whole(path):
    run = json.loads(path.read_text())
    assert run["command"].startswith("sfmcam bench")
    for method in run["methods"].values():
        assert method["cost"]["clips"] == run["dataset"]["clips"]
        assert sum(method["statuses"].values()) == run["dataset"]["clips"]
        rated = [ap for ap in method["scoring"]["depth"]["ap_all"].values() if ap is not None]
        assert method["scoring"]["depth"]["mean_ap_all"] == pytest.approx(sum(rated) / len(rated), abs=1e-4)


def test_no_folder_of_a_machine_is_kept():
    assert script("record").hide_folders("sfmcam bench ../shared/clips -o /home/me/out/run") == "sfmcam bench ../shared/clips -o run"
