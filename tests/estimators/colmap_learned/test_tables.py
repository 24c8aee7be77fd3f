"""Semi-dense matches become keypoints that several frames share, one to one, at the mean of what they are made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfmcam.estimators.colmap.learned.tables import CELL_PX, PointPairs, merge_points


def pairs_of(first, second, confidence=None):
    first, second = (np.asarray(points, np.float32).reshape(-1, 2) for points in (first, second))
    return PointPairs(first, second, np.ones(len(first), np.float32) if confidence is None else np.asarray(confidence, np.float32))


def test_a_point_that_two_pairs_share_is_one_keypoint_so_that_tracks_grow():
    found = {
        (0, 1): pairs_of([(8, 8), (16, 8)], [(10.3, 8.1), (18.4, 8.0)]),
        (0, 2): pairs_of([(8, 8), (16, 8)], [(12.0, 8.4), (20.1, 8.2)]),
    }
    table = merge_points(found, num_frames=3, max_per_frame=100)
    np.testing.assert_array_equal(table.keypoints_px[0], [(8, 8), (16, 8)])
    np.testing.assert_array_equal(table.matches[0, 1][:, 0], table.matches[0, 2][:, 0])
    np.testing.assert_allclose(table.keypoints_px[2][table.matches[0, 2][:, 1]], found[0, 2].second_px)


def test_points_of_one_square_are_averaged_by_confidence():
    found = {(0, 1): pairs_of([(8, 8)], [(40, 40)], [0.9]), (0, 2): pairs_of([(8.4, 8)], [(60, 40)], [0.3])}
    table = merge_points(found, num_frames=3, max_per_frame=100)
    np.testing.assert_allclose(table.keypoints_px[0], [(8.1, 8)], atol=1e-6)


def test_of_two_partners_the_surer_stays():
    table = merge_points({(0, 1): pairs_of([(8, 8), (8, 8)], [(40, 40), (80, 40)], [0.4, 0.6])}, num_frames=2, max_per_frame=100)
    (match,) = table.matches[0, 1]
    np.testing.assert_array_equal(table.keypoints_px[1][match[1]], (80, 40))


def test_the_surest_keypoints_are_kept_and_matches_of_the_others_dropped():
    found = {(0, 1): pairs_of([(8, 8), (16, 8), (24, 8)], [(8, 9), (16, 9), (24, 9)], [0.3, 0.9, 0.6])}
    table = merge_points(found, num_frames=2, max_per_frame=2)
    np.testing.assert_array_equal(table.keypoints_px[0], [(16, 8), (24, 8)])
    np.testing.assert_array_equal(table.matches[0, 1], [(0, 0), (1, 1)])


def test_frames_and_pairs_without_matches_are_empty():
    table = merge_points({(0, 1): pairs_of([], []), (0, 3): pairs_of([(8, 8)], [(9, 9)])}, num_frames=4, max_per_frame=10)
    assert [len(k) for k in table.keypoints_px] == [1, 0, 0, 1]
    assert [table.matches[pair].shape for pair in ((0, 1), (0, 3))] == [(0, 2), (1, 2)]
    assert [len(k) for k in merge_points({}, num_frames=2, max_per_frame=10).keypoints_px] == [0, 0]


@st.composite
def clips(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    num_frames = draw(st.integers(2, 4))
    found = {}
    for i in range(num_frames):
        for j in range(i + 1, num_frames):
            count = draw(st.integers(0, 40))
            found[i, j] = pairs_of(rng.uniform(0, 30, (count, 2)), rng.uniform(0, 30, (count, 2)), rng.uniform(0.01, 1, count))
    return found, num_frames, draw(st.integers(1, 60))


@settings(deadline=None)  # the machine may be busy
@given(clips())
def test_whatever_the_matches_rows_are_valid_single_and_near_their_points(clip):
    found, num_frames, limit = clip
    table = merge_points(found, num_frames=num_frames, max_per_frame=limit)
    assert all(len(keypoints) <= limit for keypoints in table.keypoints_px)
    for (i, j), matches in table.matches.items():
        for side, frame in enumerate((i, j)):
            rows = matches[:, side]
            assert len(np.unique(rows)) == len(rows)
            assert (rows < len(table.keypoints_px[frame])).all()
        ends = np.concatenate([table.keypoints_px[i][matches[:, 0]], table.keypoints_px[j][matches[:, 1]]], axis=1)
        given_ends = np.concatenate([found[i, j].first_px, found[i, j].second_px], axis=1)
        for end in ends:  # a keypoint is in the square of a point that was matched so
            assert np.abs(given_ends - end).max(axis=1).min() <= CELL_PX * (1 + 1e-5)


def test_merging_is_deterministic():
    rng = np.random.default_rng(3)
    found = {(0, 1): pairs_of(rng.uniform(0, 99, (200, 2)), rng.uniform(0, 99, (200, 2)), np.ones(200))}
    first, second = (merge_points(found, num_frames=2, max_per_frame=50) for _ in range(2))
    np.testing.assert_array_equal(first.matches[0, 1], second.matches[0, 1])
    assert first.keypoints_px[0] == pytest.approx(second.keypoints_px[0])
