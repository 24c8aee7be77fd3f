"""What lens, sensor and edit add to the picture of a pinhole camera: distortion, rolling shutter, black bars, burnt-in lettering."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from sfmcam.types import Bool, UInt8

SYLLABLES = "ka-lo-mi-ran-tes-vo-dur-el-sin-pa-ther-no-ju-bel"


class Lettering(StrEnum):
    """What is burnt into the picture."""

    NONE = "none"
    CAPTION = "caption"
    WATERMARK = "watermark"


@dataclass(frozen=True)
class Finish:
    """How a clip departs from a clean pinhole picture.

    Attributes:
        distortion: coefficient of `lens.distorted`; 0 for none.
        readout: time from the first row's exposure to the last one's, as a share of the frame interval; 0 for a global shutter. Poses
            are those of the middle row.
        bars: share of the height (negative: of the width) that black bars cover, half on each side.
        lettering: a caption below that changes half-way, or a translucent watermark in a corner.
    """

    distortion: float = 0.0
    readout: float = 0.0
    bars: float = 0.0
    lettering: Lettering = Lettering.NONE

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn truly.

        Raises:
            ValueError: distortion and rolling shutter together: a row of the distorted picture is no row of the drawn one.
        """
        if self.distortion and self.readout:
            raise ValueError("lens distortion and rolling shutter cannot be drawn together")

    def picture_rows_and_columns(self, size_px: tuple[int, int]) -> tuple[slice, slice]:
        """Return the part of a (width, height) picture that the bars leave free."""
        width, height = size_px
        side = round(abs(self.bars) * (height if self.bars > 0 else width) / 2)
        free = slice(side, (height if self.bars > 0 else width) - side)
        return (free, slice(None)) if self.bars > 0 else (slice(None), free)

    def in_picture(self, size_px: tuple[int, int], samples: tuple[int, int]) -> Bool:
        """Return which of the centres of `samples` (columns, rows) equal cells no bar covers, (rows, columns)."""
        free = np.zeros((size_px[1], size_px[0]), bool)
        free[self.picture_rows_and_columns(size_px)] = True
        column, row = (np.floor(np.arange(0.5, n) * (side / n)).astype(np.intp) for n, side in zip(samples, size_px, strict=True))
        return free[np.ix_(row, column)]


PLAIN = Finish()


class Edit:
    """Bars and lettering of one clip, drawn once and laid over every frame."""

    def __init__(self, finish: Finish, size_px: tuple[int, int], seed: int) -> None:
        """Draw the layers; `seed` decides the words."""
        self._finish, self._size_px = finish, size_px
        rng = np.random.default_rng((seed, 1))
        self._layers = [_layer(finish.lettering, size_px, rng) for _ in range(2)] if finish.lettering is not Lettering.NONE else []

    @property
    def lettered(self) -> Bool:
        """(H, W) pixels that carry a letter at any time of the clip."""
        out = np.zeros(self._size_px[::-1], bool)
        for _, alpha in self._layers:
            out |= alpha > 0
        return out

    def over(self, picture: UInt8, phase: float) -> UInt8:
        """Return a frame (H, W, 3) with bars and lettering, at a share of the clip's time."""
        out = picture
        if self._finish.bars:
            out, free = np.zeros_like(picture), self._finish.picture_rows_and_columns(self._size_px)
            out[free] = picture[free]
        if not self._layers:
            return out
        tone, alpha = self._layers[int(phase >= 0.5 and self._finish.lettering is Lettering.CAPTION)]
        return np.asarray(np.rint(out + (tone[..., None] - out) * alpha[..., None]), np.uint8)


def _layer(lettering: Lettering, size_px: tuple[int, int], rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return tone (H, W), 0 to 255, and opacity (H, W), 0 to 1."""
    width, height = size_px
    is_caption = lettering is Lettering.CAPTION
    text = " ".join(_word(rng) for _ in range(int(rng.integers(3, 6)) if is_caption else 1))
    scale = float(rng.uniform(0.034, 0.05)) * min(width, height) / 21.0
    (w, h), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, 1)
    at = ((width - w) // 2, round(height * 0.93)) if is_caption else _corner(size_px, (w, h), rng)
    tone, ink = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    cv2.putText(ink, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, (255,), 3 if is_caption else 1, cv2.LINE_AA)
    cv2.putText(tone, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, (255,), 1, cv2.LINE_AA)
    opacity = 1.0 if is_caption else float(rng.uniform(0.4, 0.8))
    return (tone if is_caption else np.full_like(tone, 255)).astype(np.float32), ink.astype(np.float32) * np.float32(opacity / 255)


def _word(rng: np.random.Generator) -> str:
    syllables = SYLLABLES.split("-")
    return "".join(syllables[int(i)] for i in rng.integers(0, len(syllables), int(rng.integers(1, 4)))).capitalize()


def _corner(size_px: tuple[int, int], text_px: tuple[int, int], rng: np.random.Generator) -> tuple[int, int]:
    margin = round(0.05 * min(size_px))
    x = margin if rng.random() < 0.5 else size_px[0] - margin - text_px[0]
    return x, (margin + text_px[1] if rng.random() < 0.5 else size_px[1] - margin)
