"""The files of one measured camera path: trajectory.tum, trajectory.npz, motion.json, scores.json (docs/outputs.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sfmcam.io.json_file import write_json
from sfmcam.io.trajectory_file import write_npz, write_tum
from sfmcam.types import CameraTrajectory
from sfmcam.workspace import ShotFolder, make_folder


def write_artifacts(folder: Path, *, trajectory: CameraTrajectory, motion: dict[str, Any], scores: dict[str, Any]) -> dict[str, Path]:
    """Write the four files into `folder`, made if needed; each one whole or not at all, and over an earlier one.

    Returns:
        The paths by the names `tum`, `npz`, `motion`, `scores`.

    Raises:
        InputError: the folder cannot be made or written.
    """
    make_folder(folder)
    files = ShotFolder(folder)
    paths = {"tum": folder / "trajectory.tum", "npz": files.trajectory, "motion": files.motion, "scores": files.scores}
    write_tum(paths["tum"], trajectory)
    write_npz(paths["npz"], trajectory)
    write_json(paths["motion"], motion)
    write_json(paths["scores"], scores)
    return paths
