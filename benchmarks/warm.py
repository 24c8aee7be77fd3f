"""Where the time of a clip goes in a process that has everything loaded: decode, track, solve, fill, score; median of 7.

    python benchmarks/warm.py [NAME] [CLIP...] [--repeats 7] [--threads 1] [--work out/length] [--results FOLDER]

Writes results/NAME.json (by default warm.json). Without a CLIP, 3 s of a rendered walk, 640x360 at 24 frames per second. Wall time is what
one waits, on a machine that may have other things to do; processor time is what this process took, summed over its threads. `solve` is the
rest of the estimate.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from figure_tables import warm
from kept import RESULTS, figure_of_machine, keep, print_rows, rounded
from length_clips import FPS, SECONDS, encode, rendered_walk

from sfmcam.errors import InputError, SfmcamError
from sfmcam.estimators.base import Estimator
from sfmcam.estimators.registry import make_estimator
from sfmcam.jobs import Method, plan_method
from sfmcam.judgement import judge_shot
from sfmcam.video.source import Shot, load_shots

ESTIMATOR = "vo"
STAGES = ("decode", "track", "solve", "fill", "score")
# functions of the estimator that are timed where it calls them: (module, name)
INSIDE = {"track": ("sfmcam.estimators.vo.estimator", "track_points"), "fill": ("sfmcam.estimators.vo.shot", "fill_frames")}
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "processor": time.process_time}

Seconds = dict[str, dict[str, float]]  # clock -> stage -> seconds


class Stopwatch:
    """Adds up seconds by stage, on both clocks."""

    def __init__(self) -> None:
        self.spent: Seconds = {clock: {} for clock in CLOCKS}

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Book what happens inside under `stage`."""
        began = {clock: now() for clock, now in CLOCKS.items()}
        yield
        for clock, now in CLOCKS.items():
            self.spent[clock][stage] = self.spent[clock].get(stage, 0.0) + now() - began[clock]

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function`, its calls booked under `stage`."""

        def run(*args: Any, **kwargs: Any) -> Any:
            with self.time(stage):
                return function(*args, **kwargs)

        return run


def once(clip: Path, method: Method, estimator: Estimator) -> tuple[Seconds, int]:
    """Run one clip in this process; return the seconds of each stage and of the whole, and how many frames were used."""
    watch = Stopwatch()
    with ExitStack() as stack, watch.time("whole"):
        for stage, (module, name) in INSIDE.items():
            stack.enter_context(patch.object(import_module(module), name, watch.timed(stage, _function(module, name))))
        with watch.time("decode"):
            shots = load_shots(clip, method.frames)
        for shot in shots:
            _solve(shot, method, estimator, watch)
    for seconds in watch.spent.values():
        inside = sum(seconds.get(stage, 0.0) for stage in INSIDE)
        seconds["solve"] = seconds.pop("estimate") - inside
    return watch.spent, sum(len(shot.frames) for shot in shots)


def _solve(shot: Shot, method: Method, estimator: Estimator, watch: Stopwatch) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        with watch.time("estimate"):
            estimate = estimator.estimate(shot.frames, workspace=Path(scratch))
        with watch.time("score"):
            judge_shot(shot, estimate, estimator=method.slug)


def _function(module: str, name: str) -> Callable[..., Any]:
    try:
        function: Callable[..., Any] = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"{module} has no function {name} any more; name in warm.py what took its place ({error})") from error
    return function


def measure(clip: Path, method: Method, *, repeats: int) -> dict[str, Any]:
    """Return the median seconds of every stage; the first run, which loads and may compile, does not count."""
    estimator = make_estimator(method.entry, method.options, method.run)
    _, frames = once(clip, method, estimator)
    taken = [once(clip, method, estimator)[0] for _ in range(repeats)]
    figures = {clock: {stage: median(run[clock].get(stage, 0.0) for run in taken) for stage in (*STAGES, "whole")} for clock in CLOCKS}
    return {"frames": frames, "least_whole_s": min(run["wall"]["whole"] for run in taken)} | figures


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="warm")
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("out/length"), help="where the rendered clip is made and kept")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    try:
        method = plan_method(ESTIMATOR, frames={}, run={"threads": given.threads})
        clips = given.clips or [encode(given.work / "walk.mp4", rendered_walk(given.work), fps=FPS)]
        names = {(clip.stem if given.clips else f"{SECONDS} s at {FPS} fps"): clip for clip in clips}
        figures = {name: measure(clip, method, repeats=given.repeats) for name, clip in names.items()}
    except SfmcamError as error:
        raise SystemExit(f"Error: {error}") from error
    value = {"threads": given.threads, "repeats": given.repeats, "stages": list(STAGES), "clips": figures}
    figure = rounded(figure_of_machine("warm", value))
    print_rows(warm(figure))
    print(f"Written: {keep(figure, given.name, folder=given.results)}")


if __name__ == "__main__":
    main()
