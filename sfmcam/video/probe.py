"""What a video file is, told without decoding more than its first frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sfmcam.errors import VideoError
from sfmcam.video.container import announced, open_video
from sfmcam.video.decode import Tally, decode_frames
from sfmcam.video.picture import Reducer


@dataclass(frozen=True)
class VideoInfo:
    """Announced properties of a video file; only a full reading proves them.

    Attributes:
        codec: FFmpeg's name of the coding, such as `h264`.
        size_px: (width, height), upright and in square pixels.
        fps: mean frame rate.
        duration_s: length, or None where the format does not say.
    """

    codec: str
    size_px: tuple[int, int]
    fps: float
    duration_s: float | None


def probe(path: Path) -> VideoInfo:
    """Return what the header and the first frame of `path` tell.

    Raises:
        VideoError: the file cannot be opened, or has no frame that can be decoded.
    """
    with open_video(path) as (container, stream):
        header = announced(container, stream)
        frame = next(decode_frames(container, stream, Tally(), threads=1), None)
        if frame is None:
            raise VideoError(f"{path} holds a video of which no frame could be decoded")
        reducer = Reducer(path, max(frame.width, frame.height), pixel_aspect=header.pixel_aspect)
        reducer.see(frame)
        return VideoInfo(header.codec, reducer.source_size_px, header.fps, header.duration_s)
