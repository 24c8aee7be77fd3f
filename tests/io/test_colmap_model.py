"""COLMAP models, text and binary, give what pycolmap reads from the same files; damaged ones a sentence, where pycolmap aborts."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pycolmap
import pytest

from sfmcam.errors import TrajectoryFileError
from sfmcam.io.colmap_cameras import CAMERA_MODELS
from sfmcam.io.colmap_model import frame_numbers, natural_key, read_colmap

KINDS = ("bin", "txt")


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> pycolmap.Reconstruction:
    """A synthetic model of six images written as <root>/bin and <root>/txt."""
    options = pycolmap.SyntheticDatasetOptions()
    options.num_rigs, options.num_cameras_per_rig, options.num_frames_per_rig, options.num_points3D = 1, 1, 6, 60
    return pycolmap.synthesize_dataset(options)


@pytest.fixture
def model(reference: pycolmap.Reconstruction, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / request.param
    folder.mkdir()
    (reference.write_binary if request.param == "bin" else reference.write_text)(folder)
    return folder


both = pytest.mark.parametrize("model", KINDS, indirect=True)


@both
def test_the_model_is_what_pycolmap_reads(model: Path, reference: pycolmap.Reconstruction) -> None:
    trajectory, points = read_colmap(model, 5.0)
    images = sorted(reference.images.values(), key=lambda image: image.name)
    assert len(trajectory) == len(images) == 6
    for i, image in enumerate(images):
        np.testing.assert_allclose(trajectory.cam_from_world[i, :3], image.cam_from_world().matrix(), atol=1e-9)
        assert trajectory.focal_px[i] == pytest.approx(image.camera.mean_focal_length())
        seen = [p.point3D_id for p in image.points2D if p.has_point3D()]
        depths = [(image.cam_from_world() * reference.points3D[i].xyz)[2] for i in seen]
        assert trajectory.median_depth[i] == pytest.approx(np.median(depths))
    assert trajectory.image_size_px == (images[0].camera.width, images[0].camera.height)
    np.testing.assert_allclose(trajectory.timestamps_s, np.arange(6) / 5)
    np.testing.assert_allclose(sorted(points.points_in_world.tolist()), sorted(p.xyz.tolist() for p in reference.points3D.values()))
    assert points.colors_rgb.dtype == np.uint8


@both
def test_a_model_of_before_rigs_and_frames_reads_the_same(model: Path) -> None:
    now = read_colmap(model, 5.0)[0]
    for name in ("rigs", "frames"):
        (model / f"{name}.{model.name}").unlink()
    np.testing.assert_array_equal(read_colmap(model, 5.0)[0].cam_from_world, now.cam_from_world)


def test_our_table_of_camera_models_is_pycolmaps() -> None:
    known = {int(m): name for name, m in pycolmap.CameraModelId.__members__.items() if name != "INVALID"}
    assert known == {number: model.name for number, model in CAMERA_MODELS.items()}
    for number, model in CAMERA_MODELS.items():
        camera = pycolmap.Camera.create_from_model_id(1, pycolmap.CameraModelId(number), 100.0, 64, 48)
        assert (len(camera.params), list(camera.focal_length_idxs())) == (model.num_params, list(range(model.num_focals)))


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["f_0003.jpg", "f_0004.jpg", "f_0007.jpg"], [0, 1, 4]),
        (["9.png", "10.png"], [0, 1]),
        (["a/1.png", "b/2.png", "b/3.png"], [0, 1, 2]),
        (["left.png", "right.png"], [0, 1]),
        (["clip.mp4"], [0]),
        (["frame12", "frame14"], [0, 2]),
    ],
)
def test_frame_numbers_come_from_the_names_where_they_count(names: list[str], numbers: list[int]) -> None:
    assert frame_numbers(names).tolist() == numbers


def test_names_sort_as_a_person_would_sort_them() -> None:
    names = ["f10.png", "f9.png", "f9b.png", "f.png", "e200.png"]
    assert sorted(names, key=natural_key) == ["e200.png", "f9.png", "f9b.png", "f10.png", "f.png"]


@both
def test_a_gap_in_the_names_is_a_gap_in_time(model: Path) -> None:
    for path in model.glob("images.*"):
        path.write_bytes(path.read_bytes().replace(b"frame000005.png", b"frame000009.png"))
    assert read_colmap(model, 1.0)[0].timestamps_s.tolist() == [0, 1, 2, 3, 4, 9 - 0]


@both
@pytest.mark.parametrize("name", ["cameras", "images", "points3D"])
def test_a_missing_file_of_the_model_is_named(model: Path, name: str) -> None:
    (model / f"{name}.{model.name}").unlink()
    with pytest.raises(TrajectoryFileError, match=name):
        read_colmap(model, 5.0)


@both
@pytest.mark.parametrize("name", ["cameras", "images"])
def test_an_empty_file_of_the_model_is_an_error(model: Path, name: str) -> None:
    (model / f"{name}.{model.name}").write_bytes(b"")
    with pytest.raises(TrajectoryFileError):
        read_colmap(model, 5.0)


@both
def test_a_model_without_points_has_poses_and_no_depth(model: Path) -> None:
    (model / f"points3D.{model.name}").write_bytes(bytes(8) if model.name == "bin" else b"")
    trajectory, points = read_colmap(model, 5.0)
    assert len(trajectory) == 6
    assert np.isnan(trajectory.median_depth).all()
    assert points.points_in_world.shape == (0, 3)


@pytest.mark.parametrize("model", ["txt"], indirect=True)
@pytest.mark.parametrize(
    ("file", "line", "word", "new", "message"),
    [
        ("cameras.txt", 4, 1, "MAGIC", "line 4: there is no camera model 'MAGIC'"),
        ("cameras.txt", 4, 4, "-1280", "line 4: a picture size or focal length is not a positive number"),
        ("cameras.txt", 4, 4, "", "line 4: 3 parameters, but the model SIMPLE_RADIAL has 4"),
        ("cameras.txt", 4, 0, "7", "there is no camera 1"),
        ("cameras.txt", 4, 2, "wide", "line 4: not a line of a COLMAP model's cameras.txt"),
        ("images.txt", 5, 1, "9", "the quaternion has length 9"),
        ("images.txt", 5, 1, "x", "line 5: not a line of a COLMAP model's images.txt"),
        ("images.txt", 5, 7, "nan", "the translation is NaN"),
        ("images.txt", 5, 9, "", "line 5: the image has no name"),
        ("images.txt", 6, 2, "", "line 6: .* numbers, not groups of three"),
        ("points3D.txt", 4, 1, "one", "line 4: not a line of a COLMAP model's points3D.txt"),
        ("points3D.txt", 4, 4, "300", "line 4: a colour is not between 0 and 255"),
    ],
)
def test_a_fault_in_a_text_model_names_the_line(model: Path, file: str, line: int, word: int, new: str, message: str) -> None:
    lines = (model / file).read_text(encoding="utf-8").split("\n")
    words = lines[line - 1].split()
    words[word] = new
    lines[line - 1] = " ".join(words)
    (model / file).write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(TrajectoryFileError, match=message):
        read_colmap(model, 5.0)


def test_images_of_two_sizes_are_not_one_video(tmp_path: Path) -> None:
    (tmp_path / "cameras.txt").write_text("1 PINHOLE 64 48 50 52 32 24\n2 PINHOLE 48 64 50 50 24 32\n", encoding="utf-8")
    (tmp_path / "images.txt").write_text("1 1 0 0 0 0 0 0 1 a1.png\n\n2 1 0 0 0 0 0 0 2 a2.png\n\n", encoding="utf-8")
    (tmp_path / "points3D.txt").write_text("", encoding="utf-8")
    with pytest.raises(TrajectoryFileError, match="images of 2 sizes"):
        read_colmap(tmp_path, 5.0)
    (tmp_path / "cameras.txt").write_text("1 PINHOLE 64 48 50 52 32 24\n2 PINHOLE 64 48 60 60 32 24\n", encoding="utf-8")
    assert read_colmap(tmp_path, 5.0)[0].focal_px.tolist() == [51, 60]


def test_what_is_not_a_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(TrajectoryFileError, match="is not a folder"):
        read_colmap(tmp_path / "file", 5.0)
    with pytest.raises(TrajectoryFileError, match=r"neither images\.bin nor images\.txt"):
        read_colmap(tmp_path, 5.0)


@both
@pytest.mark.parametrize("name", ["cameras", "images", "points3D"])
def test_no_cut_or_changed_byte_causes_anything_but_the_file_error(model: Path, name: str, tmp_path: Path) -> None:
    """pycolmap aborts or hangs the process on some of these (empty points3D.bin, a random count in frames.bin)."""
    broken = tmp_path / "broken"
    shutil.copytree(model, broken)
    path = broken / f"{name}.{model.name}"
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in [*range(9), *rng.integers(0, len(content), 60).tolist()]:
        for changed in (content[:place], content[:place] + bytes([rng.integers(256)]) + content[place + 1 :]):
            path.write_bytes(changed)
            with suppress(TrajectoryFileError):
                read_colmap(broken, 5.0)
