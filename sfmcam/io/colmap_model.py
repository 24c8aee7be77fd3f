"""COLMAP's sparse models, text or binary: the folder with cameras, images and points3D (colmap.github.io/format.html).

They are parsed here and not by pycolmap, which aborts or hangs the whole process on a damaged binary model, and which a
user who only scores other people's files need not install. Newer models also have rigs and frames; the poses in `images`
are complete without them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sfmcam.errors import TrajectoryFileError
from sfmcam.geometry.rigid import rigid_from_parts, transform_points
from sfmcam.io import colmap_binary, colmap_text
from sfmcam.io.colmap_cameras import ColmapCamera
from sfmcam.io.colmap_records import ColmapImage, ColmapPoints
from sfmcam.io.poses import complete_trajectory, median_positive, rotations_of_quaternions, times_of_indices
from sfmcam.types import CameraTrajectory, Float, PointCloud


@dataclass(frozen=True)
class ColmapModel:
    """A model as it stands in the files; images in the order of their names, numbers compared as numbers."""

    cameras: dict[int, ColmapCamera]
    images: tuple[ColmapImage, ...]
    points: ColmapPoints


def read_colmap(folder: Path, fps: float) -> tuple[CameraTrajectory, PointCloud]:
    """Read a model. The frame numbers are those at the end of the image names, and frame i gets the time i / fps.

    Numbers are counted from the smallest one, so gaps where COLMAP could not place an image remain gaps in time; where
    the names have no such numbers, the images are counted in their order. The focal length is the mean of fx and fy;
    the median depth of an image is that of the points observed in it.

    Raises:
        TrajectoryFileError: no model in `folder`, a damaged file, a pose that is no rotation, images of several sizes.
    """
    model = read_model(folder)
    images = model.images

    def where(i: int) -> str:
        return f"{folder}, image {images[i].name}"

    rotations = rotations_of_quaternions(np.array([image.quaternion_wxyz for image in images])[:, [1, 2, 3, 0]], where)
    translations = np.array([image.translation for image in images])
    for i in np.flatnonzero(~np.isfinite(translations).all(axis=1))[:1]:
        raise TrajectoryFileError(f"{where(int(i))}: the translation is NaN or infinite")
    cam_from_world = rigid_from_parts(rotations, translations)
    trajectory = complete_trajectory(
        times_of_indices(frame_numbers([image.name for image in images]), fps),
        cam_from_world,
        focal_px=np.array([model.cameras[image.camera_id].focal_px for image in images]),
        median_depth=_median_depths(model, cam_from_world),
        image_size_px=_common_size(model, folder),
    )
    finite = np.isfinite(model.points.points_in_world).all(axis=1)
    return trajectory, PointCloud(model.points.points_in_world[finite], model.points.colors_rgb[finite])


def read_model(folder: Path) -> ColmapModel:
    """Read the files of a model; the binary ones where there are both.

    Raises:
        TrajectoryFileError: `folder` is not a model, or one of its files is damaged.
    """
    if not folder.is_dir():
        raise TrajectoryFileError(f"{folder} is not a folder; a COLMAP model is a folder with cameras, images and points3D")
    parser = next((p for p in (colmap_binary, colmap_text) if (folder / f"images{p.SUFFIX}").is_file()), None)
    if parser is None:
        raise TrajectoryFileError(f"{folder} holds no COLMAP model: there is neither images.bin nor images.txt")
    cameras = parser.read_cameras(folder / f"cameras{parser.SUFFIX}")
    images = parser.read_images(folder / f"images{parser.SUFFIX}")
    points = parser.read_points(folder / f"points3D{parser.SUFFIX}")
    if not images:
        raise TrajectoryFileError(f"{folder} holds a COLMAP model without images")
    for image in images:
        if image.camera_id not in cameras:
            raise TrajectoryFileError(f"{folder}, image {image.name}: there is no camera {image.camera_id}")
    return ColmapModel(cameras, tuple(sorted(images, key=lambda image: natural_key(image.name))), points)


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key by which frame_9 comes before frame_10."""
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def frame_numbers(names: list[str]) -> Float:
    """Return (N,) the numbers at the end of naturally sorted names less the smallest, or 0..N-1 where they do not count frames.

    They do when every name is the same but for its last number before the extension, and no number comes twice.
    """
    matches = [re.fullmatch(r"(.*?)(\d+)(\.\w+)?", name) for name in names]
    found = [m for m in matches if m is not None]
    if len(found) == len(names) and len({m.group(1) for m in found}) == 1:
        numbers = np.array([int(m.group(2)) for m in found], dtype=float)
        if (np.diff(numbers) > 0).all():
            return numbers - numbers[0]
    return np.arange(len(names), dtype=float)


def _median_depths(model: ColmapModel, cam_from_world: Float) -> Float:
    order = np.argsort(model.points.ids)
    ids = model.points.ids[order]
    depths = np.full(len(model.images), np.nan)
    for i, image in enumerate(model.images):
        places = np.searchsorted(ids, image.point_ids).clip(max=max(len(ids) - 1, 0))
        observed = order[places[ids[places] == image.point_ids]] if len(ids) else places[:0]
        depths[i] = median_positive(transform_points(cam_from_world[i], model.points.points_in_world[observed])[:, 2])
    return depths


def _common_size(model: ColmapModel, folder: Path) -> tuple[int, int]:
    sizes = {model.cameras[image.camera_id].size_px for image in model.images}
    if len(sizes) > 1:
        raise TrajectoryFileError(f"{folder} has images of {len(sizes)} sizes, so it is not one video: {sorted(sizes)}")
    return sizes.pop()
