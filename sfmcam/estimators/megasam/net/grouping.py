"""Means over the edges that leave the same frame, and the order in which edges are worked through so that no such group is split."""

from __future__ import annotations

import torch
from torch import Tensor


def source_rows(ii: Tensor) -> tuple[Tensor, int]:
    """Return for each of (E,) source frames the row of its group, groups in order of the frame's number, and how many there are."""
    frames, rows = torch.unique(ii, return_inverse=True)
    return rows, len(frames)


def membership(rows: Tensor, groups: int) -> Tensor:
    """Return (groups, E) float32: one where the edge belongs to the group."""
    return (rows[None, :] == torch.arange(groups, device=rows.device)[:, None]).float()


def group_means(x: Tensor, members: Tensor) -> Tensor:
    """Return (groups, C, h, w), the mean of (E, C, h, w) over the edges of each group.

    A product with `membership` gives the same sums in the same order on every run, which scattered additions on a GPU do not.
    """
    flat = x.permute(0, 2, 3, 1).flatten(1)  # a view, where the channels come last in memory
    sums = members.to(x.dtype) @ flat
    means = sums / members.sum(dim=1, keepdim=True).clamp(min=1).to(x.dtype)
    return means.view(-1, *x.shape[2:], x.shape[1]).permute(0, 3, 1, 2)


def pack_sources(sources: list[int], limit: int) -> list[list[int]]:
    """Return the edges (positions in `sources`, ascending by source) in passes of at most `limit`, no source in two passes.

    A source with more than `limit` edges gets a pass of its own.
    """
    by_source: dict[int, list[int]] = {}
    for edge, source in enumerate(sources):
        by_source.setdefault(source, []).append(edge)
    passes: list[list[int]] = []
    for source in sorted(by_source):
        edges = by_source[source]
        if passes and len(passes[-1]) + len(edges) <= limit:
            passes[-1].extend(edges)
        else:
            passes.append(list(edges))
    return passes
