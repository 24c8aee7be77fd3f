"""The cost of a method is found from where its score files lie, and is nowhere else made up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sfmcam.io.run_cost import costs_of
from sfmcam.io.score_rows import MethodScores

COST = {"clips": 3, "seconds_median": 1.0, "seconds_max": 2.0, "seconds_total": 4.0, "peak_mb_median": None, "peak_mb_max": None}


def method(model: str, source: Path | None) -> MethodScores:
    return MethodScores(model, "geometry", Path("asked"), {}, model=model, source=source)


def test_found_in_the_run_above_the_score_files(tmp_path: Path) -> None:
    (tmp_path / "vo" / "scores").mkdir(parents=True)
    (tmp_path / "results.json").write_text(json.dumps({"methods": [{"slug": "vo", "cost": COST | {"later_key": 1}}]}))
    found, other, nowhere = costs_of(
        [method("vo", tmp_path / "vo" / "scores"), method("vlm", tmp_path / "vo" / "scores"), method("vo", None)]
    )
    assert found is not None
    assert (found.clips, found.seconds_median, found.peak_mb_max) == (3, 1.0, None)
    assert Path(found.source) == tmp_path.resolve() / "results.json"
    assert (other, nowhere) == (None, None)
    (tmp_path / "deep" / "er" / "still").mkdir(parents=True)
    assert costs_of([method("vo", tmp_path / "deep" / "er" / "still")]) == [None]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"methods": [{"slug": "vo"}]}', '{"methods": 3}'])
def test_another_results_json_says_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(text)
    assert costs_of([method("vo", tmp_path)]) == [None]
