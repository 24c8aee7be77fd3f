"""Tracks survive the way through their file; what sfmcam did not write, or what was damaged, is one sentence."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from track_samples import sliding_tracks

from sfmcam.errors import InputError, TrajectoryFileError
from sfmcam.io.track_file import read_tracks, write_tracks
from sfmcam.types import PointTracks

PROBABILITY = np.array([0.0, 0.25, 1.0, np.nan, 0.5])
NO_TRACKS = PointTracks(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 2)), (64, 48), np.zeros(0))


@pytest.mark.parametrize("tracks", [sliding_tracks(4, (64, 48), static_probability=PROBABILITY), NO_TRACKS], ids=["some", "none"])
def test_round_trip(tmp_path: Path, tracks: PointTracks) -> None:
    write_tracks(tmp_path / "t.npz", tracks)
    read = read_tracks(tmp_path / "t.npz")
    for name in ("frame", "track", "static_probability"):
        np.testing.assert_array_equal(getattr(read, name), getattr(tracks, name))
    np.testing.assert_allclose(read.xy_px, tracks.xy_px, rtol=1e-6)
    assert read.size_px == tracks.size_px
    assert (read.frame.dtype, read.track.dtype, read.xy_px.dtype) == (np.int64, np.int64, np.float64)
    assert [p.name for p in tmp_path.iterdir()] == ["t.npz"]


def test_an_unwritable_place_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        write_tracks(tmp_path / "no" / "t.npz", NO_TRACKS)


def changed(tmp_path: Path, **changes: Any) -> Path:
    """Write a good file of 18 observations of 5 tracks with some arrays replaced, or left out where None."""
    path = tmp_path / "t.npz"
    write_tracks(path, sliding_tracks(4, (64, 48), static_probability=PROBABILITY))
    with np.load(path) as npz:
        arrays = dict(npz) | changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sfmcam_tracks": None}, "is not a file of tracks that sfmcam wrote"),
        ({"sfmcam_tracks": np.int64(99)}, "has version 99"),
        ({"xy_px": None}, "has no array 'xy_px'"),
        ({"xy_px": np.ones((18, 3))}, r"'xy_px' has shape \(18, 3\), not \(18, 2\)"),
        ({"xy_px": np.full((18, 2), np.inf)}, "a position is not finite"),
        ({"track": np.zeros(17, np.int32)}, r"'track' has shape \(17,\), not \(18,\)"),
        ({"track": np.zeros(18)}, "'track' holds float64 instead of whole numbers"),
        ({"track": np.full(18, -1)}, "'track' has a number out of range"),
        ({"track": np.full(18, 2**63, np.uint64)}, "'track' has a number out of range"),
        ({"track": np.full(18, 5)}, "track 5 has no static probability; there are 5"),
        ({"frame": np.arange(18)[::-1]}, "observations must be ordered by frame"),
        ({"frame": np.array([{}] * 18)}, "'frame' holds object instead of numbers"),
        ({"size_px": np.array([0, 48])}, "the frames' size is not positive"),
        ({"static_probability": np.array([0.0, 1.0, 1.5, 0.0, 0.0])}, "a static probability is outside 0 to 1"),
    ],
)
def test_a_file_that_is_not_right_is_refused_with_a_reason(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TrajectoryFileError, match=message):
        read_tracks(changed(tmp_path, **changes))


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 not really a zip"])
def test_other_content_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.npz"
    path.write_bytes(content)
    with pytest.raises(TrajectoryFileError, match=r"is not an npz file$"):
        read_tracks(path)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrajectoryFileError, match="there is no file"):
        read_tracks(tmp_path / "t.npz")


def test_no_cut_or_flipped_byte_causes_anything_but_the_file_error(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    write_tracks(path, sliding_tracks(4, (64, 48), static_probability=PROBABILITY))
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for cut in rng.integers(0, len(content), 40).tolist():
        path.write_bytes(content[:cut])
        with pytest.raises(TrajectoryFileError):
            read_tracks(path)
    for place in rng.integers(0, len(content), 200).tolist():
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :])
        with suppress(TrajectoryFileError):
            read_tracks(path)
