"""Grey frames are the luma of the colour frames: same frames, same times, same shots, upright and in square pixels."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from make_videos import panned, scene, write_video
from PIL import Image

from sfmcam.config import FrameConfig
from sfmcam.types import Frames, UInt8
from sfmcam.video.picture import Reducer
from sfmcam.video.source import Shot, load_shots

LUMA = (0.299, 0.587, 0.114)  # BT.601, as files without a tag are read
TOLERANCE = 2  # grey levels


def both(source: Path, **settings: object) -> tuple[list[Shot], list[Shot]]:
    """The shots of `source` in colour and in grey."""
    base = FrameConfig.model_validate({"fps": None, "max_frames": 1000, **settings})
    colour, grey = (load_shots(source, base.model_copy(update={"pixels": pixels})) for pixels in ("rgb", "gray"))
    return colour, grey


def assert_luma(colour: Frames, grey: Frames) -> None:
    assert grey.images.shape == colour.images.shape[:3]
    assert (grey.images.dtype, grey.images.flags.c_contiguous) == (np.uint8, True)
    np.testing.assert_allclose(grey.images.astype(float), colour.images @ np.array(LUMA), atol=TOLERANCE)
    np.testing.assert_array_equal(grey.timestamps_s, colour.timestamps_s)
    assert (grey.size_px, grey.source_size_px, grey.digest) == (colour.size_px, colour.source_size_px, colour.digest)


def mute(picture: UInt8) -> UInt8:
    """Soften edges, and colours so that no conversion from YUV to RGB has to clip one."""
    soft = cv2.GaussianBlur(picture, (0, 0), 2).astype(float)
    return np.asarray(128 + 0.5 * (soft - 128), np.uint8)


def muted(seed: int) -> UInt8:
    """A scene in soft colours."""
    return mute(scene(seed))


FORMATS = [
    ("h264.mp4", "libx264", "yuv420p"),
    ("h264_444.mkv", "libx264", "yuv444p"),
    ("h264_10bit.mp4", "libx264", "yuv420p10le"),
    ("prores.mov", "prores_ks", "yuv422p10le"),
    ("motion.avi", "mjpeg", "yuvj420p"),
    ("picture.gif", "gif", "rgb8"),
    ("rgb.mkv", "ffv1", "bgr0"),
    ("deep.mkv", "ffv1", "gbrp10le"),
    ("alpha.mov", "qtrle", "argb"),
    ("gray.mkv", "ffv1", "gray"),
    ("gray16.mkv", "ffv1", "gray16le"),
]


@pytest.mark.parametrize("long_side_px", [128, 512])
@pytest.mark.parametrize(("name", "codec", "pixel_format"), FORMATS, ids=[f[0] for f in FORMATS])
def test_grey_is_the_luma_of_every_pixel_format(tmp_path: Path, name: str, codec: str, pixel_format: str, long_side_px: int) -> None:
    path = write_video(tmp_path / name, [muted(i) for i in range(3)], codec=codec, pixel_format=pixel_format)
    (colour,), (grey,) = both(path, long_side_px=long_side_px)
    assert_luma(colour.frames, grey.frames)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le", "nv12", "gray"])
@pytest.mark.parametrize("color_range", [ColorRange.MPEG, ColorRange.JPEG])
def test_grey_has_the_full_range(pixel_format: str, color_range: ColorRange) -> None:
    ramp = np.repeat(np.tile(np.arange(256, dtype=np.uint8), (16, 1))[..., None], 3, axis=2)
    frame = av.VideoFrame.from_ndarray(ramp, format="rgb24").reformat(format=pixel_format, dst_color_range=color_range)
    frame.color_range = color_range
    reduce = Reducer(Path("x"), 256, pixel_aspect=1, pixel_format="gray")
    np.testing.assert_allclose(reduce(frame).astype(float), ramp[..., 0].astype(float), atol=TOLERANCE)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p10le"])
@pytest.mark.parametrize("tag", [Colorspace.ITU709, Colorspace.ITU601, Colorspace.BT2020, Colorspace.FCC])
def test_grey_is_the_stored_luma_whatever_the_matrix(pixel_format: str, tag: Colorspace) -> None:
    frame = av.VideoFrame.from_ndarray(muted(0), format="rgb24").reformat(format=pixel_format)
    plain, tagged = (Reducer(Path("x"), 200, pixel_aspect=1, pixel_format="gray") for _ in range(2))
    expected = plain(frame)
    frame.colorspace = tag
    np.testing.assert_array_equal(tagged(frame), expected)
    assert frame.colorspace == tag


def test_luma_of_hd_video_weighs_as_its_matrix_does() -> None:
    frame = av.VideoFrame.from_ndarray(muted(0), format="rgb24").reformat(format="yuv444p", dst_colorspace=Colorspace.ITU709)
    frame.colorspace = Colorspace.ITU709
    colour, grey = (Reducer(Path("x"), 400, pixel_aspect=1, pixel_format=f)(frame) for f in ("rgb24", "gray"))
    np.testing.assert_allclose(grey.astype(float), colour @ np.array([0.2126, 0.7152, 0.0722]), atol=TOLERANCE)


@pytest.mark.parametrize("turn", [(90, False, False), (-90, False, False), (180, False, False), (0, True, False), (90, True, False)])
def test_grey_is_upright(tmp_path: Path, turn: tuple[float, bool, bool]) -> None:
    path = write_video(tmp_path / "turned.mp4", [muted(0)] * 3, pixel_format="yuv444p", turn=turn)
    (colour,), (grey,) = both(path)
    assert grey.frames.size_px == ((240, 400) if turn[0] in (90, -90) else (400, 240))
    assert_luma(colour.frames, grey.frames)


@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(1, 2)])
def test_grey_has_square_pixels(tmp_path: Path, aspect: Fraction) -> None:
    path = write_video(tmp_path / "wide.mp4", [muted(0)] * 2, pixel_aspect=aspect)
    (colour,), (grey,) = both(path)
    assert grey.frames.size_px == ((512, 231) if aspect > 1 else (400, 480))
    assert_luma(colour.frames, grey.frames)


def test_grey_has_the_same_shots(tmp_path: Path) -> None:
    path = write_video(tmp_path / "three.mp4", [mute(p) for seed in (1, 2, 3) for p in panned(seed, 25)])
    colour, grey = both(path, fps=5)
    assert len(grey) == 3
    for one, other in zip(colour, grey, strict=True):
        assert (one.start_s, one.end_s) == (other.start_s, other.end_s)
        assert_luma(one.frames, other.frames)


@pytest.mark.parametrize(("num_frames", "fps", "taken"), [(16, 8, 16), (16, 24, 9), (5, 1, 5), (2, 25, 2), (1, 25, 1)])
def test_short_and_slow_videos(tmp_path: Path, num_frames: int, fps: float, taken: int) -> None:
    path = write_video(tmp_path / "v.mp4", [mute(p) for p in panned(1, num_frames)], fps=fps)
    (colour,), (grey,) = both(path, fps=12, long_side_px=384)
    assert len(grey.frames) == taken
    assert_luma(colour.frames, grey.frames)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA", "1", "CMYK", "I;16"])
@pytest.mark.parametrize("long_side_px", [128, 512])
def test_image_folder(tmp_path: Path, mode: str, long_side_px: int) -> None:
    suffix = "jpg" if mode == "CMYK" else "png"
    for i in range(3):
        picture = Image.fromarray(muted(i))
        deep = Image.fromarray(np.asarray(picture.convert("L"), np.uint16) * 257)
        (deep if mode == "I;16" else picture.convert(mode)).save(tmp_path / f"{i}.{suffix}")
    (colour,), (grey,) = both(tmp_path, long_side_px=long_side_px)
    assert_luma(colour.frames, grey.frames)


@pytest.mark.parametrize("long_side_px", [100, 512])
@pytest.mark.parametrize("orientation", [1, 2, 5, 6])
def test_folder_of_photographs(tmp_path: Path, orientation: int, long_side_px: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for i in range(2):
        Image.fromarray(muted(i)).save(tmp_path / f"{i}.jpg", exif=exif, quality=95, subsampling=0)
    (colour,), (grey,) = both(tmp_path, long_side_px=long_side_px)
    assert grey.frames.source_size_px == ((240, 400) if orientation > 4 else (400, 240))
    assert_luma(colour.frames, grey.frames)
