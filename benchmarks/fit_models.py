"""Fit how `vo` weighs its motion models: the weights with which its scores rank a labelled set of synthetic clips best.

    python benchmarks/fit_models.py SET [--limit N] [--jobs 2]

SET is a rendered training set (`sfmcam data synthetic --split train --clips 200 --out SET`), never one that is judged on. Every clip is
tracked and fitted once; then a grid of `ModelBelief`s is tried, and printed by mean AP, best first. Nothing is written: the winner is put
into sfmcam/estimators/vo/options.py by hand, and the probabilities are fitted anew after that (`sfmcam calibrate`).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from statistics import mean

import numpy as np

from sfmcam.datasets.folder import load_folder
from sfmcam.datasets.labelled_set import LabelledSet
from sfmcam.estimators.registry import frame_config, parse_spec
from sfmcam.estimators.vo.estimator import trajectory_of_keyframes
from sfmcam.estimators.vo.options import ModelBelief, VoOptions
from sfmcam.estimators.vo.shot import FittedWindow, fit_windows
from sfmcam.estimators.vo.tracking import TrackingOptions, track_points
from sfmcam.evaluation.average_precision import average_precision
from sfmcam.motion.measure import measure
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.motion.score import score_primitives
from sfmcam.types import Frames
from sfmcam.video.source import load_shots

Fitted = tuple[list[FittedWindow], Frames]
GRID = {
    "noises": (1.5, 3.0),
    "bend": (0.01, 0.03),
    "observations": (2.0, 4.0, 8.0),
    "translation": (0.2, 0.5),
    "rotation_translation": (0.01, 0.03, 0.1),
}


def fit_clip(path: Path) -> Fitted | None:
    """Track a clip of one shot and fit all models to it; None where that fails."""
    shots = load_shots(path, frame_config(parse_spec("vo"), {}))
    if len(shots) != 1 or len(shots[0].frames) < 2:
        return None
    frames = shots[0].frames
    fitted = fit_windows(track_points(frames, TrackingOptions()), frames.timestamps_s, VoOptions())
    return None if fitted is None else (fitted, _without_pictures(frames))


def _without_pictures(frames: Frames) -> Frames:
    width, height = frames.size_px
    nothing = np.broadcast_to(np.zeros((1, 1, 1), np.uint8), (len(frames), height, width))
    return Frames(nothing, frames.timestamps_s, frames.source_fps, frames.source_size_px, frames.source, frames.digest)


def rate(found: Mapping[str, Fitted], labels: LabelledSet, belief: ModelBelief) -> float:
    """Return the mean AP over the primitives that have clips of both kinds."""
    scores = {
        video: score_primitives(measure(trajectory_of_keyframes(fitted, frames, belief))) for video, (fitted, frames) in found.items()
    }
    values = []
    for primitive in PRIMITIVES:
        rows = [row for row in labels.rows.get(primitive.split_name, ()) if row.video in scores]
        truth = np.array([row.label for row in rows], bool)
        if truth.any() and not truth.all():
            values.append(average_precision(truth, np.array([scores[row.video][primitive.id] for row in rows])))
    return mean(values)


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    labels = load_folder(given.set)
    labels = labels.limited(given.limit) if given.limit else labels
    with get_context("spawn").Pool(given.jobs) as pool:
        results = pool.map(fit_clip, [clip.path for clip in labels.clips], chunksize=1)
    found = {clip.path.name: result for clip, result in zip(labels.clips, results, strict=True) if result is not None}
    print(f"{len(found)} of {len(labels.clips)} clips fitted")
    rated = []
    for values in product(*GRID.values()):
        chosen = dict(zip(GRID, values, strict=True))
        rated.append((rate(found, labels, ModelBelief(**chosen, all=chosen["rotation_translation"])), chosen))
    for value, chosen in sorted(rated, key=lambda r: -r[0])[:12]:
        print(f"mean AP {value:.3f}  " + "  ".join(f"{name} {setting:g}" for name, setting in chosen.items()))


if __name__ == "__main__":
    main()
