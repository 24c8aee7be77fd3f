"""TUM files: one pose per line, `t tx ty tz qx qy qz qw`, camera-to-world, times in seconds (TUM RGB-D benchmark)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sfmcam.geometry.rigid import inverse, rigid_from_parts
from sfmcam.geometry.rotation import quaternion_xyzw_from_rotation
from sfmcam.io.atomic import replacing
from sfmcam.io.number_rows import read_number_rows
from sfmcam.io.poses import complete_trajectory, require_ascending, rotations_of_quaternions
from sfmcam.types import CameraTrajectory

COLUMNS = "timestamp_s tx ty tz qx qy qz qw"
HEADER = f"# {COLUMNS} (camera-to-world; OpenCV camera axes: x right, y down, z forward)"


def read_tum(path: Path) -> CameraTrajectory:
    """Read a TUM file. Focal length, scene depth and the unit of the translation are unknown to the format.

    Raises:
        TrajectoryFileError: naming the line: no numbers, a wrong count, NaN, no unit quaternion, times that do not ascend.
    """
    rows = read_number_rows(path, columns=COLUMNS)
    require_ascending(rows.values[:, 0], rows.at)
    rotations = rotations_of_quaternions(rows.values[:, 4:], rows.at)
    return complete_trajectory(rows.values[:, 0], inverse(rigid_from_parts(rotations, rows.values[:, 1:4])))


def write_tum(path: Path, trajectory: CameraTrajectory) -> None:
    """Write the valid frames of `trajectory`, with every digit that a float64 has.

    Raises:
        InputError: the file cannot be written.
    """
    world_from_cam = inverse(trajectory.cam_from_world[trajectory.valid])
    quaternions_xyzw = quaternion_xyzw_from_rotation(world_from_cam[:, :3, :3])
    rows = np.column_stack([trajectory.timestamps_s[trajectory.valid], world_from_cam[:, :3, 3], quaternions_xyzw])
    lines = [" ".join(repr(number) for number in row) for row in rows.tolist()]
    with replacing(path) as part:
        part.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
