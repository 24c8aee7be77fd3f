"""Output paths: what an earlier run left is cleared, what is somebody else's stays, and a folder that cannot be made is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfmcam.errors import InputError
from sfmcam.workspace import BenchFolder, ClipFolder, make_folder


def test_one_shot_lies_in_the_clips_own_folder(tmp_path: Path) -> None:
    clip = ClipFolder(tmp_path)
    assert clip.shot(0, num_shots=1).motion == tmp_path / "motion.json"
    assert clip.shot(1, num_shots=2).motion == tmp_path / "shot_02" / "motion.json"


def test_make_empty_removes_results_and_nothing_else(tmp_path: Path) -> None:
    for name in ("scores.json", "notes.txt", "shot_03/motion.json", "shot_04/notes.txt", "shot_04/trajectory.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    ClipFolder(tmp_path).make_empty()
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == ["notes.txt", "shot_04", "shot_04/notes.txt"]


def test_scorings_have_folders_of_their_own(tmp_path: Path) -> None:
    folder = BenchFolder(tmp_path)
    assert folder.scores("glomap", "probability") == tmp_path / "glomap" / "scores"
    assert folder.scores("glomap", "camerabench") == tmp_path / "glomap" / "scores_camerabench"


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(InputError, match=r"cannot make the folder .*taken"):
        make_folder(tmp_path / "taken" / "results")
