"""Small videos written on the spot: frames that carry their own number, and scenes that a camera moves over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]
BITS = 8
DARK, LIGHT = 60, 190


def numbered(number: int, *, width: int = 128, height: int = 72) -> UInt8:
    """A picture whose eight vertical bars spell `number` in binary; its upper left corner is red, so that turns show."""
    bits = [number >> bit & 1 for bit in reversed(range(BITS))]
    bars = np.where(np.array(bits)[np.arange(width) * BITS // width], LIGHT, DARK).astype(np.uint8)
    picture = np.repeat(np.tile(bars, (height, 1))[..., None], 3, axis=2)
    picture[: height // 3, : width // BITS] = (220, 30, 30)
    return picture


def read_number(picture: UInt8) -> int:
    """Read what `numbered` wrote, at any size, from the lower half of an upright picture."""
    height, width = picture.shape[:2]
    row = picture[height * 3 // 4].astype(float).mean(axis=1)
    centres = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    return int("".join("1" if row[x] > (DARK + LIGHT) / 2 else "0" for x in centres), 2)


def numbers_of(images: UInt8) -> list[int]:
    """Read the numbers of (N, H, W, 3) pictures."""
    return [read_number(image) for image in images]


def scene(seed: int, *, width: int = 400, height: int = 240) -> UInt8:
    """A picture full of corners: coloured discs and boxes of all sizes on a shaded ground."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(60, 200, (4, 6, 3), dtype=np.uint8)
    picture = cv2.resize(ground, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(250):
        x, y, r = int(rng.integers(0, width)), int(rng.integers(0, height)), int(rng.integers(3, 16))
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        if rng.random() < 0.5:
            cv2.circle(picture, (x, y), r, colour, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(picture, (x, y), (x + r, y + int(rng.integers(3, 16))), colour, -1)
    return np.asarray(picture, np.uint8)


def panned(seed: int, num_frames: int, *, step_px: int = 2, width: int = 192, height: int = 108) -> list[UInt8]:
    """Frames of a camera that slides over `scene(seed)`."""
    wide = scene(seed, width=width + step_px * num_frames + 8, height=height)
    return [np.ascontiguousarray(wide[:, step_px * i : step_px * i + width]) for i in range(num_frames)]


def write_video(
    path: Path,
    pictures: Iterable[UInt8],
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    fps: float = 25,
    stamps_ms: Sequence[int] | None = None,
    turn: tuple[float, bool, bool] | None = None,
    pixel_aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode RGB `pictures`, shown at i / `fps` or at `stamps_ms`; `turn` is the display tag (degrees counterclockwise, hflip, vflip)."""
    frames = list(pictures)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixel_format
        stream.options = options or ({"crf": "12", "g": "12"} if codec == "libx264" else {})
        if turn:
            stream.set_display_rotation(turn[0], hflip=turn[1], vflip=turn[2])
        if pixel_aspect:
            stream.sample_aspect_ratio = pixel_aspect
        if stamps_ms is not None:
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for i, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = (
                (i, 1 / Fraction(fps).limit_denominator(1001)) if stamps_ms is None else (stamps_ms[i], Fraction(1, 1000))
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """Write a file that has sound and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def index_first(path: Path, target: Path) -> Path:
    """Copy an MP4 with its index in front, so that it can be opened when its end is missing."""
    with av.open(str(path)) as source, av.open(str(target), "w", options={"movflags": "faststart"}) as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    return target


def truncate(path: Path, share: float) -> Path:
    """Keep the first `share` of the bytes of `path`, in place."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def scramble(path: Path, *, begin: float, end: float, places: int, seed: int = 0) -> Path:
    """Overwrite 24 random bytes at `places` between the shares `begin` and `end` of `path`, in place."""
    rng = np.random.default_rng(seed)
    content = bytearray(path.read_bytes())
    for at in rng.integers(int(len(content) * begin), int(len(content) * end), places):
        content[at : at + 24] = rng.integers(0, 256, 24, dtype=np.uint8).tobytes()
    path.write_bytes(content)
    return path
