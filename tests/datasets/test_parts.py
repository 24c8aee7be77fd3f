"""Parts of a set are those that its manifest or CameraBench's questions tell apart; what cannot be read is one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from label_folder import make_label_folder
from shared_data import SHARED, needs_shared

from sfmcam.datasets.folder import load_folder
from sfmcam.datasets.labelled_set import LabelledSet
from sfmcam.datasets.parts import parts_of
from sfmcam.errors import LabelError

VIDEOS = ("a.mp4", "b.mp4", "c.mp4", "d.mp4")


def labelled(root: Path) -> LabelledSet:
    return load_folder(make_label_folder(root, {"Move_In": dict.fromkeys(VIDEOS, True)}))


def names(labelled_set: LabelledSet) -> dict[str, str]:
    return {f"{p.group}: {p.name}": "".join(sorted(Path(v).stem for v in p.videos)) for p in parts_of(labelled_set).parts}


def test_by_manifest(tmp_path: Path) -> None:
    entries = [
        {"id": "a", "kind": "real", "dynamic_scene": "yes", "mover_share": 0.0, "steadiness": "static", "subsets": ["pure", "low_light"]},
        {"id": "b", "kind": "real", "dynamic_scene": "no", "mover_share": 0.05, "steadiness": "shaky", "subsets": ["pure"]},
        {"id": "c", "kind": "rendered", "mover_share": 0.08, "moving_subject_dominates": "yes", "steadiness": "shaky"},
        {"id": "not-in-the-set", "kind": "other", "mover_share": 0.9},
    ]
    (labelled_set := labelled(tmp_path)).root.joinpath("manifest.json").write_text(json.dumps(entries))
    assert names(labelled_set) == {
        "kind: real": "ab",
        "kind: rendered": "c",
        "scene: dynamic scene": "a",
        "scene: static scene": "b",
        "mover: no mover": "a",
        "mover: mover below 8 %": "b",
        "mover: mover 8-60 %": "c",
        "camera: locked off": "a",
        "camera: shaky": "bc",
        "subset: pure": "ab",
        "subset: low light": "a",
    }
    assert parts_of(labelled_set).source == f"manifest.json of {labelled_set.name}"


def test_a_value_that_all_clips_share_tells_nothing_apart(tmp_path: Path) -> None:
    (labelled_set := labelled(tmp_path)).root.joinpath("manifest.json").write_text(json.dumps([{"id": "a", "kind": "real"}]))
    assert parts_of(labelled_set).parts == ()
    assert parts_of(labelled_set).source == ""


def test_by_questions(tmp_path: Path) -> None:
    labelled_set = labelled(tmp_path)
    folder = tmp_path / "vqa_and_retrieval" / "scene_dynamics"
    folder.mkdir(parents=True)
    pairs = [{"pos_video": "a.mp4", "neg_video": "b.mp4"}, {"pos_video": "elsewhere.mp4", "neg_video": "x/c.mp4"}]
    (folder / "is_scene_static_or_not.jsonl").write_text("\n".join(map(json.dumps, pairs)) + "\n")
    assert names(labelled_set) == {"scene: static scene": "a", "scene: dynamic scene": "bc"}
    assert "some videos only" in parts_of(labelled_set).source


def test_a_set_that_says_nothing(tmp_path: Path) -> None:
    assert parts_of(labelled(tmp_path)).parts == ()


@pytest.mark.parametrize(
    "text", ["", "{}x", "[1]", '[{"name": "a"}]', '[{"id": "a", "mover_share": "much"}]', '[{"id": "a", "subsets": 3}]']
)
def test_a_bad_manifest_is_named(text: str, tmp_path: Path) -> None:
    (labelled_set := labelled(tmp_path)).root.joinpath("manifest.json").write_text(text)
    with pytest.raises(LabelError, match=r"manifest\.json is no list of clips with an 'id' each") as caught:
        parts_of(labelled_set)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["x", "[1]", '{"pos_video": "a.mp4"}', '{"pos_video": 1, "neg_video": "a"}'])
def test_bad_questions_are_named(text: str, tmp_path: Path) -> None:
    labelled_set = labelled(tmp_path)
    folder = tmp_path / "vqa_and_retrieval" / "scene_dynamics"
    folder.mkdir(parents=True)
    (folder / "is_scene_static_or_not.jsonl").write_text(text)
    with pytest.raises(LabelError, match=r"is_scene_static_or_not\.jsonl has no line with 'pos_video' and 'neg_video' each"):
        parts_of(labelled_set)


@needs_shared("camerabench", "vqa_and_retrieval")
def test_camerabench_tells_of_80_static_and_80_dynamic_scenes() -> None:
    assert SHARED is not None
    parts = {part.name: part.videos for part in parts_of(load_folder(SHARED / "camerabench", allow_missing=True)).parts}
    assert (len(parts["static scene"]), len(parts["dynamic scene"])) == (80, 80)
    assert not parts["static scene"] & parts["dynamic scene"]
