"""A folder of images is one shot: natural order, upright, one size, and a sentence for what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from make_videos import numbered, numbers_of, panned, read_number
from PIL import Image

from sfmcam.config import FrameConfig
from sfmcam.errors import ConfigError, VideoError
from sfmcam.video.folder import list_images
from sfmcam.video.source import load_shots

ALL = FrameConfig(fps=None, max_frames=100)


def save(folder: Path, name: str, picture: np.ndarray, *, orientation: int | None = None) -> None:
    folder.mkdir(exist_ok=True)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    options = {"lossless": True} if name.endswith("webp") else {"quality": 95} if name.endswith("jpg") else {}
    Image.fromarray(picture).save(folder / name, exif=exif, **options)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "JPG", "bmp"])
def test_natural_order_and_times(tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / "images"
    for i in (10, 2, 1, 0, 9, 11):
        folder.mkdir(exist_ok=True)
        Image.fromarray(numbered(i)).save(folder / f"frame{i}.{suffix}")
    (shot,) = load_shots(folder, ALL, fps=10)
    assert numbers_of(shot.frames.images) == [0, 1, 2, 9, 10, 11]
    np.testing.assert_allclose(shot.frames.timestamps_s, np.arange(6) / 10)
    assert (shot.start_s, shot.end_s, shot.frames.source_fps) == (0, 0.5, 10)


def test_default_rate_is_24(tmp_path: Path) -> None:
    for i in range(25):
        save(tmp_path, f"{i}.png", numbered(i))
    (shot,) = load_shots(tmp_path, FrameConfig(fps=6))
    assert numbers_of(shot.frames.images) == [0, 4, 8, 12, 16, 20, 24]
    assert shot.end_s == 1


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path: Path, suffix: str, orientation: int) -> None:
    upright = numbered(77)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: np.rot90(upright[:, ::-1], -1),
        8: np.rot90(upright, -1),
    }[orientation]
    save(tmp_path, f"a.{suffix}", np.ascontiguousarray(stored), orientation=orientation)
    save(tmp_path, f"b.{suffix}", upright)
    (shot,) = load_shots(tmp_path, ALL)
    assert shot.frames.source_size_px == (128, 72)
    assert numbers_of(shot.frames.images) == [77, 77]
    assert shot.frames.images[0, 5, 5, 0] > shot.frames.images[0, 5, 5, 1] + 80  # the red corner


def test_reduced_by_area_and_never_enlarged(tmp_path: Path) -> None:
    checks = np.kron(np.indices((64, 96)).sum(axis=0) % 2, np.ones((4, 4)))
    picture = np.repeat((checks * 200 + 20).astype(np.uint8)[..., None], 3, axis=2)  # 256 x 384
    save(tmp_path, "a.png", picture)
    (shot,) = load_shots(tmp_path, FrameConfig(long_side_px=96))
    expected = cv2.resize(picture, (96, 64), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(shot.frames.images[0].astype(float), expected.astype(float), atol=2)
    assert load_shots(tmp_path, FrameConfig(long_side_px=1000))[0].frames.size_px == (384, 256)


@pytest.mark.parametrize(
    ("make", "level"),
    [
        (lambda p: Image.fromarray(np.full((72, 128), 40000, np.uint16)).save(p), 155),
        (lambda p: Image.new("L", (128, 72), 155).save(p), 155),
        (lambda p: Image.new("RGBA", (128, 72), (155, 155, 155, 90)).save(p), 155),
        (lambda p: Image.new("1", (128, 72), 1).save(p), 255),
        (lambda p: Image.new("P", (128, 72), 0).save(p), 0),
    ],
)
def test_grey_alpha_palette_and_16_bit(tmp_path: Path, make: Callable[[Path], None], level: int) -> None:
    make(tmp_path / "a.png")
    (shot,) = load_shots(tmp_path, ALL)
    assert (shot.frames.images == level).all()


def test_other_files_are_ignored(tmp_path: Path) -> None:
    save(tmp_path, "1.png", numbered(1))
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "poses.npz").write_bytes(b"0")
    (tmp_path / "._1.png").write_bytes(b"made by a file manager")
    (tmp_path / "sub.png").mkdir()
    assert [p.name for p in list_images(tmp_path)] == ["1.png"]
    assert len(load_shots(tmp_path, ALL)[0].frames) == 1


def test_broken_images_are_left_out_and_named(tmp_path: Path) -> None:
    for i in range(4):
        save(tmp_path, f"{i}.png", panned(1, 4)[i])
    (tmp_path / "1.png").write_bytes(b"")
    content = (tmp_path / "2.png").read_bytes()
    (tmp_path / "2.png").write_bytes(content[: len(content) // 2])
    (shot,) = load_shots(tmp_path, ALL)
    np.testing.assert_allclose(shot.frames.timestamps_s, [0, 3 / 24])
    assert shot.frames.problems == ("the image 1.png could not be read", "the image 2.png could not be read")


def test_a_cut_in_a_folder_is_the_users_choice(tmp_path: Path) -> None:
    for i, picture in enumerate(panned(1, 10) + panned(2, 10)):
        save(tmp_path, f"{i}.png", picture)
    assert len(load_shots(tmp_path, FrameConfig(shots="auto"))) == 1


def test_digest_is_of_names_and_bytes(tmp_path: Path) -> None:
    for folder in ("a", "b", "c", "d"):
        save(tmp_path / folder, "1.png", numbered(1))
        save(tmp_path / folder, "3.png" if folder == "c" else "2.png", numbered(5 if folder == "d" else 2))
    (tmp_path / "b" / "notes.txt").write_text("no image")
    digests = {name: load_shots(tmp_path / name, ALL)[0].frames.digest for name in "abcd"}
    assert digests["a"] == digests["b"]
    assert len(set(digests.values())) == 3


def test_sizes_must_agree(tmp_path: Path) -> None:
    for i in range(3):
        save(tmp_path, f"{i}.png", numbered(i))
    save(tmp_path, "10.png", numbered(1, width=130))
    with pytest.raises(VideoError, match=r"differ in size: 10\.png is 130x72, 0\.png is 128x72"):
        load_shots(tmp_path, ALL)


@pytest.mark.parametrize("content", [None, b"text", b""])
def test_no_image(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.jpg").write_bytes(content)
    (tmp_path / "readme.txt").write_text("x")
    with pytest.raises(VideoError, match="holds no image that can be read"):
        load_shots(tmp_path, ALL)


def test_only_broken_pixels(tmp_path: Path) -> None:
    save(tmp_path, "a.png", panned(1, 1)[0])
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(VideoError, match=r"no image that can be read: the image a\.png could not be read"):
        load_shots(tmp_path, ALL)


@pytest.mark.parametrize("fps", [0, -1, float("nan")])
def test_the_rate_must_be_positive(tmp_path: Path, fps: float) -> None:
    save(tmp_path, "a.png", numbered(1))
    with pytest.raises(ConfigError, match="must be positive"):
        load_shots(tmp_path, ALL, fps=fps)


def test_unreadable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(VideoError, match="cannot be read: Permission denied"):
        load_shots(tmp_path, ALL)


def test_numbers_can_be_read_back() -> None:
    assert [read_number(numbered(i)) for i in range(256)] == list(range(256))
