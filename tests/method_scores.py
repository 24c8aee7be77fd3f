"""Made-up answers of methods, for tests of what compares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from sfmcam.datasets.labelled_set import Clip, LabelledSet
from sfmcam.io.score_file import ClipScores
from sfmcam.io.score_reader import MethodScores, ScoreRow
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.types import Status

Answer = tuple[bool, float | str]  # ground truth, and the score or the reason of the failure


def method_scores(name: str, answers: Mapping[str, Mapping[str, Answer]], *, folder: str = "scores") -> MethodScores:
    """Return a method from split -> video -> answer."""
    rows = {
        split: {
            video: ScoreRow(video, label, *((float("nan"), given) if isinstance(given, str) else (given, None)))
            for video, (label, given) in task.items()
        }
        for split, task in answers.items()
    }
    return MethodScores(name, "geometry", Path(folder), rows)


def noisy_results(labelled_set: LabelledSet, *, noise: float, num_failed: int, seed: int = 0) -> dict[str, ClipScores]:
    """Return the truth plus `noise` for every labelled clip but `num_failed` of them, which timed out."""
    rng = np.random.default_rng(seed)
    truth = {(row.video, split): row.label for split, rows in labelled_set.rows.items() for row in rows}
    failed = set(rng.permutation(labelled_set.videos)[:num_failed])
    return {
        Path(video).stem: ClipScores(Status.TIMEOUT)
        if video in failed
        else ClipScores(Status.OK, {p.id: float(truth.get((video, p.split_name), False) + noise * rng.normal()) for p in PRIMITIVES})
        for video in labelled_set.videos
    }


def with_all_videos(labelled_set: LabelledSet) -> LabelledSet:
    """Return the set as if its videos were there."""
    return replace(labelled_set, clips=tuple(Clip(Path(video).stem, Path(video)) for video in labelled_set.videos))
