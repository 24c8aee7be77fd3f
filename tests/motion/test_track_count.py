"""Every track is counted once: static, moving, or not judged."""

from __future__ import annotations

import numpy as np
import pytest

from sfmcam.motion.track_count import TrackCount, count_tracks


@pytest.mark.parametrize(
    ("static_probability", "count", "words"),
    [
        ([], TrackCount(0, 0, 0), ("0 static", "0 moving")),
        ([0.5, 0.9, 1.0, 0.49, 0.0], TrackCount(3, 2, 0), ("3 static", "2 moving")),
        ([0.9, np.nan], TrackCount(1, 0, 1), ("1 static", "0 moving", "1 not judged")),
        ([np.nan, np.nan], TrackCount(0, 0, 2), ("2 not judged",)),
    ],
)
def test_counts_and_words(static_probability: list[float], count: TrackCount, words: tuple[str, ...]) -> None:
    assert count_tracks(np.array(static_probability)) == count
    assert count.in_words() == words
