"""One pass over a video file: when its frames are shown, where its shots are, and the frames that will most likely be wanted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame

from sfmcam.config import FrameConfig
from sfmcam.errors import VideoError
from sfmcam.types import Float, UInt8
from sfmcam.video.container import Announced, announced, open_video
from sfmcam.video.decode import Tally, decode_frames, most_threads, read_ahead, stamp_of
from sfmcam.video.kept import KeptPictures
from sfmcam.video.picture import Reducer
from sfmcam.video.sampling import pick, presentation_times, seconds
from sfmcam.video.shots import PICTURE_SIDE_PX, ShotFinder

BATCH = 32  # small pictures shown to the search for shots at once: what it needs stays in the processor's caches, a third of the time
PIXEL_FORMATS = {"rgb": "rgb24", "gray": "gray"}  # FFmpeg's names


@dataclass(frozen=True)
class Reading:
    """What one pass over a file brought.

    Attributes:
        times_s: (N,) times of all frames.
        shots: numbers of the frames of each shot.
        kept: the pictures of the frames that were expected to be wanted.
        size_px: (width, height) of the upright source.
        fps: mean frame rate.
        problems: sentences on what was lost.
        threads: how many threads decoded; a second pass must use as many to get the same frames.
    """

    times_s: Float
    shots: tuple[range, ...]
    kept: KeptPictures
    size_px: tuple[int, int]
    fps: float
    problems: tuple[str, ...]
    threads: int


def read_video(path: Path, config: FrameConfig) -> Reading:
    """Decode `path` once; a damaged file twice, the second time with one thread, since only then is the outcome repeatable.

    Raises:
        VideoError: the file cannot be opened, or no frame can be decoded.
    """
    reading, sound = _read(path, config, threads=most_threads())
    if not sound and reading.threads > 1:
        reading, _ = _read(path, config, threads=1)
    return reading


def read_frames(path: Path, config: FrameConfig, numbers: Collection[int], *, threads: int) -> Iterator[tuple[int, UInt8]]:
    """Decode `path` again, and yield the pictures of the frames `numbers` with their numbers, ascending."""
    with open_video(path) as (container, stream):
        reduce = _reducer(path, config, announced(container, stream))
        for number, frame in enumerate(decode_frames(container, stream, Tally(), threads=threads)):
            reduce.see(frame)
            if number in numbers:
                yield number, reduce(frame)


def _read(path: Path, config: FrameConfig, *, threads: int) -> tuple[Reading, bool]:
    """Return the reading, and whether the file was sound."""
    with ExitStack() as opened:
        container, stream = opened.enter_context(open_video(path))
        ahead = read_ahead(container, stream)
        tally = ahead.tally
        if ahead.packets is None:
            opened.close()
            container, stream = opened.enter_context(open_video(path))
            tally = Tally()
        header = announced(container, stream)
        going = _Pass(path, config, header, time_base=stream.time_base or Fraction(1), expected_stamps=ahead.stamps)
        for frame in decode_frames(container, stream, tally, threads=threads, packets=ahead.packets):
            going.take(frame)
    lost = tally.problems(header)
    return going.reading(lost, threads=threads), not lost


class _Pass:
    """What is gathered from frame to frame.

    The pictures kept are those that will be picked if the packets tell the truth and the file is one shot. Then one pass is enough;
    otherwise the missing ones are fetched by a second.
    """

    def __init__(self, path: Path, config: FrameConfig, header: Announced, *, time_base: Fraction, expected_stamps: Sequence[int]) -> None:
        times_s = np.array([seconds(stamp, time_base) for stamp in expected_stamps])
        self._path = path
        self._header = header
        self._time_base = time_base
        self._wanted = {expected_stamps[i] for i in pick(times_s, config.fps, config.max_frames)}
        self._stamps: list[int | None] = []
        self._kept = KeptPictures(len(self._wanted))
        self._reduce = _reducer(path, config, header)
        self._shrink = Reducer(path, PICTURE_SIDE_PX, pixel_aspect=header.pixel_aspect, pixel_format="gray")
        self._finder = ShotFinder() if config.shots == "auto" else None
        self._unseen: list[tuple[UInt8, float]] = []

    def take(self, frame: VideoFrame) -> None:
        """Note when the next frame is shown, show it to the search for shots, and keep its picture if it will be wanted."""
        number, stamp = len(self._stamps), stamp_of(frame)
        self._stamps.append(stamp)
        self._reduce.see(frame)
        if stamp in self._wanted:
            self._kept.add(number, self._reduce(frame))
        if self._finder:
            time_s = number / self._header.fps if stamp is None else seconds(stamp, self._time_base)
            self._unseen.append((self._shrink(frame), time_s))
            if len(self._unseen) == BATCH:
                self._show()

    def _show(self) -> None:
        if self._finder:
            for gray, time_s in self._unseen:
                self._finder.push(gray, time_s)
        self._unseen.clear()

    def reading(self, lost: tuple[str, ...], *, threads: int) -> Reading:
        """Return all that was gathered.

        Raises:
            VideoError: there was no frame.
        """
        if not self._stamps:
            raise VideoError(f"{self._path} holds a video of which no frame could be decoded")
        self._show()
        times_s, replaced = presentation_times(self._stamps, self._time_base, self._header.fps)
        total = len(times_s)
        return Reading(
            times_s=times_s,
            shots=tuple(self._finder.finish()) if self._finder else (range(total),),
            kept=self._kept,
            size_px=self._reduce.source_size_px,
            fps=(total - 1) / (times_s[-1] - times_s[0]) if total > 1 else self._header.fps,
            problems=lost + _clock_problem(replaced, total),
            threads=threads,
        )


def _reducer(path: Path, config: FrameConfig, header: Announced) -> Reducer:
    return Reducer(path, config.long_side_px, pixel_aspect=header.pixel_aspect, pixel_format=PIXEL_FORMATS[config.pixels])


def _clock_problem(replaced: int, total: int) -> tuple[str, ...]:
    return (f"{replaced} of {total} frames had no usable time stamp; they were spaced by the mean frame rate",) if replaced else ()
