"""Depth models: run over a clip in batches and in between, loaded from a local folder only and strictly."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")
pytest.importorskip("transformers", reason="the extra `learned` is not installed")

from rendered_frames import frames  # noqa: E402
from tiny_depth_models import FOV_DEG, KnowingModel, numbered_images, save_depth_anything, save_depth_pro  # noqa: E402

from sfmcam.errors import ConfigError, DownloadError, InputError, SfmcamError  # noqa: E402
from sfmcam.estimators.megasam import depth_models  # noqa: E402
from sfmcam.estimators.megasam.depth_models import KNOWN, fetch_model, find_model  # noqa: E402
from sfmcam.estimators.megasam.mono_depth import DepthKind, predict_clip  # noqa: E402
from sfmcam.estimators.megasam.mono_input import InputRule, read_input_rule  # noqa: E402
from sfmcam.estimators.megasam.mono_transformers import TransformersDepth  # noqa: E402


@pytest.fixture(scope="session")
def relative_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_depth_anything(tmp_path_factory.mktemp("models") / "relative")


@pytest.fixture(scope="session")
def metric_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_depth_anything(tmp_path_factory.mktemp("models") / "metric", depth_estimation_type="metric", max_depth=20)


@pytest.fixture(scope="session")
def depth_pro_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_depth_pro(tmp_path_factory.mktemp("models") / "pro")


def pictures(count: int = 3) -> torch.Tensor:
    return torch.from_numpy(frames("truck").images[:count].transpose(0, 3, 1, 2).copy())


def test_a_saved_model_says_what_transformers_makes_of_it(relative_folder: Path) -> None:
    from transformers import AutoModelForDepthEstimation, DPTImageProcessorPil

    images = pictures(2)
    ours = TransformersDepth(relative_folder).predict(images)
    prepared = DPTImageProcessorPil.from_pretrained(relative_folder)(list(images), return_tensors="pt")
    with torch.inference_mode():
        theirs = AutoModelForDepthEstimation.from_pretrained(relative_folder)(**prepared).predicted_depth
    assert ours.kind is DepthKind.RELATIVE
    assert ours.values.shape == (2, *images.shape[-2:])
    assert ours.values.min() >= 0
    resized = torch.nn.functional.interpolate(theirs[:, None], ours.values.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
    assert_allclose(ours.values, resized, atol=0.02 * float(resized.std()) + 1e-4 * float(resized.mean()))


def test_the_input_is_that_of_transformers(relative_folder: Path) -> None:
    from transformers import DPTImageProcessorPil

    rule, processor = read_input_rule(relative_folder), DPTImageProcessorPil.from_pretrained(relative_folder)
    for shape in ((180, 320), (320, 180), (90, 100), (56, 56), (40, 300)):
        image = torch.from_numpy(
            cv2.resize(frames("truck").images[0], shape[::-1], interpolation=cv2.INTER_AREA).transpose(2, 0, 1).copy()
        )[None]
        theirs = processor(list(image), return_tensors="pt")["pixel_values"]
        ours = rule.prepare(image)
        assert ours.shape == theirs.shape
        assert float((ours - theirs).abs().max()) < 0.05  # they round to grey levels in between
    assert InputRule((518, 518), keeps_aspect=True, multiple=14).shape_of(288, 512, long_side_px=768) == (434, 770)


def test_metric_depth_is_bounded_by_the_configuration(metric_folder: Path) -> None:
    maps = TransformersDepth(metric_folder).predict(pictures())
    assert maps.kind is DepthKind.METRIC
    assert maps.fov_rad is None
    assert 0 < maps.values.min() <= maps.values.max() <= 20


def test_depth_pro_tells_its_field_of_view_and_scales_by_it(depth_pro_folder: Path) -> None:
    from transformers import AutoModelForDepthEstimation

    model, images = TransformersDepth(depth_pro_folder), pictures(2)
    maps = model.predict(images)
    assert_allclose(np.rad2deg(maps.fov_rad.numpy()), FOV_DEG, rtol=1e-5)
    with torch.inference_mode():
        canonical = AutoModelForDepthEstimation.from_pretrained(depth_pro_folder)(model._rule.prepare(images)).predicted_depth
    canonical = torch.nn.functional.interpolate(canonical[:, None], images.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
    focal_px = images.shape[-1] / (2 * np.tan(np.deg2rad(FOV_DEG) / 2))
    expected = focal_px / (images.shape[-1] * canonical.clamp(min=1e-4))
    seen = canonical > 1e-2
    assert seen.float().mean() > 0.5
    assert_allclose(maps.values[seen], expected[seen], rtol=1e-4)


def test_bfloat16_is_nearly_the_same(relative_folder: Path) -> None:
    exact, rough = (TransformersDepth(relative_folder, precision=p).predict(pictures(1)).values for p in (torch.float32, torch.bfloat16))
    assert rough.dtype == torch.float32
    assert_allclose(rough, exact, rtol=0.05)


@pytest.mark.parametrize(("every", "asked"), [(1, 9), (3, 4), (4, 3), (100, 2)])
def test_frames_in_between_are_interpolated(every: int, asked: int) -> None:
    inverse = np.linspace(0.1, 0.9, 9)[:, None, None] * np.ones((9, 4, 6))
    model = KnowingModel(inverse, DepthKind.RELATIVE)
    clip = predict_clip(model, numbered_images(9, (6, 4)), every=every, batch=2)
    assert model.asked == asked
    assert_allclose(clip.inverse, inverse, rtol=1e-5)


def test_depths_are_interpolated_as_inverse_depths_and_gaps_are_not() -> None:
    depth = np.ones((3, 4, 6)) * np.array([2.0, np.nan, 4.0])[:, None, None]
    depth[0, 0, 0] = 0.0
    clip = predict_clip(KnowingModel(depth, DepthKind.METRIC, fov_rad=1.0), numbered_images(3, (6, 4)), every=2)
    assert_allclose(clip.inverse[1, 1], 0.375)
    assert clip.inverse[0, 0, 0] == 0
    assert clip.inverse[1, 0, 0] == 0.25
    assert clip.fov_rad == 1.0


@pytest.mark.parametrize("count", [1, 2])
def test_clips_of_one_and_two_frames(count: int) -> None:
    model = KnowingModel(np.ones((count, 4, 6)), DepthKind.RELATIVE)
    assert predict_clip(model, numbered_images(count, (6, 4)), every=5).inverse.shape == (count, 4, 6)


def test_grey_frames_do() -> None:
    model = KnowingModel(np.ones((2, 4, 6)), DepthKind.RELATIVE)
    assert predict_clip(model, numbered_images(2, (6, 4))[..., 0]).inverse.shape == (2, 4, 6)


def test_batches_shrink_where_memory_runs_out() -> None:
    model = KnowingModel(np.ones((7, 4, 6)), DepthKind.RELATIVE, out_of_memory_above=1)
    assert predict_clip(model, numbered_images(7, (6, 4)), batch=4).inverse.min() == 1
    model.out_of_memory_above = 0
    with pytest.raises(SfmcamError, match=r"no memory for the depth model .* smaller `long_side_px`"):
        predict_clip(model, numbered_images(7, (6, 4)), batch=4)


def test_a_known_model_that_is_not_here_is_named_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"not on this machine \(looked for .* in {tmp_path}\); fetch it with `sfmcam weights get depth-"):
        find_model("depth-anything-v2-small", tmp_path)
    with pytest.raises(InputError, match="not on this machine"):
        find_model("somebody/some-model", tmp_path)


@pytest.mark.parametrize("name", ["depth-anything-v2-smal", "./nowhere", "/nowhere/at/all", "a/b/c"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"no depth model or folder.*Known: depth-anything-v2-small"):
        find_model(name)


def test_a_copy_in_the_cache_is_found_by_name(tmp_path: Path, relative_folder: Path) -> None:
    """The cache's layout as huggingface_hub leaves it after a download."""
    owner = tmp_path / ("models--" + KNOWN["depth-anything-v2-small"].repo.replace("/", "--"))
    (owner / "refs").mkdir(parents=True)
    (owner / "refs" / "main").write_text("abc")
    shutil.copytree(relative_folder, owner / "snapshots" / "abc")
    assert find_model("depth-anything-v2-small", tmp_path) == owner / "snapshots" / "abc"
    (owner / "snapshots" / "abc" / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"no model.safetensors; fetch it with"):
        find_model("depth-anything-v2-small", tmp_path)


