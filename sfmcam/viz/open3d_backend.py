"""Paint a scene with Open3D, from outside the process that runs it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from sfmcam.types import UInt8
from sfmcam.viz.open3d_child import NO_WINDOW
from sfmcam.viz.scene import Scene
from sfmcam.viz.tube import mesh_of
from sfmcam.viz.viewpoint import Viewpoint

logger = logging.getLogger(__name__)

TIME_LIMIT_S = 60.0
OVERSAMPLING = 2  # drawn larger and then reduced: Open3D does not smooth edges
CHILD = "sfmcam.viz.open3d_child"
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


class Open3DFailedError(Exception):
    """Open3D gave no picture; the message is a short reason."""


def draw_with_open3d(scene: Scene, view: Viewpoint, *, limit_s: float = TIME_LIMIT_S) -> UInt8:
    """Return the scene as (H, W, 3), H and W as in `view.size_px`.

    Raises:
        Open3DFailedError: it is not installed, lacks a system library, died, hung, or drew nothing.
    """
    larger = replace(view, focal_px=view.focal_px * OVERSAMPLING, size_px=(view.size_px[0] * OVERSAMPLING, view.size_px[1] * OVERSAMPLING))
    with tempfile.TemporaryDirectory(prefix="sfmcam-") as folder:
        scene_file, picture_file = Path(folder) / "scene.npz", Path(folder) / "picture.npy"
        write_scene(scene_file, scene, larger, mesh_view=view, oversampling=OVERSAMPLING, limit_s=limit_s)
        _run_child(["picture", str(scene_file), str(picture_file)], limit_s=limit_s)
        image = np.load(picture_file)
    if image.shape[:2] != larger.size_px[::-1] or image.min() == image.max():
        raise Open3DFailedError("it drew a blank picture")
    return _reduce(image)


def write_scene(
    path: Path, scene: Scene, view: Viewpoint, *, mesh_view: Viewpoint, oversampling: int = 1, limit_s: float = 0.0, title: str = ""
) -> None:
    """Write what the child needs. Widths in pixels are those of `mesh_view`."""
    mesh = mesh_of(scene.strokes, scene.dots, mesh_view)
    np.savez(
        path,
        vertices=mesh.vertices,
        vertex_colors=mesh.colors,
        triangles=mesh.triangles,
        points=scene.points,
        point_colors=scene.point_colors,
        eye_from_scene=view.eye_from_scene,
        focal_px=view.focal_px,
        size_px=view.size_px,
        oversampling=oversampling,
        limit_s=max(1.0, limit_s),
        title=title,
    )


def child_command(arguments: list[str]) -> list[str]:
    """Return the command line of the child process; -P keeps modules of the current folder out of it."""
    return [sys.executable, "-P", "-m", CHILD, *arguments]


def child_environment() -> dict[str, str]:
    """Return the environment of the child, in which this very package is found however it was found here."""
    paths = [str(PACKAGE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def _run_child(arguments: list[str], *, limit_s: float) -> None:
    try:
        done = subprocess.run(
            child_command(arguments),
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Open3DFailedError(f"it gave no picture within {limit_s:g} s") from error
    except OSError as error:
        raise Open3DFailedError(f"its process did not start ({error})") from error
    if done.returncode:
        logger.info("Open3D's last words: %s", done.stderr.strip())
        raise Open3DFailedError(reason_of(done.returncode, done.stderr))


def reason_of(returncode: int, stderr: str) -> str:
    """Put the child's end in a few words."""
    if returncode == NO_WINDOW:
        return "Open3D found no way to draw without a display"
    if returncode < 0:
        return f"its process died by signal {-returncode}"
    last = stderr.strip().splitlines()[-1] if stderr.strip() else f"exit code {returncode}"
    if "No module named 'open3d'" in last:
        return "Open3D is not installed"
    if last.startswith(("OSError", "ImportError")):
        return f"Open3D lacks a system library ({last.partition(': ')[2]})"
    return last[:160]


def _reduce(image: UInt8) -> UInt8:
    """Average blocks of OVERSAMPLING x OVERSAMPLING pixels."""
    height, width = image.shape[0] // OVERSAMPLING, image.shape[1] // OVERSAMPLING
    blocks = image.reshape(height, OVERSAMPLING, width, OVERSAMPLING, 3).astype(np.float32)
    return np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)
