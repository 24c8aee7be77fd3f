"""Every method is judged on one pool under both failure policies; nothing is mixed or dropped without a word."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from label_folder import make_label_folder
from method_scores import method_scores, noisy_results, with_all_videos
from shared_data import SHARED, needs_shared
from sklearn.metrics import average_precision_score

from sfmcam.datasets.folder import load_folder
from sfmcam.errors import ScoreFileError
from sfmcam.evaluation.leaderboard import leaderboard
from sfmcam.evaluation.leaderboard_text import detail_table, notes, published_notes, task_table
from sfmcam.io.score_file import MethodLabel, write_score_files
from sfmcam.io.score_reader import read_score_dir

GOOD = method_scores(
    "good",
    {
        "Move_In": {"a.mp4": (True, 3.0), "b.mp4": (True, "timeout"), "c.mp4": (False, 2.0), "d.mp4": (False, 1.0)},
        "Static": {"a.mp4": (False, 0.0), "b.mp4": (False, "timeout"), "c.mp4": (True, 1.0), "d.mp4": (False, 0.5)},
    },
)
POOR = method_scores(
    "poor",
    {
        "Move_In": {"a.mp4": (True, 1.0), "b.mp4": (True, 2.0), "c.mp4": (False, 3.0), "d.mp4": (False, "crashed: signal 6")},
        "Static": {"a.mp4": (False, 1.0), "b.mp4": (False, 1.0), "c.mp4": (True, 1.0), "d.mp4": (False, 1.0)},
    },
)


def test_both_policies_by_hand() -> None:
    good, poor = leaderboard([GOOD, POOR]).methods
    assert good.tasks["Move_In"].all.ap == pytest.approx((1 + 2 / 4) / 2)  # b last of four
    assert good.tasks["Move_In"].answered_only.ap == 1.0
    assert good.tasks["Move_In"].coverage == 0.75
    assert good.tasks["Move_In"].prevalence == 0.5
    assert good.tasks["Move_In"].failures == {"timeout": 1}
    assert good.mean_all.ap == pytest.approx((0.75 + 1) / 2)
    assert good.coverage == 0.75
    assert good.failures == {"timeout": 2}
    assert poor.tasks["Static"].all.ap == 0.25  # four equal scores: the prevalence
    assert poor.tasks["Static"].all.roc_auc == 0.5
    assert poor.tasks["Move_In"].answered_only.ap == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert poor.failures == {"crashed": 1}  # the reason without the detail of one clip


def test_a_method_that_answers_fewer_rows_is_judged_on_all_of_them() -> None:
    half = method_scores("half", {"Move_In": {"a.mp4": (True, 3.0), "c.mp4": (False, 2.0)}})
    board = leaderboard([GOOD, half])
    assert board.warnings == (
        "half: a task without any row, all 4 labels counted as failures (not_run): Static",
        "half: labels without a row in its score files, counted as failures (not_run): 2 of 8; first: Move_In b.mp4",
    )
    task = board.methods[1].tasks["Move_In"]
    assert (task.answered, task.failures) == (2, {"not_run": 2})
    assert task.all.ap == pytest.approx((1 + 2 / 4) / 2)
    assert board.methods[1].tasks["Static"].all.ap == 0.25
    assert math.isnan(board.methods[1].tasks["Static"].answered_only.ap)
    assert board.methods[1].tasks["Static"].note == "no positive clip answered"
    assert "half: the mean of AP_answ. is over 1 of 2 tasks only." in notes(board)


def test_labels_decide_over_score_files(tmp_path: Path) -> None:
    truth = {"Move_In": {"a.mp4": True, "b.mp4": False, "c.mp4": False, "e.mp4": True}}
    labelled_set = load_folder(make_label_folder(tmp_path / "mine", truth))
    board = leaderboard([GOOD], labelled_set)
    assert board.pool.counts == {"Move_In": (4, 2)}
    assert board.warnings == (
        "good: labels without a row in its score files, counted as failures (not_run): 1 of 4; first: Move_In e.mp4",
        "good: rows of its score files that the labels do not have, left out: 5; first: Move_In d.mp4",
        "good: rows of its score files that contradict the labels, which were used: 1; first: Move_In b.mp4",
    )


def test_contradicting_truths_need_labels(tmp_path: Path) -> None:
    other = method_scores("other", {"Move_In": {"a.mp4": (False, 1.0)}})
    with pytest.raises(ScoreFileError, match=r"contradict one another on whether Move_In holds for 'a\.mp4'.*--labels"):
        leaderboard([GOOD, other])
    truth = {"Move_In": {"a.mp4": True, "b.mp4": False}}
    assert len(leaderboard([GOOD, other], load_folder(make_label_folder(tmp_path, truth))).methods) == 2


def test_a_task_of_one_class_is_left_out_and_named() -> None:
    both = {"a.mp4": (False, 0.0), "c.mp4": (True, 1.0)}
    lone = method_scores("lone", {"Zoom_In": {"a.mp4": (True, 1.0), "b.mp4": (True, 0.0)}, "Static": both})
    board = leaderboard([lone])
    assert board.unrated == {"Zoom_In": "no negative clip"}
    assert math.isnan(board.methods[0].tasks["Zoom_In"].all.ap)
    assert board.methods[0].mean_all.ap == board.methods[0].tasks["Static"].all.ap
    assert "Zoom_In is left out of the means: no negative clip in the pool." in notes(board)
    assert board.to_json()["methods"][0]["tasks"]["Zoom_In"]["all"]["ap"] is None  # type: ignore[index]


def test_nothing_to_compare() -> None:
    with pytest.raises(ScoreFileError, match="nothing to compare"):
        leaderboard([])
    with pytest.raises(ScoreFileError, match="nothing to compare"):
        leaderboard([method_scores("empty", {"Move_In": {}})])
    only_positives = leaderboard([method_scores("m", {"Move_In": {"a.mp4": (True, 1.0)}})])
    assert math.isnan(only_positives.methods[0].mean_all.ap)
    assert only_positives.differences == ()


def test_equal_names_are_told_apart_by_folder() -> None:
    board = leaderboard([GOOD, replace(GOOD, folder=Path("other/scores"))])
    assert [method.name for method in board.methods] == ["good (scores)", "good (other/scores)"]


def test_differences_are_paired_and_follow_the_seed() -> None:
    board = leaderboard([POOR, GOOD], resamples=500, seed=3)
    assert [method.name for method in board.methods] == ["poor", "good"]  # as they were given
    (gap,) = board.differences
    assert (gap.better, gap.other) == ("good", "poor")
    assert gap.value == pytest.approx(board.methods[1].mean_all.ap - board.methods[0].mean_all.ap)
    assert gap.interval.low <= gap.value <= gap.interval.high
    assert leaderboard([POOR, GOOD], resamples=500, seed=3).differences == board.differences
    assert leaderboard([POOR, GOOD], resamples=3, seed=4).differences != leaderboard([POOR, GOOD], resamples=3, seed=3).differences
    same = leaderboard([GOOD, replace(GOOD, name="copy")], resamples=50)
    assert same.differences[0].interval == (0.0, 0.0)


def test_without_bootstrap_there_are_no_intervals() -> None:
    board = leaderboard([GOOD, POOR], resamples=0)
    assert all(map(math.isnan, board.methods[0].mean_all.interval))
    assert board.methods[0].mean_all.ap == leaderboard([GOOD, POOR]).methods[0].mean_all.ap
    assert "good leads poor by" in "".join(notes(board))


def test_json_holds_no_nan_and_markdown_no_ragged_row() -> None:
    board = leaderboard([GOOD, POOR], resamples=20)
    document = json.loads(json.dumps(board.to_json(), allow_nan=False))
    assert document.keys() == {"pool", "bootstrap", "methods", "differences", "published", "warnings"}
    assert document["methods"][0]["mean_all"]["ap"] == board.methods[0].mean_all.ap
    assert document["methods"][0]["tasks"]["Move_In"]["coverage"] == 0.75
    assert document["published"]["comparable"] is False
    table: list[int] = []
    for line in [*board.to_markdown().splitlines(), ""]:
        if line.startswith("|"):
            table.append(line.count("|"))
        else:
            assert len(set(table)) <= 1
            table = []


def test_published_rows_only_compare_on_their_own_pool() -> None:
    board = leaderboard([GOOD])
    assert not board.is_camerabench
    assert "they do not compare with the rows above" in published_notes(board)[0]
    assert leaderboard([GOOD], with_published=False).published == ()


def test_tables_have_one_cell_per_column() -> None:
    board = leaderboard([GOOD, POOR])
    for table in (task_table(board), *map(detail_table, board.methods)):
        assert {len(row) for row in table.rows} == {len(table.columns)}
    assert task_table(board).rows[0][:2] == ("constant score", "50.0")


@needs_shared("tools", "ap_of_scores.py")
@pytest.mark.parametrize("num_failed", [0, 1, 20])
def test_agrees_with_the_independent_tool(num_failed: int, tmp_path: Path) -> None:
    """Equal to 1e-6 where nothing is tied; among failed clips, which tie, the tool puts negatives first and so reads lower."""
    assert SHARED is not None
    labelled_set = load_folder(SHARED / "clips")
    results = noisy_results(labelled_set, noise=0.8, num_failed=num_failed, seed=num_failed)
    write_score_files(tmp_path, labelled_set=labelled_set, results=results, method=MethodLabel("made-up"))
    (method,) = leaderboard(read_score_dir(tmp_path), labelled_set, resamples=0).methods
    command = [sys.executable, str(SHARED / "tools" / "ap_of_scores.py"), str(tmp_path), str(SHARED / "clips"), "--json"]
    theirs = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for split, task in method.tasks.items():
        row = theirs["tasks"][split]
        assert (task.positives, task.negatives) == (row["positives"], row["negatives"])
        assert task.coverage == pytest.approx(row["coverage"], abs=1e-12)
        assert task.answered_only.ap == pytest.approx(row["ap_answered"], abs=1e-6, nan_ok=True)
        assert row["ap_all"] <= task.all.ap + 1e-9
        if num_failed <= 1:
            assert task.all.ap == pytest.approx(row["ap_all"], abs=1e-6)
    assert method.coverage == pytest.approx(theirs["mean"]["coverage"], abs=1e-12)
    assert method.mean_answered.ap == pytest.approx(theirs["mean"]["ap_answered"], abs=1e-6)


@needs_shared("camerabench", "binary_classification")
def test_camerabench_in_full_size(tmp_path: Path) -> None:
    """969 videos, 15 tasks: the constant score has the published prevalence (benchmarks/evaluate_scale.py has the time it takes)."""
    assert SHARED is not None
    labelled_set = with_all_videos(load_folder(SHARED / "camerabench", allow_missing=True))
    results = noisy_results(labelled_set, noise=0.8, num_failed=100)
    write_score_files(tmp_path, labelled_set=labelled_set, results=results, method=MethodLabel("made-up"))
    methods = read_score_dir(tmp_path)
    board = leaderboard(methods, labelled_set)
    assert board.is_camerabench
    assert "measured on the same 15 pools" in published_notes(board)[0]
    random = board.published[0]
    for split, task in board.methods[0].tasks.items():
        assert task.prevalence == pytest.approx(random.ap[split], abs=0.0006)
        low, high = task.all.interval
        assert low < task.all.ap < high
        rows = methods[0].rows[split].values()
        by_library = average_precision_score([r.label for r in rows], [-1e10 if np.isnan(r.score) else r.score for r in rows])
        assert task.all.ap == pytest.approx(by_library, abs=1e-12)