def test_an_offline_download_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Hub:
        errors = depth_models._huggingface_hub().errors

        @staticmethod
        def snapshot_download(*_: object, **__: object) -> str:
            raise OSError("no route to host")

    monkeypatch.setattr(depth_models, "_huggingface_hub", Hub)
    with pytest.raises(DownloadError, match=r"Depth-Anything-V2-Small-hf stopped \(no route to host\); check the connection"):
        fetch_model("depth-anything-v2-small", tmp_path)


def broken(folder: Path, to: Path, fault: str) -> Path:
    shutil.copytree(folder, to)
    config = json.loads((to / "config.json").read_text())
    if fault == "deeper":
        config["backbone_config"]["num_hidden_layers"] = 6
        config["backbone_config"].pop("stage_names", None)
    elif fault == "wider":
        config["head_hidden_size"] = 9
    elif fault == "another kind":
        config = {"model_type": "bert"}
    elif fault == "unknown kind":
        config = {"model_type": "no such thing"}
    (to / "config.json").write_text(json.dumps(config))
    if fault == "cut":
        weights = (to / "model.safetensors").read_bytes()
        (to / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    elif fault == "no preparation":
        (to / "preprocessor_config.json").unlink()
    elif fault == "odd preparation":
        (to / "preprocessor_config.json").write_text('{"size": {"width": 3}}')
    return to


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("wider", "do not fit its config.json: .* tensors are missing or of another shape"),
        ("deeper", "do not fit its config.json: .* tensors are missing or of another shape"),
        ("cut", "the weights in .* cannot be read"),
        ("another kind", "a model of type bert; depth priors know depth_anything, dpt, depth_pro"),
        ("unknown kind", "no model that transformers knows"),
        ("no preparation", "has no preprocessor_config.json"),
        ("odd preparation", "does not say how pictures are prepared"),
    ],
)
def test_a_damaged_model_is_one_sentence(fault: str, said: str, relative_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said) as raised:
        TransformersDepth(broken(relative_folder, tmp_path / "model", fault))
    assert "\n" not in str(raised.value)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no config.json and no model.safetensors"):
        find_model(str(tmp_path))


def test_a_size_cannot_be_chosen_for_a_model_that_has_only_one(depth_pro_folder: Path) -> None:
    with pytest.raises(ConfigError, match="takes pictures of one size only"):
        TransformersDepth(depth_pro_folder, long_side_px=512)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_missing_device_is_one_sentence(relative_folder: Path) -> None:
    with pytest.raises(ConfigError, match="CUDA device, and this machine has none"):
        TransformersDepth(relative_folder, device="cuda")
