"""A depth prior reaches the tracker, and a path that was solved with one is in metres."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")

from rendered_frames import clip, frames  # noqa: E402

from sfmcam.config import RunConfig  # noqa: E402
from sfmcam.datasets.synthetic.clip import RenderedClip  # noqa: E402
from sfmcam.errors import InputError  # noqa: E402
from sfmcam.estimators.megasam.clip_prior import ClipPrior, PriorModels  # noqa: E402
from sfmcam.estimators.megasam.depth_map import DenseDepth  # noqa: E402
from sfmcam.estimators.megasam.estimator import Dense  # noqa: E402
from sfmcam.estimators.megasam.mono_depth import DepthKind, DepthMaps  # noqa: E402
from sfmcam.estimators.megasam.options import DenseOptions  # noqa: E402
from sfmcam.estimators.megasam.prior_given import given_by_prior, metres_per_unit  # noqa: E402
from sfmcam.estimators.megasam.resize import source_focal_px, working_size  # noqa: E402
from sfmcam.geometry.rigid import camera_centers  # noqa: E402

SIZE = working_size((320, 192), area_px=128 * 224)


def depth_and_prior(metres: float, *, outliers: float = 0.0) -> tuple[DenseDepth, ClipPrior]:
    """Return depths in a unit of `metres`, and a prior of 0.7 m per tracker unit that says the same."""
    rng = np.random.default_rng(0)
    inverse = rng.uniform(0.2, 2.0, (3, *SIZE.grid))
    said = np.repeat(inverse / metres * 0.7, 2, axis=0).astype(np.float32)  # of six frames, of which 0, 2 and 4 are keyframes
    said[rng.random(said.shape) < outliers] *= 3
    said[:, 0] = 0.0
    static = np.ones_like(inverse)
    static[:, :, :5] = 0.0
    inverse[:, :, :5] = 7.0  # a mover
    return DenseDepth(np.array([0, 2, 4]), inverse, np.zeros_like(inverse), static, np.zeros((*inverse.shape[1:], 2))), ClipPrior(
        torch.from_numpy(said), 0.7, 300.0
    )


@pytest.mark.parametrize("metres", [0.3, 4.0])
@pytest.mark.parametrize("outliers", [0.0, 0.2])
def test_the_length_of_a_unit_comes_back(metres: float, outliers: float) -> None:
    depth, prior = depth_and_prior(metres, outliers=outliers)
    assert metres_per_unit(depth, prior) == pytest.approx(metres, rel=1e-5)
    assert metres_per_unit(depth, prior, focal_px=600.0) == pytest.approx(2 * metres, rel=1e-5)


def test_no_metres_where_nobody_knows_them() -> None:
    depth, prior = depth_and_prior(1.0)
    assert metres_per_unit(depth, ClipPrior(prior.disps, float("nan"))) is None
    assert metres_per_unit(depth, ClipPrior(torch.zeros_like(prior.disps), 0.7)) is None


def test_the_prior_and_its_focal_length_are_given() -> None:
    _, prior = depth_and_prior(1.0)
    given = given_by_prior(prior, SIZE, focal_px=200.0)
    assert torch.equal(given.prior_disps, prior.disps)
    assert given.poses is None
    assert_allclose(source_focal_px(given.intrinsics.numpy(), SIZE), 300.0, rtol=1e-5)
    unknown = given_by_prior(ClipPrior(prior.disps, 0.7), SIZE, focal_px=200.0)
    assert_allclose(source_focal_px(unknown.intrinsics.numpy(), SIZE), 200.0, rtol=1e-5)


def dense(tmp_path: Path, prior: dict[str, object]) -> Dense:
    options = DenseOptions(area_px=128 * 224, prior=prior, focal_guesses=(0.7,))
    return Dense(options, RunConfig())


@pytest.mark.parametrize("prior", [{"relative": "depth-anything-v2-small"}, {"metric": "depth-pro"}])
def test_an_absent_model_is_one_sentence(tmp_path: Path, prior: dict[str, object]) -> None:
    pytest.importorskip("huggingface_hub", reason="the extra `data` is not installed")
    with pytest.raises(InputError, match=r"not on this machine .*fetch it with `sfmcam weights get"):
        dense(tmp_path, prior | {"cache": str(tmp_path)}).estimate(frames("truck"), workspace=tmp_path)


class TrueDepth:
    """A metric model that knows a rendered clip: each picture that it is shown is the next one of the clip."""

    name, kind = "the truth", DepthKind.METRIC

    def __init__(self, rendered: RenderedClip) -> None:
        self.rendered, self.shown = rendered, 0

    def predict(self, images: torch.Tensor) -> DepthMaps:
        """See `mono_depth.DepthModel`."""
        rows = slice(self.shown, self.shown + len(images))
        self.shown += len(images)
        depth = torch.from_numpy(np.nan_to_num(self.rendered.depth[rows], nan=0.0)).float()
        fov = 2 * np.arctan(images.shape[-1] / 2 / self.rendered.focal_px[rows])
        whole = torch.nn.functional.interpolate(depth[:, None], images.shape[-2:], mode="nearest-exact")[:, 0]
        return DepthMaps(whole, self.kind, torch.from_numpy(fov))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["truck", "dolly"])
def test_a_path_solved_with_a_metric_prior_is_in_metres(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = clip(name)
    models = PriorModels(metric=TrueDepth(rendered))
    monkeypatch.setattr("sfmcam.estimators.megasam.clip_prior.load_models", lambda *_: models)
    path = dense(tmp_path, {"metric": "the truth"}).estimate(frames(name), workspace=tmp_path).trajectory
    assert path is not None
    assert path.scale == "metric"
    true_m, found_m = (np.linalg.norm(camera_centers(p)[-1] - camera_centers(p)[0]) for p in (rendered.cam_from_world, path.cam_from_world))
    assert found_m == pytest.approx(true_m, rel=0.1)
    if name == "truck":  # along a corridor, the points in front of the camera are further than what fills the picture
        assert_allclose(path.median_depth, np.nanmedian(rendered.depth, axis=(1, 2)), rtol=0.15)
