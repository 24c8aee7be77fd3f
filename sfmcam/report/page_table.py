"""A table of the page: cells that a person reads, with what a sort, a shade or a bar needs beside the text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sfmcam.evaluation.bootstrap import Interval
from sfmcam.evaluation.leaderboard_text import percent, percent_interval

NOTHING = "–"


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: what is read.
        value: what a sort by this column goes by; NaN comes last.
        shade: 0 to 1, how dark its ground is; None for none. The text says the same: no colour is alone.
        bar: low, value and high in 0 to 1, drawn beside the text; None for none.
        title: shown when the pointer rests on it.
        method: position of the method that is named here, for its mark; None elsewhere.
    """

    text: str
    value: float = math.nan
    shade: float | None = None
    bar: tuple[float, float, float] | None = None
    title: str = ""
    method: int | None = None


@dataclass(frozen=True)
class Column:
    """A column: its head, what the head means, and whether its cells are words, not numbers."""

    text: str
    title: str = ""
    words: bool = False


@dataclass(frozen=True)
class PageTable:
    """A table; the first cell of every row is its head.

    Attributes:
        caption: read out with the table.
        columns: one per cell of a row.
        rows: in the order in which they are first shown.
        note: below the table.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


def columns(*heads: str | tuple[str, str]) -> tuple[Column, ...]:
    """Return columns from their heads, each alone or with its meaning; a head in [brackets] is that of words."""
    made = [Column(head) if isinstance(head, str) else Column(*head) for head in heads]
    return tuple(Column(c.text[1:-1], c.title, words=True) if c.text.startswith("[") else c for c in made)


def method_cell(name: str, position: int, title: str = "") -> Cell:
    """Return the head of a method's row."""
    return Cell(name, method=position, title=title)


def text_cell(text: str, title: str = "") -> Cell:
    """Return a cell of words."""
    return Cell(text or NOTHING, title=title)


def count_cell(count: int) -> Cell:
    """Return a count; zero is faint."""
    return Cell(str(count) if count else NOTHING, value=float(count))


def percent_cell(value: float | None, *, shaded: bool = False, title: str = "") -> Cell:
    """Return a share x 100; `None` and NaN are a dash."""
    value = math.nan if value is None else value
    if math.isnan(value):
        return Cell(NOTHING, title=title)
    return Cell(percent(value), value, shade=value if shaded else None, title=title)


def interval_cell(value: float | None, interval: Sequence[float | None] | None, *, with_bar: bool = False, shaded: bool = False) -> Cell:
    """Return a share x 100 with its interval as text and, where wanted, as a bar."""
    value = math.nan if value is None else value
    ends = [math.nan if end is None else float(end) for end in interval or (None, None)]
    if math.isnan(value):
        return Cell(NOTHING)
    if math.isnan(ends[0]):
        return Cell(percent(value), value)
    text = f"{percent(value)} ({percent_interval(Interval(*ends))})"
    return Cell(text, value, shade=value if shaded else None, bar=(ends[0], value, ends[1]) if with_bar else None)


def number_cell(value: float | None, digits: int, unit: str = "") -> Cell:
    """Return a number with its unit; `None` and NaN are a dash."""
    value = math.nan if value is None else value
    return Cell(NOTHING) if math.isnan(value) else Cell(f"{value:.{digits}f}{unit}", value)
