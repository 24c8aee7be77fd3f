"""Opening a video file: one clear sentence for each thing that can be wrong with it, and what its header announces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from sfmcam.errors import VideoError

FALLBACK_FPS = 25.0  # only where neither the header nor the time stamps tell a rate
HEAD_BYTES = 64
TEXT_CODECS = frozenset({"ansi", "bintext", "idf", "xbin"})  # FFmpeg draws a text file as a terminal would show it
LARGEST_PIXEL_ASPECT = 4.0
SQUARE_TOLERANCE = 0.01  # encoders leave 1281:1280 behind after a resize; correcting that would only blur


@dataclass(frozen=True)
class Announced:
    """What the header says of the video stream, which may be wrong.

    Attributes:
        codec: FFmpeg's name of the coding, such as `h264`.
        fps: mean frame rate.
        num_frames: number of frames, or 0 where the format does not say.
        duration_s: length of the video alone, or None where the format does not say.
        pixel_aspect: width of one pixel over its height.
    """

    codec: str
    fps: float
    num_frames: int
    duration_s: float | None
    pixel_aspect: float


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open the first video stream of `path` (cover pictures of audio files do not count).

    Raises:
        VideoError: the file is missing, unreadable, empty, no video, or holds no picture that can be decoded.
    """
    head = _read_head(path)
    try:
        # The prefix keeps FFmpeg from reading a file name as a URL, and the list keeps a playlist from opening one.
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"})
    except (av.FFmpegError, ValueError) as error:
        raise VideoError(f"{path} {_what_it_is(head)}") from error
    with container:
        yield container, _video_stream(container, path)


def announced(container: InputContainer, stream: VideoStream) -> Announced:
    """Return what the header says of `stream`."""
    context = stream.codec_context
    rate = stream.average_rate or stream.guessed_rate
    return Announced(
        codec=context.name,
        fps=float(rate) if rate else FALLBACK_FPS,
        num_frames=max(stream.frames, 0),
        duration_s=_announced_duration(container, stream),
        pixel_aspect=_pixel_aspect(stream.sample_aspect_ratio),
    )


def _read_head(path: Path) -> bytes:
    if not path.exists():
        raise VideoError(f"there is no video file or image folder {path}")
    if not path.is_file():
        raise VideoError(f"{path} is not a file that can be read as a video")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise VideoError(f"{path} cannot be read: {error.strerror or error}") from error
    if not head:
        raise VideoError(f"{path} is empty (0 bytes)")
    return head


def _what_it_is(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return "is an incomplete MP4 or MOV file: the index at its end is missing or damaged; copy or record it again"
    if all(byte >= 32 or byte in b"\t\n\r" for byte in head) and head.isascii():
        return "is not a video: it holds text"
    return "is not a video in a known format, or it is damaged from its first bytes on"


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    cover = av.stream.Disposition.attached_pic
    for stream in container.streams.video:
        context: object = stream.codec_context  # None for a coding that this FFmpeg does not know
        if stream.disposition & cover:
            continue
        if context is None:
            raise VideoError(f"{path} uses a video coding that the installed FFmpeg cannot decode")
        if stream.codec_context.name in TEXT_CODECS:
            raise VideoError(f"{path} is not a video: it holds text")
        return stream
    raise VideoError(f"{path} holds {'only sound, ' if container.streams.audio else ''}no picture")


def _announced_duration(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration and len(container.streams) == 1:  # with sound beside it, the file's length may be the sound's
        return container.duration / av.time_base
    return None


def _pixel_aspect(ratio: Fraction | None) -> float:
    aspect = float(ratio) if ratio else 1.0
    believable = 1 / LARGEST_PIXEL_ASPECT <= aspect <= LARGEST_PIXEL_ASPECT
    return aspect if believable and abs(aspect - 1) > SQUARE_TOLERANCE else 1.0
