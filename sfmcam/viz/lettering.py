"""Letters and inks of the pictures that Pillow writes on."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

INK, SOFT, LINE = (28, 32, 40), (92, 98, 110), (222, 225, 230)
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


@cache
def font(size_px: int, *, bold: bool = False) -> Any:
    """Return a font that matplotlib brings along, so that no system font is needed."""
    import matplotlib as mpl
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name), size_px)


def shorten(text: str, *, width_px: float, letters: Any) -> str:
    """Cut `text` to a width, with an ellipsis where something is left out."""
    if letters.getlength(text) <= width_px:
        return text
    while text and letters.getlength(text + ELLIPSIS) > width_px:
        text = text[:-1]
    return text.rstrip() + ELLIPSIS
