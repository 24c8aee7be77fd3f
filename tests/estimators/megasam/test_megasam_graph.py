"""Distances of keyframes, the choice of edges and their retirement follow the reference, and what its quirks got wrong is right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import SHARED, needs_shared

torch = pytest.importorskip("torch", reason="the extra `learned` is not installed")
from megasam_scene import make_scene  # noqa: E402

from sfmcam.estimators.megasam import distance, graph, se3  # noqa: E402

NONE = np.zeros((0, 2), np.int64)


def pairs(edges: np.ndarray) -> set[tuple[int, int]]:
    return set(map(tuple, edges.tolist()))


# --- distance


def test_the_distance_is_the_mean_motion_of_the_picture():
    scene = make_scene(frames=3, turn=0.0)
    ii, jj = torch.tensor([0, 2]), torch.tensor([1, 0])
    found = distance.frame_distance(scene.poses, scene.disps, scene.intrinsics, ii=ii, jj=jj)
    for edge in range(2):
        where = next(k for k in range(len(scene.ii)) if (scene.ii[k], scene.jj[k]) == (ii[edge], jj[edge]))
        y, x = torch.meshgrid(torch.arange(12), torch.arange(16), indexing="ij")
        moved = (scene.target[where] - torch.stack([x, y], -1)).norm(dim=-1)
        torch.testing.assert_close(found[edge], moved.mean())


def test_a_pan_counts_by_beta_only():
    poses = se3.exp(torch.tensor([[0.0] * 6, [0, 0, 0, 0, 0.2, 0]], dtype=torch.float64))
    disps, intrinsics = torch.ones(2, 8, 8, dtype=torch.float64), torch.tensor([[10.0, 10, 3.5, 3.5]] * 2, dtype=torch.float64)
    ends = {"ii": torch.tensor([0]), "jj": torch.tensor([1])}
    whole = distance.frame_distance(poses, disps, intrinsics, **ends, beta=1.0)
    assert float(whole) > 2
    torch.testing.assert_close(distance.frame_distance(poses, disps, intrinsics, **ends, beta=0.3), 0.3 * whole)


def test_frames_that_hardly_see_each_other_are_far():
    poses = se3.identity(2)
    poses[1, 2] = -1.5
    lens = torch.tensor([[4.0, 4, 2, 1.5]] * 2)
    assert float(distance.frame_distance(poses, torch.ones(2, 4, 5), lens, ii=torch.tensor([0]), jj=torch.tensor([1]))) == distance.FAR


def test_many_pairs_are_the_pairs_one_by_one(monkeypatch):
    scene = make_scene(frames=4)
    whole = distance.distance_matrix(scene.poses, scene.disps, scene.intrinsics)
    monkeypatch.setattr(distance, "_POINTS_ON_CPU", 1)
    torch.testing.assert_close(distance.distance_matrix(scene.poses, scene.disps, scene.intrinsics), whole)
    assert torch.equal(whole, whole.T)
    assert not whole.diagonal().any()
    none = torch.zeros(0, dtype=torch.long)
    assert len(distance.frame_distance(scene.poses, scene.disps, scene.intrinsics, ii=none, jj=none)) == 0


# --- choice


def test_neighbours_are_joined_both_ways():
    assert pairs(graph.neighbourhood_edges(2, 5, radius=1)) == {(2, 3), (3, 2), (3, 4), (4, 3)}
    assert len(graph.neighbourhood_edges(0, 1, radius=3)) == 0


def test_a_far_pair_that_looks_alike_is_joined_and_its_surroundings_are_not():
    apart = np.full((20, 20), 50.0)
    apart[16:19, 2:5] = [[5, 4, 5], [4, 3, 4], [5, 4, 5]]
    apart[19, 0] = 6
    chosen = pairs(graph.proximity_edges(apart, NONE, radius=2, suppression=2, threshold=12, most=1000))
    assert {(17, 3), (3, 17), (19, 0), (0, 19)} <= chosen
    assert len(chosen) == 2 * (17 * 3 + 2 + 1) + 4
    beside = pairs(graph.proximity_edges(apart, np.array([[17, 3]]), radius=2, suppression=2, threshold=12, most=1000))
    assert chosen - beside == {(17, 3), (3, 17)}


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 16), st.integers(0, 3), st.integers(0, 3), st.integers(0, 60), st.integers(0, 10_000))
def test_edges_are_pairs_both_ways_within_threshold_and_cap(frames, radius, suppression, most, seed):
    rng = np.random.default_rng(seed)
    apart = rng.uniform(0, 130, (frames, frames))
    apart[rng.random(apart.shape) < 0.1] = np.nan
    edges = graph.proximity_edges(apart, NONE, radius=radius, suppression=suppression, threshold=40.0, most=most)
    chosen = pairs(edges)
    assert len(chosen) == len(edges)
    assert chosen == {(j, i) for i, j in chosen}
    assert not [i for i, j in chosen if i == j]
    neighbours = {(i, j) for i, j in chosen if abs(i - j) <= radius + 1}
    assert all(apart[max(i, j), min(i, j)] <= 40 for i, j in chosen - neighbours)
    assert len(chosen) <= max(len(pairs(graph.neighbourhood_edges(0, frames, radius=radius + 1))), most + 2)


def test_edges_that_exist_are_taken_out_and_none_is_there_twice():
    edges = np.array([[1, 0], [0, 1], [2, 1], [1, 0], [3, 1]])
    assert graph.without(edges, [np.array([[0, 1]]), NONE]).tolist() == [[1, 0], [2, 1], [3, 1]]
    assert graph.without(NONE, [edges]).shape == (0, 2)


# --- retirement


def test_the_oldest_retire_wherever_they_stand_in_the_list():
    ages = np.array([3, 9, 1, 7, 9, 26])
    assert graph.retired(ages, past_age=25).tolist() == [False] * 5 + [True]
    assert graph.retired(ages, incoming=2, most=5).tolist() == [False, True, False, False, True, True]
    assert graph.retired(ages, past_age=25, incoming=1, most=5).tolist() == [False, True, False, False, False, True]
    assert not graph.retired(ages, past_age=30, incoming=0, most=6).any()
    assert graph.retired(ages, incoming=50, most=5).all()


# --- the reference's values


@pytest.mark.shared
@needs_shared("megasam", "parity_geom_ba.pt")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_distances_are_those_of_the_reference(dtype, tolerance):
    want = torch.load(SHARED / "megasam" / "parity_geom_ba.pt")["geom"]
    poses, disps = want["poses"].to(dtype), want["disps"].to(dtype)
    lenses = want["intrinsics"].to(dtype).expand(5, 4)
    ii, jj = torch.cartesian_prod(torch.arange(5), torch.arange(5)).unbind(1)
    for both_ways, name in ((False, "dist_one_way"), (True, "dist_bidirectional")):
        got = distance.frame_distance(poses, disps, lenses, ii=ii, jj=jj, beta=0.3, both_ways=both_ways).view(5, 5)
        torch.testing.assert_close(got.double(), want[name], rtol=tolerance, atol=tolerance)


@pytest.mark.shared
@needs_shared("megasam", "parity_prep_graph.npz")
@pytest.mark.parametrize("case", ["init", "frontend", "backend", "backend_loop", "backend_capped"])
def test_edges_are_those_of_the_reference_in_its_order(case):
    stored = np.load(SHARED / "megasam" / "parity_prep_graph.npz")
    first, to, radius, suppression, threshold, most = stored[f"edges_{case}.params_t0_t1_rad_nms_thresh_max"].tolist()
    existing = np.concatenate([stored[f"edges_{case}.active"], stored[f"edges_{case}.inactive"]])
    got = graph.proximity_edges(
        stored[f"edges_{case}.dist"],
        existing,
        radius=int(radius),
        suppression=int(suppression),
        threshold=threshold,
        most=int(most),
        first_row=int(first),
        first_column=int(to),
    )
    assert got.tolist() == stored[f"edges_{case}.out"].tolist()
