"""Writing a text file whole or not at all, into a folder that may not be there yet."""

from __future__ import annotations

from pathlib import Path

from sfmcam.errors import InputError
from sfmcam.io.atomic import replacing


def make_folder(folder: Path) -> Path:
    """Make `folder` and those above it where they are missing, and return it.

    Raises:
        InputError: the system refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {(error.strerror or str(error)).lower()}") from error
    return folder


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, making the folder if needed.

    Raises:
        InputError: the folder cannot be made or written.
    """
    make_folder(path.parent)
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
