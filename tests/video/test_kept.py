"""Pictures are handed out once, in order; what was handed out is let go, and a long clip is never held twice."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from make_videos import panned, write_video

from sfmcam.config import FrameConfig
from sfmcam.video import kept
from sfmcam.video.kept import KeptPictures
from sfmcam.video.source import load_shots

SHAPES = [(4, 6), (4, 6, 3)]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "BLOCK_BYTES", 3 * 24)  # three grey pictures, one in colour


def filled(numbers: list[int], *, expected: int, shape: tuple[int, ...] = (4, 6)) -> KeptPictures:
    pictures = KeptPictures(expected)
    for number in numbers:
        pictures.add(number, np.full(shape, number, np.uint8))
    return pictures


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("expected", [0, 2, 7, 100])
@pytest.mark.usefixtures("small_blocks")
def test_pictures_come_out_in_order(shape: tuple[int, ...], expected: int) -> None:
    numbers = [0, 2, 3, 10, 11, 12, 40]
    pictures = filled(numbers, expected=expected, shape=shape)
    assert pictures.numbers == set(numbers)
    for number in range(45):
        picture = pictures.take(number)
        assert (picture is not None) == (number in numbers)
        if picture is not None:
            np.testing.assert_array_equal(picture, np.full(shape, number))


@pytest.mark.usefixtures("small_blocks")
def test_what_was_passed_is_let_go() -> None:
    pictures = filled(list(range(9)), expected=9)
    pictures.take(4)
    assert pictures.numbers == set(range(3, 9))
    assert pictures.take(1) is None
    pictures.take(50)
    assert pictures.numbers == set()
    assert pictures.take(51) is None


def test_a_whole_block_is_handed_out_as_it_lies() -> None:
    pictures = filled([3, 5, 8], expected=4)
    assert pictures.take_block(np.array([3, 5])) is None
    images = pictures.take_block(np.array([3, 5, 8]))
    assert images is not None
    assert images.shape == (3, 4, 6)
    assert images[:, 0, 0].tolist() == [3, 5, 8]
    assert pictures.take_block(np.array([3, 5, 8])) is None
    assert KeptPictures(0).take_block(np.array([0])) is None


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = panned(1, 300, step_px=1, width=320, height=180) + panned(2, 300, step_px=1, width=320, height=180)
    return write_video(tmp_path_factory.mktemp("long") / "long.mp4", pictures, options={"preset": "ultrafast", "crf": "30"})


@pytest.mark.parametrize("pixels", ["gray", "rgb"])
@pytest.mark.parametrize(("shots", "num_shots", "fps"), [("single", 1, None), ("auto", 2, None), ("auto", 2, 17)])
def test_a_long_clip_is_never_held_twice(
    long_video: Path, monkeypatch: pytest.MonkeyPatch, pixels: str, shots: str, num_shots: int, fps: float | None
) -> None:
    monkeypatch.setattr(kept, "BLOCK_BYTES", 1 << 20)
    config = FrameConfig.model_validate({"fps": fps, "max_frames": 3600, "shots": shots, "pixels": pixels})
    load_shots(long_video, FrameConfig(fps=1, max_frames=2))  # what is loaded once is no part of a clip
    tracemalloc.start()
    loaded = load_shots(long_video, config)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(loaded) == num_shots
    looked_back_at = 6e6 if shots == "auto" else 0  # some 90 small pictures
    assert peak < 1.3 * sum(shot.frames.images.nbytes for shot in loaded) + looked_back_at
