"""The prior of a clip: shape, unit and gaps come out right from models that know the truth, and from saved ones by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")

from rendered_frames import frames_of  # noqa: E402
from tiny_depth_models import FOV_DEG, KnowingModel, numbered_images, save_depth_anything, save_depth_pro  # noqa: E402

from sfmcam.errors import ConfigError, InputError  # noqa: E402
from sfmcam.estimators.megasam.clip_prior import ClipPrior, PriorModels, clip_prior, load_models  # noqa: E402
from sfmcam.estimators.megasam.mono_depth import DepthKind  # noqa: E402
from sfmcam.estimators.megasam.prior_options import PriorOptions  # noqa: E402
from sfmcam.estimators.megasam.resize import grid_from_source, source_from_grid, working_size  # noqa: E402
from sfmcam.types import Float  # noqa: E402

WIDTH, HEIGHT, COUNT = 160, 96, 5
SIZE = working_size((WIDTH, HEIGHT), area_px=192 * 320)
FRAMES = frames_of(numbered_images(COUNT, (WIDTH, HEIGHT)))
FOV = np.deg2rad(70.0)


def true_inverse(frame: int, xy_px: Float) -> Float:
    """Return inverse depths in 1 / m of a floor that sinks towards the horizon and comes nearer, at positions (..., 2)."""
    return 0.1 + 0.004 * (1 + 0.1 * frame) * xy_px[..., 1] + 0.0005 * xy_px[..., 0]


def true_maps() -> Float:
    columns, rows = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    return np.stack([true_inverse(k, np.stack([columns, rows], axis=-1)) for k in range(COUNT)])


def grid_truth() -> Float:
    rows, columns = SIZE.grid
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).astype(float)
    return np.stack([true_inverse(k, source_from_grid(cells, SIZE)) for k in range(COUNT)])


def metres_off(prior: ClipPrior) -> Float:
    """Return how far off inverse depths are, as a share; without the cells at the left and upper border, which see too little."""
    return np.asarray(prior.disps.numpy() / prior.metric_per_unit / grid_truth() - 1)[:, 1:, 1:]


def relative_model(unit: float = 1.0) -> KnowingModel:
    return KnowingModel(unit * (true_maps() - 0.05), DepthKind.RELATIVE)


def metric_model(noise: float = 0.0, wrong: float = 0.0) -> KnowingModel:
    rng = np.random.default_rng(0)
    depth = 1 / true_maps() * np.exp(noise * rng.standard_normal((COUNT, HEIGHT, WIDTH)))
    depth[rng.random(depth.shape) < wrong] *= 3
    return KnowingModel(depth, DepthKind.METRIC, fov_rad=FOV)


def prior_of(models: PriorModels, **options: object) -> ClipPrior:
    prior = clip_prior(FRAMES, PriorOptions(**options), size=SIZE, models=models)
    assert prior is not None
    assert prior.disps.shape == (COUNT, *SIZE.grid)
    return prior


@pytest.mark.parametrize("options", [{}, {"alignment": "published"}, {"every": 2}, {"sampling": "point"}], ids=str)
@pytest.mark.parametrize("unit", [1.0, 17.0])
def test_both_models_give_shape_and_metres(options: dict[str, object], unit: float) -> None:
    prior = prior_of(PriorModels(relative_model(unit), metric_model(noise=0.02)), **options)
    assert_allclose(metres_off(prior), 0, atol=0.02)
    assert_allclose(np.percentile(prior.disps, 98), 2.0, rtol=0.05)
    assert_allclose(prior.focal_px, WIDTH / (2 * np.tan(FOV / 2)))


def test_a_metric_model_alone_is_taken_as_it_is() -> None:
    prior = prior_of(PriorModels(metric=metric_model()))
    assert_allclose(metres_off(prior), 0, atol=0.02)


def test_a_relative_model_alone_gives_shape_without_a_unit() -> None:
    prior = prior_of(PriorModels(relative=relative_model()))
    shape = (prior.disps.numpy() / (grid_truth() - 0.05))[:, 1:, 1:]
    assert_allclose(shape, shape.mean(), rtol=0.03)
    assert np.isnan(prior.metric_per_unit)
    assert prior.focal_px is None


def test_wrong_pixels_of_the_metric_model_do_not_bend_the_robust_prior() -> None:
    models = PriorModels(relative_model(), metric_model(noise=0.02, wrong=0.2))
    robust, published = (np.abs(metres_off(prior_of(models, alignment=kind))).max() for kind in ("robust", "published"))
    assert robust < 0.025
    assert robust < published


def test_each_frame_keeps_its_own_scale_where_asked() -> None:
    relative = relative_model()
    relative.maps = relative.maps * np.linspace(1, 2, COUNT)[:, None, None]
    alone = prior_of(PriorModels(relative, metric_model()), memory=0.0)
    assert_allclose(metres_off(alone), 0, atol=0.02)
    one = prior_of(PriorModels(relative, metric_model()), memory=1.0)
    assert np.abs(metres_off(one)).max() > 0.2


def test_the_sky_has_no_prior_and_starts_far() -> None:
    relative, metric = relative_model(), metric_model()
    relative.maps[:, :20] = 0.0
    metric.maps[:, :20] = 0.0
    prior = prior_of(PriorModels(relative=relative))
    sky = int(np.ceil(grid_from_source(np.array([0.0, 20.0]), SIZE)[1] - 0.5))
    assert (prior.disps[:, :sky] == 0).all()
    assert (prior.disps[:, sky + 1 :] > 0).all()
    assert_allclose(prior.start[:, :sky], 1e-3)
    assert (prior.start[:, sky + 1 :] == prior.disps[:, sky + 1 :]).all()
    assert (prior_of(PriorModels(metric=metric)).disps[:, :sky] == 0).all()


def test_a_longer_lens_means_a_larger_scene() -> None:
    prior = prior_of(PriorModels(metric=metric_model()))
    assert prior.focal_px is not None
    assert_allclose(prior.metric_per_unit_at(2 * prior.focal_px), 2 * prior.metric_per_unit)
    assert ClipPrior(prior.disps, 0.5).metric_per_unit_at(100.0) == 0.5


def test_no_model_no_prior() -> None:
    assert clip_prior(FRAMES, PriorOptions(), size=SIZE) is None


def test_models_by_folder(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="the extra `learned` is not installed")
    relative, metric = save_depth_anything(tmp_path / "relative"), save_depth_pro(tmp_path / "metric")
    options = PriorOptions(relative=str(relative), metric=str(metric), every=3)
    prior = clip_prior(FRAMES, options, size=SIZE)
    assert prior is not None
    assert np.isfinite(prior.metric_per_unit)
    assert_allclose(prior.focal_px, WIDTH / (2 * np.tan(np.deg2rad(FOV_DEG) / 2)), rtol=1e-4)
    with pytest.raises(InputError, match="gives metric depth; name it as `metric` in the options, not as `relative`"):
        load_models(PriorOptions(relative=str(metric)))
    with pytest.raises(InputError, match=r"not on this machine .*`sfmcam weights get depth-anything-v2-small`"):
        load_models(PriorOptions(relative="depth-anything-v2-small", cache=tmp_path))
    with pytest.raises(ConfigError, match="no depth model or folder 'depth-any'"):
        load_models(PriorOptions(metric="depth-any"))


@pytest.mark.parametrize("maps", [0.0, np.nan])
def test_a_model_that_sees_nothing_is_refused(maps: float) -> None:
    nothing = np.full((COUNT, HEIGHT, WIDTH), maps)
    with pytest.raises(InputError, match="infinity"):
        prior_of(PriorModels(relative=KnowingModel(nothing, DepthKind.RELATIVE)))
    with pytest.raises(InputError, match="infinity"):
        prior_of(PriorModels(metric=KnowingModel(nothing, DepthKind.METRIC)))
    with pytest.raises(InputError, match="no depth"):
        prior_of(PriorModels(relative_model(), KnowingModel(nothing, DepthKind.METRIC)))
