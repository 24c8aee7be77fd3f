"""What the methods cost, where their score files lie in a run of `sfmcam bench`: its results.json says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfmcam.io.score_rows import MethodScores
from sfmcam.workspace import BenchFolder

LEVELS = 3  # RUN/<estimator>/scores and the two folders above it


@dataclass(frozen=True)
class RunCost:
    """Wall seconds and peak MiB per clip of one method, as `sfmcam bench` measured them; None where no child process lived to say it."""

    clips: int
    seconds_median: float | None
    seconds_max: float | None
    seconds_total: float
    peak_mb_median: float | None
    peak_mb_max: float | None
    source: str


def costs_of(methods: Sequence[MethodScores]) -> list[RunCost | None]:
    """Return the cost of each method; None where its files are in no run, or in one that does not name it."""
    read: dict[Path, dict[str, Any]] = {}
    return [_cost_of(method, read) for method in methods]


def _cost_of(method: MethodScores, read: dict[Path, dict[str, Any]]) -> RunCost | None:
    for path in _candidates(method):
        if path not in read:
            read[path] = _costs_by_slug(path)
        if method.model in read[path]:
            return RunCost(**read[path][method.model], source=str(path))
    return None


def _candidates(method: MethodScores) -> Iterator[Path]:
    if method.source is None:
        return
    folder = method.source.resolve()
    for candidate in (folder, *folder.parents)[:LEVELS]:
        yield BenchFolder(candidate).results_json


def _costs_by_slug(path: Path) -> dict[str, Any]:
    """Return slug -> cost; empty where the file is not there or is not that of a run."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        fields = tuple(RunCost.__dataclass_fields__)[:-1]
        return {method["slug"]: {key: method["cost"][key] for key in fields} for method in document["methods"]}
    except (OSError, ValueError, TypeError, KeyError):
        return {}
