"""One function reads every format; formats are told apart by content; a frame rate is asked only where the file has no times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from trajectory_samples import random_poses, trajectory_of

from sfmcam.errors import ConfigError, TrajectoryFileError
from sfmcam.geometry.rigid import inverse
from sfmcam.io.trajectory_file import DEFAULT_FPS, READERS, detect_format, load_trajectory, read_trajectory, write_npz, write_tum
from sfmcam.types import CameraTrajectory

N = 3


def trajectory() -> CameraTrajectory:
    return trajectory_of(random_poses(N), fps=DEFAULT_FPS)


def write_as(fmt: str, folder: Path) -> Path:
    """Write the same path in any format, by hand where the package has no writer; returns what a user would name."""
    cam_from_world, world_from_cam = random_poses(N), inverse(random_poses(N))
    path = folder / {"tum": "p.tum", "kitti": "p.txt", "colmap": "model", "vipe": "pose/p.npz"}.get(fmt, "p.npz")
    path.parent.mkdir(exist_ok=True)
    if fmt == "tum":
        write_tum(path, trajectory())
    elif fmt == "sfmcam":
        write_npz(path, trajectory())
    elif fmt == "kitti":
        np.savetxt(path, world_from_cam[:, :3].reshape(N, 12))
    elif fmt == "megasam":
        np.savez(path, cam_c2w=world_from_cam, intrinsic=np.eye(3))
    elif fmt == "vipe":
        np.savez(path, data=world_from_cam, inds=np.arange(N))
    else:
        import pycolmap

        path.mkdir()
        lines = []
        for i, pose in enumerate(cam_from_world):
            x, y, z, w = pycolmap.Rotation3d(pose[:3, :3]).quat
            lines += [f"{i + 1} {w} {x} {y} {z} {' '.join(map(repr, pose[:3, 3].tolist()))} 1 {i}.png", ""]
        (path / "images.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (path / "cameras.txt").write_text("1 PINHOLE 64 48 50 50 32 24\n", encoding="utf-8")
        (path / "points3D.txt").write_text("1 0 0 5 255 0 0 0.5\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("fmt", READERS)
def test_every_format_gives_the_same_path_and_is_recognised(tmp_path: Path, fmt: str) -> None:
    path = write_as(fmt, tmp_path)
    assert detect_format(path) == fmt
    got = read_trajectory(path, fmt)
    np.testing.assert_allclose(got.cam_from_world, random_poses(N), atol=1e-9)
    np.testing.assert_allclose(got.timestamps_s, np.arange(N) / DEFAULT_FPS)
    assert got.valid.all()


@pytest.mark.parametrize("fmt", READERS)
def test_a_frame_rate_is_for_formats_without_times_only(tmp_path: Path, fmt: str) -> None:
    path = write_as(fmt, tmp_path)
    if READERS[fmt].has_times:
        with pytest.raises(ConfigError, match="has no meaning"):
            read_trajectory(path, fmt, fps=2.0)
    else:
        assert read_trajectory(path, fmt, fps=2.0).timestamps_s.tolist() == [0, 0.5, 1]
        with pytest.raises(ConfigError, match="must be positive"):
            read_trajectory(path, fmt, fps=0.0)


@pytest.mark.parametrize("fmt", READERS)
def test_a_missing_file_is_one_sentence_in_every_format(tmp_path: Path, fmt: str) -> None:
    with pytest.raises(TrajectoryFileError, match="nowhere"):
        read_trajectory(tmp_path / "nowhere", fmt)


@pytest.mark.parametrize("fmt", READERS)
def test_a_file_of_another_format_is_one_sentence(tmp_path: Path, fmt: str) -> None:
    for other in READERS:
        if other != fmt and (other, fmt) != ("vipe", "vipe"):
            folder = tmp_path / other
            folder.mkdir(exist_ok=True)
            path = write_as(other, folder) if not any(folder.iterdir()) else next(folder.iterdir())
            with pytest.raises(TrajectoryFileError):
                read_trajectory(path, fmt)


def test_an_unknown_format_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no trajectory format 'xyz'; known: tum, kitti"):
        read_trajectory(tmp_path, "xyz")


def test_points_come_with_a_colmap_model_only(tmp_path: Path) -> None:
    content = load_trajectory(write_as("colmap", tmp_path), "colmap")
    assert content.points is not None
    assert content.points.points_in_world.tolist() == [[0, 0, 5]]
    assert load_trajectory(write_as("tum", tmp_path), "tum").points is None


def test_unknown_content_is_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", other=np.ones(3))
    (tmp_path / "x.txt").write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(TrajectoryFileError, match="no known tool"):
        detect_format(tmp_path / "x.npz")
    with pytest.raises(TrajectoryFileError, match="holds no pose"):
        detect_format(tmp_path / "x.txt")
