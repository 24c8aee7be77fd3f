"""`sfmcam score`: any tool's trajectory gives a sentence, 15 scores and files; every bad file one sentence and a non-zero exit code."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from shared_data import SHARED, needs_shared
from trajectory_samples import trajectory_of

from sfmcam.cli.main import run
from sfmcam.cli.score import FORMAT_CHOICES, score
from sfmcam.geometry.rigid import inverse, rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.io.trajectory_file import READERS, read_trajectory, write_npz, write_tum
from sfmcam.motion.primitive import PRIMITIVE_BY_ID
from sfmcam.types import CameraTrajectory, Float

N = 12


def world_from_cam() -> Float:
    """A camera that pans right by 2 degrees per frame."""
    turns = np.zeros((N, 3))
    turns[:, 1] = np.radians(2) * np.arange(N)
    return rigid_from_parts(rotation_from_vector(turns), np.zeros(3))


def panning() -> CameraTrajectory:
    return trajectory_of(inverse(world_from_cam()))


def write_as(fmt: str, folder: Path) -> Path:
    path = folder / {"tum": "pan.tum", "kitti": "pan.txt"}.get(fmt, "pan.npz")
    if fmt == "tum":
        write_tum(path, panning())
    elif fmt == "sfmcam":
        write_npz(path, panning())
    elif fmt == "kitti":
        np.savetxt(path, world_from_cam()[:, :3].reshape(N, 12))
    else:
        np.savez(path, cam_c2w=world_from_cam(), intrinsic=np.diag([300.0, 300, 1]))
    return path


def test_the_offered_formats_are_those_that_can_be_read() -> None:
    assert set(FORMAT_CHOICES) == {"auto", *READERS}


@pytest.mark.parametrize("fmt", ["tum", "kitti", "megasam", "sfmcam"])
@pytest.mark.parametrize("named", [True, False], ids=["format-given", "format-found"])
def test_every_tool_gets_a_sentence_and_15_scores(tmp_path: Path, fmt: str, named: bool) -> None:
    path = write_as(fmt, tmp_path)
    result = CliRunner().invoke(score, [str(path), *(["--format", fmt] if named else [])])
    assert result.exit_code == 0, result.output
    assert f"pan  {fmt}" in result.output
    assert "pans right" in result.output
    assert "12 of 12 poses" in result.output
    lines = result.output.splitlines()
    assert sum(any(line.split()[:1] == [name] for line in lines) for name in PRIMITIVE_BY_ID) == 15
    first = next(line for line in lines if line.split()[:1] and line.split()[0] in PRIMITIVE_BY_ID)
    assert first.split()[0] == "pan_right"


def test_files_are_written_only_when_asked(tmp_path: Path) -> None:
    path = write_as("tum", tmp_path)
    out = tmp_path / "out"
    assert CliRunner().invoke(score, [str(path)]).exit_code == 0
    assert not out.exists()
    result = CliRunner().invoke(score, [str(path), "-o", str(out)])
    assert f"files: {out}/pan/" in result.output
    assert sorted(p.name for p in (out / "pan").iterdir()) == ["motion.json", "scores.json", "trajectory.npz", "trajectory.tum"]
    scores = json.loads((out / "pan" / "scores.json").read_text(encoding="utf-8"))
    assert scores["depth"].keys() == scores["camerabench"].keys() == PRIMITIVE_BY_ID.keys()
    assert "pans right" in json.loads((out / "pan" / "motion.json").read_text(encoding="utf-8"))["sentence"]
    for name, fmt in (("trajectory.tum", "tum"), ("trajectory.npz", "sfmcam")):
        np.testing.assert_allclose(read_trajectory(out / "pan" / name, fmt).cam_from_world, panning().cam_from_world, atol=1e-9)


@pytest.mark.parametrize("scoring", ["depth", "camerabench"])
def test_json_is_one_object_with_the_chosen_scores(tmp_path: Path, scoring: str) -> None:
    path = write_as("tum", tmp_path)
    result = CliRunner().invoke(score, [str(path), "--json", "--scoring", scoring])
    document = json.loads(result.output)
    assert (document["file"], document["format"], document["scoring"], document["folder"]) == (str(path), "tum", scoring, None)
    assert document["scores"].keys() == PRIMITIVE_BY_ID.keys()
    assert document["scores"]["pan_right"] == max(document["scores"][p] for p in PRIMITIVE_BY_ID if p not in ("zoom_in", "static"))
    assert document["motion"]["num_valid"] == N


def test_the_frame_rate_sets_the_times_of_formats_that_only_count(tmp_path: Path) -> None:
    path = write_as("kitti", tmp_path)
    document = json.loads(CliRunner().invoke(score, [str(path), "--json", "--fps", "2"]).output)
    assert document["end_s"] == (N - 1) / 2


@pytest.mark.parametrize(
    ("content", "arguments", "code", "words"),
    [
        (None, [], 1, "There is no file in.txt"),
        ("", [], 1, "holds no pose"),
        ("hello world\n", [], 1, "Error: in.txt, line 1: 'hello' is not a number"),
        ("0 0 0 0 0 0 0 1\n", [], 1, "in.txt: only 1 of 1 frames have a pose"),
        ("0 0 0 0 0 0 0 1\n1 nan 0 0 0 0 0 1\n", [], 1, "line 2: holds a number that is NaN"),
        ("1 0 0 0 0 0 0 1\n0 0 0 0 0 0 0 1\n", [], 1, "line 2: time 0.0 comes after 1.0"),
        ("0 0 0 0 0 0 0 1\n1 0 0 0 3 0 0 1\n", [], 1, "line 2: the quaternion has length"),
        ("0 0 0 0 0 0 0 1\n", ["--format", "kitti"], 1, "8 numbers instead of 12"),
        ("0 0 0 0 0 0 0 1\n", ["--format", "megasam"], 1, "is not an npz file"),
        ("0 0 0 0 0 0 0 1\n", ["--format", "colmap"], 1, "is not a folder"),
        ("0 0 0 0 0 0 0 1\n", ["--format", "xyz"], 2, "xyz"),
        ("0 0 0 0 0 0 0 1\n", ["--scoring", "xyz"], 2, "xyz"),
        ("0 0 0 0 0 0 0 1\n", ["--fps", "5"], 2, "A frame rate has no meaning for the format tum"),
        ("1 0 0 0 0 1 0 0 0 0 1 0\n", ["--fps", "-5"], 2, "The frame rate must be positive"),
        ("0 0 0 0 0 0 0 1\n1 0 0 0 0 0 0 1\n", ["-o", "in.txt/out"], 1, "Cannot make the folder"),
    ],
)
def test_a_mistake_is_one_sentence(
    content: str | None, arguments: list[str], code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("in.txt").write_text(content, encoding="utf-8")
    assert run(["score", "in.txt", *arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert words in printed.err
    assert "Traceback" not in printed.err
    assert printed.err.strip().count("\n") == 0


@needs_shared("trajectories")
def test_every_shared_trajectory_can_be_scored() -> None:
    assert SHARED is not None
    for path in sorted((SHARED / "trajectories").glob("*.tum")):
        result = CliRunner().invoke(score, [str(path), "--json"])
        assert result.exit_code == 0, f"{path}: {result.output}"
        assert np.isfinite(list(json.loads(result.output)["scores"].values())).all()
