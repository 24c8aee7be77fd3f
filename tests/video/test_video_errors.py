"""Each unusable source is refused with one sentence that names it and says what it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from make_videos import numbered, truncate, write_sound, write_video

from sfmcam.config import FrameConfig
from sfmcam.errors import VideoError
from sfmcam.video import source
from sfmcam.video.probe import probe
from sfmcam.video.source import load_shots


def missing(folder: Path) -> Path:
    return folder / "none.mp4"


def empty(folder: Path) -> Path:
    path = folder / "zero.mp4"
    path.touch()
    return path


def text(folder: Path) -> Path:
    path = folder / "notes.mp4"
    path.write_text("this is not a video\n" * 40)
    return path


def plain_text(folder: Path) -> Path:
    return text(folder).rename(folder / "notes.txt")


def noise(folder: Path) -> Path:
    path = folder / "noise.mp4"
    path.write_bytes(bytes(range(256)) * 40)
    return path


def no_index(folder: Path) -> Path:
    return truncate(write_video(folder / "cut.mp4", [numbered(i) for i in range(30)]), 0.6)


def sound(folder: Path) -> Path:
    return write_sound(folder / "song.m4a")


def no_frame(folder: Path) -> Path:
    path = write_video(folder / "bad.avi", [numbered(1)], codec="png", pixel_format="rgb24")
    content = bytearray(path.read_bytes())
    at = content.index(b"IDAT")
    content[at - 30 : at + 200] = bytes(230)
    path.write_bytes(content)
    return path


def playlist(folder: Path) -> Path:
    path = folder / "list.m3u8"
    path.write_text("#EXTM3U\n#EXTINF:10,\nhttp://localhost:9/a.ts\n#EXT-X-ENDLIST\n")
    return path


def device(folder: Path) -> Path:
    path = folder / "pipe.mp4"
    os.mkfifo(path)
    return path


CASES = [
    (missing, "there is no video file or image folder"),
    (empty, "is empty (0 bytes)"),
    (text, "is not a video: it holds text"),
    (plain_text, "is not a video: it holds text"),
    (noise, "is not a video in a known format"),
    (no_index, "is an incomplete MP4 or MOV file"),
    (sound, "holds only sound, no picture"),
    (no_frame, "no frame could be decoded"),
    (playlist, "is not a video"),
    (device, "is not a file that can be read as a video"),
]


@pytest.mark.parametrize(("make", "said"), CASES, ids=[c[0].__name__ for c in CASES])
def test_one_sentence(tmp_path: Path, make: Callable[[Path], Path], said: str) -> None:
    path = make(tmp_path)
    for load in (lambda: load_shots(path, FrameConfig()), lambda: probe(path)):
        with pytest.raises(VideoError) as caught:
            load()
        sentence = str(caught.value)
        assert said in sentence
        assert path.name in sentence
        assert "\n" not in sentence


def test_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "locked.mp4", [numbered(1)])

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, whom no mode stops
    with pytest.raises(VideoError, match=r"locked\.mp4 cannot be read: Permission denied"):
        load_shots(path, FrameConfig())


def test_cover_picture_of_a_song_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        sound_stream = container.add_stream("aac", rate=16000, layout="mono")
        cover = container.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 128, 72, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(numbered(1), format="rgb24")))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 16000
        container.mux([*sound_stream.encode(silence), *sound_stream.encode(None)])
    with pytest.raises(VideoError, match="holds only sound"):
        load_shots(path, FrameConfig())


def test_a_file_that_changes_between_two_readings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "growing.h264", [numbered(i) for i in range(20)])
    monkeypatch.setattr(source, "read_frames", lambda *_, **__: iter(()))
    with pytest.raises(VideoError, match="read a second time"):
        load_shots(path, FrameConfig())
