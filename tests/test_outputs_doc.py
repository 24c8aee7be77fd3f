"""docs/outputs.md names every status, every file and every key of what is written."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from sfmcam.io.probability_file import shipped_probabilities
from sfmcam.judgement import motion_document
from sfmcam.motion.steadiness import Steadiness, SteadinessMeasurement
from sfmcam.results import ClipResult, Seconds, ShotResult
from sfmcam.types import Evidence, Status
from sfmcam.workspace import SHOT_FILES, BenchFolder, ClipFolder, ReportFolder

TEXT = (Path(__file__).parents[1] / "docs" / "outputs.md").read_text(encoding="utf-8")
BENCH = BenchFolder(Path())
BENCH_FILES = (BENCH.store, BENCH.lock, BENCH.scratch, BENCH.results_json, BENCH.results_md, BENCH.scores("x", "camerabench"))
REPORT = ReportFolder(Path())
REPORT_FILES = [getattr(REPORT, name) for name, kind in vars(ReportFolder).items() if isinstance(kind, property)]
KEYS = {
    *motion_document(ShotResult(0, 0.0, 1.0, Status.OK), problems=()),
    *(key for model in shipped_probabilities().models.values() for key in model.provenance if key != "sfmcam_version"),
    *(key for model in shipped_probabilities().models.values() for run in model.provenance["runs"] for key in run),
    *SteadinessMeasurement(Steadiness.UNKNOWN).to_json(),
    *(field.name for kind in (ClipResult, Seconds, Evidence) for field in fields(kind)),
}


@pytest.mark.parametrize("status", Status)
def test_statuses(status: Status) -> None:
    assert f"`{status.value}`" in TEXT


@pytest.mark.parametrize("name", [*SHOT_FILES, ClipFolder(Path()).log.name, *(path.name for path in (*BENCH_FILES, *REPORT_FILES))])
def test_files(name: str) -> None:
    assert name in TEXT


@pytest.mark.parametrize("kind", Steadiness)
def test_kinds_of_steadiness(kind: Steadiness) -> None:
    assert f"`{kind.value}`" in TEXT


@pytest.mark.parametrize("key", sorted(KEYS))
def test_keys(key: str) -> None:
    assert f"`{key}`" in TEXT
