"""Progress of a run: a bar where somebody watches, a line per clip where the output is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sfmcam.evaluation.benchmark import Progress as BenchProgress
from sfmcam.jobs import ClipJob
from sfmcam.results import ClipResult


@contextmanager
def show_progress() -> Iterator[BenchProgress]:
    """Yield the calls that show how far a run is, on standard error."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=None)

        def begin(total: int, kept: int) -> None:
            bar.update(task, total=total, completed=kept)

        def advance(job: ClipJob, result: ClipResult) -> None:
            bar.update(task, advance=1, description=f"{job.method.slug} {job.clip_id}: {result.status.value}")

        yield BenchProgress(begin, advance)


@contextmanager
def show_rendering() -> Iterator[Callable[[int, int], None]]:
    """Yield the call that shows, on standard error, how many clips of a set are rendered; silent where nothing needs rendering."""
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("rendering"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("rendering", total=None)
        to_render: int | None = None

        def advance(done: int, of: int) -> None:
            """Take in that `done` of `of` clips are there; the first call tells how many need rendering."""
            nonlocal to_render
            if to_render is None:
                to_render = of - done
                if to_render and not console.is_terminal:
                    console.print(f"Rendering {to_render} clips; they are kept for the next run.", markup=False)
            bar.update(task, completed=done, total=of)

        yield advance


def _lines(console: Console) -> BenchProgress:
    done, of = 0, 0

    def begin(total: int, kept: int) -> None:
        nonlocal done, of
        done, of = kept, total
        console.print(f"{total} runs, {kept} of them kept from before", markup=False)

    def advance(job: ClipJob, result: ClipResult) -> None:
        nonlocal done
        done += 1
        seconds = f"{result.seconds.total:.1f} s"
        console.print(f"[{done}/{of}] {job.method.slug} {job.clip_id}: {result.status.value}, {seconds}", markup=False, soft_wrap=True)

    return BenchProgress(begin, advance)
