"""Text files of numbers in rows, read strictly: every fault is reported with its file and line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sfmcam.errors import TrajectoryFileError
from sfmcam.types import Float

QUOTED_CHARS = 20  # of a wrong word that is shown in a message


@dataclass(frozen=True)
class NumberRows:
    """Rows of numbers (N, C) and the line (N,) of the file on which each one stands, counted from 1."""

    path: Path
    values: Float
    lines: tuple[int, ...]

    def at(self, row: int) -> str:
        """Return where a row stands, for a message."""
        return f"{self.path}, line {self.lines[row]}"


def read_number_rows(path: Path, *, columns: str) -> NumberRows:
    """Read rows of numbers parted by blanks or commas; empty lines and comments (`#` to the end of the line) are skipped.

    Args:
        path: the file.
        columns: the names of the columns, parted by blanks: how many numbers a row has, and what a message says about it.

    Raises:
        TrajectoryFileError: missing or unreadable file, no row, a wrong count of numbers, a word, NaN or infinity.
    """
    rows, lines = [], []
    for line_number, text in text_lines(path):
        words = text.partition("#")[0].replace(",", " ").split()
        if words:
            rows.append(_parse_row(words, columns=columns, where=f"{path}, line {line_number}"))
            lines.append(line_number)
    if not rows:
        raise TrajectoryFileError(f"{path} holds no pose; a line of it should be: {columns}")
    return NumberRows(path, np.array(rows), tuple(lines))


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end) of a UTF-8 text file.

    Raises:
        TrajectoryFileError: missing, a folder, unreadable, or not text.
    """
    with opening(path):
        try:
            with path.open(encoding="utf-8-sig") as file:
                for i, line in enumerate(file, start=1):
                    yield i, line.rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise TrajectoryFileError(f"{path} is not a text file; is --format right?") from error


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Turn the system's refusal to open or read `path` into one sentence.

    Raises:
        TrajectoryFileError: missing, a folder, or unreadable.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise TrajectoryFileError(f"there is no file {path}") from error
    except IsADirectoryError as error:
        raise TrajectoryFileError(f"{path} is a folder, not a file; is --format right?") from error
    except OSError as error:
        raise TrajectoryFileError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error


def _parse_row(words: list[str], *, columns: str, where: str) -> list[float]:
    expected = len(columns.split())
    numbers = []
    for word in words[: expected + 1]:
        try:
            numbers.append(float(word))
        except ValueError as error:
            raise TrajectoryFileError(f"{where}: '{word[:QUOTED_CHARS]}' is not a number; a line should be: {columns}") from error
    if len(words) != expected:
        raise TrajectoryFileError(f"{where}: {len(words)} numbers instead of {expected}; a line should be: {columns}")
    if not np.isfinite(numbers).all():
        raise TrajectoryFileError(f"{where}: holds a number that is NaN or infinite")
    return numbers
