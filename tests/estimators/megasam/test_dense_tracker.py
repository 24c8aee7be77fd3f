"""With the true flow of a scene the tracker finds the true path, depths and zoom; with spoilt flow, nearly; and it invents no motion."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the dense tracker needs PyTorch: pip install 'sfmcam[learned]'")

from relief_scene import LARGE, SCHEDULE, panning, resting, travelling, true_operator  # noqa: E402

from sfmcam.estimators.megasam.answer import verdict_of  # noqa: E402
from sfmcam.estimators.megasam.backend import adjust_all, tie  # noqa: E402
from sfmcam.estimators.megasam.clip import Clip, Given  # noqa: E402
from sfmcam.estimators.megasam.options import DenseOptions  # noqa: E402
from sfmcam.estimators.megasam.resize import working_size  # noqa: E402
from sfmcam.estimators.megasam.shot import solve_shot  # noqa: E402
from sfmcam.estimators.megasam.tracker import Tracker  # noqa: E402
from sfmcam.estimators.vo.bundle import Freedom  # noqa: E402
from sfmcam.geometry.rigid import camera_centers, inverse  # noqa: E402
from sfmcam.geometry.rotation import rotation_angle_rad  # noqa: E402
from sfmcam.types import Status  # noqa: E402


def clip_and_given(scene, operator, *, focal=None):
    """What the tracker takes, with the true focal lengths or with one guess."""
    intrinsics = scene.intrinsics.clone()
    if focal is not None:
        intrinsics[:, :2] = focal
    clip = Clip(lambda index: torch.zeros(3, 8, 8, dtype=torch.uint8), operator, timestamps_s=torch.arange(len(scene)) / 12.0)
    return clip, Given(intrinsics, torch.ones((len(scene), *scene.grid)))


def tracked(scene, operator):
    """All frames of a scene as keyframes, after the backend, the true focal lengths held."""
    clip, given = clip_and_given(scene, operator)
    torch.manual_seed(0)
    state = Tracker(clip, given, SCHEDULE).track(range(len(scene)))
    tie(state, operator, SCHEDULE)
    adjust_all(state, operator, SCHEDULE)
    return state


def errors(scene, state):
    """Largest rotation error (deg), largest direction error (deg) and median depth error (share) against the scene."""
    from sfmcam.estimators.megasam.se3 import matrix

    index = state.keyframes.index
    found, true = matrix(state.keyframes.poses).double().numpy(), scene.cam_from_world[index]
    found, true = found @ inverse(found[0]), true @ inverse(true[0])
    turn = np.degrees(rotation_angle_rad(found[:, :3, :3] @ true[:, :3, :3].transpose(0, 2, 1))).max()
    one, other = camera_centers(found)[1:], camera_centers(true)[1:]
    cosine = (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    scale = (one * other).sum() / (one * one).sum()
    depths = np.stack([scene.points(i)[1] for i in index])
    off = np.abs(np.log(scale / state.keyframes.disps.double().numpy() / depths))
    return turn, np.degrees(np.arccos(np.clip(cosine, -1, 1))).max(), np.median(off)


def test_true_flow_gives_the_true_path_and_depth():
    scene = travelling(12)
    rotation_deg, direction_deg, depth = errors(scene, tracked(scene, true_operator(scene)))
    assert rotation_deg < 0.05
    assert direction_deg < 0.3
    assert depth < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("mover_speed", [(0.1, -0.5), (0.5, 0.2)], ids=str)
def test_noise_outliers_and_a_large_mover_do_little(mover_speed):
    """1 px of noise at full resolution, 20 % outliers, and a mover over 30 % of the frame."""
    scene = travelling(12, grid=LARGE)
    operator = true_operator(scene, noise=0.125, outliers=0.2, mover_share=0.3, mover_speed=mover_speed)
    rotation_deg, direction_deg, _ = errors(scene, tracked(scene, operator))
    assert rotation_deg < 0.3
    assert direction_deg < 2.0


OPTIONS = DenseOptions(schedule=SCHEDULE.model_copy(update={"backend_updates": 8, "backend_prior": 3e-5}), focal_guesses=(0.75,))


def solved(scene, *, focal=None, **spoilt):
    """The whole of a scene's shot, from a guess of the focal length."""
    operator = true_operator(scene, **spoilt)
    clip, given = clip_and_given(scene, operator, focal=focal)
    size = working_size((scene.grid[1] * 8, scene.grid[0] * 8), area_px=scene.grid[0] * scene.grid[1] * 64)
    return solve_shot(clip, given, size, OPTIONS)


def test_a_zoom_is_found_to_two_percent():
    scene = travelling(12, zoom=0.25)
    found = solved(scene, noise=0.02)
    likeliest = max(found.hypotheses, key=lambda h: h.weight).filled  # the poses that are given alone ask for more before they zoom
    zoomed = likeliest.log_focal - likeliest.log_focal[0]
    assert found.belief[Freedom.ALL] > 0.5
    np.testing.assert_allclose(zoomed, np.log(scene.focal / scene.focal[0]), atol=0.02)
    np.testing.assert_allclose(likeliest.log_focal, np.log(scene.focal / scene.grid[1]), atol=0.02)
    assert verdict_of(found, (320, 240))[0] is Status.OK


@pytest.mark.parametrize(
    ("scene", "status"),
    [(resting(10), Status.STILL), (panning(10), Status.ROTATION_ONLY), (panning(10, zoom=0.2), Status.ROTATION_ONLY)],
    ids=["still", "pan", "pan and zoom"],
)
def test_no_translation_is_invented(scene, status):
    found = solved(scene, noise=0.05, outliers=0.05)
    assert verdict_of(found, (320, 240))[0] is status
    likely = camera_centers(found.filled.cam_from_world)
    assert np.linalg.norm(likely - likely[0], axis=1).max() < 1e-6


def test_it_repeats_itself():
    scene = travelling(8)
    one, other = (solved(scene, noise=0.05, rng=np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(one.filled.cam_from_world, other.filled.cam_from_world)
