"""Claim: over labelled random clips the scores separate each primitive, and degrade gently under noise, leakage and lost frames."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from simulated_paths import Noise, random_clip
from sklearn.metrics import average_precision_score

from sfmcam.motion.camerabench import camerabench_scores
from sfmcam.motion.measure import measure
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.motion.score import score_primitives
from sfmcam.types import CameraTrajectory

CLIPS = 400
PERFECT = Noise()
NOISY = Noise(translation=0.01, rotation_rad=np.radians(0.3), log_focal=0.01, lost=0.1)
LEAKY = Noise(translation=0.01, rotation_rad=np.radians(0.3), log_focal=0.01, lost=0.1, leak=0.25)


def ours(trajectory: CameraTrajectory) -> dict[str, float]:
    return score_primitives(measure(trajectory))


def average_precisions(noise: Noise, score: Callable[[CameraTrajectory], dict[str, float]], *, seed: int = 0) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    clips = [random_clip(rng, noise) for _ in range(CLIPS)]
    scores = [score(trajectory) for trajectory, _ in clips]
    return {
        p.id: float(average_precision_score([p.id in labels for _, labels in clips], [row[p.id] for row in scores])) for p in PRIMITIVES
    }


@pytest.mark.parametrize(
    ("noise", "mean_at_least", "each_at_least"),
    [(PERFECT, 0.97, 0.92), (NOISY, 0.965, 0.85), (LEAKY, 0.94, 0.85)],
    ids=["perfect poses", "noise", "noise and leakage between pan and truck, tilt and pedestal, zoom and dolly"],
)
def test_scores_separate_the_primitives(noise: Noise, mean_at_least: float, each_at_least: float) -> None:
    precisions = average_precisions(noise, ours)
    assert np.mean(list(precisions.values())) > mean_at_least, precisions
    assert min(precisions.values()) > each_at_least, precisions


def test_first_to_last_scoring_falls_behind_where_cameras_shake() -> None:
    measured, published = average_precisions(NOISY, ours), average_precisions(NOISY, camerabench_scores)
    assert np.mean(list(measured.values())) > np.mean(list(published.values())) + 0.1
    assert measured["static"] > published["static"] + 0.4
