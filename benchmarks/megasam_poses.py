"""How well `megasam:small`, `dense` and `vo` place the cameras of rendered clips, and what each clip costs.

    python benchmarks/megasam_poses.py SET [NAME] [--clips ID,ID] [-e vo,dense,megasam:small] [--threads 1] [--results FOLDER]

SET is a rendered set (`sfmcam data synthetic`): its true poses and focal lengths are what the found ones are compared with, over all pairs
of frames. `NAME@alone` gives an estimator nothing from vo: where vo believes that a camera does not turn, `dense` and `megasam:small` keep
its path, so that only alone their own eyes are compared. Writes results/NAME.json (megasam_poses.json), anew after every estimator.
Processor time is that of everything from decoding to writing; what is compiled at a machine's first run is in it, so run it twice where
the first row matters.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any

from kept import RESULTS, Figure, figure_of_machine, keep, print_rows, rounded
from megasam_tables import megasam_poses as table

from sfmcam.errors import SfmcamError
from sfmcam.evaluation.compare_files import CompareOptions, read_estimate, read_true
from sfmcam.evaluation.pose_error import pose_errors
from sfmcam.jobs import ClipJob, Method, plan_method
from sfmcam.pipeline import process_clip

FIGURE = "megasam_poses"
TOLD = ("rotation_mean_deg", "direction_mean_deg", "ate_relative", "focal_percent", "coverage", "note")
AVERAGED = ("rotation_mean_deg", "direction_mean_deg", "focal_percent", "processor_s")
CLIPS = ("test_0215_move_right", "test_0115_arc_left", "test_0119_arc_right", "test_0226_move_in", "test_0108_move_out")


def measure(method: Method, data: Path, clip: str) -> Figure:
    """Return status, errors and processor time of one clip under one estimator."""
    begin = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        job = ClipJob(clip, _video(data, clip), method, folder=Path(folder) / "out", scratch=Path(folder) / "scratch")
        for made in (job.folder, job.scratch):
            made.mkdir()
        result = process_clip(job)
        told: dict[str, Any] = {"status": str(result.shots[0].status if result.shots else result.status)}
        told["processor_s"] = time.process_time() - begin
        found = job.folder / "trajectory.npz"
        if found.exists():
            told |= _errors(found, data / "poses" / f"{clip}.tum")
    return told


def planned(text: str, threads: int) -> Method:
    """Return the method of `NAME`, `NAME:PRESET`, or either with `@alone` behind it."""
    name, _, alone = text.partition("@")
    if alone not in ("", "alone"):
        raise SfmcamError(f"'{text}' ends in @{alone}; only @alone is known")
    method = plan_method(name, frames={}, run={"threads": threads})
    return replace(method, options=method.options | {"start": "none"}) if alone else method


def _video(data: Path, clip: str) -> Path:
    found = sorted((data / "videos").glob(f"{clip}.*"))
    if not found:
        raise SfmcamError(f"{data} has no video {clip}")
    return found[0]


def _errors(found: Path, true: Path) -> Figure:
    options = CompareOptions()
    errors = asdict(pose_errors(read_estimate(found, options).trajectory, read_true(true, options).trajectory))
    return {key: errors[key] for key in TOLD}


def averaged(clips: dict[str, Figure]) -> Figure:
    """Return the median over the clips that have each figure, and how many were answered."""
    told: Figure = {"answered": sum("rotation_mean_deg" in clip for clip in clips.values())}
    for key in AVERAGED:
        known = [clip[key] for clip in clips.values() if clip.get(key, float("nan")) == clip.get(key)]
        told[key] = median(known) if known else None
    return told


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", metavar="SET", type=Path)
    parser.add_argument("name", nargs="?", default=FIGURE, help="name of the file in results/, without its suffix")
    parser.add_argument("--clips", default=",".join(CLIPS), help="separated by commas  [default: %(default)s]")
    parser.add_argument("-e", "--estimators", default="vo,dense,megasam:small", help="separated by commas  [default: %(default)s]")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the file, instead of results/")
    given = parser.parse_args()
    clips, cases = given.clips.split(","), {}
    try:
        for name in given.estimators.split(","):
            method = planned(name, given.threads)
            of_clips = {clip: measure(method, given.data, clip) for clip in clips}
            cases[name] = {"median": averaged(of_clips), "clips": of_clips}
            figure = rounded(figure_of_machine(FIGURE, {"set": given.data.name, "cases": cases}))
            kept = keep(figure, given.name, folder=given.results)
    except SfmcamError as error:
        raise SystemExit(f"Error: {error}") from error
    print_rows(table(figure))
    print(f"Written: {kept}")


if __name__ == "__main__":
    main()
