"""What the fork server imports before clips run on `vo`: the estimator, with its compiled functions loaded.

Loading them takes longer than a clip, and compiling them, on the first use after an installation, much longer; a child process that is
forked afterwards has them. OpenCV is imported but not used: its threads must not have started when the server forks.
"""

from __future__ import annotations

import numpy as np

import sfmcam.estimators.vo.estimator  # noqa: F401
from sfmcam.estimators.vo.belief import shipped_belief
from sfmcam.estimators.vo.options import VoOptions
from sfmcam.estimators.vo.shot import fit_windows, solve_shot
from sfmcam.types import PointTracks

NUM_FRAMES, NUM_POINTS = 5, 24


def load_compiled() -> None:
    """Run every compiled function once, on a few points before a camera that moves sideways."""
    rng = np.random.default_rng(0)
    points = rng.uniform((-1, -0.6, 1), (1, 0.6, 3), (NUM_POINTS, 3))
    at = points[None] + np.linspace(0, 0.2, NUM_FRAMES)[:, None, None] * np.array([1.0, 0, 0])
    xy = 192 + 250 * at[..., :2] / at[..., 2:]
    tracks = PointTracks(
        frame=np.repeat(np.arange(NUM_FRAMES), NUM_POINTS),
        track=np.tile(np.arange(NUM_POINTS), NUM_FRAMES),
        xy_px=xy.reshape(-1, 2),
        size_px=(384, 384),
        static_probability=np.full(NUM_POINTS, np.nan),
    )
    times_s, options = np.arange(NUM_FRAMES) / 12, VoOptions()
    fitted = fit_windows(tracks, times_s, options)
    if fitted is not None:
        solve_shot(fitted, tracks, times_s, options=options, belief=shipped_belief())


load_compiled()
