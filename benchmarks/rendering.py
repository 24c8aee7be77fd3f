"""What it takes to render a random set: processor time per clip, and what that makes for the whole set on two processors.

    python benchmarks/rendering.py [NAME] [--clips 300] [--sample 30] [--split test] [--seed 0] [--results FOLDER]

Writes results/NAME.json (by default rendering.json). Every tenth clip (of 300) is rendered and written with depth in one process of one
thread; the rest of the set is estimated from them by two prices, one per scene that is built and one per sample that is drawn (pixel and
view), fitted by least squares. Processor time does not count what else a machine does, but is larger on a busy one, whose processors
share caches.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from kept import RESULTS, Figure, figure_of_machine, keep, print_rows, rounded
from set_tables import rendering as table

from sfmcam.datasets.synthetic.chance import Split
from sfmcam.datasets.synthetic.clip import render_clip
from sfmcam.datasets.synthetic.random_specs import random_specs
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.datasets.synthetic.stage import build_stage
from sfmcam.datasets.synthetic.writer import make_folders, write_clip
from sfmcam.errors import SfmcamError

PROCESSORS = 2


def samples(spec: ClipSpec) -> float:
    """Return how many million samples of the scene a clip takes: its pixels, twice as many with motion blur."""
    width, height = spec.size_px
    return len(spec.timestamps_s) * width * height * (2 if spec.shutter else 1) / 1e6


def time_clip(spec: ClipSpec, folder: Path) -> dict[str, Any]:
    """Render and write a clip; return its seconds of processor time, in all and for building the scene alone."""
    began = time.process_time()
    write_clip(folder, render_clip(spec), with_depth=True)
    rendered = time.process_time()
    build_stage(spec)
    build = time.process_time() - rendered
    return {"clip": spec.id, "scene": spec.scene, "million_samples": samples(spec), "seconds": rendered - began, "build_seconds": build}


def estimate(clips: Sequence[dict[str, Any]], specs: Sequence[ClipSpec]) -> Figure:
    """Return what all of `specs` would take, from the timed `clips`."""
    known = np.array([[1.0, clip["million_samples"]] for clip in clips])
    weight = 1 / np.sqrt(known[:, 1:])  # the longest clips would decide alone otherwise
    seconds = np.array([clip["seconds"] for clip in clips])
    (per_clip, per_million), *_ = np.linalg.lstsq(known * weight, seconds * weight[:, 0], rcond=None)
    total = float(per_clip * len(specs) + per_million * sum(map(samples, specs)))
    return {
        "sampled": len(clips),
        "clips": len(specs),
        "frames": sum(len(spec.timestamps_s) for spec in specs),
        "seconds_per_clip_and_scene": float(per_clip),
        "seconds_per_million_samples": float(per_million),
        "median_clip_seconds": float(np.median(seconds)),
        "median_build_seconds": float(np.median([clip["build_seconds"] for clip in clips])),
        "processor_minutes": total / 60,
        "processors": PROCESSORS,
        "minutes": total / 60 / PROCESSORS,
    }


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="rendering", help="name of the file in results/, without its suffix")
    parser.add_argument("--clips", type=int, default=300, help="size of the set")
    parser.add_argument("--sample", type=int, default=30, help="clips that are timed, spread evenly over the set")
    parser.add_argument("--split", choices=list(Split), default=Split.TEST)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the file, instead of results/")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    specs = random_specs(Split(given.split), given.seed, given.clips)
    chosen = [specs[int(i)] for i in np.linspace(0, given.clips - 1, min(given.sample, given.clips))]
    try:
        with tempfile.TemporaryDirectory() as scratch:
            make_folders(Path(scratch))
            time_clip(chosen[0], Path(scratch))  # compiles and loads; does not count
            clips = [time_clip(spec, Path(scratch)) for spec in chosen]
    except SfmcamError as error:
        raise SystemExit(f"Error: {error}") from error
    figure = rounded(figure_of_machine("rendering", estimate(clips, specs) | {"timed": clips}))
    print_rows(table(figure))
    print(f"Written: {keep(figure, given.name, folder=given.results)}")


if __name__ == "__main__":
    main()
