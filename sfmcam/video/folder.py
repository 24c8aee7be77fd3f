"""A folder of images as one shot."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from sfmcam.config import FrameConfig
from sfmcam.errors import ConfigError, VideoError
from sfmcam.types import Frames, UInt8
from sfmcam.video.digest import folder_digest
from sfmcam.video.picture import reduced_size
from sfmcam.video.sampling import Index, pick

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
PILLOW_MODES = {"rgb": "RGB", "gray": "L"}
UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)  # what Pillow raises for a broken image


def load_folder(folder: Path, config: FrameConfig, *, fps: float) -> Frames:
    """Read the images of `folder` in natural order, image i shown at i / `fps` seconds.

    Other files are ignored. An image that cannot be read is left out and named in `Frames.problems`.

    Raises:
        ConfigError: `fps` is not positive.
        VideoError: no readable image, or images of different sizes.
    """
    if not fps > 0:
        raise ConfigError(f"the rate of an image folder must be positive, not {fps} images per second")
    images = list_images(folder)
    sizes, problems = _header_sizes(images)
    _require_one_size(images, {place: (max(size), min(size)) for place, size in sizes.items()})
    places = np.array(sorted(sizes), dtype=np.intp)
    chosen = places[pick(places / fps, config.fps, config.max_frames)]
    pictures, upright_sizes, broken = _read_all(images, chosen, config)
    problems += broken
    if not upright_sizes:
        why = f": {problems[0]}" if problems else f" ({', '.join(sorted(SUFFIXES))})"
        raise VideoError(f"the folder {folder} holds no image that can be read{why}")
    return Frames(
        images=pictures,
        timestamps_s=np.array(list(upright_sizes)) / fps,
        source_fps=fps,
        source_size_px=next(iter(upright_sizes.values())),
        source=folder,
        digest=folder_digest(images),
        problems=tuple(problems),
    )


def list_images(folder: Path) -> list[Path]:
    """Return the image files of `folder`, by name, with numbers in names in numeric order; hidden files are passed over.

    Raises:
        VideoError: the folder cannot be listed.
    """
    try:
        files = [f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith(".") and f.is_file()]
    except OSError as error:
        raise VideoError(f"the folder {folder} cannot be read: {error.strerror or error}") from error
    return sorted(files, key=_natural_key)


def _natural_key(file: Path) -> tuple[list[tuple[int, str]], str]:
    parts = re.split(r"(\d+)", file.name.lower())
    return [(int(part), "") if i % 2 else (0, part) for i, part in enumerate(parts)], file.name


def _header_sizes(images: list[Path]) -> tuple[dict[int, tuple[int, int]], list[str]]:
    """Return the stored (width, height) of each image by its place, without decoding, and what could not be read."""
    sizes, problems = {}, []
    for place, path in enumerate(images):
        try:
            with Image.open(path) as image:
                sizes[place] = image.size
        except UNREADABLE:
            problems.append(f"the image {path.name} could not be read")
    return sizes, problems


def _require_one_size(images: list[Path], sizes: dict[int, tuple[int, int]]) -> None:
    first = next(iter(sizes), None)
    for place, size in sizes.items():
        if first is not None and size != sizes[first]:
            (width, height), (first_width, first_height) = size, sizes[first]
            raise VideoError(
                f"the images of {images[place].parent} differ in size: {images[place].name} is {width}x{height}, "
                f"{images[first].name} is {first_width}x{first_height}; bring them to one size"
            )


def _read_all(images: list[Path], chosen: Index, config: FrameConfig) -> tuple[UInt8, dict[int, tuple[int, int]], list[str]]:
    """Return the pictures, the upright sizes by place, and one sentence for each image that is broken behind its header."""
    pictures, sizes, broken = np.empty(0, np.uint8), dict[int, tuple[int, int]](), []
    for place in map(int, chosen):
        try:
            picture, size = _read(images[place], config)
        except UNREADABLE:
            broken.append(f"the image {images[place].name} could not be read")
            continue
        sizes[place] = size
        first = next(iter(sizes))
        _require_one_size(images, {first: sizes[first], place: size})
        if len(sizes) == 1:
            pictures = np.empty((len(chosen), *picture.shape), np.uint8)
        pictures[len(sizes) - 1] = picture
    return pictures[: len(sizes)], sizes, broken


def _read(path: Path, config: FrameConfig) -> tuple[UInt8, tuple[int, int]]:
    """Return the reduced upright picture, and the (width, height) of the upright image in full."""
    mode, long_side_px = PILLOW_MODES[config.pixels], config.long_side_px
    with Image.open(path) as image:
        size = image.size
        image.draft(mode, (long_side_px, long_side_px))  # lets a JPEG be decoded at reduced size, still at least this large
        stored = image.size
        upright = ImageOps.exif_transpose(image)
        if upright.size != stored:
            size = size[::-1]
        eight_bit = Image.fromarray(_eight_bits(np.asarray(upright))) if upright.mode.startswith("I") else upright
        converted, small = eight_bit.convert(mode), reduced_size(size, long_side_px)
        return np.asarray(converted if converted.size == small else converted.resize(small, Image.Resampling.BOX)), size


def _eight_bits(gray: NDArray[np.integer]) -> UInt8:
    """Return 16-bit grey levels as 8-bit ones; Pillow would clip them."""
    return (np.clip(gray, 0, 65535) // 257).astype(np.uint8)
