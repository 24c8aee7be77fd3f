"""Paths are drawn from the first camera, in scene depths where these are known."""

from __future__ import annotations

import numpy as np
import pytest
from trajectory_samples import smooth_poses, trajectory_of

from sfmcam.report.paths import MOST_CAMERAS, MOST_SAMPLES, frames_to_keep, path_json


def test_the_first_camera_is_the_origin_whatever_the_world() -> None:
    poses = smooth_poses(30)
    moved = poses @ smooth_poses(2, seed=5)[1]
    first, second = path_json(trajectory_of(poses)), path_json(trajectory_of(moved))
    assert first is not None
    assert second is not None
    assert first["centers"][0] == [0, 0, 0]
    assert np.array(first["centers"]) == pytest.approx(np.array(second["centers"]), abs=2e-4)


def test_depth_gives_the_unit() -> None:
    poses = smooth_poses(10)
    known = path_json(trajectory_of(poses, median_depth=np.full(10, 4.0)))
    stated = path_json(trajectory_of(poses), depth=2.0)
    unknown = path_json(trajectory_of(poses))
    assert known is not None
    assert stated is not None
    assert unknown is not None
    assert (known["unit"], stated["unit"], unknown["unit"]) == ("depths", "depths", "extent")
    assert np.array(stated["centers"]) == pytest.approx(2 * np.array(known["centers"]), abs=3e-4)
    assert np.linalg.norm(unknown["centers"], axis=1).max() == pytest.approx(1, abs=1e-3)


def test_long_paths_are_thinned_and_keep_their_ends() -> None:
    path = path_json(trajectory_of(smooth_poses(1000)))
    assert path
    assert len(path["centers"]) == len(path["times"]) == MOST_SAMPLES
    assert (path["times"][0], path["times"][-1]) == (0.0, 99.9)
    assert len(path["cameras"]) == MOST_CAMERAS
    assert path["cameras"][-1]["at"] == MOST_SAMPLES - 1


@pytest.mark.parametrize(("count", "most", "kept"), [(1, 5, [0]), (3, 5, [0, 1, 2]), (5, 3, [0, 2, 4])])
def test_frames_to_keep(count: int, most: int, kept: list[int]) -> None:
    assert frames_to_keep(count, most).tolist() == kept


def test_a_camera_that_stays_and_one_without_a_pose() -> None:
    still = path_json(trajectory_of(np.tile(np.eye(4), (4, 1, 1))))
    assert still
    assert np.abs(still["centers"]).max() == 0
    nowhere = trajectory_of(np.full((3, 4, 4), np.nan), valid=np.zeros(3, bool))
    assert path_json(nowhere) is None
