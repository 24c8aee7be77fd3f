"""KITTI odometry files: one pose per line, the 12 numbers of a 3x4 camera-to-world matrix, row by row; no times."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sfmcam.io.number_rows import read_number_rows
from sfmcam.io.poses import cam_from_world_of_matrices, complete_trajectory, times_of_indices
from sfmcam.types import CameraTrajectory

COLUMNS = "r11 r12 r13 tx r21 r22 r23 ty r31 r32 r33 tz"


def read_kitti(path: Path, fps: float) -> CameraTrajectory:
    """Read a KITTI file; pose i gets the time i / fps. Focal length, scene depth and unit are unknown to the format.

    Raises:
        TrajectoryFileError: naming the line: no numbers, a wrong count, NaN, or a matrix that is no rotation.
    """
    rows = read_number_rows(path, columns=COLUMNS)
    cam_from_world = cam_from_world_of_matrices(rows.values.reshape(-1, 3, 4), rows.at)
    return complete_trajectory(times_of_indices(np.arange(len(cam_from_world)), fps), cam_from_world)
