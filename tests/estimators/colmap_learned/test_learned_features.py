"""Learned features end to end: through the database, COLMAP's verification and mapping, with stand-ins for weights that are not here."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import cv2
import numpy as np
import pycolmap
import pytest
from learned_weights import torch, write_weights
from rendered_frames import blank_frames, clip, frames, frames_of

from sfmcam.errors import ConfigError, InputError
from sfmcam.estimators.colmap import features as sift_path
from sfmcam.estimators.colmap.estimator import Glomap
from sfmcam.estimators.colmap.learned import extraction, needs
from sfmcam.estimators.colmap.learned.tables import LocalFeatures, PointPairs
from sfmcam.estimators.colmap.options import ColmapOptions
from sfmcam.estimators.registry import load_options, parse_spec, run_config
from sfmcam.geometry.rotation import rotation_angle_rad
from sfmcam.types import Status

RUN = run_config({})
load_once = cache(extraction.load_network)
HALF_PIXEL = 0.5  # OpenCV has the centre of the first pixel at 0, COLMAP at 0.5


def tuned(**changed) -> ColmapOptions:
    return load_options(parse_spec("glomap")).model_copy(update=changed)


class SiftAsLearned:
    """OpenCV's SIFT in the place of a learned detector and matcher."""

    def encode(self, image):
        keypoints, descriptors = cv2.SIFT_create(500).detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None)
        xy = np.array([k.pt for k in keypoints], np.float32).reshape(-1, 2) + HALF_PIXEL
        return LocalFeatures(xy, np.zeros((0, 128), np.float32) if descriptors is None else descriptors, (image.shape[1], image.shape[0]))

    def match(self, first, second):
        if min(len(first.xy_px), len(second.xy_px)) < 2:
            return np.zeros((0, 2), np.uint32)
        found = cv2.BFMatcher(crossCheck=True).match(first.descriptors, second.descriptors)
        return np.array([(m.queryIdx, m.trainIdx) for m in found if m.distance < 200], np.uint32).reshape(-1, 2)


class SiftAsSemiDense(SiftAsLearned):
    """The same without keypoints: pairs of points, each pair by itself, as LoFTR gives them."""

    def match(self, first, second):
        rows = super().match(first, second)
        return PointPairs(first.xy_px[rows[:, 0]], second.xy_px[rows[:, 1]], np.ones(len(rows), np.float32))


@pytest.fixture
def stand_ins(monkeypatch):
    monkeypatch.setattr(extraction, "make_sparse", lambda *_, **__: SiftAsLearned())
    monkeypatch.setattr(extraction, "make_semi_dense", lambda *_, **__: SiftAsSemiDense())
    monkeypatch.setattr(sift_path, "require_learned", lambda _: None)


@pytest.mark.parametrize("features", ["disk", "loftr"])
def test_a_clip_is_mapped_from_features_of_another_maker(features, stand_ins, tmp_path):
    found = Glomap(tuned(features=features), RUN).estimate(frames("truck"), workspace=tmp_path)
    assert found.status is Status.OK, found.message
    assert found.trajectory is not None
    path, truth = (p[:, :3, :3] @ p[0, :3, :3].T for p in (found.trajectory.cam_from_world, clip("truck").cam_from_world))
    assert np.degrees(rotation_angle_rad(path @ truth.transpose(0, 2, 1))).max() < 1.0
    relative = [p[-1] @ np.linalg.inv(p[0]) for p in (found.trajectory.cam_from_world, clip("truck").cam_from_world)]
    travel, true_travel = (p[:3, 3] for p in relative)
    cosine = travel @ true_travel / np.linalg.norm(travel) / np.linalg.norm(true_travel)
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))) < 12


def read(database):
    with pycolmap.Database.open(database) as db:
        images = db.read_all_images()
        return {
            "cameras": [(c.camera_id, c.model, tuple(c.params), c.has_prior_focal_length) for c in db.read_all_cameras()],
            "images": [(i.image_id, i.name, i.camera_id) for i in images],
            "pairs": {pycolmap.pair_id_to_image_pair(pair) for pair in db.read_all_matches()[0]},
            "keypoints": [db.read_keypoints(i.image_id) for i in images],
            "descriptors": [np.asarray(db.read_descriptors(i.image_id).data) for i in images],
            "verified": db.num_verified_image_pairs(),
        }


