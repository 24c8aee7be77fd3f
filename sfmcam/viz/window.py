"""The interactive window of `--view`."""

from __future__ import annotations

import importlib.util
import subprocess
import tempfile
from pathlib import Path

from sfmcam.errors import MissingDependencyError, SfmcamError
from sfmcam.types import CameraTrajectory, PointCloud
from sfmcam.viz.display import has_display
from sfmcam.viz.legend import SIZE_PX
from sfmcam.viz.open3d_backend import child_command, child_environment, reason_of, write_scene
from sfmcam.viz.scene import build_scene
from sfmcam.viz.viewpoint import choose_viewpoint


def show_trajectory(trajectory: CameraTrajectory, points: PointCloud | None, *, title: str = "") -> None:
    """Open a window in which the trajectory can be turned with the mouse; return when it is closed.

    Args:
        trajectory: what is shown; frames without a pose are left out.
        points: scene points in the trajectory's world, or None.
        title: of the window.

    Raises:
        MissingDependencyError: Open3D is not installed.
        InputError: the trajectory has no frame with a pose.
        SfmcamError: there is no display, or Open3D gave no window.
    """
    if importlib.util.find_spec("open3d") is None:
        raise MissingDependencyError("--view needs Open3D, which is not installed; install it with: pip install 'sfmcam[viz]'")
    if not has_display():
        raise SfmcamError("--view needs a display and none answers (DISPLAY, WAYLAND_DISPLAY); the same picture is in trajectory.png")
    scene = build_scene(trajectory, points)
    view = choose_viewpoint(scene.in_view, scene.trails, scene.points, size_px=SIZE_PX)
    with tempfile.TemporaryDirectory(prefix="sfmcam-") as folder:
        scene_file = Path(folder) / "scene.npz"
        write_scene(scene_file, scene, view, mesh_view=view, title=f"sfmcam: {title}" if title else "sfmcam")
        done = subprocess.run(
            child_command(["window", str(scene_file)]),
            env=child_environment(),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    if done.returncode:
        raise SfmcamError(f"the window could not be opened: {reason_of(done.returncode, done.stderr)}; the picture is in trajectory.png")
