"""The four files of a measured path are written together, readable again, and over an earlier result."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest
from trajectory_samples import random_poses, trajectory_of

from sfmcam.errors import InputError
from sfmcam.io.artifacts import write_artifacts
from sfmcam.io.trajectory_file import read_trajectory


def test_the_four_files_are_there_and_readable(tmp_path: Path) -> None:
    trajectory = trajectory_of(random_poses(3))
    for run in (1, 2):
        paths = write_artifacts(
            tmp_path / "a" / "b", trajectory=trajectory, motion={"run": run, "x": float("nan")}, scores={"pan_left": 0.5}
        )
    assert sorted(p.name for p in (tmp_path / "a" / "b").iterdir()) == ["motion.json", "scores.json", "trajectory.npz", "trajectory.tum"]
    assert json.loads(paths["motion"].read_text(encoding="utf-8")) == {"run": 2, "x": None}
    assert json.loads(paths["scores"].read_text(encoding="utf-8")) == {"pan_left": 0.5}
    for name, fmt in (("tum", "tum"), ("npz", "sfmcam")):
        np.testing.assert_allclose(read_trajectory(paths[name], fmt).cam_from_world, trajectory.cam_from_world, atol=1e-9)


def refused(path: Path, *_: object, **__: object) -> None:
    raise PermissionError(errno.EACCES, "Permission denied", str(path))


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="cannot make the folder"):
        write_artifacts(tmp_path / "out" / "clip", trajectory=trajectory_of(random_poses(3)), motion={}, scores={})


def test_an_unwritable_folder_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "mkdir", refused)  # not chmod: tests may run as root, whom it does not stop
    with pytest.raises(InputError, match="cannot"):
        write_artifacts(tmp_path / "out", trajectory=trajectory_of(random_poses(3)), motion={}, scores={})
