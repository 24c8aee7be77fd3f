"""Time and memory of `sfmcam evaluate` on made-up score files of a whole set: by number of methods, in short and with everything.

    python benchmarks/evaluate_scale.py LABELS [NAME] [--methods 1,2,8] [--repeats 3] [--results FOLDER]

LABELS is a labelled set, such as the 969 videos x 15 tasks of CameraBench; its videos need not be there. Writes results/NAME.json (by
default evaluate_scale.json). Every other method's scores are probabilities; each failed on some videos. Each run is a process of its own,
start-up included; the median of the repeats is taken. "Everything" is --beyond --subsets --compare of the first two --json --markdown.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from figure_tables import evaluate_scale
from kept import RESULTS, figure_of_machine, keep, print_rows, rounded

from sfmcam.datasets.folder import load_folder
from sfmcam.datasets.labelled_set import Clip, LabelledSet
from sfmcam.errors import SfmcamError
from sfmcam.io.score_file import ClipScores, MethodLabel, write_score_files
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.types import Status

NOISE = 0.4  # of a score about the truth
FAILED = 0.02  # of the videos, more with each method


def write_methods(labelled_set: LabelledSet, folder: Path, number: int) -> None:
    """Write the score files of `number` methods, one folder each."""
    there = LabelledSet(
        labelled_set.name, labelled_set.root, tuple(Clip(Path(v).stem, Path(v)) for v in labelled_set.videos), labelled_set.rows
    )
    truth = {(row.video, split): row.label for split, rows in labelled_set.rows.items() for row in rows}
    for index in range(number):
        rng = np.random.default_rng(index)
        results = {}
        for clip in there.clips:
            scores = {p.id: truth.get((clip.path.name, p.split_name), False) + NOISE * rng.normal() for p in PRIMITIVES}
            if index % 2:
                scores = {name: 1 / (1 + np.exp(2 - 4 * score)) for name, score in scores.items()}
            failed = rng.random() < FAILED * index
            results[clip.id] = ClipScores(Status.TIMEOUT) if failed else ClipScores(Status.OK, {k: float(v) for k, v in scores.items()})
        write_score_files(folder / f"m{index}", labelled_set=there, results=results, method=MethodLabel(f"made-up-{index}"))


def measure(command: list[str]) -> tuple[float, float, float]:
    """Return wall seconds, processor seconds and peak MiB of a command.

    Raises:
        SystemExit: it fails.
    """
    began = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            raise SystemExit(f"Error: {' '.join(command)}: {errors.read().decode(errors='replace')[-500:]}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def cases(labels: Path, numbers: list[int], repeats: int) -> dict[str, Any]:
    """Return the figures of every number of methods, in short and with everything."""
    labelled_set = load_folder(labels, allow_missing=True)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for number in numbers:
            write_methods(labelled_set, root / str(number), number)
            short = [sys.executable, "-m", "sfmcam.cli.main", "evaluate", str(root / str(number)), "--labels", str(labels)]
            pair = ["--compare", "made-up-0", "made-up-1"] if number > 1 else []
            everything = [*short, "--beyond", "--subsets", *pair, "--json", str(root / "r.json"), "--markdown", str(root / "r.md")]
            for what, command in (("in short", short), ("everything", everything)):
                runs = [measure(command) for _ in range(repeats)]
                wall, processor, memory = (median(column) for column in zip(*runs, strict=True))
                many = "1 method" if number == 1 else f"{number} methods"
                found[f"{many}, {what}"] = {"wall_s": wall, "processor_s": processor, "peak_mb": memory, "runs": repeats}
    return {"videos": len(labelled_set.videos), "labels": labelled_set.num_rows, "cases": found}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path)
    parser.add_argument("name", nargs="?", default="evaluate_scale")
    parser.add_argument("--methods", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2, 8], metavar="N,N")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    try:
        value = cases(given.labels, given.methods, given.repeats)
    except SfmcamError as error:
        raise SystemExit(f"Error: {error}") from error
    figure = rounded(figure_of_machine("evaluate_scale", value))
    print_rows(evaluate_scale(figure))
    print(f"Written: {keep(figure, given.name, folder=given.results)}")


if __name__ == "__main__":
    main()
