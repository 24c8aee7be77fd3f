"""KITTI files: 12 numbers per line, camera-to-world, times invented from a frame rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from trajectory_samples import random_poses

from sfmcam.errors import TrajectoryFileError
from sfmcam.geometry.rigid import inverse
from sfmcam.io.kitti import read_kitti

IDENTITY = "1 0 0 0 0 1 0 0 0 0 1 0"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "00.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_poses_are_inverted_and_times_count_frames(tmp_path: Path) -> None:
    world_from_cam = random_poses(5)
    text = "\n".join(" ".join(f"{x:.17g}" for x in pose[:3].ravel()) for pose in world_from_cam)
    trajectory = read_kitti(written(tmp_path, text), 4.0)
    np.testing.assert_allclose(trajectory.cam_from_world, inverse(world_from_cam), atol=1e-12)
    assert trajectory.timestamps_s.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_matrix_printed_with_four_digits_becomes_an_exact_rotation(tmp_path: Path) -> None:
    text = "\n".join(" ".join(f"{x:.4f}" for x in pose[:3].ravel()) for pose in random_poses(20, seed=3))
    rotations = read_kitti(written(tmp_path, text), 10.0).cam_from_world[:, :3, :3]
    np.testing.assert_allclose(rotations @ rotations.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (20, 3, 3)), atol=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no pose"),
        ("0 1 2 3 0 0 0 1\n", "line 1: 8 numbers instead of 12"),
        (f"{IDENTITY}\n2 0 0 0 0 2 0 0 0 0 2 0\n", "line 2: the 3x3 part of the pose is not a rotation"),
        (f"{IDENTITY}\n1 0 0 0 0 1 0 0 0 0 -1 0\n", "line 2: the 3x3 part of the pose is a mirror image"),
        (f"{IDENTITY}\n0 0 0 0 0 0 0 0 0 0 0 0\n", "line 2: the 3x3 part of the pose is not a rotation"),
        (f"{IDENTITY}\n1e200 0 0 0 0 1 0 0 0 0 1 0\n", "line 2: the 3x3 part of the pose is not a rotation"),
        ("1 0 0 nan 0 1 0 0 0 0 1 0\n", "line 1: holds a number that is NaN"),
    ],
)
def test_a_fault_names_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TrajectoryFileError, match=message):
        read_kitti(written(tmp_path, text), 10.0)
