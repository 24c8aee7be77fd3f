"""From a video file or an image folder to the Frames of each shot."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sfmcam.config import FrameConfig
from sfmcam.errors import VideoError
from sfmcam.types import Frames, UInt8
from sfmcam.video.digest import file_digest
from sfmcam.video.folder import load_folder
from sfmcam.video.kept import KeptPictures, per_block
from sfmcam.video.reading import Reading, read_frames, read_video
from sfmcam.video.sampling import Index, pick

logger = logging.getLogger(__name__)

FOLDER_FPS = 24.0


@dataclass(frozen=True)
class Shot:
    """One uncut piece of the source.

    Attributes:
        index: place among the shots of the source, from 0.
        start_s: time of its first frame in the source.
        end_s: time of its last frame in the source.
        frames: the frames taken from it, its first and last among them.
    """

    index: int
    start_s: float
    end_s: float
    frames: Frames


def load_shots(source: Path, config: FrameConfig, *, fps: float = FOLDER_FPS) -> list[Shot]:
    """Return the shots of a video file or image folder, with the frames that `config` asks for.

    A folder is always one shot: whoever laid the images together meant them as one. A shot may have a single frame.

    Args:
        source: video file, or folder of images.
        config: frame rate, cap, size, and whether to look for shots.
        fps: images per second of an image folder; a video has its own clock.

    Raises:
        VideoError: nothing can be had from `source`; the sentence says why.
    """
    return list(iter_shots(source, config, fps=fps))


def iter_shots(source: Path, config: FrameConfig, *, fps: float = FOLDER_FPS) -> Iterator[Shot]:
    """Yield what `load_shots` returns, shot by shot, so that a film's frames need not all be held."""
    if source.is_dir():
        frames = load_folder(source, config, fps=fps)
        yield Shot(0, float(frames.timestamps_s[0]), float(frames.timestamps_s[-1]), frames)
        return
    reading = read_video(source, config)
    for problem in reading.problems:
        logger.info("%s: %s", source, problem)
    yield from _shots(source, config, reading)


def _shots(source: Path, config: FrameConfig, reading: Reading) -> Iterator[Shot]:
    digest = file_digest(source)
    chosen = [shot.start + pick(reading.times_s[shot.start : shot.stop], config.fps, config.max_frames) for shot in reading.shots]
    missing = {int(i) for numbers in chosen for i in numbers} - reading.kept.numbers
    later = read_frames(source, config, missing, threads=reading.threads)
    for index, (shot, numbers) in enumerate(zip(reading.shots, chosen, strict=True)):
        frames = Frames(
            images=_gather(source, numbers, reading.kept, later),
            timestamps_s=reading.times_s[numbers],
            source_fps=reading.fps,
            source_size_px=reading.size_px,
            source=source,
            digest=digest,
            problems=reading.problems,
        )
        yield Shot(index, float(reading.times_s[shot.start]), float(reading.times_s[shot.stop - 1]), frames)


def _gather(source: Path, numbers: Index, kept: KeptPictures, later: Iterator[tuple[int, UInt8]]) -> UInt8:
    """Return the pictures of the frames `numbers`, taken out of `kept` or, as far as missing there, from `later`, both in this order."""
    whole = kept.take_block(numbers)
    if whole is not None:
        return whole
    images = np.empty(0, np.uint8)
    for place, number in enumerate(numbers):
        picture = kept.take(int(number))
        if picture is None:
            _, picture = next(later, (-1, None))
        if picture is None:
            raise VideoError(f"{source} gave other frames when it was read a second time; was it being written meanwhile?")
        if place == len(images):  # grown as the kept ones are let go; where that is large, without being copied
            images.resize((min(place + per_block(picture), len(numbers)), *picture.shape), refcheck=False)
        images[place] = picture
    return images
