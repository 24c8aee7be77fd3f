"""Scene points as binary PLY, which every viewer of point clouds opens."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sfmcam.errors import TrajectoryFileError
from sfmcam.io.atomic import replacing
from sfmcam.types import PointCloud

LAYOUT = np.dtype([("position", "<f4", 3), ("color", "u1", 3)])
HEADER = """ply
format binary_little_endian 1.0
comment points in the world of trajectory.npz beside this file
element vertex {count}
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
end_header
"""


def write_points(path: Path, points: PointCloud) -> None:
    """Write the points with their colours.

    Raises:
        InputError: the file cannot be written.
    """
    rows = np.empty(len(points.points_in_world), dtype=LAYOUT)
    rows["position"], rows["color"] = points.points_in_world, points.colors_rgb
    with replacing(path) as part:
        part.write_bytes(HEADER.format(count=len(rows)).encode("ascii") + rows.tobytes())


def read_points(path: Path) -> PointCloud:
    """Read what `write_points` wrote, and no other kind of PLY.

    Raises:
        TrajectoryFileError: it cannot be read, or is not such a file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TrajectoryFileError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    head, separator, body = content.partition(b"end_header\n")
    count = len(body) // LAYOUT.itemsize
    if head + separator != HEADER.format(count=count).encode("ascii") or len(body) != count * LAYOUT.itemsize:
        raise TrajectoryFileError(f"{path} is not a point file that sfmcam wrote, or is cut short")
    rows = np.frombuffer(body, dtype=LAYOUT)
    return PointCloud(rows["position"].astype(np.float64), rows["color"].copy())
