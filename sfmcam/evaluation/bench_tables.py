"""What a run over a labelled set cost and how it ended, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from statistics import median

from sfmcam.evaluation.leaderboard_text import TextTable
from sfmcam.results import ClipResult
from sfmcam.types import Status

NOTHING = "-"


def status_table(results: Mapping[str, Mapping[str, ClipResult]]) -> TextTable:
    """Number of clips per status: one row per method, the statuses that occur as columns."""
    counts = {slug: Counter(result.status for result in clips.values()) for slug, clips in results.items()}
    occurring = [status for status in Status if any(count[status] for count in counts.values())]
    rows = tuple((slug, *(str(count[status]) for status in occurring)) for slug, count in counts.items())
    return TextTable("Clips by status", ("Method", *(status.value for status in occurring)), rows)


def cost_table(results: Mapping[str, Mapping[str, ClipResult]]) -> TextTable:
    """Wall time and memory per clip: one row per method."""
    columns = ("Method", "Clips", "s median", "s max", "s total", "MiB median", "MiB max")
    return TextTable("Cost per clip", columns, tuple((slug, *_cost_cells(clips.values())) for slug, clips in results.items()))


def cost(clips: Iterable[ClipResult]) -> dict[str, float | int | None]:
    """Return wall seconds and peak MiB of the child processes over `clips`; None where no child lived to say it."""
    results = list(clips)
    seconds = [result.seconds.total for result in results]
    memory = [result.peak_mb for result in results if result.peak_mb is not None]
    return {
        "clips": len(results),
        "seconds_median": median(seconds) if seconds else None,
        "seconds_max": max(seconds, default=None),
        "seconds_total": sum(seconds),
        "peak_mb_median": median(memory) if memory else None,
        "peak_mb_max": max(memory, default=None),
    }


def _cost_cells(clips: Iterable[ClipResult]) -> tuple[str, ...]:
    figures = cost(clips)
    seconds = (_cell(figures[key], 1) for key in ("seconds_median", "seconds_max", "seconds_total"))
    memory = (_cell(figures[key], 0) for key in ("peak_mb_median", "peak_mb_max"))
    return (str(figures["clips"]), *seconds, *memory)


def _cell(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"
