"""Time and peak memory of a method by the length of the clip, and on odd clips: 3 s, 30 s, 300 s; 1 frame per second, 16 frames, 4K.

    python benchmarks/length.py [NAME] [-e vo] [--lengths 3,30,300] [--repeats 3] [--work out/length] [--results FOLDER]

Writes results/NAME.json (by default length.json). The clips are rendered (3 s of 640x360 at 24 frames per second) and looped forth and
back. Each runs in a child process of its own, as under `sfmcam bench`: its wall time, and its peak resident memory by getrusage. A first
run, which may compile, does not count; of clips up to 30 s the median of the repeats is taken.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from figure_tables import length
from kept import RESULTS, figure_of_machine, keep, print_rows, rounded
from length_clips import Made, make_clips

from sfmcam.batch.local import LocalExecutor
from sfmcam.errors import SfmcamError
from sfmcam.jobs import ClipJob, Method, plan_method
from sfmcam.results import ClipResult

TIMEOUT_S = 3600.0
REPEATED_UP_TO_S = 30.0
TIMES = ("total_s", "estimate_s", "decode_s")


def measure(made: dict[str, Made], method: Method, *, repeats: int) -> dict[str, Any]:
    """Return the figures of every clip, each run alone in a child process."""
    executor = LocalExecutor(1)
    _run(executor, next(iter(made.values())), method)
    cases = {}
    for name, clip in made.items():
        results = [_run(executor, clip, method) for _ in range(repeats if clip.seconds <= REPEATED_UP_TO_S else 1)]
        cases[name] = _case(clip, results)
    return cases


def _run(executor: LocalExecutor, clip: Made, method: Method) -> ClipResult:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        job = ClipJob(clip.path.stem, clip.path, method, folder=root / "clip", scratch=root / "scratch")
        job.folder.mkdir()
        return next(result for _, result in executor.run([job]))


def _case(clip: Made, results: list[ClipResult]) -> dict[str, Any]:
    last = results[-1]
    return {
        "video_s": clip.seconds,
        "status": last.status.value,
        "message": last.message,
        "frames": last.num_frames,
        "shots": len(last.shots),
        "runs": len(results),
        "total_s": median(result.seconds.total for result in results),
        "estimate_s": median(result.seconds.estimate for result in results),
        "decode_s": median(result.seconds.decode for result in results),
        "peak_mb": max((result.peak_mb for result in results if result.peak_mb is not None), default=None),
    }


def growth(cases: dict[str, Any], lengths_s: list[int]) -> list[dict[str, Any]]:
    """Return what each further second of video costs, from one length to the next: the same at every step where the cost is linear."""
    ordered = sorted(lengths_s)
    return [_slope(cases[f"{short} s"], cases[f"{long} s"]) for short, long in pairwise(ordered)]


def _slope(short: dict[str, Any], long: dict[str, Any]) -> dict[str, Any]:
    further_s = long["video_s"] - short["video_s"]
    slopes = {key: (long[key] - short[key]) / further_s for key in TIMES}
    return {"from_s": short["video_s"], "to_s": long["video_s"], **slopes}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="length")
    parser.add_argument("-e", "--estimator", default="vo")
    parser.add_argument("--lengths", type=lambda text: [int(s) for s in text.split(",")], default=[3, 30, 300], metavar="S,S")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("out/length"), help="where the clips are made and kept")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    try:
        method = plan_method(given.estimator, frames={}, run={"timeout_s": TIMEOUT_S, "threads": given.threads})
        cases = measure(make_clips(given.work, given.lengths), method, repeats=given.repeats)
    except SfmcamError as error:
        raise SystemExit(f"Error: {error}") from error
    value = {"estimator": method.slug, "threads": given.threads, "growth": growth(cases, given.lengths), "cases": cases}
    figure = rounded(figure_of_machine("length", value))
    print_rows(length(figure))
    print(f"Written: {keep(figure, given.name, folder=given.results)}")


if __name__ == "__main__":
    main()