@pytest.mark.parametrize(("preset", "matching"), [("tuned", "exhaustive"), pytest.param("default", "sequential", marks=pytest.mark.slow)])
def test_cameras_images_and_pairs_are_those_of_the_sift_path(preset, matching, stand_ins, tmp_path):
    given = frames("truck")
    sift_path.write_images(given, tmp_path / "images")
    options = load_options(parse_spec(f"glomap:{preset}"))
    assert options.matching == matching
    found = {}
    for features in ("sift", "disk"):
        database = tmp_path / f"{features}.db"
        sift_path.extract_and_match(database, tmp_path / "images", given, options.model_copy(update={"features": features}), RUN)
        found[features] = read(database)
    for what in ("cameras", "images", "pairs"):
        assert found["disk"][what] == found["sift"][what], what
    assert found["disk"]["verified"] > 0


def test_what_the_database_holds_is_what_was_found(stand_ins, tmp_path):
    given = frames("truck")
    sift_path.write_images(given, tmp_path / "images")
    sift_path.extract_and_match(tmp_path / "a.db", tmp_path / "images", given, tuned(features="disk"), RUN)
    stored = read(tmp_path / "a.db")
    for number, image in enumerate(given.images):
        made = SiftAsLearned().encode(image)
        np.testing.assert_array_equal(stored["keypoints"][number], made.xy_px)
        np.testing.assert_array_equal(np.ascontiguousarray(stored["descriptors"][number]).view(np.float32), made.descriptors)


