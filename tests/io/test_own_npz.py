"""The package's npz keeps every field of a trajectory, and refuses what it did not write."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trajectory_samples import random_poses, trajectory_of

from sfmcam.errors import InputError, TrajectoryFileError
from sfmcam.io.own_npz import read_npz, write_npz
from sfmcam.types import CameraTrajectory, Evidence, Scale


def full_trajectory() -> CameraTrajectory:
    poses = random_poses(4)
    poses[1] = np.nan
    return trajectory_of(
        poses,
        focal_px=np.array([500.0, np.nan, 510.5, 520.25]),
        valid=np.array([True, False, True, True]),
        median_depth=np.array([2.0, np.nan, 3.0, 4.0]),
        scale=Scale.METRIC,
        image_size_px=(640, 480),
        evidence=Evidence(rotation_sigma_rad=0.001, parallax_px=3.5),
    )


def assert_same(a: CameraTrajectory, b: CameraTrajectory) -> None:
    for field in fields(CameraTrajectory):
        left, right = getattr(a, field.name), getattr(b, field.name)
        if isinstance(left, np.ndarray):
            np.testing.assert_array_equal(left, right)
            assert left.dtype == right.dtype
        elif isinstance(left, Evidence):
            np.testing.assert_equal(left.__dict__, right.__dict__)
        else:
            assert left == right


@pytest.mark.parametrize("trajectory", [full_trajectory(), trajectory_of(random_poses(1))], ids=["all-known", "all-unknown"])
def test_every_field_survives_bit_for_bit(tmp_path: Path, trajectory: CameraTrajectory) -> None:
    write_npz(tmp_path / "t.npz", trajectory)
    assert_same(read_npz(tmp_path / "t.npz"), trajectory)
    assert [p.name for p in tmp_path.iterdir()] == ["t.npz"]


def test_an_unwritable_place_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        write_npz(tmp_path / "no" / "t.npz", full_trajectory())


def changed(tmp_path: Path, **changes: Any) -> Path:
    """Write a good file with some arrays replaced, or left out where None."""
    path = tmp_path / "t.npz"
    write_npz(path, full_trajectory())
    with np.load(path) as npz:
        arrays = dict(npz) | changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sfmcam_trajectory": None}, "was not written by sfmcam"),
        ({"sfmcam_trajectory": np.int64(99)}, "has version 99"),
        ({"cam_from_world": None}, "has no array 'cam_from_world'"),
        ({"focal_px": np.ones(3)}, r"'focal_px' has shape \(3,\), not \(4,\)"),
        ({"timestamps_s": np.array([0.0, 1.0, 1.0, 2.0])}, "frame 2: time 1.0 repeats"),
        ({"timestamps_s": np.array([0.0, np.nan, 1.0, 2.0])}, "frame 1: the time is NaN"),
        ({"cam_from_world": np.ones((4, 4, 4))}, "pose of frame 0 is not a rotation"),
        ({"valid": np.ones(4, bool)}, "a valid frame has a pose that is not finite"),
        ({"focal_px": -np.ones(4)}, "focal_px of frame 0 is -1.0"),
        ({"scale": np.array("furlongs")}, "furlongs"),
        ({"image_size_px": np.ones(3, int)}, r"'image_size_px' has shape \(3,\)"),
        ({"focal_px": np.array([{}, 1, 2, 3])}, "'focal_px' holds object instead of numbers"),
        ({"evidence_parallax_px": None}, "has no array 'evidence_parallax_px'"),
    ],
)
def test_a_file_that_is_not_right_is_refused_with_a_reason(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TrajectoryFileError, match=message):
        read_npz(changed(tmp_path, **changes))


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 not really a zip", b"\x93NUMPY\x01\x00"])
def test_other_content_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.npz"
    path.write_bytes(content)
    with pytest.raises(TrajectoryFileError, match="is not an npz file"):
        read_npz(path)


def test_no_cut_or_flipped_byte_causes_anything_but_the_file_error(tmp_path: Path) -> None:
    """Damage is either noticed as such, or harmless to the values' validity; a traceback never comes out."""
    path = tmp_path / "t.npz"
    write_npz(path, full_trajectory())
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for cut in rng.integers(0, len(content), 40).tolist():
        path.write_bytes(content[:cut])
        with pytest.raises(TrajectoryFileError):
            read_npz(path)
    for place in rng.integers(0, len(content), 200).tolist():
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :])
        with suppress(TrajectoryFileError):
            read_npz(path)
