"""The name of a clip's content: the same bytes have the same digest wherever they lie."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from sfmcam.errors import VideoError


def file_digest(path: Path) -> str:
    """Return the hex SHA-256 of the bytes of `path`, read in pieces.

    Raises:
        VideoError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise VideoError(f"{path} cannot be read: {error.strerror or error}") from error


def folder_digest(images: Sequence[Path]) -> str:
    """Return the hex SHA-256 over the names and bytes of `images`, in the order given.

    Raises:
        VideoError: an image cannot be read.
    """
    total = hashlib.sha256()
    for image in images:
        total.update(image.name.encode("utf-8", "surrogateescape") + b"\0" + bytes.fromhex(file_digest(image)))
    return total.hexdigest()
