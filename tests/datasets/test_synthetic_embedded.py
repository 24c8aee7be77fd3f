"""The embedded set on disk: layout, labels, resuming, and files that other readers accept."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from shared_data import SHARED, needs_shared

from sfmcam.datasets.folder import load_folder
from sfmcam.datasets.synthetic import rendered_set
from sfmcam.datasets.synthetic.camera_path import Shake, pan, zoom
from sfmcam.datasets.synthetic.clip import render_clip
from sfmcam.datasets.synthetic.embedded import ensure_embedded_set
from sfmcam.datasets.synthetic.labels import Label, Thresholds, label_clip
from sfmcam.datasets.synthetic.rendered_set import ensure_set
from sfmcam.datasets.synthetic.scene import Scene, vertical
from sfmcam.datasets.synthetic.scenes.movers import MoverKind, MoverSpec
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.datasets.synthetic.stage import SCENES
from sfmcam.datasets.synthetic.writer import write_video
from sfmcam.errors import InputError, SfmcamError
from sfmcam.io.tum import read_tum
from sfmcam.motion.measure import measure
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.motion.score import score_primitives

TINY = {"size_px": (96, 54), "fps": 6.0, "seconds": 1.0}
SPECS = (
    ClipSpec("pan", "wall", 1, (pan(20),), **TINY),
    ClipSpec("zoom", "wall", 2, (zoom(1.4),), **TINY),
    ClipSpec("tripod", "wall", 3, movers=(MoverSpec(MoverKind.WALKER, (0.5, -0.8), (-0.9, 0.0)),), **TINY),
    ClipSpec("hand", "wall", 4, shake=Shake(0.008, 0.005, 1), **TINY),
)


def wall(rng: np.random.Generator) -> Scene:
    """A set that is built in no time: one noisy wall."""
    texture = np.repeat(np.repeat(rng.integers(0, 255, (16, 32, 3)).astype(np.uint8), 16, axis=0), 16, axis=1)
    return Scene((vertical((-6, 3, 3), (12, 6), texture),), np.eye(4), np.array([0.0, 1.5, 2.4]))


@pytest.fixture(scope="module", autouse=True)
def _wall_is_a_scene() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SCENES, "wall", wall)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ensure_set(tmp_path_factory.mktemp("set") / "deeper" / "set", SPECS, workers=1)


def manifest(folder: Path) -> dict[str, dict]:
    return {entry["id"]: entry for entry in json.loads((folder / "manifest.json").read_text())}


def ages(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "videos").iterdir()}


def test_labels_are_those_of_the_paths(made: Path) -> None:
    yes = {name: [k for k, v in entry["labels"].items() if v == "yes"] for name, entry in manifest(made).items()}
    assert yes == {"pan": ["pan_right"], "zoom": ["zoom_in"], "tripod": ["static"], "hand": []}
    assert manifest(made)["hand"]["labels"]["static"] == "no"
    assert [entry["steadiness"] for entry in manifest(made).values()] == ["smooth", "smooth", "static", "shaky"]
    assert [entry["dynamic_scene"] for entry in manifest(made).values()] == ["no", "no", "yes", "no"]


def test_the_dataset_reader_takes_it(made: Path) -> None:
    dataset = load_folder(made)
    assert [clip.id for clip in dataset.clips] == ["hand", "pan", "tripod", "zoom"]
    assert set(dataset.rows) == {primitive.split_name for primitive in PRIMITIVES}
    assert dataset.num_rows == sum(v != "unsure" for e in manifest(made).values() for v in e["labels"].values())
    assert all(clip.poses is not None and clip.intrinsics is not None for clip in dataset.clips)


def test_unsure_labels_are_left_out_of_the_label_files(tmp_path: Path) -> None:
    folder = ensure_set(tmp_path, (ClipSpec("slight", "wall", 1, (pan(2.5),), **TINY), SPECS[1]), workers=1)
    assert manifest(folder)["slight"]["labels"]["pan_right"] == "unsure"
    lines = (folder / "binary_classification" / "Pan_Right.jsonl").read_text().splitlines()
    assert [json.loads(line)["image"] for line in lines] == ["zoom.mp4"]


def test_videos_have_the_stated_frames_times_and_pictures(made: Path) -> None:
    clip = render_clip(SPECS[0])
    with av.open(str(made / "videos" / "pan.mp4")) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        assert stream.codec_context.name == "h264"
    assert [float(frame.pts * frame.time_base) for frame in frames] == pytest.approx(clip.timestamps_s)
    decoded = np.stack([frame.to_ndarray(format="rgb24") for frame in frames]).astype(float)
    assert np.abs((decoded - clip.frames).mean(axis=3)).mean() < 5  # brightness; 4:2:0 halves the resolution of colour


def test_poses_and_intrinsics_are_the_clips_own(made: Path) -> None:
    clip = render_clip(SPECS[1])
    stored = read_tum(made / "poses" / "zoom.tum")
    assert stored.cam_from_world == pytest.approx(clip.cam_from_world, abs=1e-12)
    assert stored.timestamps_s == pytest.approx(clip.timestamps_s)
    rows = np.loadtxt(made / "intrinsics" / "zoom.txt")
    assert rows == pytest.approx(np.column_stack([clip.focal_px, clip.focal_px, np.full(6, 48.0), np.full(6, 27.0)]))
    assert rows[-1, 0] / rows[0, 0] == pytest.approx(1.4)


def test_a_complete_set_is_left_alone(made: Path) -> None:
    before, calls = ages(made), []
    ensure_set(made, SPECS, progress=lambda done, total: calls.append((done, total)))
    assert ages(made) == before
    assert calls == [(4, 4)]


@pytest.mark.parametrize("lost", ["clips/zoom.json", "videos/zoom.mp4", "poses/zoom.tum", "intrinsics/zoom.txt"])
def test_an_interrupted_set_is_completed_without_redoing_clips(made: Path, lost: str) -> None:
    before, calls = ages(made), []
    whole = {path.name: path.read_bytes() for path in (made / "binary_classification").iterdir()}
    (made / lost).unlink()
    (made / "generator.json").unlink()
    ensure_set(made, SPECS, progress=lambda done, total: calls.append((done, total)), workers=1)
    assert [name for name, age in ages(made).items() if before.get(name) != age] == ["zoom.mp4"]
    assert calls == [(3, 4), (4, 4)]
    assert {path.name: path.read_bytes() for path in (made / "binary_classification").iterdir()} == whole


def test_half_written_records_count_as_missing(tmp_path: Path) -> None:
    ensure_set(tmp_path, SPECS[:1], workers=1)
    (tmp_path / "clips" / "pan.json").write_text('{"id": "pan", "dig')
    assert manifest(ensure_set(tmp_path, SPECS[:1], workers=1))["pan"]["labels"]["pan_right"] == "yes"


def test_another_recipe_or_version_is_rendered_anew_and_old_clips_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_set(tmp_path, SPECS[:2], workers=1)
    before = ages(tmp_path)
    changed = replace(SPECS[0], curves=(pan(-20),))
    ensure_set(tmp_path, (changed, SPECS[1]), workers=1)
    assert manifest(tmp_path)["pan"]["labels"]["pan_left"] == "yes"
    assert ages(tmp_path)["zoom.mp4"] == before["zoom.mp4"]
    monkeypatch.setattr(rendered_set, "GENERATOR_VERSION", "next")
    ensure_set(tmp_path, (SPECS[1],), workers=1)
    assert ages(tmp_path)["zoom.mp4"] != before["zoom.mp4"]
    assert sorted(path.name for folder in ("videos", "poses", "intrinsics") for path in (tmp_path / folder).iterdir()) == [
        "zoom.mp4",
        "zoom.tum",
        "zoom.txt",
    ]


def test_several_processes_write_the_same_set(tmp_path: Path) -> None:
    specs = tuple(replace(spec, scene="gallery") for spec in SPECS[:2])
    together, alone = (ensure_set(tmp_path / str(workers), specs, workers=workers) for workers in (2, 1))
    assert manifest(together) == manifest(alone)
    for spec in specs:
        assert (together / "videos" / f"{spec.id}.mp4").read_bytes() == (alone / "videos" / f"{spec.id}.mp4").read_bytes()


def test_a_process_that_dies_is_one_sentence_and_loses_nothing_that_is_done(tmp_path: Path) -> None:
    specs = tuple(replace(spec, scene="gallery") for spec in SPECS[:2])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendered_set, "_use_one_thread", _die)
        with pytest.raises(SfmcamError, match="run it again"):
            ensure_set(tmp_path, specs, workers=2)
    assert manifest(ensure_set(tmp_path, specs, workers=1)).keys() == {"pan", "zoom"}


def _die() -> None:
    os._exit(9)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(InputError, match=r"cannot write to .*taken"):
        ensure_set(tmp_path / "taken", SPECS, workers=1)


def test_a_folder_without_permission_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refused)  # not chmod: tests may run as root, whom it does not stop
    with pytest.raises(InputError, match="permission denied"):
        ensure_set(tmp_path / "inner", SPECS, workers=1)


def test_an_encoder_failure_leaves_no_half_video(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        write_video(tmp_path / "nowhere" / "x.mp4", np.zeros((2, 16, 16, 3), np.uint8), fps=10, crf=20)
    assert list(tmp_path.iterdir()) == []


@needs_shared("camerabench", "binary_classification")
@pytest.mark.parametrize("split", [primitive.split_name for primitive in PRIMITIVES])
def test_questions_and_label_names_are_camerabenchs(made: Path, split: str) -> None:
    assert SHARED is not None
    theirs, ours = (
        json.loads((root / "binary_classification" / f"{split}.jsonl").read_text().splitlines()[0])
        for root in (SHARED / "camerabench", made)
    )
    assert list(ours) == list(theirs)
    assert [ours[key] for key in ("question", "task", "label_name")] == [theirs[key] for key in ("question", "task", "label_name")]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_whole_embedded_set_agrees_with_the_projects_own_measurement(tmp_path: Path) -> None:
    """Scores of the true poses, made without knowing the labels, rank every clip that does a motion above every one that does not."""
    folder = ensure_embedded_set(tmp_path, workers=2)
    truth = manifest(folder)
    scores: dict[str, dict[str, float]] = {}
    for name, entry in truth.items():
        clip_focals = np.loadtxt(folder / "intrinsics" / f"{name}.txt")[:, 0]
        trajectory = replace(
            read_tum(folder / "poses" / f"{name}.tum"),
            focal_px=clip_focals,
            median_depth=np.full(entry["n_frames"], entry["median_depth_m"]),
            image_size_px=(entry["width"], entry["height"]),
        )
        scores[name] = score_primitives(measure(trajectory))
    for primitive in PRIMITIVES:
        yes = [scores[n][primitive.id] for n, e in truth.items() if e["labels"][primitive.id] == "yes"]
        no = [scores[n][primitive.id] for n, e in truth.items() if e["labels"][primitive.id] == "no"]
        assert yes, primitive.id
        assert min(yes) > max(no), primitive.id


def test_labels_of_a_rendered_clip_use_the_depth_that_was_seen() -> None:
    truth = label_clip(render_clip(SPECS[0]), Thresholds(rotation_yes_deg=25, rotation_no_deg=15))
    assert truth.labels["pan_right"] is Label.UNSURE
    assert truth.labels["static"] is Label.NO
    assert truth.speed in ("slow", "regular", "fast")
