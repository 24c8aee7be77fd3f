"""Open3D in a process of its own: `python -m sfmcam.viz.open3d_child picture|window SCENE.npz [PICTURE.npy]`.

Open3D can abort its process (no driver, no display) and draws a blank picture for a second window of another size, so
nothing else runs beside it. The process also ends itself after a while, should its parent be killed first.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from sfmcam.types import UInt8

POINT_SIZE_PX = 3.8  # of the finished picture
NO_WINDOW = 3  # exit code: Open3D imported, but gave no window


def draw(scene: dict[str, Any]) -> UInt8 | None:
    """Draw without a display; return (H, W, 3), or None where Open3D gives no window."""
    visualizer = _open(scene, visible=False, title="")
    if visualizer is None:
        return None
    visualizer.poll_events()
    visualizer.update_renderer()
    image = np.asarray(visualizer.capture_screen_float_buffer(do_render=True))
    visualizer.destroy_window()
    return np.rint(image * 255).astype(np.uint8)


def show(scene: dict[str, Any], title: str) -> bool:
    """Open a window and return when it is closed; False where Open3D gives no window."""
    visualizer = _open(scene, visible=True, title=title)
    if visualizer is None:
        return False
    visualizer.run()
    visualizer.destroy_window()
    return True


def _open(scene: dict[str, Any], *, visible: bool, title: str) -> Any:
    import open3d as o3d

    width, height = (int(v) for v in scene["size_px"])
    visualizer = o3d.visualization.Visualizer()
    if not visualizer.create_window(window_name=title, width=width, height=height, visible=visible):
        return None
    mesh = o3d.geometry.TriangleMesh(
        o3d.utility.Vector3dVector(scene["vertices"]), o3d.utility.Vector3iVector(scene["triangles"].astype(np.int32))
    )
    mesh.vertex_colors = o3d.utility.Vector3dVector(scene["vertex_colors"])
    visualizer.add_geometry(mesh)
    if len(scene["points"]):
        cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(scene["points"]))
        cloud.colors = o3d.utility.Vector3dVector(scene["point_colors"])
        visualizer.add_geometry(cloud)
    _look(o3d, visualizer, scene)
    return visualizer


def _look(o3d: Any, visualizer: Any, scene: dict[str, Any]) -> None:
    width, height = (int(v) for v in scene["size_px"])
    focal = float(scene["focal_px"])
    option = visualizer.get_render_option()
    option.background_color = np.ones(3)
    option.light_on = False
    option.mesh_show_back_face = True
    option.point_size = POINT_SIZE_PX * float(scene["oversampling"])
    camera = o3d.camera.PinholeCameraParameters()
    camera.intrinsic = o3d.camera.PinholeCameraIntrinsic(width, height, focal, focal, width / 2 - 0.5, height / 2 - 0.5)
    camera.extrinsic = scene["eye_from_scene"]
    visualizer.get_view_control().convert_from_pinhole_camera_parameters(camera, allow_arbitrary=True)


def main(arguments: list[str]) -> int:
    """Run one task; return the exit code."""
    task, scene_file, *rest = arguments
    with np.load(scene_file, allow_pickle=False) as archive:
        scene = dict(archive)
    if task == "window":
        return 0 if show(scene, str(scene["title"])) else NO_WINDOW
    signal.alarm(int(scene["limit_s"]))
    image = draw(scene)
    if image is None:
        return NO_WINDOW
    np.save(Path(rest[0]), image)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
