"""Trained weights of others: what there is (third_party/weights.toml), and where a fetched file lies."""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from pydantic import Field

from sfmcam.config import Model, build, read_toml
from sfmcam.errors import ConfigError, InputError
from sfmcam.io.atomic import replacing
from sfmcam.io.download import Expected, Progress, check_file, download
from sfmcam.io.text_file import make_folder

FOLDER_VARIABLE = "SFMCAM_WEIGHTS"


class Weights(Model):
    """One entry of the list."""

    file: str = Field(pattern=r"^[\w.-]+$", description="name of the file")
    what: str = Field(description="whose weights of what, in words")
    url: str = Field(pattern=r"^https?://", description="where it is fetched from")
    home: str = Field(description="page of the project")
    licence: str = Field(description="as the project states it")
    size_bytes: int | None = Field(default=None, gt=0, description="as listed; None where unknown")
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$", description="None where unknown")

    @property
    def expected(self) -> Expected:
        """What a fetched file is compared with: a size without a hash is hearsay, and no reason to refuse a file."""
        return Expected(self.size_bytes, self.sha256) if self.sha256 else Expected()


def weights_list() -> dict[str, Weights]:
    """Return the entries by name.

    Raises:
        ConfigError: the list is missing or malformed.
    """
    path = _list_file()
    return {name: build(Weights, entry, where=f"{name} in {path}") for name, entry in read_toml(path).items()}


def weights_entry(name: str, *, also: Iterable[str] = ()) -> Weights:
    """Return one entry; `also` are names of what is kept elsewhere, for the message.

    Raises:
        ConfigError: there is none of that name.
    """
    known = weights_list()
    if name not in known:
        names = [*known, *also]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names)}"
        raise ConfigError(f"there are no weights '{name}'; {hint}")
    return known[name]


def weights_folder() -> Path:
    """Return the folder of fetched files: SFMCAM_WEIGHTS, else sfmcam/weights in the user's cache (XDG_CACHE_HOME, ~/.cache)."""
    if given := os.environ.get(FOLDER_VARIABLE):
        return Path(given).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sfmcam" / "weights"


def weights_path(name: str) -> Path:
    """Return where the file of these weights lies, or would lie.

    Raises:
        ConfigError: there are no weights of that name.
    """
    return weights_folder() / weights_entry(name).file


def fetch_weights(name: str, *, on_progress: Progress | None = None) -> str:
    """Download the file to `weights_path`; return its SHA-256.

    Raises:
        ConfigError: there are no weights of that name.
        DownloadError: they cannot be fetched; what has arrived is kept, and gone on from.
        InputError: the folder cannot be written.
    """
    entry = weights_entry(name)
    return download(entry.url, weights_path(name), expected=entry.expected, on_progress=on_progress)


def accept_weights(name: str, file: Path) -> str:
    """Copy a file that the user has to `weights_path`; return its SHA-256.

    Raises:
        ConfigError: there are no weights of that name.
        InputError: it cannot be read, or is not the expected one.
    """
    entry, target = weights_entry(name), weights_path(name)
    if not file.is_file():
        raise InputError(f"there is no file {file}")
    digest = check_file(file, entry.expected, name=str(file))
    if target.exists() and target.samefile(file):
        return digest
    make_folder(target.parent)
    with replacing(target) as part:
        shutil.copyfile(file, part)
    return digest


def _list_file() -> Path:
    """Return the list: inside the package when installed (setup.py puts it there), beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "third_party", package.parent / "third_party"):
        if (folder / "weights.toml").is_file():
            return folder / "weights.toml"
    raise ConfigError("third_party/weights.toml of sfmcam is missing; reinstall the package")
