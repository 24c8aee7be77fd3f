"""Which frames and points the bundle adjustment works on."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sfmcam.estimators.vo.keyframes import (
    CELLS_ACROSS,
    EVEN_KEYFRAMES,
    MAX_GAP_S,
    MIN_SEEN,
    MIN_SURVIVING,
    centered,
    choose_keyframes,
    make_window,
)
from sfmcam.types import Float, Int, PointTracks

SIZE_PX = (384, 216)


def _tracks(spans: list[tuple[int, int]], *, places: Float | None = None) -> PointTracks:
    """Return tracks seen from the first to the last frame of each span, at rest at `places` (T, 2) in pixels."""
    where = np.random.default_rng(0).uniform((0, 0), SIZE_PX, (len(spans), 2)) if places is None else places
    rows = sorted((frame, track) for track, (first, last) in enumerate(spans) for frame in range(first, last + 1))
    frame, track = np.array(rows, int).reshape(-1, 2).T
    return PointTracks(frame, track, where[track], SIZE_PX, np.full(len(spans), np.nan))


def _times(num_frames: int, *, fps: float = 12.0) -> Float:
    return np.arange(num_frames) / fps


@pytest.mark.parametrize(("num_frames", "expected"), [(0, []), (1, [0]), (2, [0, 1]), (3, [0, 1, 2]), (8, list(range(8)))])
def test_short_shots_are_all_keyframes(num_frames: int, expected: list[int]) -> None:
    tracks = _tracks([(0, max(num_frames - 1, 0))] * 20 if num_frames else [])
    assert choose_keyframes(tracks, _times(num_frames)).tolist() == expected


@pytest.mark.parametrize("num_frames", [20, 36, 50, 60, 100])
def test_points_that_last_give_keyframes_evenly_spread(num_frames: int) -> None:
    keys = choose_keyframes(_tracks([(0, num_frames - 1)] * 20), _times(num_frames))
    gaps = np.diff(keys)
    assert keys[0] == 0
    assert keys[-1] == num_frames - 1
    assert len(keys) <= 2 * EVEN_KEYFRAMES
    assert gaps[:-1].max() - gaps[:-1].min() <= 1
    assert (gaps <= np.ceil(MAX_GAP_S * 12)).all()


def test_points_lost_quickly_draw_keyframes_together() -> None:
    """Each point lives ten frames, and each frame sees two born: after 4 or 5 frames fewer than 55 % of them are left."""
    spans = [(n // 2, min(n // 2 + 9, 99)) for n in range(200)]
    slow, quick = choose_keyframes(_tracks([(0, 99)] * 20), _times(100)), choose_keyframes(_tracks(spans), _times(100))
    assert len(quick) > 1.3 * len(slow)
    alive = [{t for t, (first, last) in enumerate(spans) if first <= k <= last} for k in quick]
    shared = [len(now & after) / len(now) for now, after in pairwise(alive[2:-1])]
    assert min(shared) >= MIN_SURVIVING


@pytest.mark.parametrize("spans", [[], [(0, 0)] * 5, [(0, 3)] * 5, [(5, 5)], [(n, n) for n in range(10)]])
def test_frames_without_points_do_no_harm(spans: list[tuple[int, int]]) -> None:
    keys = choose_keyframes(_tracks(spans), _times(10))
    assert keys[0] == 0
    assert keys[-1] == 9
    assert (np.diff(keys) > 0).all()


@pytest.mark.parametrize("times", [np.zeros(9), np.array([0, 0, 0, 0.1, 0.1, 5.0, 5.0, 5.1, 90.0])])
def test_odd_times_do_no_harm(times: Float) -> None:
    keys = choose_keyframes(_tracks([(0, 8)] * 5), times)
    assert keys[0] == 0
    assert keys[-1] == 8
    assert (np.diff(keys) > 0).all()


def test_a_window_holds_what_its_keyframes_see() -> None:
    tracks = _tracks([(0, 9), (0, 3), (2, 6), (4, 4), (5, 9)])
    window = make_window(tracks, np.array([0, 3, 6, 9]), max_points=100)
    seen = window.seen
    assert window.track.tolist() == [0, 1, 2, 4]  # the point seen in frame 4 alone is in no keyframe
    assert seen.point.tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 3, 3]
    assert seen.key.tolist() == [0, 1, 2, 3, 0, 1, 1, 2, 2, 3]
    place = {int(t): xy for t, xy in zip(tracks.track, tracks.xy_px, strict=True)}
    assert np.allclose(seen.xy, [centered(place[int(window.track[p])], SIZE_PX) for p in seen.point])
    assert (seen.weight == 1).all()
    assert seen.num_keys == 4


def test_points_are_numbered_as_tracks_and_seen_at_least_twice() -> None:
    rng = np.random.default_rng(1)
    first = rng.integers(0, 30, 300)
    tracks = _tracks([(int(a), int(min(a + rng.integers(0, 20), 39))) for a in first])
    window = make_window(tracks, np.arange(0, 40, 4), max_points=80)
    assert window.seen.num_points == 80
    assert (np.diff(window.seen.point_start) >= MIN_SEEN).all()
    assert (np.diff(window.track) > 0).all()
    assert (np.diff(window.seen.key)[np.diff(window.seen.point) == 0] > 0).all()


def test_points_are_spread_over_the_picture_rather_than_heaped() -> None:
    """Where one corner holds ten times as many points as the rest, a window takes hardly more there than elsewhere."""
    rng = np.random.default_rng(2)
    heap, rest = rng.uniform(0, 0.15, (600, 2)), rng.uniform(0, 1, (60, 2))
    tracks = _tracks([(0, 9)] * 660, places=np.vstack([heap, rest]) * SIZE_PX)
    window = make_window(tracks, np.arange(0, 10, 3), max_points=70)
    assert (window.track >= 600).sum() > 0.7 * 60


def test_in_every_cell_the_longest_seen_point_comes_first() -> None:
    places = np.repeat(np.array([[20.0, 20.0], [300.0, 150.0]]), 10, axis=0)
    tracks = _tracks([(0, 4), *[(0, 2)] * 9, (0, 4), *[(0, 2)] * 9], places=places)
    assert make_window(tracks, np.arange(5), max_points=2).track.tolist() == [0, 10]


@pytest.mark.parametrize("frames", [[0], [0, 9], [3, 4], list(range(10))])
@pytest.mark.parametrize("spans", [[], [(0, 0)], [(0, 9)], [(4, 9)] * 3])
def test_windows_of_few_points(spans: list[tuple[int, int]], frames: list[int]) -> None:
    window = make_window(_tracks(spans), np.array(frames), max_points=40)
    expected = [t for t, (a, b) in enumerate(spans) if sum(a <= f <= b for f in frames) >= MIN_SEEN]
    assert window.track.tolist() == expected
    assert window.seen.point_start[-1] == len(window.seen.key) == len(window.seen.xy)


def test_weights_given_to_points_reach_their_observations() -> None:
    window = make_window(_tracks([(0, 9), (0, 3), (2, 6)]), np.array([0, 3, 6]), max_points=9)
    weighted = window.with_weights(np.array([0.5, 0.25, 1.0]))
    assert weighted.seen.weight.tolist() == [0.5, 0.5, 0.5, 0.25, 0.25, 1.0, 1.0]
    assert np.array_equal(weighted.seen.xy, window.seen.xy)


@pytest.mark.parametrize(
    ("xy", "size", "expected"),
    [((192, 108), (384, 216), (0, 0)), ((384, 216), (384, 216), (0.5, 0.28125)), ((0, 0), (216, 384), (-0.28125, -0.5))],
)
def test_positions_are_in_long_sides_about_the_middle(xy: tuple[int, int], size: tuple[int, int], expected: tuple[float, float]) -> None:
    assert np.allclose(centered(np.array(xy), size), expected)


def test_the_grid_covers_the_whole_picture() -> None:
    """Points at the very border, and a little beyond it, have cells too."""
    places = np.array([[0, 0], [384, 216], [-3, 100], [387, 100], [192, 108]], float)
    tracks = _tracks([(0, 9)] * 5, places=places)
    assert len(make_window(tracks, np.arange(0, 10, 3), max_points=4).track) == 4
    assert CELLS_ACROSS > 1


def test_frames_may_be_any_integers() -> None:
    frames: Int = np.array([1, 4, 8], np.int32)
    window = make_window(_tracks([(0, 9)] * 7), frames, max_points=9)
    assert np.array_equal(window.frames, frames)
    assert window.seen.key.dtype == np.int64
