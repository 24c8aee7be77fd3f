"""The picture of a comparison has both paths and the errors, also where positions cannot be compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from trajectory_samples import smooth_poses, trajectory_of

from sfmcam.evaluation.compare import compare_trajectories
from sfmcam.evaluation.evo_bridge import Alignment
from sfmcam.evaluation.frame_pairs import Pairing, pair_by_index
from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import CameraTrajectory
from sfmcam.viz.compare_plot import ERROR_COLOR, ESTIMATE_COLOR, REFERENCE_COLOR, plot_comparison_png

MOVING = trajectory_of(smooth_poses(12))
OTHER = trajectory_of(smooth_poses(12, seed=1))
STRAIGHT = trajectory_of(rigid_from_parts(np.broadcast_to(np.eye(3), (5, 3, 3)), np.outer(np.arange(5), [0, 0, -1.0])))
TURNING = trajectory_of(rigid_from_parts(rotation_from_vector(np.outer(np.arange(12), [0, 0.1, 0])), np.zeros(3)))


def share_of(picture: np.ndarray, color: str) -> float:
    wanted = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])
    return float(np.mean(np.abs(picture - wanted).max(axis=2) < 12))


@pytest.mark.parametrize(
    ("estimate", "reference", "align", "has_paths"),
    [
        (OTHER, MOVING, "sim3", True),
        (OTHER, MOVING, "se3", True),
        (STRAIGHT, STRAIGHT, "sim3", True),
        (MOVING, TURNING, "sim3", False),
        (TURNING, TURNING, "none", True),
    ],
)
def test_paths_and_errors(tmp_path: Path, estimate: CameraTrajectory, reference: CameraTrajectory, align: str, has_paths: bool) -> None:
    result = compare_trajectories(estimate, reference, pair_by_index(estimate, reference), alignment=Alignment(align))
    pairing = Pairing.TIME if align == "sim3" else Pairing.INDEX
    title = "a $ title_ with \\ signs"
    plot_comparison_png(tmp_path / "a.png", result, estimate=estimate, reference=reference, pairing=pairing, title=title)
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (1200, 1000)
        pixels = np.asarray(image.convert("RGB")).astype(int)
    assert (share_of(pixels, ESTIMATE_COLOR) > 1e-5) is has_paths
    if estimate is OTHER:
        assert share_of(pixels, REFERENCE_COLOR) > 1e-4
        assert share_of(pixels, ERROR_COLOR) > 1e-4
