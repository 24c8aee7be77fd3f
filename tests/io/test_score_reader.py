"""Score files of any method are read as CameraBench's own tools write them, and malformed ones are refused in one sentence."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from sfmcam.errors import ScoreFileError
from sfmcam.io.score_reader import read_score_dir, read_scores


def entry(video: str = "a.mp4", **changes: Any) -> dict[str, Any]:
    row = {"video_path": video, "question": "?", "ground_truth_label": "Yes", "method": "m", "score": 0.5, "error": None} | changes
    return {key: value for key, value in row.items() if value is not ...}


def write(folder: Path, rows: list[Any], *, name: str = "classification_scores_Move_In.json", **metadata: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    document = {"metadata": {"model_name": "vlm", "split_name": "Move_In"} | metadata, "scores": rows}
    (folder / name).write_text(json.dumps(document))
    return folder / name


def test_a_vlm_file_with_a_time_stamp_in_its_name(tmp_path: Path) -> None:
    name = "classification_scores_qwen2.5-vl-7b_team_cam-motion_Move_In_20260102_030405.json"
    write(
        tmp_path,
        [entry("videos/a.mp4"), entry("b.mp4", ground_truth_label="no")],
        name=name,
        checkpoint="team/cam-motion",
        method_type="VLM",
    )
    (method,) = read_score_dir(tmp_path)
    assert (method.name, method.method_type) == ("vlm cam-motion", "VLM")
    assert {video: (row.label, row.score, row.error) for video, row in method.rows["Move_In"].items()} == {
        "a.mp4": (True, 0.5, None),
        "b.mp4": (False, 0.5, None),
    }


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400])
def test_scores_that_are_not_finite_are_failures(token: str, tmp_path: Path) -> None:
    path = write(tmp_path, [entry(score=12345)])
    path.write_text(path.read_text().replace("12345", token))
    (method,) = read_score_dir(tmp_path)
    row = method.rows["Move_In"]["a.mp4"]
    assert math.isnan(row.score)
    assert row.error == "non_finite_score"
    assert method.notes == ("1 row without a finite score though 'error' is null, counted as failures",)


def test_a_failed_row_keeps_its_reason_and_not_its_score(tmp_path: Path) -> None:
    write(tmp_path, [entry(score=0.0, error="Video file not found: x"), entry("b.mp4", score=None, error="boom")])
    (method,) = read_score_dir(tmp_path)
    assert [row.error for row in method.rows["Move_In"].values()] == ["Video file not found: x", "boom"]
    assert all(math.isnan(row.score) for row in method.rows["Move_In"].values())
    assert method.notes == ()


def test_a_missing_error_key_and_a_null_score_are_noted(tmp_path: Path) -> None:
    write(tmp_path, [entry("a.mp4", error=...), entry("b.mp4", error=...), entry("c.mp4", score=None)])
    (method,) = read_score_dir(tmp_path)
    assert [row.error for row in method.rows["Move_In"].values()] == [None, None, "no_score"]
    assert [note.split(",")[0] for note in method.notes] == [
        "1 row without a finite score though 'error' is null",
        "2 rows without the key 'error'",
    ]


def test_methods_in_one_folder_and_below_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, [entry()], name="vqa_scores_x.json", model_name="b")
    write(tmp_path / "deep" / "scores", [entry()], model_name="a")
    write(tmp_path / "deep" / "scores", [entry()], model_name="a", name="classification_scores_Static.json", split_name="Static")
    write(tmp_path, [entry()], name="classification_scores_y.json", model_name="b", checkpoint="org/tuned")
    methods = read_score_dir(tmp_path)
    assert [(method.name, list(method.rows)) for method in methods] == [
        ("a", ["Move_In", "Static"]),
        ("b", ["Move_In"]),
        ("b tuned", ["Move_In"]),
    ]


@pytest.mark.parametrize(
    ("name", "split_name", "expected"),
    [
        ("classification_scores_x.json", "Roll Clockwise", "Roll_Clockwise"),
        ("classification_scores_qwen_Zoom_Out_2026.json", None, "Zoom_Out"),
        ("classification_scores_Roll_Counterclockwise.json", "", "Roll_Counterclockwise"),
    ],
)
def test_the_task_comes_from_the_metadata_or_the_name(name: str, split_name: str | None, expected: str, tmp_path: Path) -> None:
    write(tmp_path, [entry()], name=name, split_name=split_name)
    assert list(read_score_dir(tmp_path)[0].rows) == [expected]


def test_a_file_without_model_name_is_named_by_its_folder(tmp_path: Path) -> None:
    write(tmp_path / "mine", [entry()], model_name=None)
    assert read_score_dir(tmp_path)[0].name == "mine"


BAD_ROWS = {
    "text as score": (entry(score="0.5"), 'row 2: the score is "0.5", not a number'),
    "truth value as score": (entry(score=True), "row 2: the score is true, not a number"),
    "list as score": (entry(score=[1]), "row 2: the score is [1], not a number"),
    "no score": (entry(score=...), "row 2: the key 'score' is missing"),
    "no video": (entry(video_path=...), "row 2: the key 'video_path' is missing"),
    "number as video": (entry(video_path=3), "row 2: the key 'video_path' is not text"),
    "empty video": (entry(video_path=""), "row 2: 'video_path' names no file"),
    "unsure": (entry(ground_truth_label="maybe"), "row 2: ground_truth_label is 'maybe', neither Yes nor No"),
    "no truth": (entry(ground_truth_label=...), "row 2: the key 'ground_truth_label' is missing"),
    "twice": (entry("videos/first.mp4"), "row 2: 'first.mp4' has a score already in this file"),
    "not an object": ("row", "row 2: not an object"),
}


@pytest.mark.parametrize(("row", "sentence"), BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_a_bad_row_is_named(row: Any, sentence: str, tmp_path: Path) -> None:
    path = write(tmp_path, [entry("first.mp4"), row])
    with pytest.raises(ScoreFileError, match=re.escape(f"{path}, {sentence}")):
        read_score_dir(tmp_path)


BAD_FILES = {
    "half a file": ('{"metadata": {}, "scores": [', "not a JSON file"),
    "no scores": ("{}", "no list 'scores'"),
    "a list": ("[]", "no list 'scores'"),
    "metadata is text": ('{"metadata": "x", "scores": []}', "'metadata' is not an object"),
    "no task": ('{"scores": []}', "says which of the 15 tasks it is"),
    "empty": ("", "not a JSON file"),
}


@pytest.mark.parametrize(("text", "sentence"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_named(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "classification_scores_x.json"
    path.write_text(text)
    with pytest.raises(ScoreFileError, match=re.escape(sentence)) as caught:
        read_score_dir(tmp_path)
    assert str(path) in str(caught.value)


def test_bytes_that_are_not_text(tmp_path: Path) -> None:
    (tmp_path / "classification_scores_x.json").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ScoreFileError, match="not a JSON file"):
        read_score_dir(tmp_path)


def test_one_method_may_have_one_file_per_task(tmp_path: Path) -> None:
    write(tmp_path, [entry()], name="classification_scores_monday.json")
    write(tmp_path, [entry()], name="classification_scores_tuesday.json")
    with pytest.raises(ScoreFileError, match=r"monday\.json and .*tuesday\.json both hold Move_In of vlm; keep one of them"):
        read_score_dir(tmp_path)


def test_no_folder_a_file_and_no_score_files(tmp_path: Path) -> None:
    with pytest.raises(ScoreFileError, match="there is no folder"):
        read_score_dir(tmp_path / "nowhere")
    with pytest.raises(ScoreFileError, match=r"x\.json is not a folder"):
        read_score_dir(write(tmp_path / "f", [entry()], name="x.json"))
    with pytest.raises(ScoreFileError, match=r"no score file \(classification_scores_\*\.json\) in it or below it"):
        read_score_dir(tmp_path)


def t2v_file(folder: Path, model: str, checkpoint: str | None, split: str, *, stamp: str) -> Path:
    """Write a file as t2v_metrics' binary_classification_vlm_scores.py does: its name, its metadata, no sample_id."""
    rows = [
        {"video_path": "a.mp4", "question": "?", "ground_truth_label": "Yes", "method": model, "score": 0.25, "error": None},
        {
            "video_path": "b.mp4",
            "question": "?",
            "ground_truth_label": "No",
            "method": model,
            "score": 0.0,
            "error": "Video file not found: b",
        },
    ]
    metadata = {"model_name": model, "checkpoint": checkpoint, "split_name": split, "method_type": "VQAScore_LMM", "data_file": "x"}
    parts = [part.replace("/", "_") for part in (model, checkpoint or "", split, stamp) if part]
    path = folder / f"classification_scores_{'_'.join(parts)}.json"
    path.write_text(json.dumps({"metadata": metadata, "scores": rows}, indent=2))
    return path


