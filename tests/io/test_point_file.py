"""Scene points survive the way through PLY; a damaged file is one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sfmcam.errors import TrajectoryFileError
from sfmcam.io.point_file import read_points, write_points
from sfmcam.types import PointCloud


@pytest.mark.parametrize("count", [0, 1, 100])
def test_round_trip(tmp_path: Path, count: int) -> None:
    rng = np.random.default_rng(0)
    points = PointCloud(rng.normal(size=(count, 3)), rng.integers(0, 256, (count, 3)).astype(np.uint8))
    write_points(tmp_path / "points.ply", points)
    read = read_points(tmp_path / "points.ply")
    np.testing.assert_allclose(read.points_in_world, points.points_in_world, rtol=1e-6)
    np.testing.assert_array_equal(read.colors_rgb, points.colors_rgb)


@pytest.mark.parametrize("content", [b"", b"ply\nformat ascii 1.0\n", None])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "points.ply"
    write_points(path, PointCloud(np.ones((5, 3)), np.zeros((5, 3), dtype=np.uint8)))
    path.write_bytes(path.read_bytes()[:-1] if content is None else content)
    with pytest.raises(TrajectoryFileError, match="cut short"):
        read_points(path)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrajectoryFileError, match="cannot read"):
        read_points(tmp_path / "points.ply")
