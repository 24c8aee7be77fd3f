"""Folders are compared clip by clip: every clip keeps its row and its reason, and means are over what was answered."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from trajectory_samples import smooth_poses, trajectory_of

from sfmcam.errors import ConfigError, InputError
from sfmcam.evaluation.clip_results import clip_answer
from sfmcam.evaluation.compare_batch import Batch, ClipStatus, clip_name, clip_names, compare_folders
from sfmcam.evaluation.compare_batch_text import batch_heading, batch_table, reason_lines
from sfmcam.evaluation.compare_files import CompareOptions
from sfmcam.geometry.rigid import inverse, rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.io.trajectory_file import write_npz, write_tum
from sfmcam.types import CameraTrajectory

N = 5


def turning(step_deg: float, *, n: int = N) -> CameraTrajectory:
    """A camera that goes right in steps of 1 and pans by `step_deg` per frame."""
    turns = rotation_from_vector(np.outer(np.arange(n), [0, np.radians(step_deg), 0]))
    return trajectory_of(inverse(rigid_from_parts(turns, np.outer(np.arange(n), [1.0, 0, 0]))))


def make_folders(root: Path) -> tuple[Path, Path]:
    """Eight clips: two answered, six not, each for another reason; and an estimate too many."""
    own, true = root / "own", root / "true"
    own.mkdir()
    true.mkdir()
    for clip in ("a", "b", "cut", "failed", "late", "missing", "short", "text"):
        write_tum(true / f"{clip}.tum", turning(0))
    write_tum(own / "a.tum", turning(1))
    write_npz(own / "b.npz", turning(3))
    for index, (length_s, status) in enumerate([(0.4, "ok"), (0.5, "too_few_features"), (0.3, "ok")]):
        write_shot(own / "cut" / f"shot_{index + 1:02d}", status, length_s=length_s)
    write_shot(own / "failed", "too_few_matches", message="3 of 20 pairs")
    write_tum(own / "late.tum", trajectory_of(turning(0).cam_from_world, timestamps_s=1000.0 + np.arange(N)))
    write_tum(own / "short.tum", turning(0, n=1))
    (own / "text.tum").write_text("hello\n", encoding="utf-8")
    write_tum(own / "extra.tum", turning(0))
    (true / "broken.tum").write_text("", encoding="utf-8")
    (true / "notes.md").write_text("no trajectory", encoding="utf-8")
    return own, true


def write_shot(folder: Path, status: str, *, length_s: float = 0.4, message: str = "") -> None:
    folder.mkdir(parents=True)
    motion = {"status": status, "message": message, "start_s": 0.0, "end_s": length_s}
    (folder / "motion.json").write_text(json.dumps(motion), encoding="utf-8")
    if status == "ok":
        write_npz(folder / "trajectory.npz", turning(2))


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    return compare_folders(*make_folders(tmp_path), CompareOptions())


def test_every_clip_keeps_its_row(batch: Batch) -> None:
    assert {row.clip: row.status.value for row in batch.rows} == {
        "a": "answered",
        "b": "answered",
        "broken": "bad_reference",
        "cut": "answered",
        "failed": "failed",
        "late": "no_common_frames",
        "missing": "missing",
        "short": "no_common_frames",
        "text": "unreadable",
        "extra": "no_reference",
    }
    assert all((row.compared is None) == bool(row.reason) for row in batch.rows)
    assert next(row.reason for row in batch.rows if row.clip == "failed") == "too_few_matches: 3 of 20 pairs"


def test_rates_means_and_medians_by_hand(batch: Batch) -> None:
    """Pans of 1, 3 and 2 degrees per frame too much: the errors of frames 1 to 4 sum to 10, 30 and 20 degrees."""
    assert (batch.num_clips, len(batch.answered)) == (8, 3)
    assert (batch.success_rate, batch.coverage) == (3 / 8, 3 / 8)
    summary = batch.summaries()["RotErr"]
    assert (summary.mean, summary.median, summary.num_clips) == pytest.approx((np.radians(20), np.radians(20), 3))
    assert batch.summaries()["focal_median_percent"].num_clips == 0
    document = batch.to_json()
    assert (document["num_clips"], document["num_answered"], document["success_rate"]) == (8, 3, 3 / 8)
    assert document["statuses"]["no_common_frames"] == 2
    assert document["mean"]["RotErr"] == pytest.approx(np.radians(20))
    assert sum(document["statuses"].values()) == len(document["clips"]) == 10


def test_the_longest_solved_shot_speaks_for_a_clip(batch: Batch) -> None:
    compared = next(row.compared for row in batch.rows if row.clip == "cut")
    assert compared is not None
    assert compared.estimate.path.parent.name == "shot_01"
    assert any(line.startswith("note on cut: the video was cut into 3 shots") for line in reason_lines(batch))


def test_the_table_has_every_clip_of_the_references_and_the_reasons_name_the_rest(batch: Batch) -> None:
    table = batch_table(batch)
    assert [row[0] for row in table.rows] == [
        *"ab",
        "broken",
        "cut",
        "failed",
        "late",
        "missing",
        "short",
        "text",
        "mean",
        "median",
        "clips",
    ]
    assert table.rows[0][1] == "5/5"
    assert table.rows[4][1:4] == ("failed", "-", "-")
    assert table.rows[-1][2] == "3"
    assert "37.5 %: 3 of 8 clips answered" in batch_heading(batch)[-1]
    starts = [line.split(":")[0] for line in reason_lines(batch)]
    assert starts == ["broken", "failed", "late", "missing", "short", "text", "extra", "note on a, b, cut", "note on cut"]


def test_labelled_sets_and_finished_runs_are_looked_into(tmp_path: Path) -> None:
    (tmp_path / "set" / "poses").mkdir(parents=True)
    write_tum(tmp_path / "set" / "poses" / "x.tum", turning(0))
    write_shot(tmp_path / "run" / "clips" / "x", "ok")
    batch = compare_folders(tmp_path / "run", tmp_path / "set", CompareOptions())
    assert [row.status for row in batch.rows] == [ClipStatus.ANSWERED]


def test_files_of_other_tools_are_named_after_their_clip(tmp_path: Path) -> None:
    for name in ("a_droid.npz", "b_sgd_cvd_hr.npz", "c.txt", "d.png", ".e.tum"):
        (tmp_path / name).touch()
    (tmp_path / "f").mkdir()
    assert clip_names(tmp_path) == ("a", "b", "c", "f")
    (tmp_path / "vipe" / "pose").mkdir(parents=True)
    (tmp_path / "vipe" / "pose" / "g.npz").touch()
    assert clip_names(tmp_path / "vipe") == ("g",)
    assert [clip_name(tmp_path / name) for name in ("a_droid.npz", "c.txt", "f", "f/trajectory.npz")] == ["a", "c", "f", "f"]


def test_results_without_a_trajectory_say_why(tmp_path: Path) -> None:
    assert clip_answer(tmp_path) is None
    assert clip_answer(tmp_path / "a.tum") is None
    (tmp_path / "run.log").touch()
    for text, words in (
        (None, "run.log"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"status": "ok"}', "has no trajectory.npz"),
    ):
        if text is not None:
            (tmp_path / "motion.json").write_text(text, encoding="utf-8")
        answer = clip_answer(tmp_path)
        assert answer is not None
        assert answer.trajectory is None
        assert words in answer.reason


def test_folders_that_cannot_be_compared(tmp_path: Path) -> None:
    own, true = make_folders(tmp_path)
    (tmp_path / "empty").mkdir()
    for estimates, references, words in (
        (tmp_path / "none", true, "there is no folder"),
        (own, tmp_path / "empty", "empty holds no trajectory"),
        (own / "a.tum", true, "--batch compares folders"),
    ):
        with pytest.raises(InputError, match=words):
            compare_folders(estimates, references, CompareOptions())
    with pytest.raises(ConfigError, match=r"one <clip>\.txt each"):
        compare_folders(own, true, CompareOptions(intrinsics=own / "a.tum"))
    with pytest.raises(ConfigError, match="no meaning for the format sfmcam and tum"):
        compare_folders(own, true, CompareOptions(fps=3.0))


def test_an_empty_folder_answers_nothing(tmp_path: Path) -> None:
    _, true = make_folders(tmp_path)
    (tmp_path / "empty").mkdir()
    batch = compare_folders(tmp_path / "empty", true, CompareOptions())
    assert (batch.success_rate, batch.coverage, batch.summaries()) == (0.0, 0.0, {})
    assert batch_table(batch).rows[-1][0] == "text"


def test_smooth_paths_of_any_seed_are_answered(tmp_path: Path) -> None:
    own, true = tmp_path / "own", tmp_path / "true"
    own.mkdir()
    true.mkdir()
    for seed in range(3):
        write_tum(own / f"{seed}.tum", trajectory_of(smooth_poses(8, seed=seed)))
        write_tum(true / f"{seed}.tum", trajectory_of(smooth_poses(8, seed=seed)))
    summaries = compare_folders(own, true, CompareOptions()).summaries()
    assert summaries["APE_rmse"].mean == pytest.approx(0, abs=1e-9)
    assert summaries["AUC_5"].median == pytest.approx(1)
