"""What lies at a path, asked so that a path that may not be looked at is one sentence, and neither a traceback nor 'not there'."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from sfmcam.errors import InputError, SfmcamError


def exists(path: Path, *, refuse: type[SfmcamError] = InputError) -> bool:
    """Return whether anything is at `path`.

    Raises:
        SfmcamError: of the class `refuse`; the system does not let it be known (no permission, name too long).
    """
    return _mode(path, refuse) is not None


def is_folder(path: Path, *, refuse: type[SfmcamError] = InputError) -> bool:
    """Return whether `path` is a folder, through links.

    Raises:
        SfmcamError: as `exists`.
    """
    mode = _mode(path, refuse)
    return mode is not None and stat.S_ISDIR(mode)


def is_file(path: Path, *, refuse: type[SfmcamError] = InputError) -> bool:
    """Return whether `path` is a regular file, through links.

    Raises:
        SfmcamError: as `exists`.
    """
    mode = _mode(path, refuse)
    return mode is not None and stat.S_ISREG(mode)


def list_folder(folder: Path, *, refuse: type[SfmcamError] = InputError) -> list[Path]:
    """Return what lies in `folder`, by name. (`Path.glob` gives an empty list for a folder that may not be read.)

    Raises:
        SfmcamError: of the class `refuse`; the folder cannot be read.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise refuse(_sentence(folder, error)) from error


def files_below(folder: Path, *, refuse: type[SfmcamError] = InputError) -> list[Path]:
    """Return the files in `folder` and below it, by path; links to folders are not followed.

    Raises:
        SfmcamError: of the class `refuse`; a folder cannot be read.
    """
    found: list[Path] = []

    def stop(error: OSError) -> None:
        raise refuse(_sentence(Path(error.filename or folder), error)) from error

    for root, _, names in os.walk(folder, onerror=stop):
        found += [Path(root, name) for name in names]
    return sorted(found)


def clip_id(source: Path, *, refuse: type[SfmcamError] = InputError) -> str:
    """Return the name of a clip: that of an image folder in full, that of a video without its last suffix.

    Raises:
        SfmcamError: as `exists`.
    """
    if not is_folder(source, refuse=refuse):
        return source.stem
    return Path(os.path.abspath(source)).name  # noqa: PTH100 (`.` gets its name, and a link to a folder keeps its own)


def _mode(path: Path, refuse: type[SfmcamError]) -> int | None:
    """Return the mode of what is at `path`, or None where there is nothing."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise refuse(_sentence(path, error)) from error


def _sentence(path: Path, error: OSError) -> str:
    return f"cannot read {path}: {(error.strerror or str(error)).lower()}"
