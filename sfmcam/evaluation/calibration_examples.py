"""What probabilities are fitted to: the labelled clips of finished runs of `sfmcam bench`, with features and scores measured anew."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sfmcam.errors import InputError, TrajectoryFileError
from sfmcam.io.paths import clip_id, is_folder
from sfmcam.io.score_reader import read_score_dir
from sfmcam.io.trajectory_file import read_trajectory
from sfmcam.motion.features import primitive_features
from sfmcam.motion.measure import measure
from sfmcam.motion.primitive import PRIMITIVE_BY_SPLIT
from sfmcam.motion.score import score_primitives
from sfmcam.types import CameraTrajectory, Float
from sfmcam.workspace import BenchFolder

DEPTH = "depth"  # the scoring whose files are sure to be there; they are read for their labels


@dataclass(frozen=True)
class Example:
    """One labelled clip under one method.

    Attributes:
        clip: name of its set and its own.
        labels: primitive id -> answer; what nobody was sure of is absent.
        features: primitive id -> (K,) `primitive_features`.
        scores: primitive id -> sfmcam's own score.
        digest: of labels and trajectory.
    """

    clip: str
    labels: dict[str, bool]
    features: dict[str, Float]
    scores: dict[str, float]
    digest: str


@dataclass(frozen=True)
class MethodExamples:
    """One method of one run.

    Attributes:
        slug: name of the method.
        dataset: name of the labelled set.
        configuration: hash of what made the results.
        examples: clip by clip, in the order of their names.
        failed: clips without a trajectory, left out.
        cut: clips of several shots, left out: a label is about the whole clip.
    """

    slug: str
    dataset: str
    configuration: str
    examples: tuple[Example, ...]
    failed: int
    cut: int


def read_run(folder: Path) -> tuple[MethodExamples, ...]:
    """Read every method of a finished run.

    Raises:
        InputError: `folder` is no finished run of `sfmcam bench`, or lacks a file of it.
    """
    run = BenchFolder(folder)
    document = _results(run)
    dataset = str(document["dataset"]["name"])
    return tuple(_read_method(run, method, dataset) for method in document["methods"])


def _results(run: BenchFolder) -> dict[str, Any]:
    if not is_folder(run.root, refuse=InputError) or not run.results_json.is_file():
        raise InputError(f"{run.root} is no finished run: it has no {run.results_json.name}; give the --out of a `sfmcam bench` that ended")
    try:
        document = json.loads(run.results_json.read_text(encoding="utf-8"))
        document["dataset"]["name"], [(m["slug"], m["configuration_hash"], m["clips"]) for m in document["methods"]]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(f"{run.results_json} is not what `sfmcam bench` writes ({error}); run it again") from error
    found: dict[str, Any] = document
    return found


def _read_method(run: BenchFolder, method: dict[str, Any], dataset: str) -> MethodExamples:
    slug, clips = str(method["slug"]), dict(method["clips"])
    labels = _labels(run.scores(slug, DEPTH))
    labelled = {name: clip for name, clip in sorted(clips.items()) if name in labels}
    solved = {name: clip for name, clip in labelled.items() if clip["scores"][DEPTH] is not None}
    whole = [name for name, clip in solved.items() if clip["shots"] == 1]
    examples = tuple(_example(f"{dataset}/{name}", run.clip(slug, name).shot(0, num_shots=1).trajectory, labels[name]) for name in whole)
    return MethodExamples(slug, dataset, str(method["configuration_hash"]), examples, len(labelled) - len(solved), len(solved) - len(whole))


def _labels(folder: Path) -> dict[str, dict[str, bool]]:
    """Return clip id -> primitive id -> answer."""
    labels: dict[str, dict[str, bool]] = {}
    for scores in read_score_dir(folder):
        for split, rows in scores.rows.items():
            for video, row in rows.items():
                labels.setdefault(clip_id(Path(video)), {})[PRIMITIVE_BY_SPLIT[split].id] = bool(row.label)  # a run's files state it
    return labels


def _example(name: str, path: Path, labels: dict[str, bool]) -> Example:
    try:
        trajectory = read_trajectory(path, "sfmcam")
    except TrajectoryFileError as error:
        raise InputError(f"the trajectory of {name} cannot be read ({error}); run `sfmcam bench` again with --overwrite") from error
    measurement = measure(trajectory)
    return Example(name, labels, primitive_features(measurement), score_primitives(measurement), _digest(trajectory, labels))


def _digest(trajectory: CameraTrajectory, labels: dict[str, bool]) -> str:
    digest = hashlib.sha256(json.dumps(labels, sort_keys=True).encode())
    arrays = (trajectory.timestamps_s, trajectory.cam_from_world, trajectory.focal_px, trajectory.valid, trajectory.median_depth)
    for values in arrays:
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
