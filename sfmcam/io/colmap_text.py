"""COLMAP's text model files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from sfmcam.errors import TrajectoryFileError
from sfmcam.io.colmap_cameras import MODEL_BY_NAME, ColmapCamera, make_camera
from sfmcam.io.colmap_records import ColmapImage, ColmapPoints
from sfmcam.io.number_rows import text_lines

SUFFIX = ".txt"
NO_POINT = -1
MAX_COLOR = 255

Record = TypeVar("Record")


def read_cameras(path: Path) -> dict[int, ColmapCamera]:
    """Read cameras.txt: `CAMERA_ID MODEL WIDTH HEIGHT PARAMS[]` per line.

    Raises:
        TrajectoryFileError: missing, or a line that is not such.
    """
    return dict(_parse(path, number, line, _camera) for number, line in _content_lines(path) if line.strip())


def read_images(path: Path) -> list[ColmapImage]:
    """Read images.txt: a line `IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME`, then a line `POINTS2D[] as (X Y POINT3D_ID)`,
    which is empty for an image without observations.

    Raises:
        TrajectoryFileError: missing, or a line that is not such.
    """
    images = []
    lines = _content_lines(path)
    for number, line in lines:
        if not line.strip():
            continue
        image = _parse(path, number, line, _image)
        number, line = next(lines, (number, ""))
        images.append(image(_parse(path, number, line, _point_ids)))
    return images


def read_points(path: Path) -> ColmapPoints:
    """Read points3D.txt: `POINT3D_ID X Y Z R G B ERROR TRACK[]` per line.

    Raises:
        TrajectoryFileError: missing, or a line that is not such.
    """
    rows = [_parse(path, number, line, _point) for number, line in _content_lines(path) if line.strip()]
    ids, points, colors = zip(*rows, strict=True) if rows else ((), (), ())
    return ColmapPoints(np.array(ids, np.int64), np.array(points, float).reshape(-1, 3), np.array(colors, np.uint8).reshape(-1, 3))


def _content_lines(path: Path) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in text_lines(path) if not line.lstrip().startswith("#"))


def _parse(path: Path, number: int, line: str, parse: Callable[[list[str], str], Record]) -> Record:
    where = f"{path}, line {number}"
    try:
        return parse(line.split(), where)
    except (ValueError, IndexError, OverflowError) as error:
        raise TrajectoryFileError(f"{where}: not a line of a COLMAP model's {path.name}") from error


def _camera(words: list[str], where: str) -> tuple[int, ColmapCamera]:
    camera_id, size_px = int(words[0]), (int(words[2]), int(words[3]))
    if words[1] not in MODEL_BY_NAME:
        raise TrajectoryFileError(f"{where}: there is no camera model '{words[1]}'")
    return camera_id, make_camera(MODEL_BY_NAME[words[1]], size_px, [float(word) for word in words[4:]], where=where)


def _image(words: list[str], where: str) -> Callable[[np.ndarray], ColmapImage]:
    qw, qx, qy, qz, tx, ty, tz = (float(word) for word in words[1:8])
    camera_id, name = int(words[8]), " ".join(words[9:])
    if not name:
        raise TrajectoryFileError(f"{where}: the image has no name")
    return lambda point_ids: ColmapImage(name, camera_id, (qw, qx, qy, qz), (tx, ty, tz), point_ids)


def _point_ids(words: list[str], where: str) -> np.ndarray:
    if len(words) % 3:
        raise TrajectoryFileError(f"{where}: {len(words)} numbers, not groups of three: X Y POINT3D_ID")
    ids = np.array([int(word) for word in words[2::3]], np.int64)
    return ids[ids != NO_POINT]


def _point(words: list[str], where: str) -> tuple[int, tuple[float, ...], tuple[int, ...]]:
    if len(words) < 8:
        raise TrajectoryFileError(f"{where}: {len(words)} numbers, but a point has at least 8")
    color = tuple(int(word) for word in words[4:7])
    if not all(0 <= channel <= MAX_COLOR for channel in color):
        raise TrajectoryFileError(f"{where}: a colour is not between 0 and {MAX_COLOR}")
    return int(words[0]), tuple(float(word) for word in words[1:4]), color
