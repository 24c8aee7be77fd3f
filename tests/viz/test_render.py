"""trajectory.png is always drawn: by Open3D where it runs, by matplotlib with the reason where it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from viz_paths import arc, cloud, path

from sfmcam.errors import InputError
from sfmcam.types import UInt8
from sfmcam.viz import open3d_backend, render
from sfmcam.viz.legend import SIZE_PX, emptiest_corner
from sfmcam.viz.open3d_backend import Open3DFailedError, draw_with_open3d, reason_of
from sfmcam.viz.render import render_trajectory_png
from sfmcam.viz.scene import BRIGHTEST_POINT, POINT_GAMMA, build_scene
from sfmcam.viz.timecolor import time_colors
from sfmcam.viz.viewpoint import choose_viewpoint

COLOR_TOLERANCE = 12  # of 255, for smoothed edges
SMALL_PX = (320, 240)


def read(file: Path) -> UInt8:
    """Pixels (H, W, 3) of a PNG."""
    with Image.open(file) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def count(pixels: UInt8, color: object) -> int:
    """Number of pixels near a colour in [0, 1]."""
    off = np.abs(pixels.astype(int) - np.rint(np.asarray(color, float) * 255)).max(axis=-1)
    return int((off <= COLOR_TOLERANCE).sum())


@pytest.fixture
def no_open3d(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Open3D fail at once."""

    def fail(*_: object, **__: object) -> UInt8:
        raise Open3DFailedError("Open3D is not installed")

    monkeypatch.setattr(render, "draw_with_open3d", fail)


@pytest.fixture(scope="module")
def needs_open3d() -> None:
    """Skip where Open3D cannot be loaded; importing it here would load it for every other test."""
    done = subprocess.run([sys.executable, "-c", "import open3d"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"Open3D cannot be loaded: {reason_of(done.returncode, done.stderr)}")


def child_that(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Put other code in the place of the Open3D child."""
    monkeypatch.setattr(open3d_backend, "child_command", lambda _: [sys.executable, "-c", code])


@pytest.mark.usefixtures("needs_open3d")
def test_open3d_draws_cameras_path_points_and_legend(tmp_path: Path) -> None:
    file = tmp_path / "trajectory.png"
    assert render_trajectory_png(file, trajectory=arc(), points=cloud(), title="arc.mp4") == "open3d"
    check_picture(read(file))


@pytest.mark.usefixtures("no_open3d")
def test_matplotlib_draws_the_same_and_says_why(tmp_path: Path) -> None:
    file = tmp_path / "trajectory.png"
    assert render_trajectory_png(file, trajectory=arc(), points=cloud(), title="arc.mp4") == "matplotlib: Open3D is not installed"
    check_picture(read(file))


def check_picture(pixels: UInt8) -> None:
    """Size, white ground, the colours of start and end, and green points."""
    assert pixels.shape == (SIZE_PX[1], SIZE_PX[0], 3)
    assert (pixels == 255).all(axis=-1).mean() > 0.6
    first, last = time_colors(np.array([0.0, 1.0]))
    drawing = pixels[100:-80]
    assert count(drawing, first) > 800
    assert count(drawing, last) > 800
    assert count(drawing, (np.array([40, 160, 60]) / 255) ** POINT_GAMMA * BRIGHTEST_POINT) > 300


@pytest.mark.usefixtures("needs_open3d")
def test_both_backends_put_the_lines_in_the_same_place() -> None:
    scene = build_scene(arc(), None)
    view = choose_viewpoint(scene.in_view, scene.trails, scene.points, size_px=SMALL_PX)
    ink = [(draw(scene, view).min(axis=-1) < 200) for draw in (draw_with_open3d, render.draw_with_matplotlib)]
    shared = (ink[0] & ink[1]).sum()
    assert shared > 0.6 * max(i.sum() for i in ink)


@pytest.mark.usefixtures("no_open3d")
@pytest.mark.parametrize("title", ["x" * 500, "several\nlines\tand $maths_{1}$ \N{SNOWMAN}", ""])
def test_any_title_can_be_written(tmp_path: Path, title: str) -> None:
    render_trajectory_png(tmp_path / "t.png", trajectory=path((0, 20, 0)), points=None, title=title)
    assert read(tmp_path / "t.png").min() < 100


def test_a_crash_of_the_child_gives_the_other_backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child_that(monkeypatch, "import os; os.abort()")
    backend = render_trajectory_png(tmp_path / "t.png", trajectory=path(), points=None, title="t")
    assert backend == "matplotlib: its process died by signal 6"
    assert read(tmp_path / "t.png").min() < 100


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import time; time.sleep(60)", "no picture within 1 s"),
        ("raise ImportError('libusb-1.0.so.0: cannot open shared object file')", "lacks a system library"),
        ("raise ModuleNotFoundError(\"No module named 'open3d'\")", "not installed"),
        ("import sys; sys.exit(3)", "without a display"),
        ("import sys; sys.exit(5)", "exit code 5"),
    ],
)
def test_every_end_of_the_child_has_its_reason(monkeypatch: pytest.MonkeyPatch, code: str, reason: str) -> None:
    child_that(monkeypatch, code)
    scene = build_scene(path(), None)
    view = choose_viewpoint(scene.in_view, scene.trails, scene.points, size_px=SMALL_PX)
    with pytest.raises(Open3DFailedError, match=reason):
        draw_with_open3d(scene, view, limit_s=1.0 if "sleep" in code else 30.0)


def test_a_blank_picture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import numpy as np, sys; np.save(sys.argv[1], np.full((480, 640, 3), 255, np.uint8))"
    monkeypatch.setattr(open3d_backend, "child_command", lambda a: [sys.executable, "-c", code, a[2]])
    scene = build_scene(path(), None)
    view = choose_viewpoint(scene.in_view, scene.trails, scene.points, size_px=SMALL_PX)
    with pytest.raises(Open3DFailedError, match="blank"):
        draw_with_open3d(scene, view)


@pytest.mark.usefixtures("no_open3d")
def test_nothing_to_draw_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to draw"):
        render_trajectory_png(tmp_path / "t.png", trajectory=path(num_invalid=12), points=None, title="t")


def test_the_axes_go_to_the_corner_without_cameras() -> None:
    left, right = np.array([[100.0, 750.0]] * 9), np.array([[1200.0, 750.0]] * 9)
    assert emptiest_corner(left)[0] > 640
    assert emptiest_corner(right)[0] < 640
