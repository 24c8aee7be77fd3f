"""A path that the system does not let be looked at is one sentence of the caller's own error, wherever a person names one."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from label_folder import make_label_folder

from sfmcam.cli.trajectory import name_folders
from sfmcam.datasets.folder import load_folder
from sfmcam.datasets.registry import load_dataset
from sfmcam.errors import ConfigError, InputError, LabelError, ScoreFileError, SfmcamError, TrajectoryFileError, VideoError
from sfmcam.estimators.registry import parse_spec
from sfmcam.io.paths import clip_id, exists, files_below, is_file, is_folder, list_folder
from sfmcam.io.score_reader import read_score_dir
from sfmcam.io.trajectory_file import detect_format

LONG = "x" * 300
ENTRANCES: dict[str, tuple[Callable[[str], object], type[SfmcamError]]] = {
    "video": (lambda name: name_folders((Path(name),), out=Path("out")), VideoError),
    "data set": (load_dataset, LabelError),
    "labelled folder": (lambda name: load_folder(Path(name)), LabelError),
    "scores": (lambda name: read_score_dir(Path(name)), ScoreFileError),
    "trajectory": (lambda name: detect_format(Path(name)), TrajectoryFileError),
    "external": (lambda name: parse_spec(f"external:{name}"), ConfigError),
}


def refuse_stat(self: Path, *, follow_symlinks: bool = True) -> os.stat_result:
    raise PermissionError(errno.EACCES, "Permission denied", str(self))


def forbid_listing(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let `folder` be unreadable, for root too."""
    for module, name in ((os, "scandir"), (os, "listdir")):
        real = getattr(module, name)

        def guarded(path: str | Path = ".", *, real: Callable[..., object] = real) -> object:
            if Path(path) == folder:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return real(path)

        monkeypatch.setattr(module, name, guarded)


@pytest.mark.parametrize(("read", "kind"), ENTRANCES.values(), ids=ENTRANCES.keys())
def test_a_folder_that_may_not_be_looked_into(
    read: Callable[[str], object], kind: type[SfmcamError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "stat", refuse_stat)
    with pytest.raises(kind, match=r"cannot read .*secret/it: permission denied"):
        read("secret/it")


@pytest.mark.parametrize(("read", "kind"), ENTRANCES.values(), ids=ENTRANCES.keys())
def test_a_name_that_is_too_long(read: Callable[[str], object], kind: type[SfmcamError]) -> None:
    with pytest.raises(kind, match=rf"cannot read .*{LONG}: file name too long"):
        read(LONG)


def test_labels_that_may_not_be_listed_are_not_taken_for_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_label_folder(tmp_path, {"Static": {"a.mp4": True}})
    forbid_listing(monkeypatch, root / "binary_classification")
    with pytest.raises(LabelError, match=r"cannot read .*binary_classification: permission denied"):
        load_folder(root)


def test_scores_in_a_folder_that_may_not_be_listed_are_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    forbid_listing(monkeypatch, tmp_path / "deep")
    with pytest.raises(ScoreFileError, match=r"cannot read .*deep: permission denied"):
        read_score_dir(tmp_path)


def test_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.txt").touch()
    (tmp_path / "a.txt").touch()
    (tmp_path / "link").symlink_to(tmp_path / "b")
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    assert [is_folder(tmp_path / name) for name in ("b", "link", "a.txt", "gone", "a.txt/below")] == [True, True, False, False, False]
    assert [is_file(tmp_path / name) for name in ("a.txt", "b", "gone", "link/c.txt")] == [True, False, False, True]
    assert [exists(tmp_path / name) for name in ("a.txt", "b", "gone", "dangling")] == [True, True, False, False]
    assert [path.name for path in list_folder(tmp_path)] == ["a.txt", "b", "dangling", "link"]
    assert [str(path.relative_to(tmp_path)) for path in files_below(tmp_path)] == ["a.txt", "b/c.txt", "dangling"]
    with pytest.raises(InputError, match="no such file or directory"):
        list_folder(tmp_path / "gone")


def test_a_clip_is_named_after_its_file_or_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scene.v2").mkdir()
    (tmp_path / "shot.1").symlink_to(tmp_path / "scene.v2")
    monkeypatch.chdir(tmp_path / "scene.v2")
    names = [clip_id(path) for path in (tmp_path / "a.b.mp4", tmp_path / "scene.v2", tmp_path / "shot.1", Path(), Path("../scene.v2/"))]
    assert names == ["a.b", "scene.v2", "shot.1", "scene.v2", "scene.v2"]
