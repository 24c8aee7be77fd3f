"""Walking through the bytes of a binary file without ever reading past its end."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sfmcam.errors import TrajectoryFileError


class ByteCursor:
    """Little-endian values, one after another. `name` says in messages which file the bytes are from."""

    def __init__(self, content: bytes, name: str) -> None:
        self.name = name
        self.offset = 0
        self._content = content

    def take(self, layout: str) -> tuple[Any, ...]:
        """Return the next values, laid out as `struct` describes them (packed).

        Raises:
            TrajectoryFileError: the file ends before.
        """
        layout = "<" + layout
        start = self._advance(struct.calcsize(layout))
        return struct.unpack_from(layout, self._content, start)

    def array(self, dtype: DTypeLike, count: int) -> NDArray[Any]:
        """Return the next `count` items.

        Raises:
            TrajectoryFileError: the file ends before.
        """
        start = self._advance(np.dtype(dtype).itemsize * count)
        return np.frombuffer(self._content, dtype, count, start) if count else np.empty(0, dtype)

    def bytes(self, count: int) -> bytes:
        """Return the next `count` bytes.

        Raises:
            TrajectoryFileError: the file ends before.
        """
        start = self._advance(count)
        return self._content[start : start + count]

    def text(self) -> str:
        """Return the text up to the next zero byte, and step over that.

        Raises:
            TrajectoryFileError: there is none.
        """
        end = self._content.find(b"\0", self.offset)
        if end < 0:
            raise TrajectoryFileError(f"{self.name} is cut short: a text that began at byte {self.offset} has no end")
        word = self._content[self.offset : end].decode("utf-8", errors="replace")
        self.offset = end + 1
        return word

    def _advance(self, size: int) -> int:
        start, end = self.offset, self.offset + size
        if size < 0 or end > len(self._content):
            raise TrajectoryFileError(f"{self.name} is cut short or damaged: byte {end} is needed, it has {len(self._content)}")
        self.offset = end
        return start
