"""A folder in CameraBench's layout is read whole, and whatever does not fit is refused in one sentence that says where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from label_folder import label_line, make_label_folder
from shared_data import SHARED, needs_shared

from sfmcam.datasets.folder import load_folder, read_label_file
from sfmcam.errors import LabelError

TRUTH = {"Static": {"b.mp4": True, "a.mp4": False}, "Move_In": {"a.mp4": True, "c.1.webm": False}}


def test_reads_rows_clips_and_references(tmp_path: Path) -> None:
    root = make_label_folder(tmp_path / "mine", TRUTH)
    for folder, name in (("poses", "c.1.tum"), ("intrinsics", "c.1.txt"), ("videos", "notes.txt"), ("videos", ".hidden.mp4")):
        (root / folder).mkdir(exist_ok=True)
        (root / folder / name).touch()
    labelled_set = load_folder(root)
    assert labelled_set.name == "mine"
    assert list(labelled_set.rows) == ["Move_In", "Static"]  # the table's order, not the alphabet's
    assert [clip.id for clip in labelled_set.clips] == ["a", "b", "c.1"]
    assert labelled_set.clips[2].poses == root / "poses" / "c.1.tum"
    assert labelled_set.clips[2].intrinsics == root / "intrinsics" / "c.1.txt"
    assert labelled_set.clips[0].poses is None
    row = labelled_set.rows["Static"][0]
    assert (row.video, row.label, row.task, row.question) == ("b.mp4", True, "Static", "Is it Static?")
    assert labelled_set.num_rows == 4
    assert labelled_set.missing_videos == ()


def test_a_folder_of_images_is_a_clip_named_in_full(tmp_path: Path) -> None:
    root = make_label_folder(tmp_path, {"Static": {"shot.1": True}}, videos=())
    (root / "videos" / "shot.1").mkdir()
    assert load_folder(root).clips[0].id == "shot.1"


def test_clips_without_label_or_poses_are_left_out(tmp_path: Path) -> None:
    root = make_label_folder(tmp_path, {"Static": {"a.mp4": True}}, videos=("a.mp4", "other.mp4", "posed.mp4"))
    (root / "poses").mkdir()
    (root / "poses" / "posed.tum").touch()
    assert [clip.id for clip in load_folder(root).clips] == ["a", "posed"]


def test_missing_videos_are_refused_or_kept(tmp_path: Path) -> None:
    root = make_label_folder(tmp_path / "set", TRUTH, videos=("a.mp4",))
    with pytest.raises(LabelError, match=re.escape("the labels name 2 videos that are not in videos/ (first: c.1.webm)")):
        load_folder(root)
    assert load_folder(root, allow_missing=True).missing_videos == ("c.1.webm", "b.mp4")
    assert load_folder(root, allow_missing=True).num_rows == 4


def test_labels_alone_are_enough_when_videos_may_be_missing(tmp_path: Path) -> None:
    root = make_label_folder(tmp_path, TRUTH, videos=())
    (root / "videos").rmdir()
    with pytest.raises(LabelError, match=r"there is no folder .*videos"):
        load_folder(root)
    assert load_folder(root, allow_missing=True).clips == ()


def test_only_the_file_name_of_a_video_counts(tmp_path: Path) -> None:
    path = tmp_path / "Move_In.jsonl"
    path.write_text(label_line("../../etc/a.mp4") + "\n\n  \n" + label_line("b.mp4", "no"))
    assert [(row.video, row.label) for row in read_label_file(path)] == [("a.mp4", True), ("b.mp4", False)]


BAD_LINES = {
    "malformed": ('{"image": "a.mp4", ', "line 2: not a line of JSON"),
    "not an object": ('["a.mp4", "Yes"]', "line 2: expected an object with the keys image, question, label, task, label_name"),
    "no label": (label_line("b.mp4", label=None), "line 2: the key 'label' is missing"),
    "no question": (label_line("b.mp4", question=None), "line 2: the key 'question' is missing"),
    "number for a name": (label_line("b.mp4", image=7), "line 2: the key 'image' is not text"),
    "unsure": (label_line("b.mp4", "Unsure"), "line 2: the label is 'Unsure'; it must be Yes or No"),
    "no file name": (label_line(""), "line 2: 'image' names no file"),
    "another task": (label_line("b.mp4", split="Move_Out"), "line 2: the task is 'Move Out', which does not belong in Move_In.jsonl"),
    "repeated": (label_line("a.mp4"), "line 2: 'a.mp4' has a label already, on line 1"),
    "contradicting": (label_line("a.mp4", "No"), "line 2: 'a.mp4' has a label already, on line 1"),
}


@pytest.mark.parametrize(("line", "sentence"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_named(line: str, sentence: str, tmp_path: Path) -> None:
    root = make_label_folder(tmp_path, {"Move_In": {"a.mp4": True}})
    path = root / "binary_classification" / "Move_In.jsonl"
    path.write_text(f"{label_line('a.mp4')}\n{line}\n")
    with pytest.raises(LabelError, match=re.escape(sentence)) as caught:
        load_folder(root, allow_missing=True)
    assert str(caught.value).startswith(str(path))


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    root = make_label_folder(tmp_path, {"Move_In": {"a.mp4": True}})
    (root / "binary_classification" / "Static.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LabelError, match=r"cannot read the labels .*Static\.jsonl"):
        load_folder(root)


def test_an_unknown_task_file_with_the_nearest_name(tmp_path: Path) -> None:
    root = make_label_folder(tmp_path, {"Move_In": {"a.mp4": True}})
    (root / "binary_classification" / "Zoom_Inn.jsonl").touch()
    with pytest.raises(LabelError, match=r"'Zoom_Inn' is none of the 15 tasks; did you mean Zoom_In\.jsonl\?"):
        load_folder(root)


@pytest.mark.parametrize("labelled", ["a.mp4", "a.webm"])
def test_two_files_of_one_clip_name(labelled: str, tmp_path: Path) -> None:
    root = make_label_folder(tmp_path, {"Move_In": {labelled: True}}, videos=("a.mp4", "a.webm"))
    with pytest.raises(LabelError, match=r"a\.mp4 and a\.webm would both be clip 'a'; rename one of them"):
        load_folder(root)


def test_no_folder_no_labels_and_empty_labels(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"there is no folder .*nowhere$"):
        load_folder(tmp_path / "nowhere")
    with pytest.raises(LabelError, match=r"there is no folder .*binary_classification; the labels are expected there"):
        load_folder(tmp_path)
    (tmp_path / "binary_classification").mkdir()
    with pytest.raises(LabelError, match="there is no label file"):
        load_folder(tmp_path)
    (tmp_path / "binary_classification" / "Move_In.jsonl").touch()
    with pytest.raises(LabelError, match="the label files are all empty"):
        load_folder(tmp_path)


@needs_shared("clips", "videos")
def test_reads_the_shared_clips() -> None:
    assert SHARED is not None
    labelled_set = load_folder(SHARED / "clips")
    assert (len(labelled_set.clips), labelled_set.num_rows, len(labelled_set.rows)) == (76, 745, 15)
    assert sum(clip.poses is not None for clip in labelled_set.clips) == 7
