"""A clip longer than one window comes out as one path without turn or change of scale at the joint, and depths fit the way."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the dense tracker needs PyTorch: pip install 'sfmcam[learned]'")

from relief_scene import SCHEDULE as RELIEF  # noqa: E402
from relief_scene import made, true_operator  # noqa: E402

from sfmcam.estimators.megasam.clip import Clip, Given  # noqa: E402
from sfmcam.estimators.megasam.depth_map import depth_of, keyframe_depths  # noqa: E402
from sfmcam.estimators.megasam.options import DenseOptions, Schedule  # noqa: E402
from sfmcam.estimators.megasam.paths import window_path  # noqa: E402
from sfmcam.estimators.megasam.resize import working_size  # noqa: E402
from sfmcam.estimators.megasam.shot import solve_shot  # noqa: E402
from sfmcam.estimators.megasam.state import Edges, Keyframes, State  # noqa: E402
from sfmcam.estimators.vo.windows import choose_windows  # noqa: E402
from sfmcam.geometry.rigid import camera_centers, inverse  # noqa: E402
from sfmcam.geometry.rotation import rotation_angle_rad  # noqa: E402

WINDOW, OVERLAP, FRAMES = 9, 3, 15
# every frame becomes a keyframe and stays one, so that the joint falls where the test wants it
SCHEDULE = RELIEF.model_copy(update={"filter_flow": 1e-4, "backend_updates": 10, "min_keyframes": Schedule().min_keyframes})
OPTIONS = DenseOptions(schedule=SCHEDULE, window=WINDOW, overlap=OVERLAP, focal_guesses=(0.85,), focal_log_sigma=0.01)
ROTATION_DEG = 0.1  # of any frame; a single window of true flow stays below 0.05
DIRECTION_DEG = 1.0  # of the way from the first frame; 0.3 for a single window
SCALE = 0.02  # of the way in one window against that in the next, and of depths against the way


def steadily(num):
    """Shares of the way at which a camera of even speed is."""
    return np.linspace(0, 1, num)


def with_a_halt(num):
    """Shares of the way of a camera that all but rests where the two windows overlap: there it goes 0.5 % of the way in a frame."""
    speed = np.ones(num - 1)
    first, second = choose_windows(num, WINDOW, OVERLAP)
    speed[second.start - 1 : first.stop] = 0.0
    speed[speed == 0] = 0.005 * speed.sum()
    return np.concatenate([[0], np.cumsum(speed)]) / speed.sum()


def scene_of(share):
    """A camera that trucks, rises, comes nearer, pans and rolls, and is at some share of its way in each frame."""
    centers = np.column_stack([1.3 * share, -0.4 * np.sin(2 * share), 0.7 * share])
    return made(centers, np.column_stack([0.06 * np.sin(3 * share), -0.2 * share, 0.08 * share]), np.zeros(len(share)))


def solved(scene):
    """The shot under the true flow and the true focal length."""
    black = torch.zeros(3, 8, 8, dtype=torch.uint8)
    clip = Clip(lambda index: black, true_operator(scene), timestamps_s=torch.arange(len(scene)) / 12.0)
    size = working_size((scene.grid[1] * 8, scene.grid[0] * 8), area_px=scene.grid[0] * scene.grid[1] * 64)
    torch.manual_seed(0)
    return solve_shot(clip, Given(scene.intrinsics, torch.ones((len(scene), *scene.grid)), focal_known=True), size, OPTIONS)


@pytest.mark.parametrize("share", [steadily(FRAMES), with_a_halt(FRAMES)], ids=["steady", "halt at the joint"])
def test_windows_make_one_path(share):
    scene = scene_of(share)
    found = solved(scene)
    np.testing.assert_array_equal(found.points.frames, np.arange(FRAMES))  # two windows
    poses, true = (p @ inverse(p[0]) for p in (found.filled.cam_from_world, scene.cam_from_world))
    turn = np.degrees(rotation_angle_rad(poses[:, :3, :3] @ true[:, :3, :3].transpose(0, 2, 1)))
    assert turn.max() < ROTATION_DEG
    one, other = camera_centers(poses), camera_centers(true)
    cosine = (one * other)[1:].sum(axis=1) / np.linalg.norm(one[1:], axis=1) / np.linalg.norm(other[1:], axis=1)
    assert np.degrees(np.arccos(cosine.clip(-1, 1))).max() < DIRECTION_DEG
    first, second = choose_windows(FRAMES, WINDOW, OVERLAP)
    # the ways that one window alone has placed
    scales = [np.linalg.norm(c[b] - c[a]) for c in (one, other) for a, b in ((0, second.start), (first.stop - 1, FRAMES - 1))]
    before, after = scales[0] / scales[2], scales[1] / scales[3]
    assert after == pytest.approx(before, rel=SCALE)
    depths = np.array([np.median(scene.points(k)[1]) for k in range(FRAMES)])
    np.testing.assert_allclose(found.filled.median_depth / before, depths, rtol=2 * SCALE)
    np.testing.assert_allclose(1 / found.depth.inverse_depth / before, np.stack([scene.points(k)[1] for k in range(FRAMES)]), rtol=0.1)


def test_the_depth_of_a_keyframe_is_that_of_what_it_shows():
    """A camera comes nearer: what it passes drops out of sight, and what an earlier keyframe saw beside it is no depth of a later one."""
    grid, near, far, step = (16, 24), 4.0, 10.0, 3.0
    inner = np.zeros(grid, bool)
    inner[4:12, 6:18] = True
    depth = np.stack([np.where(inner, far, near), np.full(grid, far - step)])
    poses = torch.tensor([[0, 0, 0, 0, 0, 0, 1], [0, 0, -step, 0, 0, 0, 1]], dtype=torch.float64)
    disps, ones = torch.from_numpy(1 / depth), torch.ones((2, *grid), dtype=torch.float64)
    intrinsics = torch.tensor([[20.0, 20.0, 12.0, 8.0]] * 2, dtype=torch.float64)
    frames = Keyframes([3, 8], [None, None], poses, disps, ones * 0, intrinsics, ones, ones)
    state = State(frames, Edges.none(disps), Edges.none(disps))
    size = working_size((grid[1] * 8, grid[0] * 8), area_px=grid[0] * grid[1] * 64)
    path = window_path(frames, ones, size)
    unit = np.linalg.norm(camera_centers(path.cam_from_world)[1]) / step
    np.testing.assert_allclose(keyframe_depths(path, grid) / unit, [near, far - step])
    np.testing.assert_allclose(1 / depth_of([state], path, size).inverse_depth / unit, depth)
    brought = depth_of([state], path, size, medians=np.array([2.0, 3.5]))
    np.testing.assert_allclose(1 / brought.inverse_depth, depth * np.array([2 / near, 3.5 / (far - step)])[:, None, None])
