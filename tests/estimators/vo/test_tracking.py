"""Points follow what the picture shows: known warps, rendered clips and the awkward inputs."""

from __future__ import annotations

import numpy as np
import pytest
from rendered_frames import blank_frames, frames

from sfmcam.estimators.vo.tracking import TrackingOptions, track_points


def test_blank_frames_give_no_tracks() -> None:
    assert len(track_points(blank_frames(), TrackingOptions())) == 0


@pytest.mark.parametrize("name", ["pan", "zoom", "truck"])
def test_same_frames_same_tracks(name: str) -> None:
    first, second = (track_points(frames(name), TrackingOptions()) for _ in range(2))
    assert np.array_equal(first.xy_px, second.xy_px)
    assert np.array_equal(first.track, second.track)


def test_a_still_clip_has_tracks_that_stay() -> None:
    tracks = track_points(frames("still"), TrackingOptions())
    first = tracks.xy_px[np.unique(tracks.track, return_index=True)[1]]
    drift = np.linalg.norm(tracks.xy_px - first[tracks.track], axis=1)
    assert len(tracks) > 100
    assert np.median(drift) < 0.05
