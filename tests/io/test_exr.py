"""OpenEXR depth maps decode to the values that libavcodec's encoder was given; damage is reported, never a traceback."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

import av
import numpy as np
import pytest

from sfmcam.errors import TrajectoryFileError
from sfmcam.io.exr import read_exr
from sfmcam.types import Float


def encode(depth: Float, *, compression: str, pixel_format: str) -> bytes:
    """Encode with libavcodec, whose single channel is called Y."""
    context = av.CodecContext.create("exr", "w")
    context.height, context.width = depth.shape
    context.pix_fmt, context.time_base = "grayf32le", Fraction(1, 25)
    context.options = {"compression": compression, "format": pixel_format}
    frame = av.VideoFrame.from_ndarray(depth.astype(np.float32), format="grayf32le")
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def ramp(height: int, width: int) -> Float:
    """A smooth picture, which zip shrinks, with noise in its upper half, which it does not; every value is exact in half floats."""
    depth = np.add.outer(np.arange(height), np.arange(width)) / 16.0
    depth[: height // 2] += np.random.default_rng(0).integers(0, 256, (height // 2, width)) / 256
    return depth


@pytest.mark.parametrize("pixel_format", ["half", "float"])
@pytest.mark.parametrize("compression", ["none", "zip1", "zip16"])
@pytest.mark.parametrize("size", [(45, 37), (16, 64), (1, 1), (17, 3)])
def test_the_decoder_agrees_with_libavcodec(size: tuple[int, int], compression: str, pixel_format: str) -> None:
    depth = ramp(*size)
    got = read_exr(encode(depth, compression=compression, pixel_format=pixel_format), "d.exr")
    np.testing.assert_array_equal(got, depth.astype(np.float16 if pixel_format == "half" else np.float32))


def test_values_that_are_not_finite_are_kept() -> None:
    depth = ramp(20, 20)
    depth[3, 4], depth[5, 6] = np.inf, np.nan
    np.testing.assert_array_equal(read_exr(encode(depth, compression="zip16", pixel_format="float"), "d"), depth.astype(np.float32))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cut short"),
        (b"not an exr file at all", "is not an OpenEXR picture"),
        (b"v/1\x01\x02\x02\x00\x00", "is a tiled, deep or many-part"),
        (b"v/1\x01\x02\x00\x00\x00\x00", "its header lacks channels, compression, dataWindow"),
    ],
)
def test_other_content_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(TrajectoryFileError, match=message):
        read_exr(content, "d.exr")


def test_a_compression_that_is_not_read_is_named() -> None:
    content = encode(ramp(20, 20), compression="zip16", pixel_format="half").replace(
        b"compression\0compression\0\x01\x00\x00\x00\x03", b"compression\0compression\0\x01\x00\x00\x00\x04"
    )
    with pytest.raises(TrajectoryFileError, match="compression 4"):
        read_exr(content, "d.exr")


def test_no_cut_or_changed_byte_causes_anything_but_the_file_error() -> None:
    content = encode(ramp(45, 37), compression="zip16", pixel_format="half")
    rng = np.random.default_rng(0)
    for cut in range(0, len(content), 97):
        with pytest.raises(TrajectoryFileError, match=r"d\.exr"):
            read_exr(content[:cut], "d.exr")
    for place in [*range(350), *rng.integers(0, len(content), 300).tolist()]:
        broken = content[:place] + bytes([content[place] ^ int(rng.integers(1, 256))]) + content[place + 1 :]
        with suppress(TrajectoryFileError):
            assert read_exr(broken, "d.exr").ndim == 2