def test_models_side_by_side_as_t2v_metrics_writes_them(tmp_path: Path) -> None:
    for split in ("Roll_Clockwise", "Roll_Counterclockwise"):
        t2v_file(tmp_path, "qwen2.5-vl-7b", None, split, stamp="20251023_101010")
        t2v_file(tmp_path, "qwen2.5-vl-7b", "chancharikm/qwen2.5-vl-7b-cam-motion", split, stamp="20251023_111111")
    methods = read_score_dir(tmp_path)
    assert [method.name for method in methods] == ["qwen2.5-vl-7b", "qwen2.5-vl-7b qwen2.5-vl-7b-cam-motion"]
    for method in methods:
        assert (method.method_type, method.model, method.scoring) == ("VQAScore_LMM", "qwen2.5-vl-7b", "")
        assert list(method.rows) == ["Roll_Clockwise", "Roll_Counterclockwise"]
        assert method.rows["Roll_Clockwise"]["b.mp4"].error == "Video file not found: b"  # and not the 0.0 beside it
    rerun = t2v_file(tmp_path, "qwen2.5-vl-7b", None, "Roll_Clockwise", stamp="20251024_090909")
    with pytest.raises(ScoreFileError, match=r"both hold Roll_Clockwise of qwen2\.5-vl-7b; keep one of them") as caught:
        read_score_dir(tmp_path)
    assert str(rerun) in str(caught.value)


def test_a_single_file_may_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, [entry()], name="renamed.json")
    (method,) = read_scores(path)
    assert (method.name, method.folder, method.source) == ("vlm", path, tmp_path)
    with pytest.raises(ScoreFileError, match="there is no folder"):
        read_scores(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "hello", "{}", "[]", "[1, 2]", '[{"a": 1}]', '{"results": {}}', "a,b,c\n1,2,3\n"])
def test_an_unknown_kind_of_file_is_said_with_what_is_known(text: str, tmp_path: Path) -> None:
    path = tmp_path / "what.json"
    path.write_text(text)
    with pytest.raises(
        ScoreFileError, match=r"what\.json: not a kind of score file that is known; expected .*'metadata' and 'scores'.*video, task"
    ) as e:
        read_scores(path)
    assert "\n" not in str(e.value)


def test_two_files_of_one_method_of_different_kinds_are_not_mixed(tmp_path: Path) -> None:
    write(tmp_path, [entry()], model_name="mine")
    (tmp_path / "mine.csv").write_text("video,task,score\na.mp4,Move_In,1\n")
    with pytest.raises(ScoreFileError, match=r"both hold Move_In of mine; keep one of them"):
        read_score_dir(tmp_path)
