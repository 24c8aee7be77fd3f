"""Numeric arrays of an npz archive, read strictly and, where they are large, one frame at a time."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from sfmcam.errors import TrajectoryFileError
from sfmcam.io.number_rows import opening

Shape = tuple[int | None, ...]  # None: any length

# what zipfile and numpy raise on damaged, encrypted or foreign content
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError)


class NpzReader:
    """An open npz archive. Pickled objects are refused, so that a file from elsewhere cannot run code."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        self._members = {Path(name).stem: name for name in archive.namelist() if name.endswith(".npy")}

    def __contains__(self, key: str) -> bool:
        return key in self._members

    def shape(self, key: str) -> tuple[int, ...]:
        """Return the shape of an array without reading its content.

        Raises:
            TrajectoryFileError: missing or damaged.
        """
        with self._opened(key) as file:
            return self._header(key, file)[0]

    def array(self, key: str, *shapes: Shape) -> NDArray[Any]:
        """Read a whole array, whose shape must be one of `shapes` where some are given.

        Raises:
            TrajectoryFileError: missing, damaged, not numeric, or of another shape.
        """
        with self._opened(key) as file:
            shape, _, _ = self._header(key, file)
            if shapes and not any(_fits(shape, expected) for expected in shapes):
                raise TrajectoryFileError(f"{self.path}: '{key}' has shape {shape}, not {' or '.join(map(_shown, shapes))}")
        with self._opened(key) as file:
            return npy.read_array(file, allow_pickle=False)

    def frames(self, key: str) -> Iterator[NDArray[Any]]:
        """Yield the slices of an array along its first axis, holding one at a time in memory.

        Raises:
            TrajectoryFileError: missing, damaged or not numeric.
        """
        with self._opened(key) as file:
            shape, fortran_order, dtype = self._header(key, file)
            if fortran_order:
                yield from self.array(key)
                return
            size = math.prod(shape[1:]) * dtype.itemsize
            for _ in range(shape[0]):
                yield np.frombuffer(file.read(size), dtype).reshape(shape[1:])

    @contextmanager
    def _opened(self, key: str) -> Iterator[IO[bytes]]:
        if key not in self._members:
            held = ", ".join(sorted(self._members)) or "nothing"
            raise TrajectoryFileError(f"{self.path} has no array '{key}'; it holds: {held}")
        with damage_reported(self.path), self._archive.open(self._members[key]) as file:
            yield file

    def _header(self, key: str, file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
        version = npy.read_magic(file)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran_order, dtype = read_header(file)
        if dtype.kind not in "fiubU":
            raise TrajectoryFileError(f"{self.path}: '{key}' holds {dtype} instead of numbers")
        if math.prod(shape) * dtype.itemsize > self._archive.getinfo(self._members[key]).file_size:
            raise TrajectoryFileError(f"{self.path}: '{key}' is cut short")
        return shape, fortran_order, dtype


@contextmanager
def open_npz(path: Path, *, advice: str = "; is --format right?") -> Iterator[NpzReader]:
    """Open an npz archive for reading; `advice` ends the sentence about a file of another kind.

    Raises:
        TrajectoryFileError: missing, unreadable, or not an npz archive.
    """
    with opening(path), path.open("rb") as raw:
        try:
            archive = zipfile.ZipFile(raw)
        except DAMAGE as error:
            raise TrajectoryFileError(f"{path} is not an npz file{advice}") from error
        with archive:
            yield NpzReader(path, archive)


@contextmanager
def damage_reported(path: Path) -> Iterator[None]:
    """Turn what zipfile, zlib and numpy say about damaged content into one sentence.

    Raises:
        TrajectoryFileError: in their place.
    """
    try:
        yield
    except DAMAGE as error:
        raise TrajectoryFileError(f"{path} is damaged: {error}") from error


def _fits(shape: tuple[int, ...], expected: Shape) -> bool:
    return len(shape) == len(expected) and all(e is None or s == e for s, e in zip(shape, expected, strict=True))


def _shown(shape: Shape) -> str:
    return f"({', '.join('N' if s is None else str(s) for s in shape)}{',' if len(shape) == 1 else ''})"
