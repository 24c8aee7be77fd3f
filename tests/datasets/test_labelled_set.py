"""A limited set keeps only clips that are there, spread over the tasks, with all of their rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from label_folder import make_label_folder

from sfmcam.datasets.folder import load_folder
from sfmcam.datasets.labelled_set import LabelledSet, spread_videos

TRUTH = {
    "Move_In": {"in0.mp4": True, "in1.mp4": True, "in2.mp4": True, "out0.mp4": False, "still.mp4": False},
    "Move_Out": {"in0.mp4": False, "out0.mp4": True},
    "Static": {"still.mp4": True},
}


@pytest.fixture
def labelled_set(tmp_path: Path) -> LabelledSet:
    return load_folder(make_label_folder(tmp_path, TRUTH))


def test_tasks_take_turns_with_their_positives(labelled_set: LabelledSet) -> None:
    assert spread_videos(labelled_set.rows) == ("in0.mp4", "out0.mp4", "still.mp4", "in1.mp4", "in2.mp4")


def test_limited_keeps_the_rows_of_its_clips(labelled_set: LabelledSet) -> None:
    small = labelled_set.limited(3)
    assert [clip.id for clip in small.clips] == ["in0", "out0", "still"]
    assert {split: [row.video for row in rows] for split, rows in small.rows.items()} == {
        "Move_In": ["in0.mp4", "out0.mp4", "still.mp4"],
        "Move_Out": ["in0.mp4", "out0.mp4"],
        "Static": ["still.mp4"],
    }


@pytest.mark.parametrize("num_clips", [5, 6, 1000])
def test_a_limit_above_the_size_changes_nothing(num_clips: int, labelled_set: LabelledSet) -> None:
    assert labelled_set.limited(num_clips) == labelled_set


def test_limited_skips_videos_that_are_not_there(tmp_path: Path) -> None:
    root = make_label_folder(tmp_path / "part", TRUTH, videos=("still.mp4", "in2.mp4"))
    small = load_folder(root, allow_missing=True).limited(1)
    assert [clip.id for clip in small.clips] == ["still"]
    assert small.missing_videos == ()
