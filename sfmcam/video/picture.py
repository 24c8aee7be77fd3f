"""One decoded frame to one small upright picture, in a single swscale call."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.sidedata.sidedata import SideData, Type
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

from sfmcam.errors import VideoError
from sfmcam.types import UInt8

EXACT = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
REDUCE = Interpolation.AREA | EXACT  # averages over the covered area: no aliasing, and an eighth of the cost of converting first
STRETCH = Interpolation.BICUBIC | EXACT


class Reducer:
    """Makes small pictures of the frames of one file: square pixels, upright, longer side at most `long_side_px`, never enlarged.

    The first frame settles size and orientation; a later frame of another size is brought to the first one's.
    """

    def __init__(self, path: Path, long_side_px: int, *, pixel_aspect: float, pixel_format: str = "rgb24") -> None:
        self._path = path
        self._long_side_px = long_side_px
        self._pixel_aspect = pixel_aspect
        self._format = pixel_format
        # The same matrix on both sides, whichever, lets the luma through; with the frame's own, swscale takes the way through RGB, which is
        # seven times as long.
        self._matrix = Colorspace.DEFAULT if pixel_format == "gray" else None
        self._swscale = VideoReformatter()
        self._orientation = (False, 0)
        self._coded_size: tuple[int, int] | None = None
        self._target = (0, 0)

    def __call__(self, frame: VideoFrame) -> UInt8:
        """Return the picture of `frame`: (H, W, 3), or (H, W) full-range luma for the pixel format "gray".

        Raises:
            VideoError: the pixel format cannot be converted.
        """
        self.see(frame)
        width, height = self._target
        how = STRETCH if width > frame.width or height > frame.height else REDUCE
        try:
            small = self._swscale.reformat(
                frame, width, height, self._format, interpolation=how, threads=1, src_colorspace=self._matrix, dst_colorspace=self._matrix
            )
        except (av.FFmpegError, ValueError) as error:
            raise VideoError(f"{self._path} has pixels of the format {frame.format.name}, which cannot be converted") from error
        return turned(np.asarray(small.to_ndarray(), np.uint8), self._orientation)

    def see(self, frame: VideoFrame) -> None:
        """Settle size and orientation if this is the first frame, whether or not its picture is wanted."""
        if self._coded_size is None:
            self._coded_size = (frame.width, frame.height)
            self._orientation = orientation(frame)
            self._target = reduced_size(square_pixel_size(self._coded_size, self._pixel_aspect), self._long_side_px)

    @property
    def source_size_px(self) -> tuple[int, int]:
        """(width, height) of the upright, square-pixel source picture; known after the first frame."""
        if self._coded_size is None:
            raise ValueError("no frame was seen yet")
        return _swapped(square_pixel_size(self._coded_size, self._pixel_aspect), self._orientation[1])


def reduced_size(size_px: tuple[int, int], long_side_px: int) -> tuple[int, int]:
    """Return (width, height) with the longer side at most `long_side_px`; a smaller size is returned as it is."""
    factor = min(1.0, long_side_px / max(size_px))
    return max(1, round(size_px[0] * factor)), max(1, round(size_px[1] * factor))


def square_pixel_size(coded_size_px: tuple[int, int], pixel_aspect: float) -> tuple[int, int]:
    """Return (width, height) as shown by a player when pixels are `pixel_aspect` times as wide as high."""
    width, height = coded_size_px
    return (round(width * pixel_aspect), height) if pixel_aspect >= 1 else (width, round(height / pixel_aspect))


def orientation(frame: VideoFrame) -> tuple[bool, int]:
    """Return (mirrored, quarter turns counterclockwise): what must be done to the picture, in this order, to set it upright."""
    try:
        matrix = cast("Mapping[Type, SideData]", frame.side_data).get(Type.DISPLAYMATRIX)
    except ValueError:  # side data that this PyAV has no name for, such as EXIF, hides the rest
        return False, round(frame.rotation / 90) % 4
    if matrix is None:
        return False, 0
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].astype(float)
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    return mirrored, round(math.atan2(-b, a) / (math.pi / 2)) % 4


def turned(picture: UInt8, how: tuple[bool, int]) -> UInt8:
    """Apply what `orientation` returned."""
    mirrored, quarter_turns = how
    return np.ascontiguousarray(np.rot90(picture[:, ::-1] if mirrored else picture, quarter_turns))


def _swapped(size_px: tuple[int, int], quarter_turns: int) -> tuple[int, int]:
    return (size_px[1], size_px[0]) if quarter_turns % 2 else size_px
