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
EXIF_ORIENTATION = 0x0112
LIES_ON_ITS_SIDE = frozenset({5, 6, 7, 8})  # EXIF orientations that swap width and height
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
    sizes, problems = _sizes(images)
    if not sizes:
        raise VideoError(f"the folder {folder} holds no image that can be read ({', '.join(sorted(SUFFIXES))})")
    size = _common_size(images, sizes)
    places = np.array(sorted(sizes))
    chosen = places[pick(places / fps, config.fps, config.max_frames)]
    pictures, broken = _read_all(images, chosen, reduced_size(size, config.long_side_px))
    if not pictures:
        raise VideoError(f"the folder {folder} holds no image that can be read: {broken[0]}")
    return Frames(
        images=np.stack(list(pictures.values())),
        timestamps_s=np.array(list(pictures)) / fps,
        source_fps=fps,
        source_size_px=size,
        source=folder,
        digest=folder_digest(images),
        problems=(*problems, *broken),
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


def _sizes(images: list[Path]) -> tuple[dict[int, tuple[int, int]], list[str]]:
    """Return the upright (width, height) of each image by its place, from the headers alone, and what could not be read."""
    sizes, problems = {}, []
    for place, path in enumerate(images):
        try:
            with Image.open(path) as image:
                width, height = image.size
                on_its_side = image.getexif().get(EXIF_ORIENTATION) in LIES_ON_ITS_SIDE
        except UNREADABLE:
            problems.append(f"the image {path.name} could not be read")
            continue
        sizes[place] = (height, width) if on_its_side else (width, height)
    return sizes, problems


def _common_size(images: list[Path], sizes: dict[int, tuple[int, int]]) -> tuple[int, int]:
    first, *rest = sizes
    for place in rest:
        if sizes[place] != sizes[first]:
            (width, height), (first_width, first_height) = sizes[place], sizes[first]
            raise VideoError(
                f"the images of {images[place].parent} differ in size: {images[place].name} is {width}x{height}, "
                f"{images[first].name} is {first_width}x{first_height}; bring them to one size"
            )
    return sizes[first]


def _read_all(images: list[Path], chosen: Index, size_px: tuple[int, int]) -> tuple[dict[int, UInt8], list[str]]:
    """Return the pictures by their place, and one sentence for each that is broken behind its header."""
    pictures, broken = {}, []
    for place in chosen:
        try:
            pictures[int(place)] = _read(images[place], size_px)
        except UNREADABLE:
            broken.append(f"the image {images[place].name} could not be read")
    return pictures, broken


def _read(path: Path, size_px: tuple[int, int]) -> UInt8:
    with Image.open(path) as image:
        image.draft("RGB", (max(size_px), max(size_px)))  # lets a JPEG be decoded at reduced size, still at least this large
        upright = ImageOps.exif_transpose(image)
        eight_bit = Image.fromarray(_brightest_eight_bits(np.asarray(upright))) if upright.mode.startswith("I") else upright
        rgb = eight_bit.convert("RGB")
        return np.asarray(rgb if rgb.size == size_px else rgb.resize(size_px, Image.Resampling.BOX))


def _brightest_eight_bits(gray: NDArray[np.integer]) -> UInt8:
    """Return 16-bit grey levels as 8-bit ones; Pillow would clip them."""
    return (np.clip(gray, 0, 65535) // 257).astype(np.uint8)
