"""Where the panels of the tracks picture lie."""

from __future__ import annotations

from dataclasses import dataclass

MAX_WIDTH_PX, MIN_WIDTH_PX, MAX_HEIGHT_PX = 1600, 1100, 1210
HEADER_PX, MARGIN_PX, GAP_PX, CAPTION_PX = 86, 28, 16, 36
MANY, FEW = 6, 4  # frames that a picture shows
TALL = 1.5  # height over width


@dataclass(frozen=True)
class Layout:
    """Where the panels lie: so many columns and rows of panels of (width, height)."""

    columns: int
    rows: int
    panel_px: tuple[int, int]

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) of the whole picture."""
        return max(MIN_WIDTH_PX, self._panels_width_px + 2 * MARGIN_PX), self.height_px

    @property
    def height_px(self) -> int:
        """Height of the whole picture."""
        return HEADER_PX + MARGIN_PX // 2 + self.rows * (self.panel_px[1] + CAPTION_PX) + (self.rows - 1) * GAP_PX + 8

    @property
    def panel_area(self) -> int:
        """Pixels of one panel."""
        return self.panel_px[0] * self.panel_px[1]

    @property
    def _panels_width_px(self) -> int:
        return self.columns * self.panel_px[0] + (self.columns - 1) * GAP_PX

    def corner(self, index: int) -> tuple[int, int]:
        """Upper left corner of a panel."""
        width, height = self.panel_px
        left = (self.size_px[0] - self._panels_width_px) // 2
        row, column = divmod(index, self.columns)
        return left + column * (width + GAP_PX), HEADER_PX + MARGIN_PX // 2 + row * (height + CAPTION_PX + GAP_PX)


def choose_count(num_frames: int, size_px: tuple[int, int]) -> int:
    """Return how many of the frames of a shot to show: six, or four where there are no six or tall ones would be small."""
    is_tall = size_px[1] > TALL * size_px[0]
    return MANY if num_frames >= MANY and not is_tall else min(num_frames, FEW)


def lay_out(num_shown: int, size_px: tuple[int, int]) -> Layout:
    """Return the full grid, no taller than wide, in which `num_shown` frames of a size come out largest."""
    grids = [(columns, num_shown // columns) for columns in range(1, num_shown + 1) if num_shown % columns == 0]
    return max((_fit(columns, rows, size_px) for columns, rows in grids if columns >= rows), key=lambda layout: layout.panel_area)


def _fit(columns: int, rows: int, size_px: tuple[int, int]) -> Layout:
    width = (MAX_WIDTH_PX - 2 * MARGIN_PX - (columns - 1) * GAP_PX) / columns
    tallest = (MAX_HEIGHT_PX - Layout(columns, rows, (0, 0)).height_px) / rows
    scale = min(width / size_px[0], tallest / size_px[1])
    return Layout(columns, rows, (max(1, int(size_px[0] * scale)), max(1, int(size_px[1] * scale))))
