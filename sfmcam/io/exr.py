"""OpenEXR depth maps as ViPE writes them: one half or float channel in scan lines, compressed with zip or not at all.

OpenCV's wheels are built without OpenEXR, and this part of the format (openexr.com, "OpenEXR File Layout") is small.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sfmcam.errors import TrajectoryFileError
from sfmcam.io.byte_cursor import ByteCursor
from sfmcam.types import Float

MAGIC = 20000630
VERSION_MASK = 0xFF
KIND_MASK = 0x1A00  # tiled, deep or of several parts
PIXEL_DTYPES: dict[int, np.dtype[Any]] = {1: np.dtype("<f2"), 2: np.dtype("<f4")}
LINES_PER_BLOCK = {0: 1, 2: 1, 3: 16}  # compression code (none, zips, zip) -> scan lines that are packed together
BIAS = 128
MAX_RATIO = 1100  # deflate cannot shrink more than this; a header that claims more is damaged


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    first_line: int
    dtype: np.dtype[Any]
    lines_per_block: int


def read_exr(content: bytes, name: str) -> Float:
    """Decode a picture of one channel into (H, W) float64.

    Args:
        content: the file's bytes.
        name: which file it is, for messages.

    Raises:
        TrajectoryFileError: not OpenEXR, damaged, or of a kind that is not read here.
    """
    cursor = ByteCursor(content, name)
    header = _read_header(cursor)
    if header.width * header.height * header.dtype.itemsize > MAX_RATIO * len(content):
        raise TrajectoryFileError(f"{name} is damaged: it cannot hold {header.width} x {header.height} pixels")
    num_blocks = -(-header.height // header.lines_per_block)
    cursor.take(f"{num_blocks}Q")  # where each block begins; they are read in the order in which they stand
    picture = np.full((header.height, header.width), np.nan)
    for _ in range(num_blocks):
        line, size = cursor.take("ii")
        top = line - header.first_line
        lines = min(header.lines_per_block, header.height - top)
        if not 0 <= top < header.height:
            raise TrajectoryFileError(f"{name} is damaged: it holds scan line {line} outside of the picture")
        raw = _unpack(cursor.bytes(size), lines * header.width * header.dtype.itemsize, name)
        picture[top : top + lines] = np.frombuffer(raw, header.dtype).reshape(lines, header.width)
    return picture


def _read_header(cursor: ByteCursor) -> _Header:
    magic, version = cursor.take("ii")
    if magic != MAGIC or version & VERSION_MASK != 2:
        raise TrajectoryFileError(f"{cursor.name} is not an OpenEXR picture")
    if version & KIND_MASK:
        raise TrajectoryFileError(f"{cursor.name} is a tiled, deep or many-part OpenEXR picture; only plain scan lines are read")
    attributes = _read_attributes(cursor)
    missing = {"channels", "compression", "dataWindow"} - attributes.keys()
    if missing:
        raise TrajectoryFileError(f"{cursor.name} is damaged: its header lacks {', '.join(sorted(missing))}")
    left, top, right, bottom = ByteCursor(attributes["dataWindow"], cursor.name).take("4i")
    (compression,) = ByteCursor(attributes["compression"], cursor.name).take("B")
    if compression not in LINES_PER_BLOCK:
        raise TrajectoryFileError(f"{cursor.name} uses OpenEXR compression {compression}; only none, zips and zip are read")
    if right < left or bottom < top:
        raise TrajectoryFileError(f"{cursor.name} is an empty picture")
    dtype = _channel_dtype(attributes["channels"], cursor.name)
    return _Header(right - left + 1, bottom - top + 1, top, dtype, LINES_PER_BLOCK[compression])


def _read_attributes(cursor: ByteCursor) -> dict[str, bytes]:
    attributes = {}
    while attribute := cursor.text():
        cursor.text()  # its type
        (size,) = cursor.take("i")
        attributes[attribute] = cursor.bytes(size)
    return attributes


def _channel_dtype(channels: bytes, name: str) -> np.dtype[Any]:
    cursor = ByteCursor(channels, name)
    found = []
    while channel := cursor.text():
        pixel_type, _, x_sampling, y_sampling = cursor.take("iIii")
        found.append((channel, pixel_type, x_sampling, y_sampling))
    if len(found) != 1 or found[0][1] not in PIXEL_DTYPES or found[0][2:] != (1, 1):
        raise TrajectoryFileError(f"{name} has channels {[channel for channel, *_ in found]}; one of half or float numbers is read")
    return PIXEL_DTYPES[found[0][1]]


def _unpack(packed: bytes, size: int, name: str) -> bytes:
    """Undo the zip compression: inflate, undo the byte differences, then interleave the two halves."""
    if len(packed) == size:  # blocks that zip would not shrink are stored as they are
        return packed
    try:
        deltas = np.frombuffer(zlib.decompressobj().decompress(packed, size + 1), np.uint8).copy()
    except zlib.error as error:
        raise TrajectoryFileError(f"{name} is damaged: {error}") from error
    if len(deltas) != size:
        raise TrajectoryFileError(f"{name} is damaged: a block holds {len(deltas)} bytes instead of {size}")
    deltas[1:] -= BIAS
    halves: NDArray[np.uint8] = np.cumsum(deltas, dtype=np.uint8)
    pixels = np.empty(size, np.uint8)
    pixels[0::2], pixels[1::2] = halves[: (size + 1) // 2], halves[(size + 1) // 2 :]
    return pixels.tobytes()
