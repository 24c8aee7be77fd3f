"""ViPE's results: frame numbers become times, focal length only where the model is a pinhole, depth from its OpenEXR maps."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_exr import encode
from trajectory_samples import random_poses

from sfmcam.errors import TrajectoryFileError
from sfmcam.geometry.rigid import inverse
from sfmcam.io.trajectory_file import read_trajectory
from sfmcam.io.vipe_file import read_vipe
from sfmcam.types import Scale

INDS = np.array([0, 1, 3])


def result(tmp_path: Path, name: str = "clip", **pose_arrays: Any) -> Path:
    """Write what ViPE writes for a video of four frames of which it lost one; returns the pose file."""
    for folder in ("pose", "intrinsics", "depth"):
        (tmp_path / folder).mkdir(exist_ok=True)
    arrays = {"data": random_poses(3).astype(np.float32), "inds": INDS} | pose_arrays
    np.savez(tmp_path / "pose" / f"{name}.npz", **{k: v for k, v in arrays.items() if v is not None})
    intrinsics = np.array([[500, 510, 320, 240], [501, 511, 320, 240], [502, 512, 320, 240]], np.float32)
    np.savez(tmp_path / "intrinsics" / f"{name}.npz", data=intrinsics, inds=np.arange(3))
    (tmp_path / "intrinsics" / f"{name}_camera.txt").write_text("0: PINHOLE\n1: MEI\n2: PINHOLE\n", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "depth" / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for i in (0, 1):
            archive.writestr(f"{i:05d}.exr", encode(np.full((48, 64), 2.0 + i), compression="zip16", pixel_format="half"))
        archive.writestr("00003.exr", b"damaged")
    return tmp_path / "pose" / f"{name}.npz"


def test_everything_that_the_result_says_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        trajectory = read_vipe(result(tmp_path), 10.0)
    np.testing.assert_allclose(trajectory.cam_from_world, inverse(random_poses(3)), atol=1e-5)
    np.testing.assert_allclose(trajectory.timestamps_s, [0, 0.1, 0.3])
    np.testing.assert_array_equal(trajectory.focal_px, [505, np.nan, np.nan])  # pinhole; MEI; not listed
    np.testing.assert_array_equal(trajectory.median_depth, [2, 3, np.nan])
    assert (trajectory.scale, trajectory.image_size_px) == (Scale.METRIC, (64, 48))
    assert "00003.exr" in caplog.text


def test_poses_alone_are_enough(tmp_path: Path) -> None:
    (tmp_path / "pose").mkdir()
    np.savez(tmp_path / "pose" / "clip.npz", data=random_poses(3), inds=INDS)
    trajectory = read_vipe(tmp_path / "pose" / "clip.npz", 10.0)
    assert np.isnan(trajectory.focal_px).all()
    assert np.isnan(trajectory.median_depth).all()
    assert trajectory.image_size_px is None


def test_the_result_folder_stands_for_its_only_video(tmp_path: Path) -> None:
    result(tmp_path)
    assert len(read_trajectory(tmp_path, "vipe", fps=10.0)) == 3
    result(tmp_path, "other")
    with pytest.raises(TrajectoryFileError, match=r"holds 2 files pose/\*\.npz"):
        read_vipe(tmp_path, 10.0)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"data": None}, "has no array 'data'"),
        ({"inds": None}, "has no array 'inds'"),
        ({"inds": np.arange(4)}, r"'inds' has shape \(4,\), not \(3,\)"),
        ({"inds": np.array([0, 2, 2])}, "entry 2 of inds: time 2.0 repeats"),
        ({"data": np.zeros((3, 4, 4))}, "pose 0 of data: the last row"),
        ({"data": np.zeros((0, 4, 4)), "inds": np.zeros(0)}, "holds no pose"),
    ],
)
def test_a_fault_in_the_poses_is_named(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(TrajectoryFileError, match=message):
        read_vipe(result(tmp_path, **arrays), 10.0)


def test_a_fault_beside_the_poses_is_named(tmp_path: Path) -> None:
    path = result(tmp_path)
    (tmp_path / "intrinsics" / "clip_camera.txt").write_text("PINHOLE\n", encoding="utf-8")
    with pytest.raises(TrajectoryFileError, match=r"clip_camera\.txt, line 1: should be <frame number>: <camera model>"):
        read_vipe(path, 10.0)
    np.savez(tmp_path / "intrinsics" / "clip.npz", data=np.ones((3, 2)), inds=np.arange(3))
    with pytest.raises(TrajectoryFileError, match=r"'data' has shape \(3, 2\), not \(N, 4\)"):
        read_vipe(path, 10.0)
    (tmp_path / "depth" / "clip.zip").write_text("hello", encoding="utf-8")
    with pytest.raises(TrajectoryFileError, match="is not a zip file"):
        read_vipe(path, 10.0)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrajectoryFileError, match="there is no file"):
        read_vipe(tmp_path / "pose" / "clip.npz", 10.0)
