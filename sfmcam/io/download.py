"""Fetching one large file over HTTP, so that a download that broke off goes on where it stopped.

What has arrived is kept beside the target as NAME.part, and takes its name once it is whole and its size and hash are right.
"""

from __future__ import annotations

import hashlib
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO

from sfmcam.errors import DownloadError, InputError
from sfmcam.io.text_file import make_folder

TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 18
NOTHING_LEFT = 416  # HTTP: the asked range begins beyond the end

Progress = Callable[[int, int | None], None]  # bytes here so far, bytes in all where the server says


@dataclass(frozen=True)
class Expected:
    """What is known of a file beforehand: its size in bytes, its SHA-256 in hexadecimal; None for what is not."""

    size_bytes: int | None = None
    sha256: str | None = None


def download(url: str, target: Path, *, expected: Expected, on_progress: Progress | None = None) -> str:
    """Fetch `url` into `target`, going on from what an earlier call left; return the SHA-256 of the file.

    Raises:
        DownloadError: the server cannot be reached, refuses, stops, or sends something else than expected.
        InputError: the folder cannot be written.
    """
    part = target.with_name(f"{target.name}.part")
    make_folder(target.parent)
    try:
        total = _fetch(url, part, on_progress)
        size = part.stat().st_size
        if total is not None and size < total:
            raise DownloadError(f"{url} stopped after {size} of {total} bytes; run the same command again to go on")
        digest = check_file(part, expected, name=url)
        part.replace(target)
    except _SentOther as error:
        part.unlink(missing_ok=True)
        raise DownloadError(str(error)) from error
    except FileMismatchError as error:
        part.unlink(missing_ok=True)
        raise DownloadError(f"{error}; what arrived was removed: try again, or fetch the file by hand and give it with --from") from error
    except urllib.error.HTTPError as error:
        raise DownloadError(
            f"{url} answered {error.code} {error.reason}; the file may have moved: fetch it by hand, --from takes it"
        ) from error
    except (urllib.error.URLError, HTTPException, ConnectionError, TimeoutError) as error:
        reason = getattr(error, "reason", None) or error
        raise DownloadError(f"cannot fetch {url} ({reason}); check the network and run the same command again to go on") from error
    except OSError as error:
        raise InputError(f"cannot write {part}: {(error.strerror or str(error)).lower()}") from error
    return digest


class FileMismatchError(InputError):
    """A file of another size or hash than expected."""


class _SentOther(Exception):  # noqa: N818  (never leaves this module)
    """The server sent a page instead of the file."""


def check_file(path: Path, expected: Expected, *, name: str) -> str:
    """Return the SHA-256 of a file, after comparing what is expected of it; `name` is what messages call it.

    Raises:
        FileMismatchError: size or hash differ.
    """
    size = path.stat().st_size
    if expected.size_bytes is not None and size != expected.size_bytes:
        raise FileMismatchError(f"{name} has {size} bytes instead of {expected.size_bytes}")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if expected.sha256 is not None and digest != expected.sha256.lower():
        raise FileMismatchError(f"{name} has the SHA-256 {digest} instead of {expected.sha256}")
    return digest


def _fetch(url: str, part: Path, on_progress: Progress | None) -> int | None:
    """Append what is missing to `part`; return how many bytes the whole file has, where the server says."""
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response: HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code != NOTHING_LEFT or not have:
            raise
        whole = _total(error.headers.get("Content-Range"))
        if whole == have:
            return whole
        part.unlink()  # what is here is longer than the file, so not of it
        return _fetch(url, part, on_progress)
    with response:
        if response.headers.get_content_type() == "text/html":
            raise _SentOther(f"{url} sent a web page instead of the file; open it in a browser, and give the file with --from")
        goes_on = have > 0 and _start(response.headers.get("Content-Range")) == have
        length = response.headers.get("Content-Length")
        begun = have if goes_on else 0  # a server without ranges sends everything again
        total = begun + int(length) if length is not None else None
        with part.open("ab" if goes_on else "wb") as file:
            _copy(response, file, lambda arrived: on_progress(begun + arrived, total) if on_progress else None)
    return total


def _copy(response: HTTPResponse, file: IO[bytes], on_arrival: Callable[[int], None]) -> None:
    arrived = 0
    while chunk := response.read(CHUNK_BYTES):
        file.write(chunk)
        arrived += len(chunk)
        on_arrival(arrived)


def _start(content_range: str | None) -> int | None:
    found = re.match(r"bytes (\d+)-", content_range or "")
    return int(found[1]) if found else None


def _total(content_range: str | None) -> int | None:
    found = re.search(r"/(\d+)$", content_range or "")
    return int(found[1]) if found else None
