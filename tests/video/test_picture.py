"""Reduction averages over area, keeps places to a hundredth of a pixel, and never enlarges."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmcam.errors import VideoError
from sfmcam.video.picture import Reducer, reduced_size, square_pixel_size, turned


def reduce(picture: np.ndarray, long_side_px: int, *, pixel_format: str = "rgb24") -> np.ndarray:
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixel_format)
    return Reducer(Path("x"), long_side_px, pixel_aspect=1)(frame)


def test_a_fine_pattern_does_not_alias() -> None:
    y, x = np.mgrid[0:720, 0:1280].astype(float)
    zone = (128 + 100 * np.sin((x**2 + y**2) / 700)).astype(np.uint8)
    picture = np.repeat(zone[..., None], 3, axis=2)
    expected = cv2.resize(picture, (256, 144), interpolation=cv2.INTER_AREA).astype(float)
    assert np.sqrt(np.mean((reduce(picture, 256) - expected) ** 2)) < 3
    nearest = cv2.resize(picture, (256, 144), interpolation=cv2.INTER_NEAREST).astype(float)
    assert np.sqrt(np.mean((nearest - expected) ** 2)) > 30


@pytest.mark.parametrize("width", [640, 854, 1280, 1920])
def test_places_are_kept(width: int) -> None:
    factor = width / 512
    height = round(width * 9 / 16)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    centres = [(0.3 * width + 0.37, 0.4 * height + 0.11), (0.71 * width + 0.83, 0.62 * height + 0.59)]
    blobs = sum(200 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * (2 * factor) ** 2)) for cx, cy in centres)
    picture = np.repeat(np.asarray(blobs, float).astype(np.uint8)[..., None], 3, axis=2)
    small = reduce(picture, 512, pixel_format="yuv420p")[..., 1].astype(float)
    rows, columns = np.indices(small.shape)
    for cx, cy in centres:
        px, py = (cx + 0.5) / factor - 0.5, (cy + 0.5) * small.shape[0] / height - 0.5
        near = (np.abs(rows - py) < 8) & (np.abs(columns - px) < 8)
        weight = np.clip(small - 2, 0, None) * near
        assert (weight * columns).sum() / weight.sum() == pytest.approx(px, abs=0.03)
        assert (weight * rows).sum() / weight.sum() == pytest.approx(py, abs=0.03)


@given(st.integers(1, 9000), st.integers(1, 9000), st.integers(64, 8192))
def test_reduced_size(width: int, height: int, long_side_px: int) -> None:
    small = reduced_size((width, height), long_side_px)
    assert max(small) == min(max(width, height), long_side_px)
    assert min(small) >= 1
    factor = min(1, long_side_px / max(width, height))
    assert all(side == 1 or abs(side - full * factor) <= 0.5 for side, full in zip(small, (width, height), strict=True))


def test_square_pixels_lose_nothing() -> None:
    assert square_pixel_size((720, 576), 16 / 11) == (1047, 576)
    assert square_pixel_size((720, 480), 8 / 9) == (720, 540)
    assert square_pixel_size((640, 360), 1) == (640, 360)


def test_turned() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(turned(picture, (False, 1)), np.rot90(picture))
    np.testing.assert_array_equal(turned(picture, (True, 0)), picture[:, ::-1])
    assert turned(picture, (True, 3)).flags.c_contiguous


def test_pixels_that_cannot_be_converted_are_named() -> None:
    class Refusing:
        def reformat(self, *_: object, **__: object) -> None:
            raise ValueError("no path between these formats")

    reducer = Reducer(Path("x.mp4"), 64, pixel_aspect=1)
    reducer._swscale = Refusing()  # type: ignore[assignment]
    with pytest.raises(VideoError, match=r"x\.mp4 has pixels of the format gray, which cannot be converted"):
        reducer(av.VideoFrame(8, 8, "gray"))
