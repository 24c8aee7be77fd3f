"""ViPE's results: `pose/<name>.npz` with `intrinsics/<name>.npz` and `depth/<name>.zip` beside it (NVIDIA's nv-tlabs/vipe)."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

import numpy as np

from sfmcam.errors import TrajectoryFileError
from sfmcam.io.exr import read_exr
from sfmcam.io.npz import DAMAGE, open_npz
from sfmcam.io.number_rows import opening, text_lines
from sfmcam.io.poses import cam_from_world_of_matrices, complete_trajectory, median_positive, require_ascending, times_of_indices
from sfmcam.types import CameraTrajectory, Float, Scale

logger = logging.getLogger(__name__)

PINHOLE = "PINHOLE"


def read_vipe(path: Path, fps: float) -> CameraTrajectory:
    """Read the result of ViPE for one video; video frame i gets the time i / fps.

    `path` is `<results>/pose/<name>.npz`, or the folder `<results>` when it holds one video only. What is read:
        pose/<name>.npz: `data` (N, 4, 4) camera-to-world and `inds` (N,), the numbers of the frames, ascending.
        intrinsics/<name>.npz, optional: `data` (M, 4 or more) fx fy cx cy ... in pixels, and `inds` (M,). The focal length is
            the mean of fx and fy, NaN for frames that are not listed.
        intrinsics/<name>_camera.txt, optional: a line `<frame>: <model>` per frame. Only PINHOLE has a focal length that
            compares with others'; for any other model it is NaN.
        depth/<name>.zip, optional: one OpenEXR depth map `<frame>.exr` per frame; gives the median depth and the picture size.
    ViPE's translation and depth are in (near) metres, so the scale is metric. A depth map that cannot be decoded leaves
    that frame's depth unknown, and a warning in the log.

    Raises:
        TrajectoryFileError: a file is missing, damaged or of a wrong shape, or a pose is no rotation.
    """
    path = _pose_file(path)
    with open_npz(path) as npz:
        poses = npz.array("data", (None, 4, 4))
        indices = npz.array("inds", (len(poses),))
    if len(poses) == 0:
        raise TrajectoryFileError(f"{path} holds no pose")
    require_ascending(indices.astype(float), lambda i: f"{path}, entry {i} of inds")
    depths, size_px = _read_depths(_beside(path, "depth", ".zip"))
    return complete_trajectory(
        times_of_indices(indices, fps),
        cam_from_world_of_matrices(poses, lambda i: f"{path}, pose {i} of data"),
        focal_px=_picked(_read_focals(_beside(path, "intrinsics", ".npz"), _beside(path, "intrinsics", "_camera.txt")), indices),
        median_depth=_picked(depths, indices),
        scale=Scale.METRIC,
        image_size_px=size_px,
    )


def _pose_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = sorted(path.glob("pose/*.npz"))
    if len(found) != 1:
        raise TrajectoryFileError(f"{path} holds {len(found)} files pose/*.npz; name one of them instead of the folder")
    return found[0]


def _beside(pose_file: Path, folder: str, ending: str) -> Path:
    return pose_file.parent.parent / folder / (pose_file.stem + ending)


def _picked(values: dict[int, float], indices: Float) -> Float:
    return np.array([values.get(int(i), np.nan) for i in indices])


def _read_focals(path: Path, camera_file: Path) -> dict[int, float]:
    """Return focal length by frame number."""
    if not path.exists():
        return {}
    with open_npz(path) as npz:
        shape = npz.shape("data")
        if len(shape) != 2 or shape[1] < 4:
            raise TrajectoryFileError(f"{path}: 'data' has shape {shape}, not (N, 4): fx fy cx cy")
        intrinsics = npz.array("data").astype(float)
        indices = npz.array("inds", (shape[0],))
    models = _read_models(camera_file)
    focals = (intrinsics[:, 0] + intrinsics[:, 1]) / 2
    return {int(i): f for i, f in zip(indices, focals.tolist(), strict=True) if models.get(int(i), PINHOLE) == PINHOLE}


def _read_models(path: Path) -> dict[int, str]:
    """Return camera model by frame number."""
    models: dict[int, str] = {}
    if not path.exists():
        return models
    for line_number, line in text_lines(path):
        frame, colon, model = line.partition(":")
        if line.strip() and not (colon and frame.strip().isdigit()):
            raise TrajectoryFileError(f"{path}, line {line_number}: should be <frame number>: <camera model>")
        if line.strip():
            models[int(frame)] = model.strip()
    return models


def _read_depths(path: Path) -> tuple[dict[int, float], tuple[int, int] | None]:
    """Return median depth by frame number, and (width, height) of the pictures."""
    depths: dict[int, float] = {}
    size_px: tuple[int, int] | None = None
    if not path.exists():
        return depths, size_px
    with opening(path), path.open("rb") as raw:
        try:
            archive = zipfile.ZipFile(raw)
        except DAMAGE as error:
            raise TrajectoryFileError(f"{path} is not a zip file of depth maps") from error
        for name in [n for n in archive.namelist() if n.endswith(".exr") and Path(n).stem.isdigit()]:
            try:
                depth = read_exr(archive.read(name), f"{path}, {name}")
            except (TrajectoryFileError, *DAMAGE) as error:
                logger.warning("depth map left out: %s", error)
                continue
            depths[int(Path(name).stem)] = median_positive(depth)
            size_px = (depth.shape[1], depth.shape[0])
    return depths, size_px
