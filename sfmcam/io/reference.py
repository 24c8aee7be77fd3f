"""Reference camera paths of a labelled set: `poses/<clip>.tum`, and per frame `fx fy cx cy` in `intrinsics/<clip>.txt`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from sfmcam.errors import TrajectoryFileError
from sfmcam.io.number_rows import read_number_rows
from sfmcam.io.tum import read_tum
from sfmcam.types import CameraTrajectory

COLUMNS = "fx fy cx cy"


def read_reference(poses: Path, intrinsics: Path | None = None, *, image_size_px: tuple[int, int] | None = None) -> CameraTrajectory:
    """Read a reference path.

    Args:
        poses: TUM file.
        intrinsics: file with a line of four numbers per pose, in the same order, in pixels of the clip; the focal length is the
            mean of fx and fy. None where it is not known.
        image_size_px: (width, height) of the clip, to which the intrinsics refer; None where it is not known.

    Raises:
        TrajectoryFileError: a file cannot be read, their lengths differ, or a focal length is not positive.
    """
    trajectory = read_tum(poses)
    if intrinsics is None:
        return trajectory
    rows = read_number_rows(intrinsics, columns=COLUMNS)
    if len(rows.values) != len(trajectory):
        raise TrajectoryFileError(f"{intrinsics} has {len(rows.values)} lines of numbers, but {poses} has {len(trajectory)} poses")
    for i in np.flatnonzero(~(rows.values[:, :2] > 0).all(axis=1))[:1]:
        raise TrajectoryFileError(f"{rows.at(int(i))}: the focal length is not positive")
    return replace(trajectory, focal_px=rows.values[:, :2].mean(axis=1), image_size_px=image_size_px)
