"""Score files follow CameraBench's schema to the letter, hold every labelled row, and come back as they were."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from label_folder import make_label_folder
from sklearn.metrics import average_precision_score

from sfmcam.datasets.folder import load_folder
from sfmcam.datasets.labelled_set import LabelledSet
from sfmcam.errors import InputError
from sfmcam.io.score_file import FAILED_SCORE, ClipScores, MethodLabel, write_score_files
from sfmcam.io.score_reader import read_score_dir
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.types import Status

TRUTH = {p.split_name: {f"{clip}.mp4": clip == "abcde"[i % 5] for clip in "abcde"} for i, p in enumerate(PRIMITIVES)}
STAMP = "2026-01-02T03:04:05+00:00"


def scores(start: float) -> dict[str, float]:
    return {p.id: start + i / 3 for i, p in enumerate(PRIMITIVES)}


RESULTS = {
    "a": ClipScores(Status.OK, scores(0.1)),
    "b": ClipScores(Status.STILL, scores(-1e-300)),
    "c": ClipScores(Status.TIMEOUT),
    # d has no result, e.mp4 is not there
}


@pytest.fixture
def labelled_set(tmp_path: Path) -> LabelledSet:
    root = make_label_folder(tmp_path / "set", TRUTH, videos=("a.mp4", "b.mp4", "c.mp4", "d.mp4"))
    return load_folder(root, allow_missing=True)


def write(folder: Path, labelled_set: LabelledSet, **changes: Any) -> list[dict[str, Any]]:
    arguments: dict[str, Any] = {
        "labelled_set": labelled_set,
        "results": RESULTS,
        "method": MethodLabel("colmap", "v1"),
        "timestamp": STAMP,
    }
    paths = write_score_files(folder, **(arguments | changes))
    return [json.loads(path.read_text(), parse_constant=pytest.fail) for path in paths]


def test_the_schema_key_by_key(tmp_path: Path, labelled_set: LabelledSet) -> None:
    documents = write(tmp_path / "out", labelled_set, extra={"seed": 3})
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(f"classification_scores_{p.split_name}.json" for p in PRIMITIVES)
    assert [document["metadata"]["split_name"] for document in documents] == [p.split_name for p in PRIMITIVES]
    assert documents[0].keys() == {"metadata", "scores"}
    assert documents[0]["metadata"] == {
        "method_type": "geometry",
        "model_name": "colmap",
        "checkpoint": "v1",
        "split_name": "Move_In",
        "generation_timestamp": STAMP,
        "seed": 3,
    }
    assert documents[0]["scores"][0] == {
        "sample_id": "a",
        "video_path": "a.mp4",
        "question": "Is it Move_In?",
        "ground_truth_label": "Yes",
        "method": "colmap_v1",
        "score": 0.1,
        "error": None,
    }


def test_every_row_is_there_with_its_reason(tmp_path: Path, labelled_set: LabelledSet) -> None:
    for document in write(tmp_path / "out", labelled_set):
        errors = {row["sample_id"]: row["error"] for row in document["scores"]}
        assert errors == {"a": None, "b": None, "c": "timeout", "d": "not_run", "e": "missing_video"}
        assert {row["score"] for row in document["scores"] if row["error"]} == {FAILED_SCORE}


def test_scores_survive_unrounded(tmp_path: Path, labelled_set: LabelledSet) -> None:
    write(tmp_path / "out", labelled_set)
    (method,) = read_score_dir(tmp_path / "out")
    assert method.name == "colmap v1"
    assert method.notes == ()
    for primitive in PRIMITIVES:
        rows = method.rows[primitive.split_name]
        assert rows["a.mp4"].score == RESULTS["a"].scores[primitive.id]
        assert rows["b.mp4"].score == RESULTS["b"].scores[primitive.id]
        assert np.isnan(rows["c.mp4"].score)
        assert rows["c.mp4"].error == "timeout"
        assert {video: row.label for video, row in rows.items()} == TRUTH[primitive.split_name]


def test_the_same_run_writes_the_same_bytes(tmp_path: Path, labelled_set: LabelledSet) -> None:
    write(tmp_path / "one", labelled_set)
    write(tmp_path / "two", labelled_set, results=dict(reversed(RESULTS.items())))
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_camerabench_evaluator_can_read_them(tmp_path: Path, labelled_set: LabelledSet) -> None:
    """The steps of its public evaluator: keep rows whose error is null, positive is 'yes' in lower case, then scikit-learn."""
    document = write(tmp_path / "out", labelled_set)[0]
    kept = [row for row in document["scores"] if row["error"] is None]
    labels = [row["ground_truth_label"].lower() == "yes" for row in kept]
    values = np.array([row["score"] for row in kept])
    assert values.dtype == np.float64
    assert np.isfinite(values).all()
    assert average_precision_score(labels, values) == 1.0


def test_a_task_without_labels_is_named_and_writes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    labelled_set = load_folder(make_label_folder(tmp_path / "set", {"Static": {"a.mp4": True}}))
    with caplog.at_level(logging.INFO):
        assert len(write(tmp_path / "out", labelled_set)) == 1
    assert len(caplog.messages) == 14
    assert "set has no labels for Move_In: no score file for that task" in caplog.messages


def test_files_of_tasks_that_are_not_written_now_are_removed(tmp_path: Path, labelled_set: LabelledSet) -> None:
    """A shorter run, or one on another set, into the same folder would else be rated with rows of the earlier one."""
    out = tmp_path / "out"
    write(out, labelled_set)
    (out / "notes.txt").touch()
    write(out, replace(labelled_set, rows={"Static": labelled_set.rows["Static"]}))
    assert {p.name for p in out.iterdir()} == {"classification_scores_Static.json", "notes.txt"}


def test_a_file_that_cannot_be_removed_is_one_sentence(tmp_path: Path, labelled_set: LabelledSet) -> None:
    (tmp_path / "out" / "classification_scores_Dolly.json").mkdir(parents=True)
    with pytest.raises(InputError, match="cannot remove"):
        write(tmp_path / "out", labelled_set)


def test_a_success_needs_fifteen_finite_scores() -> None:
    with pytest.raises(ValueError, match="needs 15 finite scores; not so: zoom_in"):
        ClipScores(Status.OK, scores(0) | {"zoom_in": float("nan")})
    with pytest.raises(ValueError, match="not so: move_in, "):
        ClipScores(Status.OK)


def test_extra_metadata_may_not_hide_the_schema(tmp_path: Path, labelled_set: LabelledSet) -> None:
    with pytest.raises(ValueError, match="split_name"):
        write(tmp_path, labelled_set, extra={"split_name": "mine"})


def test_a_folder_that_cannot_be_made(tmp_path: Path, labelled_set: LabelledSet) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot make the folder"):
        write(tmp_path / "file" / "out", labelled_set)
