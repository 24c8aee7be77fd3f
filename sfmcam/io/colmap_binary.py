"""COLMAP's binary model files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sfmcam.errors import TrajectoryFileError
from sfmcam.io.byte_cursor import ByteCursor
from sfmcam.io.colmap_cameras import CAMERA_MODELS, ColmapCamera, make_camera
from sfmcam.io.colmap_records import ColmapImage, ColmapPoints
from sfmcam.io.number_rows import opening

SUFFIX = ".bin"
OBSERVATION = np.dtype([("xy", "<f8", 2), ("point_id", "<i8")])
TRACK_ENTRY_BYTES = 8
NO_POINT = -1


def read_cameras(path: Path) -> dict[int, ColmapCamera]:
    """Read cameras.bin.

    Raises:
        TrajectoryFileError: missing or damaged.
    """
    cursor, count = _open(path)
    cameras = {}
    for _ in range(count):
        camera_id, model_id, width, height = cursor.take("IiQQ")
        if model_id not in CAMERA_MODELS:
            raise TrajectoryFileError(f"{path}: camera {camera_id} has the unknown model {model_id}; the file may be damaged")
        model = CAMERA_MODELS[model_id]
        params = list(cursor.take(f"{model.num_params}d"))
        cameras[camera_id] = make_camera(model, (width, height), params, where=f"{path}, camera {camera_id}")
    return cameras


def read_images(path: Path) -> list[ColmapImage]:
    """Read images.bin.

    Raises:
        TrajectoryFileError: missing or damaged.
    """
    cursor, count = _open(path)
    images = []
    for _ in range(count):
        _, *pose, camera_id = cursor.take("I7dI")
        name = cursor.text()
        (num_observations,) = cursor.take("Q")
        point_ids = cursor.array(OBSERVATION, num_observations)["point_id"]
        images.append(ColmapImage(name, camera_id, tuple(pose[:4]), tuple(pose[4:]), point_ids[point_ids != NO_POINT]))
    return images


def read_points(path: Path) -> ColmapPoints:
    """Read points3D.bin.

    Raises:
        TrajectoryFileError: missing or damaged.
    """
    cursor, count = _open(path)
    ids, points, colors = [], [], []
    for _ in range(count):
        point_id, x, y, z, red, green, blue, _, track_length = cursor.take("q3d3BdQ")
        cursor.array("u1", TRACK_ENTRY_BYTES * track_length)
        ids.append(point_id)
        points.append((x, y, z))
        colors.append((red, green, blue))
    return ColmapPoints(np.array(ids, np.int64), np.array(points, float).reshape(-1, 3), np.array(colors, np.uint8).reshape(-1, 3))


def _open(path: Path) -> tuple[ByteCursor, int]:
    with opening(path):
        cursor = ByteCursor(path.read_bytes(), str(path))
    (count,) = cursor.take("Q")
    return cursor, count
