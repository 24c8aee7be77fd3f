"""What the coefficients of `vo`'s belief are fitted to: simulated tracks and rendered clips, each fitted by every motion model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np

from sfmcam.datasets.folder import load_folder
from sfmcam.datasets.synthetic.track_draw import draw_spec
from sfmcam.datasets.synthetic.track_simulation import simulate
from sfmcam.estimators.registry import frame_config, parse_spec
from sfmcam.estimators.vo.estimator import follow_points
from sfmcam.estimators.vo.options import VoOptions
from sfmcam.estimators.vo.shot import FittedWindow, fit_windows
from sfmcam.estimators.vo.verdict import SIGMA_FACTOR
from sfmcam.estimators.vo.windows import WindowPath
from sfmcam.motion.features import primitive_features
from sfmcam.motion.measure import measure
from sfmcam.motion.measurement import MotionMeasurement
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.types import CameraTrajectory, Evidence, Float
from sfmcam.video.source import load_shots

Item = TypeVar("Item")


@dataclass(frozen=True)
class BeliefExample:
    """One clip of one window.

    Attributes:
        name: of the clip.
        features: (R, K) what speaks for each reading, see `belief.reading_features`.
        primitives: primitive id -> (R, F) features of the primitive on the path of each reading, at the keyframes.
        labels: primitive id -> answer; what is unsure is absent.
    """

    name: str
    features: Float
    primitives: Mapping[str, Float]
    labels: Mapping[str, bool]


def simulated_examples(seeds: range, *, jobs: int) -> Iterator[BeliefExample]:
    """Simulate clips and fit them; those of several windows are left out, since labels are of whole clips."""
    yield from _run(_simulated, list(seeds), jobs)


def rendered_examples(folder: Path, *, jobs: int, limit: int | None = None) -> Iterator[BeliefExample]:
    """Track and fit the clips of a rendered set; those of several shots or windows, and those that fail, are left out."""
    labels: dict[str, dict[str, bool]] = {}
    labelled = load_folder(folder)
    for primitive in PRIMITIVES:
        for row in labelled.rows.get(primitive.split_name, ()):
            labels.setdefault(row.video, {})[primitive.id] = row.label
    yield from _run(_rendered, [(clip.path, labels.get(clip.path.name, {})) for clip in labelled.clips[:limit]], jobs)


def _run(work: Callable[[Item], BeliefExample | None], items: Sequence[Item], jobs: int) -> Iterator[BeliefExample]:
    with get_context("spawn").Pool(jobs) as pool:
        yield from (example for example in pool.imap(work, items, chunksize=2) if example is not None)


def _simulated(seed: int) -> BeliefExample | None:
    clip = simulate(draw_spec(seed))
    fitted = fit_windows(clip.tracks, clip.timestamps_s, VoOptions())
    labels = {name: label == "yes" for name, label in clip.labels.items() if label != "unsure"}
    return example_of(f"simulated_{seed}", fitted, clip.timestamps_s, labels=labels, size_px=clip.tracks.size_px)


def _rendered(item: tuple[Path, dict[str, bool]]) -> BeliefExample | None:
    path, labels = item
    shots = load_shots(path, frame_config(parse_spec("vo"), {}))
    if len(shots) != 1 or len(shots[0].frames) < 2:
        return None
    frames = shots[0].frames
    fitted = fit_windows(follow_points(frames), frames.timestamps_s, VoOptions())
    return example_of(path.stem, fitted, frames.timestamps_s, labels=labels, size_px=frames.size_px)


def example_of(
    name: str, fitted: list[FittedWindow] | None, timestamps_s: Float, *, labels: Mapping[str, bool], size_px: tuple[int, int]
) -> BeliefExample | None:
    """Return the example of a clip; None unless it has just one window."""
    if fitted is None or len(fitted) != 1:
        return None
    features, paths = fitted[0].features(), fitted[0].paths()
    found = [primitive_features(_measured(paths[reading], timestamps_s, size_px), alone=False) for reading in features]
    return BeliefExample(name, np.stack(list(features.values())), {p.id: np.stack([f[p.id] for f in found]) for p in PRIMITIVES}, labels)


def _measured(path: WindowPath, timestamps_s: Float, size_px: tuple[int, int]) -> MotionMeasurement:
    sigma = path.sigma[-1]
    return measure(
        CameraTrajectory(
            timestamps_s=timestamps_s[path.frames],
            cam_from_world=path.cam_from_world,
            focal_px=np.exp(path.log_focal) * max(size_px),
            valid=np.ones(len(path.frames), bool),
            median_depth=np.ones(len(path.frames)),
            image_size_px=size_px,
            evidence=Evidence(float(sigma[:3].max()), SIGMA_FACTOR * float(sigma[3:6].max()), float(sigma[6])),
        )
    )
