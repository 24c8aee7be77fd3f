"""MegaSAM's archives: poses inverted, focal and median depth per frame, working size, no more than one depth map in memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trajectory_samples import random_poses

from sfmcam.errors import TrajectoryFileError
from sfmcam.geometry.rigid import inverse
from sfmcam.io.megasam_file import read_megasam

N, H, W = 3, 8, 12
K = np.array([[100.0, 0, 6], [0, 110.0, 4], [0, 0, 1]])


def archive(tmp_path: Path, *, compressed: bool = False, **changes: Any) -> Path:
    """Write an archive as MegaSAM does, with some arrays replaced, or left out where None."""
    depths = np.ones((N, H, W), np.float32) * np.arange(1, N + 1, dtype=np.float32)[:, None, None]
    arrays: dict[str, Any] = {
        "cam_c2w": random_poses(N).astype(np.float32),
        "intrinsic": K,
        "depths": depths,
        "images": np.zeros((N, H, W, 3), np.uint8),
    } | changes
    path = tmp_path / "scene_droid.npz"
    (np.savez_compressed if compressed else np.savez)(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


@pytest.mark.parametrize("compressed", [False, True])
def test_everything_that_the_archive_says_is_read(tmp_path: Path, compressed: bool) -> None:
    trajectory = read_megasam(archive(tmp_path, compressed=compressed), 8.0)
    np.testing.assert_allclose(trajectory.cam_from_world, inverse(random_poses(N)), atol=1e-5)
    np.testing.assert_array_equal(trajectory.timestamps_s, [0, 0.125, 0.25])
    np.testing.assert_array_equal(trajectory.focal_px, [105.0] * N)
    np.testing.assert_array_equal(trajectory.median_depth, [1, 2, 3])
    assert trajectory.image_size_px == (W, H)


def test_a_focal_length_per_frame_is_read(tmp_path: Path) -> None:
    intrinsic = np.stack([K, K * 2, K * 3])
    assert read_megasam(archive(tmp_path, intrinsic=intrinsic), 8.0).focal_px.tolist() == [105, 210, 315]


@pytest.mark.parametrize(
    ("arrays", "size_px"),
    [({"depths": None}, (W, H)), ({"images": None}, (W, H)), ({"depths": None, "images": None}, None)],
)
def test_the_working_size_comes_from_whichever_picture_is_there(tmp_path: Path, arrays: dict[str, Any], size_px: Any) -> None:
    trajectory = read_megasam(archive(tmp_path, **arrays), 8.0)
    assert trajectory.image_size_px == size_px
    assert np.isnan(trajectory.median_depth).all() == ("depths" in arrays)


def test_pixels_without_depth_do_not_count(tmp_path: Path) -> None:
    """1e-6 is what MegaSAM writes where its prior gave no depth."""
    depths = np.full((N, H, W), 1e-6, np.float16)
    depths[0, :2] = 5.0
    depths[1, :1], depths[1, 1:3] = 7.0, np.inf
    assert np.isfinite(depths[2]).all()
    np.testing.assert_array_equal(read_megasam(archive(tmp_path, depths=depths), 8.0).median_depth, [5.0, 7.0, np.nan])


@pytest.mark.parametrize("order", ["C", "F"])
def test_both_memory_orders_are_read(tmp_path: Path, order: Any) -> None:
    depths = np.random.default_rng(0).random((N, H, W)).astype(order=order, dtype=np.float32)
    got = read_megasam(archive(tmp_path, depths=np.asarray(depths, order=order)), 8.0).median_depth
    np.testing.assert_allclose(got, np.median(depths.reshape(N, -1).astype(float), axis=1))


def test_a_large_archive_is_read_frame_by_frame(tmp_path: Path) -> None:
    frames = 40
    depths, images = np.ones((frames, 256, 256), np.float32), np.zeros((frames, 256, 256, 3), np.uint8)
    path = archive(tmp_path, cam_c2w=random_poses(frames), depths=depths, images=images, compressed=True)
    size = depths.nbytes
    del depths, images
    tracemalloc.start()
    read_megasam(path, 8.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size / 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cam_c2w": None}, "has no array 'cam_c2w'; it holds: depths, images, intrinsic"),
        ({"intrinsic": None}, "has no array 'intrinsic'"),
        ({"cam_c2w": np.eye(4)}, r"'cam_c2w' has shape \(4, 4\), not \(N, 4, 4\)"),
        ({"cam_c2w": np.zeros((0, 4, 4))}, "holds no pose"),
        ({"intrinsic": np.ones(4)}, r"'intrinsic' has shape \(4,\), not \(3, 3\) or \(3, 3, 3\)"),
        ({"depths": np.ones((2, H, W))}, "'depths' has shape .* does not fit 3 poses"),
        ({"depths": np.ones((N, H))}, "'depths' has shape"),
        ({"cam_c2w": np.stack([np.eye(4), np.full((4, 4), np.nan), np.eye(4)])}, "pose 1 of cam_c2w: the pose holds a number that is NaN"),
        ({"cam_c2w": np.stack([np.eye(4), np.eye(4), np.diag([2.0, 2, 2, 1])])}, "pose 2 of cam_c2w: the 3x3 part"),
        ({"cam_c2w": np.stack([np.eye(4)] * 2 + [np.eye(4)[::-1]])}, "pose 2 of cam_c2w: the last row"),
        ({"cam_c2w": np.array([{}] * 3)}, "'cam_c2w' holds object instead of numbers"),
        ({"cam_c2w": np.array(["a"] * 3)}, r"'cam_c2w' has shape \(3,\)"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TrajectoryFileError, match=message):
        read_megasam(archive(tmp_path, **changes), 8.0)
