"""TUM files: camera-to-world in the file, cam_from_world in memory, nothing lost on the way, every fault named with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import SHARED, needs_shared
from trajectory_samples import random_poses, trajectory_of

from sfmcam.errors import InputError, TrajectoryFileError
from sfmcam.io.tum import HEADER, read_tum, write_tum
from sfmcam.types import Scale

GOOD_LINE = "0.5 1 2 3 0 0 0 1"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "path.tum"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_translation_in_the_file_is_the_camera_centre_and_its_quaternion_turns_camera_axes_into_the_world(tmp_path: Path) -> None:
    """A camera at (1, 2, 3) turned 90 degrees about y: its z axis is the world's x axis."""
    half = float(np.sqrt(0.5))
    trajectory = read_tum(written(tmp_path, f"7.25 1 2 3 0 {half} 0 {half}\n"))
    expected = [[0, 0, -1, 3], [0, 1, 0, -2], [1, 0, 0, -1], [0, 0, 0, 1]]
    np.testing.assert_allclose(trajectory.cam_from_world[0], expected, atol=1e-12)
    assert trajectory.timestamps_s.tolist() == [7.25]


def test_what_the_format_does_not_say_is_unknown(tmp_path: Path) -> None:
    trajectory = read_tum(written(tmp_path, GOOD_LINE))
    assert np.isnan(trajectory.focal_px).all()
    assert np.isnan(trajectory.median_depth).all()
    assert (trajectory.scale, trajectory.image_size_px) == (Scale.ARBITRARY, None)


@pytest.mark.parametrize(
    "text",
    [
        "# a comment\n\n0 1 2 3 0 0 0 1\n   \n1 1 2 3 0 0 0 1 # another\n",
        "0,1,2,3,0,0,0,1\n1, 1, 2, 3, 0, 0, 0, 1\n",
        "\ufeff0 1 2 3 0 0 0 1\r\n1\t1 2 3 0 0 0 1\r\n",
        "0 1 2 3 0 0 0 1\n1e0 1 2 3 0 0 0 -1",
        "0 1 2 3 0 0 0 1\n1 1 2 3 0 0 0 0.999",
    ],
    ids=["comments", "commas", "bom-and-crlf", "no-newline-negative-quaternion", "slightly-unnormalised"],
)
def test_harmless_variants_are_read(tmp_path: Path, text: str) -> None:
    trajectory = read_tum(written(tmp_path, text))
    assert trajectory.timestamps_s.tolist() == [0.0, 1.0]
    np.testing.assert_allclose(trajectory.cam_from_world, np.broadcast_to(trajectory.cam_from_world[0], (2, 4, 4)), atol=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no pose"),
        ("# only a comment\n", "holds no pose"),
        ("once upon a time\n", "line 1: 'once' is not a number"),
        (f"{GOOD_LINE}\n1 2 3\n", "line 2: 3 numbers instead of 8"),
        (f"{GOOD_LINE} 9\n", "line 1: 9 numbers instead of 8"),
        (f"# c\n{GOOD_LINE}\n1 nan 2 3 0 0 0 1\n", "line 3: holds a number that is NaN"),
        (f"{GOOD_LINE}\n1 inf 2 3 0 0 0 1\n", "line 2: holds a number that is NaN or infinite"),
        (f"{GOOD_LINE}\n0.25 1 2 3 0 0 0 1\n", "line 2: time 0.25 comes after 0.5"),
        (f"{GOOD_LINE}\n\n{GOOD_LINE}\n", "line 3: time 0.5 repeats"),
        ("0 1 2 3 0 0 0 0\n", "line 1: the quaternion has length 0 instead of 1"),
        ("0 1 2 3 1 1 1 1\n", "line 1: the quaternion has length 2"),
        ("0 1 2 3 1e308 1e308 0 0\n", "line 1: the quaternion has length inf"),
    ],
)
def test_a_fault_is_one_sentence_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(TrajectoryFileError) as error:
        read_tum(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_a_folder_and_a_binary_file_are_told_apart(tmp_path: Path) -> None:
    binary = tmp_path / "video.tum"
    binary.write_bytes(b"\x00\x00\x00\x18ftypmp42\xff\xfe\xfd" * 10)
    with pytest.raises(TrajectoryFileError, match="there is no file"):
        read_tum(tmp_path / "nowhere.tum")
    with pytest.raises(TrajectoryFileError, match="is a folder"):
        read_tum(tmp_path)
    with pytest.raises(TrajectoryFileError, match="is not a text file"):
        read_tum(binary)


@settings(deadline=None, max_examples=25)
@given(n=st.integers(1, 8), seed=st.integers(0, 10**6))
def test_writing_and_reading_gives_back_the_poses(tmp_path_factory: pytest.TempPathFactory, n: int, seed: int) -> None:
    path = tmp_path_factory.mktemp("tum") / "path.tum"
    trajectory = trajectory_of(random_poses(n, seed=seed), timestamps_s=np.cumsum(np.random.default_rng(seed).random(n) + 1e-9) + 1.3e9)
    write_tum(path, trajectory)
    back = read_tum(path)
    np.testing.assert_array_equal(back.timestamps_s, trajectory.timestamps_s)
    np.testing.assert_allclose(back.cam_from_world, trajectory.cam_from_world, atol=1e-12)


def test_only_frames_with_a_pose_are_written_and_the_header_names_the_convention(tmp_path: Path) -> None:
    poses = random_poses(4)
    poses[2] = np.nan
    write_tum(tmp_path / "path.tum", trajectory_of(poses, valid=np.array([True, True, False, True])))
    lines = (tmp_path / "path.tum").read_text(encoding="utf-8").splitlines()
    assert lines[0] == HEADER
    assert "camera-to-world" in lines[0]
    assert [float(line.split()[0]) for line in lines[1:]] == [0.0, 0.1, 0.3]


def test_a_trajectory_without_any_pose_makes_a_file_with_a_header_only(tmp_path: Path) -> None:
    write_tum(tmp_path / "path.tum", trajectory_of(np.full((3, 4, 4), np.nan), valid=np.zeros(3, dtype=bool)))
    assert (tmp_path / "path.tum").read_text(encoding="utf-8") == HEADER + "\n"


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "path.tum"
    write_tum(path, trajectory_of(random_poses(2)))
    with pytest.raises(InputError, match="cannot write"):
        write_tum(tmp_path / "no" / "folder.tum", trajectory_of(random_poses(2)))
    assert [p.name for p in tmp_path.iterdir()] == ["path.tum"]


@needs_shared("trajectories")
def test_every_shared_trajectory_survives_reading_writing_and_reading(tmp_path: Path) -> None:
    assert SHARED is not None
    paths = sorted((SHARED / "trajectories").glob("*.tum"))
    assert len(paths) > 30
    for path in paths:
        first = read_tum(path)
        write_tum(tmp_path / path.name, first)
        np.testing.assert_allclose(read_tum(tmp_path / path.name).cam_from_world, first.cam_from_world, atol=1e-9)
