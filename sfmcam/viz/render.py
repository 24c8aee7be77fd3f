"""Draw a trajectory into a PNG: by Open3D, or by matplotlib where Open3D cannot."""

from __future__ import annotations

import logging
from pathlib import Path

from sfmcam.types import CameraTrajectory, PointCloud
from sfmcam.viz.legend import SCENE_SIZE_PX, compose
from sfmcam.viz.matplotlib_backend import draw_with_matplotlib
from sfmcam.viz.open3d_backend import Open3DFailedError, draw_with_open3d
from sfmcam.viz.scene import build_scene
from sfmcam.viz.viewpoint import choose_viewpoint

logger = logging.getLogger(__name__)


def render_trajectory_png(path: Path, *, trajectory: CameraTrajectory, points: PointCloud | None, title: str) -> str:
    """Write the picture of a trajectory, 1280 x 960: cameras coloured by time, path, scene points where there are some.

    Args:
        path: PNG file to write; its folder exists.
        trajectory: what is drawn; frames without a pose are left out.
        points: scene points in the trajectory's world.
        title: first line of the legend.

    Returns:
        Which backend drew it: "open3d", or "matplotlib: <why not Open3D>".

    Raises:
        InputError: the trajectory has no frame with a pose.
    """
    scene = build_scene(trajectory, points)
    view = choose_viewpoint(scene.in_view, scene.trails, scene.points, size_px=SCENE_SIZE_PX)
    backend = "open3d"
    try:
        drawing = draw_with_open3d(scene, view)
    except Open3DFailedError as error:
        backend = f"matplotlib: {error}"
        logger.info("drawing %s with matplotlib: %s", path.name, error)
        drawing = draw_with_matplotlib(scene, view)
    compose(drawing, scene, view, title=title).save(path, format="PNG", optimize=True)
    return backend
