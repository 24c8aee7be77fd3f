"""A strip of thumbnails per clip: six moments side by side in one JPEG, kept from one report to the next."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from sfmcam.batch.store import hash_source
from sfmcam.config import FrameConfig
from sfmcam.datasets.labelled_set import Clip
from sfmcam.errors import InputError, VideoError
from sfmcam.io.atomic import replacing
from sfmcam.io.text_file import make_folder
from sfmcam.types import UInt8
from sfmcam.video.source import load_shots

MOMENTS = 6
LONG_SIDE_PX = 220
QUALITY = 80
FRAMES = FrameConfig(fps=30.0, max_frames=MOMENTS, long_side_px=LONG_SIDE_PX, shots="single")
HASH_LENGTH = 20


def make_strips(clips: Iterable[Clip], folder: Path, *, advance: Callable[[], None] = lambda: None) -> dict[str, str]:
    """Write the strips that are not there yet.

    Args:
        clips: whose videos are looked for.
        folder: made if needed. A strip is named by its video's content, so that a second report makes only what has changed.
        advance: called once per clip.

    Returns:
        Clip id -> file name of its strip; clips without a readable video are absent.

    Raises:
        InputError: the folder cannot be written.
    """
    make_folder(folder)
    there = [clip for clip in clips if clip.path.exists()]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:  # decoding and resizing let go of Python's lock
        made = {}
        for clip, name in zip(there, pool.map(lambda clip: _strip(clip, folder), there), strict=True):
            advance()
            if name:
                made[clip.id] = name
    return made


def _strip(clip: Clip, folder: Path) -> str:
    """Return the name of a clip's strip, drawing it where it is missing; empty where the video shows nothing."""
    name = f"{hash_source(clip.path)[:HASH_LENGTH]}.jpg"
    if (folder / name).is_file():
        return name
    try:
        images = load_shots(clip.path, FRAMES)[0].frames.images
    except (VideoError, InputError):
        return ""  # the page says that there is no picture; what is wrong with the video is the status of its methods
    _write_jpeg(folder / name, side_by_side(images))
    return name


def side_by_side(images: UInt8) -> UInt8:
    """Return (H, MOMENTS * W, 3): `images` (n, H, W, 3) in a row, the last one repeated where there are fewer."""
    chosen = np.minimum(np.arange(MOMENTS), len(images) - 1)
    return np.concatenate(list(images[chosen]), axis=1)


def _write_jpeg(path: Path, picture: UInt8) -> None:
    from PIL import Image

    with replacing(path) as part:
        Image.fromarray(picture).save(part, format="JPEG", quality=QUALITY, optimize=True)
