"""Leaderboards in the terminal: as wide as they are when piped, stacked where the window is too narrow."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from sfmcam.evaluation.beyond_page import Section
from sfmcam.evaluation.leaderboard import Leaderboard
from sfmcam.evaluation.leaderboard_text import (
    TextTable,
    detail_table,
    failure_line,
    notes,
    published_notes,
    published_table,
    summary_table,
    task_table,
)

PIPED_WIDTH = 1000  # wider than any table: nothing is folded or cut when a program reads along
NUMBERS_WIDTH = 16 * 5  # of the task table beside its names: the names fold before a number does
SHORTEST_NAME = 14
NARROWEST = NUMBERS_WIDTH + SHORTEST_NAME  # a window below that breaks whole lines, which reads better than cut numbers


def make_console() -> Console:
    """Return the console for results; piped, it neither colours nor cuts."""
    console = Console(highlight=False)
    console.width = max(console.width, NARROWEST) if sys.stdout.isatty() else PIPED_WIDTH
    return console


def print_leaderboard(console: Console, board: Leaderboard, *, details: bool = True) -> None:
    """Print warnings, the head-to-head table, the published rows and, with `details`, one table per method."""
    for warning in board.warnings:
        console.print(Text(f"Warning: {warning}", style="yellow"))
    tasks, published = task_table(board), published_table(board)
    longest = max(len(row[0]) for row in (*tasks.rows, *(published.rows if board.published else ())))
    name_width = min(longest, max(console.width - NUMBERS_WIDTH, SHORTEST_NAME))
    head_to_head = _joined(tasks, summary_table(board))
    if _width(console, head_to_head, name_width) <= console.width:
        print_table(console, head_to_head, name_width)
    else:
        print_table(console, tasks, name_width)
        print_table(console, summary_table(board))
    for line in notes(board):
        console.print(Text(line, style="dim"))
    console.print()
    if board.published:
        print_table(console, published, name_width)
        for line in published_notes(board):
            console.print(Text(line, style="dim"))
        console.print()
    for method in board.methods if details else ():
        print_table(console, detail_table(method))
        console.print(Text(failure_line(method), style="dim"))
        console.print()


def _joined(tasks: TextTable, summary: TextTable) -> TextTable:
    """Put the means beside the tasks; the summary's own mean of AP_all is the last column of `tasks` already."""
    of_method = {row[0]: row[2:] for row in summary.rows}
    empty = ("",) * (len(summary.columns) - 2)
    rows = tuple((*row, *of_method.get(row[0], empty)) for row in tasks.rows)
    return TextTable(tasks.title, (*tasks.columns, *summary.columns[2:]), rows)


def _rich(table: TextTable, name_width: int = 0, left: Collection[str] = ()) -> Table:
    rich = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for index, column in enumerate(table.columns):
        if index:
            rich.add_column(Text(column), justify="left" if column in left else "right", vertical="top", width=_cell_width(table, index))
        else:
            rich.add_column(Text(column), overflow="fold", width=name_width or None)
    for row in table.rows:
        rich.add_row(*map(Text, row))
    return rich


def _cell_width(table: TextTable, index: int) -> int:
    """Widest cell of a column, and room for `97.5`: fixed, so that a narrow window never cuts the digits of a number."""
    return max(4, *(len(line) for cells in (table.columns, *table.rows) for line in cells[index].split("\n")))


def _name_width(console: Console, table: TextTable) -> int:
    """Return the width of the first column: as long as its names, but folded before a number is cut."""
    numbers = sum(_cell_width(table, index) + 1 for index in range(1, len(table.columns)))
    longest = max(len(row[0]) for row in (table.columns, *table.rows))
    return min(longest, max(console.width - numbers - 1, SHORTEST_NAME))


def _width(console: Console, table: TextTable, name_width: int) -> int:
    options = console.options.update(max_width=PIPED_WIDTH)
    return Measurement.get(console, options, _rich(table, name_width)).maximum


def print_table(console: Console, table: TextTable, name_width: int = 0, *, left: Collection[str] = ()) -> None:
    """Print the table below its title, which is as long as the window and not as the table; columns in `left` hold words, not numbers."""
    if table.title:
        console.print(Text(table.title, style="italic"))
    console.print(_rich(table, name_width, left))
    console.print()


def split_table(table: TextTable, *, width: int, repeated: int) -> list[TextTable]:
    """Cut a table that is wider than a window into several that are not, each beginning with the first `repeated` columns."""
    widths = [_cell_width(table, index) + 1 for index in range(len(table.columns))]
    fixed, parts = list(range(repeated)), [list(range(repeated))]
    for index in range(repeated, len(table.columns)):
        if len(parts[-1]) > repeated and sum(widths[i] for i in [*parts[-1], index]) > width:
            parts.append(list(fixed))
        parts[-1].append(index)
    return [
        TextTable(table.title, tuple(table.columns[i] for i in part), tuple(tuple(row[i] for i in part) for row in table.rows))
        for part in parts
    ]


def print_sections(console: Console, sections: Iterable[Section], *, warnings: Sequence[str] = ()) -> None:
    """Print tables with their sentences, below the `warnings`."""
    for warning in warnings:
        console.print(Text(f"Warning: {warning}", style="yellow"))
    for section in sections:
        for table in section.tables:
            print_table(console, table, _name_width(console, table))
        for line in section.notes:
            console.print(Text(line, style="dim"))
        console.print()


def print_hint(console: Console, text: str) -> None:
    """Print what else there is to see."""
    console.print(Text(text, style="dim"))
