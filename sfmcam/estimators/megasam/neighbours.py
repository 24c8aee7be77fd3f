"""Which pairs of keyframes of a state get an edge."""

from __future__ import annotations

import torch
from torch import Tensor

from sfmcam.estimators.megasam import graph
from sfmcam.estimators.megasam.distance import distance_matrix
from sfmcam.estimators.megasam.state import State

Pair = tuple[Tensor, Tensor]


def chain_edges(state: State, radius: int) -> Pair:
    """Return the edges (E,), (E,) between all keyframes at most `radius` apart, both ways."""
    return _tensors(graph.neighbourhood_edges(0, len(state.keyframes), radius=radius))


def near_edges(state: State, *, radius: int, nms: int, threshold: float, cap: int, rows: int = 0, columns: int = 0) -> Pair:
    """Return the edges that the state lacks from keyframes >= `rows` to those >= `columns`: neighbours, and whatever is near (spec 2.5).

    Args:
        state: keyframes with the edges that they have.
        radius: neighbours that are always tied.
        nms: no second pair is chosen so near to one that is chosen.
        threshold: largest distance, in 1/8 pixels.
        cap: no further pair is added beyond so many edges.
        rows: first keyframe that edges are sought for.
        columns: first keyframe that they are sought to.
    """
    frames = state.keyframes
    distances = distance_matrix(frames.poses, frames.disps, frames.intrinsics).cpu().numpy()
    existing = torch.cat([torch.stack([edges.ii, edges.jj], 1) for edges in (state.active, state.retired)]).cpu().numpy()
    chosen = graph.proximity_edges(
        distances,
        existing,
        radius=radius,
        suppression=nms,
        threshold=threshold,
        most=cap,
        first_row=max(rows, 0),
        first_column=max(columns, 0),
    )
    return _tensors(graph.without(chosen, [existing]))


def _tensors(edges: graph.Edges) -> Pair:
    ii, jj = torch.from_numpy(edges).unbind(1)
    return ii, jj
