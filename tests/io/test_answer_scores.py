"""Answer files in the layout of CamReasoner's eval_bench.py: a letter becomes a yes or a no, and everything else keeps its row."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from sfmcam.errors import ScoreFileError
from sfmcam.io.answer_scores import parse_answers
from sfmcam.io.score_reader import read_scores


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a row as their script writes it; `...` removes a key."""
    keys: dict[str, Any] = {
        "problem_id": f"Move_Down_{number}",
        "problem": "Does the camera move downward (not tilting down) with respect to the initial frame?",
        "data_type": "video",
        "problem_type": "multiple choice",
        "options": ["A. No", "B. Yes"],
        "process": "",
        "solution": "<answer>B</answer>",
        "path": f"video/{number}.mp4",
        "id": number,
        "output": "<observation>It sinks.</observation><think>Down.</think><answer>B</answer>",
        "prediction": "B",
        "accuracy": 1.0,
    }
    return {key: value for key, value in (keys | changes).items() if value is not ...}


def document(rows: list[Any]) -> dict[str, Any]:
    """Return the whole file, as the script dumps it."""
    return {"results": rows, "metrics": {"overall/acc": 0.8}, "meta": {"batch_size": 128, "model_path": "ckpt/CamReasoner-7B"}}


def only_row(**changes: Any) -> Any:
    rows = parse_answers(document([row(**changes)]), Path("x.json")).rows
    (of_split,) = rows.values()
    return of_split["1.mp4"]


@pytest.mark.parametrize(
    ("output", "score"),
    [
        ("<answer>B</answer>", 1.0),
        ("<answer>A</answer>", 0.0),
        ("<answer>\n b. \n</answer> and more", 1.0),
        ("<answer>B. Yes</answer>", 1.0),
        ("<answer>(A)</answer>", 0.0),
        ("<answer>No.</answer>", 0.0),
        ("<answer>A</answer><answer>B</answer>", 0.0),  # the first, as their script has it
        ("B", 1.0),
        ("A) No", 0.0),
    ],
)
def test_an_answer_is_one_or_zero(output: str, score: float) -> None:
    found = only_row(output=output)
    assert (found.score, found.error, found.label) == (score, None, True)


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("<answer>ERROR</answer>", "error"),  # what their script writes for a batch that broke down
        ("<answer>E</answer>", "no_such_option"),
        ("<answer></answer>", "no_answer"),
        ("", "no_answer"),
        ("A pan to the left.", "no_answer"),  # their evaluator would take it for an A
        ("Because the scene sinks, yes.", "no_answer"),
        (None, "no_answer"),
    ],
)
def test_no_answer_is_a_failure_that_keeps_its_row(output: Any, reason: str) -> None:
    found = only_row(output=output)
    assert found.error == reason
    assert math.isnan(found.score)


def test_options_the_other_way_round() -> None:
    found = only_row(options=["A. Yes", "B. No"])
    assert (found.label, found.score) == (False, 0.0)


def test_without_solution_the_truth_is_unknown() -> None:
    assert only_row(solution=...).label is None


def test_prediction_stands_in_for_output() -> None:
    assert only_row(output=...).score == 1.0


@pytest.mark.parametrize(
    ("as_text", "name"),
    [
        (lambda rows: json.dumps(document(rows)), "CamReasoner-7B"),
        (lambda rows: json.dumps(document(rows), indent=2), "CamReasoner-7B"),
        (lambda rows: json.dumps(rows), "answers"),
        (lambda rows: "\n".join(map(json.dumps, rows)), "answers"),
    ],
    ids=["document", "indented", "list", "lines"],
)
def test_the_shape_of_the_file_is_told_by_its_content(as_text: Any, name: str, tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    path.write_text(as_text([row(1), row(2, problem_id="Static_1"), row(3, output="<answer>A</answer>")]))
    for asked in (path, tmp_path):
        (method,) = read_scores(asked)
        assert (method.name, method.method_type) == (name, "answers")
        assert {split: list(rows) for split, rows in method.rows.items()} == {"Move_Down": ["1.mp4", "3.mp4"], "Static": ["2.mp4"]}


def test_one_row_is_a_file_too(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(row()) + "\n")
    assert list(read_scores(path)[0].rows["Move_Down"]) == ["1.mp4"]


BAD = {
    "not an object": ("B", "row 2: not an object"),
    "no task": (row(2, problem_id="is_tracking_3"), "row 2: problem_id is 'is_tracking_3', which names none of the 15 tasks"),
    "no id": (row(2, problem_id=...), "row 2: problem_id is '', which names none"),
    "no path": (row(2, path=...), "row 2: the key 'path' is missing"),
    "number as path": (row(2, path=4), "row 2: the key 'path' is not text"),
    "no options": (row(2, options=...), "row 2: the options are None; expected a Yes and a No"),
    "other options": (row(2, options=["A. left", "B. right"]), "row 2: the options are ['A. left', 'B. right']"),
    "bad solution": (row(2, solution="C"), "row 2: the solution is 'C', which is none of the options"),
    "questions only": (row(2, output=..., prediction=...), "row 2: the key 'output' is missing; is this the file of questions"),
    "twice": (row(1), "row 2: '1.mp4' has a score already in this file; keep one of the two rows"),
}


@pytest.mark.parametrize(("bad", "sentence"), BAD.values(), ids=BAD.keys())
def test_a_bad_row_is_named(bad: Any, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document([row(1), bad])))
    with pytest.raises(ScoreFileError, match=re.escape(f"{path}, {sentence}")) as caught:
        read_scores(path)
    assert "\n" not in str(caught.value)
