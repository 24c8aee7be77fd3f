"""Every container, coding and pixel format gives the right frames at the right times, upright and in square pixels."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from make_videos import index_first, numbered, numbers_of, read_number, write_video

from sfmcam.config import FrameConfig
from sfmcam.video.probe import probe
from sfmcam.video.source import load_shots

ALL = FrameConfig(fps=None, max_frames=1000, shots="single")
FORMATS = [
    ("h264.mp4", "libx264", "yuv420p"),
    ("h264_444.mkv", "libx264", "yuv444p"),
    ("h264_10bit.mp4", "libx264", "yuv420p10le"),
    ("transport.ts", "libx264", "yuv420p"),
    ("h264_bframes.avi", "libx264", "yuv420p"),
    ("hevc_10bit.mp4", "libx265", "yuv420p10le"),
    ("vp8.webm", "libvpx", "yuv420p"),
    ("vp9.webm", "libvpx-vp9", "yuv420p"),
    ("av1.mp4", "libsvtav1", "yuv420p"),
    ("picture.gif", "gif", "rgb8"),
    ("motion.avi", "mjpeg", "yuvj420p"),
    ("mpeg4.avi", "mpeg4", "yuv420p"),
    ("program.mpg", "mpeg2video", "yuv420p"),
    ("prores.mov", "prores_ks", "yuv422p10le"),
    ("alpha.mov", "qtrle", "argb"),
    ("alpha_png.mov", "png", "rgba"),
    ("gray.mkv", "ffv1", "gray"),
    ("gray16.mkv", "ffv1", "gray16le"),
]
QUIET = {"libx265": {"x265-params": "log-level=none"}}


@pytest.mark.parametrize(("name", "codec", "pixel_format"), FORMATS, ids=[f[0] for f in FORMATS])
def test_all_frames_in_order_at_their_times(tmp_path: Path, name: str, codec: str, pixel_format: str) -> None:
    pictures = [numbered(i) for i in range(20)]
    path = write_video(tmp_path / name, pictures, codec=codec, pixel_format=pixel_format, options=QUIET.get(codec))
    (shot,) = load_shots(path, ALL)
    assert numbers_of(shot.frames.images) == list(range(20))
    np.testing.assert_allclose(np.diff(shot.frames.timestamps_s), 0.04, atol=1e-3)
    assert shot.frames.source_fps == pytest.approx(25, rel=1e-3)
    assert shot.frames.source_size_px == (128, 72)
    assert shot.frames.problems == ()


def test_raw_stream_without_time_stamps_is_spaced_and_said(tmp_path: Path) -> None:
    path = write_video(tmp_path / "raw.h264", [numbered(i) for i in range(10)])
    (shot,) = load_shots(path, ALL)
    assert numbers_of(shot.frames.images) == list(range(10))
    np.testing.assert_allclose(shot.frames.timestamps_s, np.arange(10) / 25)
    assert shot.frames.problems == ("10 of 10 frames had no usable time stamp; they were spaced by the mean frame rate",)


@pytest.mark.parametrize("name", ["vfr.mkv", "vfr.mp4"])
def test_variable_rate_keeps_its_own_times(tmp_path: Path, name: str) -> None:
    stamps_ms = [0, 40, 80, 400, 440, 1000, 2000, 2040]
    path = write_video(tmp_path / name, [numbered(i) for i in range(8)], stamps_ms=stamps_ms)
    (shot,) = load_shots(path, ALL)
    np.testing.assert_allclose(shot.frames.timestamps_s, np.array(stamps_ms) / 1000, atol=2e-3)
    (sampled,) = load_shots(path, FrameConfig(fps=1, shots="single"))
    assert numbers_of(sampled.frames.images) == [0, 5, 7]
    np.testing.assert_allclose(sampled.frames.timestamps_s, [0, 1, 2.04], atol=2e-3)


def test_start_offset_is_kept(tmp_path: Path) -> None:
    path = write_video(tmp_path / "late.mkv", [numbered(i) for i in range(5)], stamps_ms=[5000 + 40 * i for i in range(5)])
    (shot,) = load_shots(path, ALL)
    np.testing.assert_allclose(shot.frames.timestamps_s, 5 + np.arange(5) * 0.04, atol=1e-3)
    assert (shot.start_s, shot.end_s) == (shot.frames.timestamps_s[0], shot.frames.timestamps_s[-1])


TURNS = [
    (0, False, False),
    (90, False, False),
    (-90, False, False),
    (180, False, False),
    (0, True, False),
    (0, False, True),
    (90, True, False),
]


@pytest.mark.parametrize("turn", TURNS)
def test_display_tag_is_applied(tmp_path: Path, turn: tuple[float, bool, bool]) -> None:
    upright = numbered(77)
    degrees, hflip, vflip = turn
    stored = upright[:, ::-1] if hflip else upright
    stored = stored[::-1] if vflip else stored
    stored = np.ascontiguousarray(np.rot90(stored, -round(degrees / 90)))  # a player turns first, then flips
    path = write_video(tmp_path / "turned.mp4", [stored] * 3, pixel_format="yuv444p", turn=turn)
    (shot,) = load_shots(path, ALL)
    assert shot.frames.source_size_px == probe(path).size_px == (128, 72)
    np.testing.assert_allclose(shot.frames.images[1].astype(float), upright.astype(float), atol=40)
    assert read_number(shot.frames.images[1]) == 77


@pytest.mark.parametrize(("aspect", "size"), [(Fraction(4, 3), (171, 72)), (Fraction(1, 2), (128, 144)), (Fraction(1281, 1280), (128, 72))])
def test_pixels_become_square(tmp_path: Path, aspect: Fraction, size: tuple[int, int]) -> None:
    path = write_video(tmp_path / "wide.mp4", [numbered(5)] * 2, pixel_aspect=aspect)
    (shot,) = load_shots(path, ALL)
    assert shot.frames.source_size_px == shot.frames.size_px == size
    assert read_number(shot.frames.images[0]) == 5


@pytest.mark.parametrize(
    ("width", "height", "expected"), [(131, 75, (131, 75)), (301, 77, (128, 33)), (77, 301, (33, 128)), (256, 144, (128, 72))]
)
def test_odd_sizes_and_reduction(tmp_path: Path, width: int, height: int, expected: tuple[int, int]) -> None:
    path = write_video(tmp_path / "odd.mkv", [numbered(9, width=width, height=height)] * 2, codec="ffv1", pixel_format="bgr0")
    long_side = 128 if max(width, height) > 200 else 512
    (shot,) = load_shots(path, FrameConfig(long_side_px=long_side))
    assert shot.frames.size_px == expected
    assert shot.frames.source_size_px == (width, height)
    assert read_number(shot.frames.images[0]) == 9


def test_one_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "one.mp4", [numbered(3)])
    (shot,) = load_shots(path, FrameConfig())
    assert numbers_of(shot.frames.images) == [3]
    assert shot.frames.source_fps == 25
    assert shot.start_s == shot.end_s == 0


def test_size_that_changes_midway_is_brought_to_the_first(tmp_path: Path) -> None:
    parts = [write_video(tmp_path / f"{w}.ts", [numbered(w)] * 5, options={"crf": "12", "bf": "0"}) for w in (64, 65)]
    parts[1] = write_video(tmp_path / "b.ts", [numbered(65, width=160, height=90)] * 5, options={"crf": "12", "bf": "0"})
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    (shot,) = load_shots(path, ALL)
    assert shot.frames.size_px == (128, 72)
    assert {64, 65} == set(numbers_of(shot.frames.images))


def test_file_names_are_never_taken_for_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("-5.mp4", "http:clip.mp4", "a b%03d.mp4", "Käse 東京.mp4"):
        write_video(tmp_path / "plain.mp4", [numbered(1)] * 2).rename(tmp_path / name)
        assert len(load_shots(Path(name), ALL)[0].frames) == 2


def test_probe(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", [numbered(i) for i in range(50)], fps=25)
    info = probe(path)
    assert (info.codec, info.size_px, info.fps, info.duration_s) == ("h264", (128, 72), 25, pytest.approx(2.0))
    assert probe(write_video(tmp_path / "v.gif", [numbered(1)] * 3, codec="gif", pixel_format="rgb8")).codec == "gif"


def test_sound_beside_the_picture_and_an_edit_list_are_no_problem(tmp_path: Path) -> None:
    inner = write_video(tmp_path / "v.mp4", [numbered(i) for i in range(30)], options={"crf": "12", "bf": "3"})
    path = index_first(inner, tmp_path / "copy.mp4")
    (shot,) = load_shots(path, ALL)
    assert numbers_of(shot.frames.images) == list(range(30))
    assert shot.frames.problems == ()


def test_versions_can_decode_av1() -> None:
    assert "libdav1d" in av.codecs_available or "av1" in av.codecs_available
