"""One pass over a video file: when its frames are shown, where its shots are, and the frames that will most likely be wanted."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from sfmcam.config import FrameConfig
from sfmcam.errors import VideoError
from sfmcam.types import Float, UInt8
from sfmcam.video.container import announced, open_video
from sfmcam.video.decode import Tally, decode_frames, most_threads, packet_stamps, stamp_of
from sfmcam.video.picture import Reducer
from sfmcam.video.sampling import pick, presentation_times
from sfmcam.video.shots import PICTURE_SIDE_PX, ShotFinder


@dataclass(frozen=True)
class Reading:
    """What one pass over a file brought.

    Attributes:
        times_s: (N,) times of all frames.
        shots: numbers of the frames of each shot.
        kept: pictures by frame number, those of `expected_stamps`.
        size_px: (width, height) of the upright source.
        fps: mean frame rate.
        problems: sentences on what was lost.
        threads: how many threads decoded; a second pass must use as many to get the same frames.
    """

    times_s: Float
    shots: tuple[range, ...]
    kept: dict[int, UInt8]
    size_px: tuple[int, int]
    fps: float
    problems: tuple[str, ...]
    threads: int


def read_video(path: Path, config: FrameConfig) -> Reading:
    """Decode `path` once; a damaged file twice, the second time with one thread, since only then is the outcome repeatable.

    Raises:
        VideoError: the file cannot be opened, or no frame can be decoded.
    """
    expected = _expected_stamps(path, config)
    reading, sound = _read(path, config, expected, threads=most_threads())
    if not sound and reading.threads > 1:
        reading, _ = _read(path, config, expected, threads=1)
    return reading


def read_frames(path: Path, config: FrameConfig, numbers: Collection[int], *, threads: int) -> Iterator[tuple[int, UInt8]]:
    """Decode `path` again, and yield the pictures of the frames `numbers` with their numbers, ascending."""
    with open_video(path) as (container, stream):
        reduce = Reducer(path, config.long_side_px, pixel_aspect=announced(container, stream).pixel_aspect)
        for number, frame in enumerate(decode_frames(container, stream, Tally(), threads=threads)):
            reduce.see(frame)
            if number in numbers:
                yield number, reduce(frame)


def _expected_stamps(path: Path, config: FrameConfig) -> set[int]:
    """Return the stamps of the frames that will be picked if the packets tell the truth and the file is one shot.

    Then one pass is enough; otherwise the missing ones are fetched by a second.
    """
    stamps, time_base = packet_stamps(path)
    times_s = np.array([float(stamp * time_base) for stamp in stamps])
    return {stamps[i] for i in pick(times_s, config.fps, config.max_frames)}


def _read(path: Path, config: FrameConfig, expected: set[int], *, threads: int) -> tuple[Reading, bool]:
    """Return the reading, and whether the file was sound."""
    tally, stamps, kept = Tally(), [], {}
    finder = ShotFinder() if config.shots == "auto" else None
    with open_video(path) as (container, stream):
        header = announced(container, stream)
        reduce = Reducer(path, config.long_side_px, pixel_aspect=header.pixel_aspect)
        shrink = Reducer(path, PICTURE_SIDE_PX, pixel_aspect=header.pixel_aspect, pixel_format="bgr24")
        time_base = stream.time_base or Fraction(1)
        for number, frame in enumerate(decode_frames(container, stream, tally, threads=threads)):
            reduce.see(frame)
            stamps.append(stamp_of(frame))
            if stamps[-1] in expected:
                kept[number] = reduce(frame)
            if finder:
                finder.push(shrink(frame), number / header.fps if stamps[-1] is None else float(stamps[-1] * time_base))
    if not stamps:
        raise VideoError(f"{path} holds a video of which no frame could be decoded")
    times_s, replaced = presentation_times(stamps, time_base, header.fps)
    lost = tally.problems(header)
    reading = Reading(
        times_s=times_s,
        shots=tuple(finder.finish()) if finder else (range(len(times_s)),),
        kept=kept,
        size_px=reduce.source_size_px,
        fps=(len(times_s) - 1) / (times_s[-1] - times_s[0]) if len(times_s) > 1 else header.fps,
        problems=lost + _clock_problem(replaced, len(times_s)),
        threads=threads,
    )
    return reading, not lost


def _clock_problem(replaced: int, total: int) -> tuple[str, ...]:
    return (f"{replaced} of {total} frames had no usable time stamp; they were spaced by the mean frame rate",) if replaced else ()
