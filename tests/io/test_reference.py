"""A reference is its poses with, where known, the focal length of every frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shared_data import SHARED, needs_shared
from trajectory_samples import random_poses, trajectory_of

from sfmcam.errors import TrajectoryFileError
from sfmcam.evaluation.pose_error import pose_errors
from sfmcam.io.reference import read_reference
from sfmcam.io.tum import write_tum


@pytest.fixture
def poses(tmp_path: Path) -> Path:
    write_tum(tmp_path / "clip.tum", trajectory_of(random_poses(3)))
    return tmp_path / "clip.tum"


def test_the_focal_length_is_the_mean_of_fx_and_fy(poses: Path, tmp_path: Path) -> None:
    (tmp_path / "clip.txt").write_text("# fx fy cx cy\n100 110 32 24\n200 200 32 24\n300 310 32 24\n", encoding="utf-8")
    reference = read_reference(poses, tmp_path / "clip.txt", image_size_px=(64, 48))
    assert reference.focal_px.tolist() == [105, 200, 305]
    assert reference.image_size_px == (64, 48)


def test_poses_alone_are_a_reference(poses: Path) -> None:
    assert np.isnan(read_reference(poses).focal_px).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("100 100 32 24\n", "has 1 lines of numbers, but .* has 3 poses"),
        ("100 100 32\n", "line 1: 3 numbers instead of 4"),
        ("100 100 32 24\n100 0 32 24\n100 100 32 24\n", "line 2: the focal length is not positive"),
    ],
)
def test_a_fault_is_named(poses: Path, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "clip.txt").write_text(text, encoding="utf-8")
    with pytest.raises(TrajectoryFileError, match=message):
        read_reference(poses, tmp_path / "clip.txt")


@needs_shared("clips", "poses")
def test_the_references_of_the_shared_clips_are_read_and_have_no_error_against_themselves() -> None:
    assert SHARED is not None
    files = sorted((SHARED / "clips" / "poses").glob("*.tum"))
    assert len(files) == 7
    for file in files:
        reference = read_reference(file, SHARED / "clips" / "intrinsics" / f"{file.stem}.txt", image_size_px=(456, 256))
        errors = pose_errors(reference, reference)
        assert errors.note == ""
        assert (errors.coverage, errors.focal_percent) == (1.0, 0.0)
        assert errors.rotation_mean_deg < 1e-6
        assert errors.direction_mean_deg < 1e-6
        assert errors.ate_relative < 1e-6