def test_threads_change_nothing(stand_ins):
    given = frames_of(clip("truck").frames[:4])
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    for features in ("disk", "loftr"):
        one, three = (extraction.feature_table(given, pairs, options=tuned(features=features), threads=n) for n in (1, 3))
        for pair in pairs:
            np.testing.assert_array_equal(one.matches[pair], three.matches[pair])
        for a, b in zip(one.keypoints_px, three.keypoints_px, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.fixture(scope="module")
def random_files(tmp_path_factory):
    paths = write_weights(tmp_path_factory.mktemp("weights"), "disk", "aliked", "lightglue-disk", "loftr-outdoor")
    return paths | {"lightglue-aliked": paths["lightglue-disk"]}


@pytest.fixture
def random_weights(random_files, monkeypatch):
    """Files of the published form with random numbers: the networks run, and find nothing of use."""
    monkeypatch.setattr(needs, "weights_path", random_files.__getitem__)
    monkeypatch.setattr(extraction, "load_network", load_once)


@pytest.mark.parametrize("features", ["disk", "aliked", "loftr"])
def test_the_networks_run_on_pictures_and_stay_inside_them(features, random_weights):
    colour = frames_of(clip("truck").frames[:2, :100, :150])  # no side a multiple of 8
    table = extraction.feature_table(colour, [(0, 1)], options=tuned(features=features, max_num_learned_features=150), threads=1)
    for keypoints in table.keypoints_px:
        assert len(keypoints) <= 150
        assert keypoints.dtype == np.float32
        assert ((keypoints >= 0) & (keypoints <= (150, 100))).all()
    assert table.matches[0, 1].dtype == np.uint32
    if features != "loftr":
        assert all(len(k) > 20 for k in table.keypoints_px)
        assert all(d.shape == (len(k), 128) for k, d in zip(table.keypoints_px, table.descriptors, strict=True))
        np.testing.assert_allclose(np.linalg.norm(np.concatenate(table.descriptors), axis=1), 1, atol=1e-4)


@pytest.mark.parametrize("features", ["disk", "aliked", "loftr"])
@pytest.mark.parametrize("shape", [(16, 64), (40, 40, 3)], ids=["a grey strip", "a stamp"])
def test_tiny_pictures_do_no_harm(features, shape, random_weights):
    images = np.random.default_rng(0).integers(0, 255, (2, *shape)).astype(np.uint8)
    table = extraction.feature_table(frames_of(images), [(0, 1)], options=tuned(features=features), threads=1)
    assert all((keypoints <= (shape[1], shape[0])).all() for keypoints in table.keypoints_px)


def test_a_point_is_where_colmap_has_it():
    """kornia counts from the centre of the first pixel, COLMAP from its corner: half a pixel, on a detector whose answer is known."""
    from sfmcam.estimators.colmap.learned.networks import WithLightGlue

    at = torch.tensor([[0.0, 0.0], [7.0, 3.0]])
    method = WithLightGlue(lambda picture: (at, torch.ones(2, 128)), torch.nn.Identity(), device=torch.device("cpu"))
    encoded = method.encode(np.zeros((60, 80, 3), np.uint8))
    np.testing.assert_array_equal(encoded.xy_px, [(0.5, 0.5), (7.5, 3.5)])
    assert torch.equal(method._side(encoded)["keypoints"][0], at)


def test_weights_that_are_missing_are_named_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("SFMCAM_WEIGHTS", str(tmp_path / "nowhere"))
    commands = "`sfmcam weights get disk` and `sfmcam weights get lightglue-disk`"
    told = rf"^features 'disk' need weights that are not in .*nowhere; fetch them with {commands}$"
    with pytest.raises(InputError, match=told):
        Glomap(tuned(features="disk"), RUN).estimate(frames("truck"), workspace=tmp_path)


@pytest.mark.parametrize("features", ["disk", "loftr"])
def test_a_blank_clip_has_too_few_features(features, stand_ins, tmp_path):
    assert Glomap(tuned(features=features), RUN).estimate(blank_frames(), workspace=tmp_path).status is Status.TOO_FEW_FEATURES


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_gpu_that_is_not_there_is_said_so(stand_ins, tmp_path):
    with pytest.raises(ConfigError, match="features_device is 'cuda', and PyTorch sees no CUDA device here"):
        Glomap(tuned(features="disk", features_device="cuda"), RUN).estimate(frames("truck"), workspace=tmp_path)


def test_the_sift_path_never_loads_torch(tmp_path):
    np.save(tmp_path / "frames.npy", clip("truck").frames[:3])
    (tmp_path / "work").mkdir()
    code = f"""
import sys
from pathlib import Path
import numpy as np
from sfmcam.estimators.registry import load_estimator, parse_spec, run_config
from sfmcam.types import Frames
images = np.load({str(tmp_path / "frames.npy")!r})
given = Frames(images, np.arange(3) / 4, 4.0, (images.shape[2], images.shape[1]), Path("made-by-the-test"), "0" * 64)
found = load_estimator(parse_spec("glomap"), run_config({{}})).estimate(given, workspace=Path({str(tmp_path / "work")!r}))
assert "pycolmap" in sys.modules
print("LOADED", found.status, *sorted({{"torch", "kornia", "transformers"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    printed, status, *heavy = done.stdout.splitlines()[-1].split()
    assert (printed, heavy) == ("LOADED", [])
    assert status in ("ok", "rotation_only"), "it ran to the end"


def test_pycolmap_and_torch_share_a_process_in_the_order_of_the_estimator(tmp_path):
    """pycolmap first, then PyTorch and kornia, then both at work, and zlib whole (docs/adr/0003): in a fresh process, which may abort."""
    code = f"""
import sfmcam, pycolmap
import torch, kornia.feature
import numpy as np, zlib, cv2
assert torch.nn.functional.conv2d(torch.ones(1, 3, 64, 64), torch.ones(8, 3, 3, 3)).sum() > 0
options = pycolmap.SyntheticDatasetOptions()
options.num_frames_per_rig, options.num_points3D = 5, 60
with pycolmap.Database.open({str(tmp_path / "s.db")!r}) as db:
    pycolmap.synthesize_dataset(options, db)
maps = pycolmap.global_mapping({str(tmp_path / "s.db")!r}, {str(tmp_path)!r}, {str(tmp_path)!r})
assert maps[0].num_reg_images() >= 5
assert zlib.decompress(zlib.compress(b"a" * 100000)) == b"a" * 100000
assert cv2.imwrite({str(tmp_path / "x.png")!r}, np.zeros((64, 64, 3), np.uint8))
torch.save({{"a": torch.ones(1000)}}, {str(tmp_path / "x.pth")!r})
print("intact")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "intact"
