"""Trajectory files of any tool. To add a format: its file, and a line in READERS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sfmcam.errors import ConfigError, TrajectoryFileError
from sfmcam.io.colmap_model import read_colmap
from sfmcam.io.kitti import read_kitti
from sfmcam.io.megasam_file import read_megasam
from sfmcam.io.npz import open_npz
from sfmcam.io.number_rows import text_lines
from sfmcam.io.own_npz import VERSION_KEY, read_npz, write_npz
from sfmcam.io.paths import is_folder
from sfmcam.io.tum import read_tum, write_tum
from sfmcam.io.vipe_file import read_vipe
from sfmcam.types import CameraTrajectory, PointCloud

__all__ = ["READERS", "TrajectoryContent", "detect_format", "load_trajectory", "read_trajectory", "write_npz", "write_tum"]

DEFAULT_FPS = 30.0
KITTI_COLUMNS = 12


@dataclass(frozen=True)
class TrajectoryContent:
    """What a file holds: the camera path, and the scene points where the format has some."""

    trajectory: CameraTrajectory
    points: PointCloud | None = None


@dataclass(frozen=True)
class Reader:
    """How to read a format, from a path and, unless the format `has_times`, the rate of its frames."""

    read: Callable[[Path, float], TrajectoryContent]
    has_times: bool


def _colmap(path: Path, fps: float) -> TrajectoryContent:
    return TrajectoryContent(*read_colmap(path, fps))


READERS: dict[str, Reader] = {
    "tum": Reader(lambda path, _: TrajectoryContent(read_tum(path)), has_times=True),
    "kitti": Reader(lambda path, fps: TrajectoryContent(read_kitti(path, fps)), has_times=False),
    "colmap": Reader(_colmap, has_times=False),
    "megasam": Reader(lambda path, fps: TrajectoryContent(read_megasam(path, fps)), has_times=False),
    "vipe": Reader(lambda path, fps: TrajectoryContent(read_vipe(path, fps)), has_times=False),
    "sfmcam": Reader(lambda path, _: TrajectoryContent(read_npz(path)), has_times=True),
}


def read_trajectory(path: Path, fmt: str, *, fps: float | None = None) -> CameraTrajectory:
    """Read a trajectory file as `cam_from_world`. What the file does not say (focal length, depth) is NaN.

    Args:
        path: the file, or for `colmap` the model's folder.
        fmt: tum, kitti, colmap, megasam, vipe, or sfmcam (this package's npz).
        fps: rate of the frames, for the formats that only count them; DEFAULT_FPS when not given.

    Raises:
        TrajectoryFileError: the file cannot be read as `fmt`; one sentence with the file and the line or index.
        ConfigError: an unknown `fmt`, a rate that is not positive, or a rate for a format that has times.
    """
    return load_trajectory(path, fmt, fps=fps).trajectory


def load_trajectory(path: Path, fmt: str, *, fps: float | None = None) -> TrajectoryContent:
    """Do as `read_trajectory`, and return the scene points too.

    Raises:
        TrajectoryFileError: as there.
        ConfigError: as there.
    """
    if fmt not in READERS:
        raise ConfigError(f"there is no trajectory format '{fmt}'; known: {', '.join(READERS)}")
    reader = READERS[fmt]
    if fps is not None and reader.has_times:
        raise ConfigError(f"a frame rate has no meaning for the format {fmt}, whose files hold times")
    if fps is not None and not 0 < fps < float("inf"):
        raise ConfigError(f"the frame rate must be positive, not {fps}")
    return reader.read(path, DEFAULT_FPS if fps is None else fps)


def detect_format(path: Path) -> str:
    """Return the format of a file or folder by its content.

    Raises:
        TrajectoryFileError: it is none that is known.
    """
    if is_folder(path, refuse=TrajectoryFileError):
        return "vipe" if is_folder(path / "pose", refuse=TrajectoryFileError) else "colmap"
    if path.suffix == ".npz":
        return _npz_format(path)
    for _, line in text_lines(path):
        words = line.partition("#")[0].replace(",", " ").split()
        if words:
            return "kitti" if len(words) == KITTI_COLUMNS else "tum"
    raise TrajectoryFileError(f"{path} holds no pose")


def _npz_format(path: Path) -> str:
    with open_npz(path) as npz:
        for key, fmt in ((VERSION_KEY, "sfmcam"), ("cam_c2w", "megasam"), ("inds", "vipe")):
            if key in npz:
                return fmt
    raise TrajectoryFileError(f"{path} is an npz file of no known tool (sfmcam, MegaSAM, ViPE)")
