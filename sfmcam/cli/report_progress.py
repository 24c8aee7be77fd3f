"""Progress of a report: a bar where somebody watches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from sfmcam.report.page import Progress


@contextmanager
def show_writing() -> Iterator[Progress]:
    """Yield the calls that show, on standard error, how far a report is; silent where nobody watches."""
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def begin(stage: str, total: int) -> None:
            bar.update(task, description=stage, total=total, completed=0)

        yield Progress(begin, lambda: bar.advance(task))
