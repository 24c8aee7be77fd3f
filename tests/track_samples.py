"""Tracks for the tests of files and pictures."""

from __future__ import annotations

import numpy as np

from sfmcam.types import Float, PointTracks


def sliding_tracks(
    num_frames: int, size_px: tuple[int, int], *, static_probability: Float, step_px: tuple[float, float] = (2.0, 0.0)
) -> PointTracks:
    """Tracks that begin at random places and slide by `step_px` per frame; every third is seen from the second frame on alone."""
    count = len(static_probability)
    start_px = np.random.default_rng(0).uniform(0, size_px, (count, 2))
    xy_px = start_px + np.arange(num_frames)[:, None, None] * np.array(step_px)
    frame, track = np.repeat(np.arange(num_frames), count), np.tile(np.arange(count), num_frames)
    seen = (frame > 0) | (track % 3 > 0)
    return PointTracks(frame[seen], track[seen], xy_px.reshape(-1, 2)[seen], size_px, static_probability)
