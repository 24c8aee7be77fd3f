"""`dense` on pictures: it finds what the camera did, and short, dark, grey and large clips end in a result or one clear status."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the dense tracker needs PyTorch: pip install 'sfmcam[learned]'")

from rendered_frames import clip, frames, frames_of  # noqa: E402

from sfmcam.errors import ConfigError, InputError  # noqa: E402
from sfmcam.estimators.megasam.dense_flow import DenseEdges, DenseFlowOperator, cell_centres, cell_sharpness  # noqa: E402
from sfmcam.estimators.megasam.needs import require_cuda, require_ready  # noqa: E402
from sfmcam.estimators.megasam.operator import Sight  # noqa: E402
from sfmcam.estimators.megasam.options import DenseOptions, MegasamOptions  # noqa: E402
from sfmcam.estimators.registry import load_estimator, parse_spec, run_config  # noqa: E402
from sfmcam.motion.measure import measure  # noqa: E402
from sfmcam.motion.primitive import Dof  # noqa: E402
from sfmcam.types import Status  # noqa: E402


def estimate(spec, given, tmp_path):
    return load_estimator(parse_spec(spec), run_config({})).estimate(given, workspace=tmp_path)


def test_a_trucking_camera_trucks(tmp_path):
    found = estimate("dense", frames("truck"), tmp_path)
    assert found.status is Status.OK
    net = measure(found.measured).net
    assert 0.15 < net[Dof.RIGHT] < 0.6
    assert abs(net[Dof.RIGHT]) > 4 * abs(net[Dof.IN])
    assert len(found.points.points_in_world) > 50


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["dense", "dense:alone"])
def test_a_pan_is_no_translation(spec, tmp_path):
    found = estimate(spec, frames("pan"), tmp_path)
    assert found.status is Status.ROTATION_ONLY
    assert np.degrees(measure(found.measured).net[Dof.PAN]) == pytest.approx(18, abs=2)


@pytest.mark.slow
def test_a_still_camera_is_still(tmp_path):
    assert estimate("dense:alone", frames("still"), tmp_path).status is Status.STILL


@pytest.mark.parametrize("spec", ["dense", "dense:alone"])
@pytest.mark.parametrize("count", [2, 3])
def test_a_clip_of_few_frames_is_answered(spec, count, tmp_path):
    found = estimate(spec, frames_of(clip("pan").frames[::2][:count]), tmp_path)
    assert found.message
    if found.status.is_success:
        assert len(found.trajectory) == count


@pytest.mark.parametrize("spec", ["dense", "dense:alone"])
def test_a_dark_clip_says_so(spec, tmp_path):
    found = estimate(spec, frames_of(np.zeros((5, 96, 128, 3), np.uint8)), tmp_path)
    assert found.status is Status.TOO_FEW_FEATURES
    assert found.message


@pytest.mark.slow
def test_grey_pictures_and_a_black_one_among_them(tmp_path):
    grey = clip("truck").frames.mean(axis=3).astype(np.uint8)
    grey[3] = 0
    found = estimate("dense", frames_of(grey), tmp_path)
    assert found.status.is_success
    assert found.points.colors_rgb.shape[1] == 3


@pytest.mark.slow
def test_four_thousand_pixels_across(tmp_path):
    import cv2

    large = np.stack([cv2.resize(f, (3840, 2160)) for f in clip("pan").frames[:4]])
    found = estimate("dense", frames_of(large), tmp_path)
    assert found.message
    if found.status.is_success:
        assert found.trajectory.image_size_px == (3840, 2160)


def test_flow_of_a_shifted_picture_is_the_shift():
    rng = np.random.default_rng(0)
    import cv2

    picture = cv2.GaussianBlur(rng.integers(0, 255, (128, 160), np.uint8), (0, 0), 2)
    picture = cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX)
    one, other = (torch.from_numpy(np.repeat(np.roll(picture, k, axis=1)[None], 3, axis=0)) for k in (0, 4))
    operator = DenseFlowOperator()
    edges = operator.open([operator.encode(one, 0)], [operator.encode(other, 1)])
    inner = edges.flow[0, 2:-2, 3:-3]
    assert torch.allclose(inner.median(dim=0).values.median(dim=0).values, torch.tensor([0.5, 0.0]), atol=0.02)
    assert float(edges.trust[0, 2:-2, 3:-3].median()) > 0.5


def test_a_mover_loses_its_weight_and_texture_gives_it():
    operator = DenseFlowOperator()
    flow = torch.zeros(2, 12, 16, 2)
    flow[:, 3:6, 4:9] = 2.0

    edges = DenseEdges(flow, torch.ones_like(flow), torch.zeros(2))
    coords = cell_centres(12, 16).float().expand(2, 12, 16, 2)
    for _ in range(10):
        edges, said = operator.revise(edges, Sight(torch.tensor([0, 0]), coords, coords))
    assert float(said.static_probability[:, 3:6, 4:9].max()) < 0.05
    assert float(said.static_probability[:, 8:].min()) > 0.9
    stripes = np.tile(np.repeat([60, 190], 8), (96, 8)).astype(np.uint8)
    along_x, along_y = cell_sharpness(stripes)[4:-4, 4:-4].mean(axis=(0, 1))
    assert along_x > 0.5 > 0.1 > along_y


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        (MegasamOptions(weights="/nowhere/megasam.pth"), InputError, "weights of megasam are not at /nowhere"),
        (DenseOptions(device="cuda"), ConfigError, "shows no NVIDIA device"),
    ],
)
def test_what_is_missing_is_one_sentence(options, error, told, monkeypatch):
    monkeypatch.setattr("sfmcam.estimators.megasam.needs.Path.exists", lambda path: False)
    with pytest.raises(error, match=told):
        require_ready(options)


def test_cuda_that_is_there_is_no_error(monkeypatch):
    monkeypatch.setattr("sfmcam.estimators.megasam.needs.Path.exists", lambda path: True)
    require_cuda("dense")
