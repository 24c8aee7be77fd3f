"""How much faster one method is than the others, on the same clips of one run: ratio of median times, with a bootstrap interval.

    python benchmarks/speed.py RUN_DIR NAME [--of vo] [--against colmap-default,glomap-default] [--labels SET]

Writes results/NAME.json. The run must hold the methods together, clip by clip, so that they met the same load:

    sfmcam bench SET -e vo,colmap:default,glomap:default -o RUN_DIR --limit 20 --jobs 1 --overwrite
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from statistics import median
from typing import Any

import numpy as np
from figure_tables import speed
from kept import run_parser, show_figure_of_run
from run_folder import Run

from sfmcam.errors import InputError
from sfmcam.evaluation.bootstrap import percentile_interval, resample_counts
from sfmcam.results import ClipResult
from sfmcam.types import Float

OF = "vo"
AGAINST = ("colmap-default", "glomap-default")
STAGES = ("estimate", "total")
RESAMPLES = 2000
SECONDS_APART = 900.0  # a method whose clips ended so much later than the other's met another load


def speed_ratios(run: Run, *, of: str = OF, against: Sequence[str] = AGAINST) -> dict[str, Any]:
    """Compare the times of `of` with those of every method of `against` that is in the run.

    Raises:
        InputError: the run lacks `of`, or has none of `against`.
    """
    others = [slug for slug in against if slug in run.slugs]
    if of not in run.slugs or not others:
        raise InputError(f"{run.folder.root} holds {', '.join(run.slugs)}; a ratio needs {of} and one of {', '.join(against)} in one run")
    return {"of": of, "jobs": run.results["machine"]["jobs"], "against": {slug: _compare(run, of, slug) for slug in others}}


def _compare(run: Run, of: str, other: str) -> dict[str, Any]:
    mine, theirs = run.clips[of], run.clips[other]
    both = [clip for clip in mine if clip in theirs]
    solved = [clip for clip in both if mine[clip].status.is_success and theirs[clip].status.is_success]
    apart_s = _apart_s(run, of, other)
    return {
        "apart_s": apart_s,
        "side_by_side": apart_s <= SECONDS_APART,
        "all": _ratios([mine[clip] for clip in both], [theirs[clip] for clip in both]),
        "solved_by_both": _ratios([mine[clip] for clip in solved], [theirs[clip] for clip in solved]),
    }


def _ratios(mine: list[ClipResult], theirs: list[ClipResult]) -> dict[str, Any]:
    """Return the figures of both stages; a clip whose child died has no time of its own for the estimate, and is left out there."""
    out: dict[str, Any] = {}
    for stage in STAGES:
        pairs = [(getattr(a.seconds, stage), getattr(b.seconds, stage)) for a, b in zip(mine, theirs, strict=True)]
        known = np.array([pair for pair in pairs if min(pair) > 0]).reshape(-1, 2)
        out[stage] = _figures(known) if len(known) else {"clips": 0}
    return out


def _figures(seconds: Float) -> dict[str, Any]:
    """Return medians and ratios of (clips, 2) seconds: of the method, and of the one that it is compared with."""
    draws = resample_counts(len(seconds), resamples=RESAMPLES, seed=0)
    picked = [np.repeat(seconds, count, axis=0) for count in draws]
    of_medians = np.array([np.median(part[:, 1]) / np.median(part[:, 0]) for part in picked])
    of_clips = np.array([np.median(part[:, 1] / part[:, 0]) for part in picked])
    mine, theirs = np.median(seconds, axis=0)
    return {
        "clips": len(seconds),
        "median_s": mine,
        "median_s_other": theirs,
        "ratio_of_medians": theirs / mine,
        "interval": list(percentile_interval(of_medians)),
        "median_ratio": float(np.median(seconds[:, 1] / seconds[:, 0])),
        "median_ratio_interval": list(percentile_interval(of_clips)),
    }


def _apart_s(run: Run, of: str, other: str) -> float:
    """Return how far apart in time the two methods ended on the same clip, at the median: small where they ran side by side."""
    with closing(sqlite3.connect(run.folder.store)) as store:
        ended = {
            slug: {
                clip: datetime.fromisoformat(at) for clip, at in store.execute("SELECT clip, finished FROM runs WHERE slug = ?", (slug,))
            }
            for slug in (of, other)
        }
    return median(abs((ended[of][clip] - ended[other][clip]).total_seconds()) for clip in ended[of] if clip in ended[other])


def main() -> None:
    """Read the command line."""
    parser = run_parser(__doc__)
    parser.add_argument("--of", default=OF)
    parser.add_argument("--against", default=",".join(AGAINST))
    given = parser.parse_args()
    show_figure_of_run(
        "speed", given, make=lambda run: {"speed": speed_ratios(run, of=given.of, against=given.against.split(","))}, table=speed
    )


if __name__ == "__main__":
    main()
