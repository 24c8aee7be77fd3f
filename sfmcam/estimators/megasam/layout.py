"""The structure of a bundle adjustment: which unknown is which row, and which edges leave which frame, in batches that fit the cache.

It depends on the graph alone and is built on the host once per graph; after that no step waits for the device.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sfmcam.estimators.megasam.problem import BundleOptions, Problem

_POINTS_ON_CPU = 300_000  # of one batch, whose derivatives take some 100 bytes each
_POINTS_ON_DEVICE = 8_000_000


@dataclass(frozen=True)
class Batch:
    """Source frames (B,) with about as many edges each: edges (B, K), where a frame has fewer filled up by edges that are not meant."""

    frames: Tensor
    edges: Tensor
    meant: Tensor | None  # (B, K, 1) as 0 and 1; None where all are


@dataclass(frozen=True)
class Layout:
    """Rows of the unknowns, six of each pose and then the focal lengths; row `size` takes what belongs to none.

    pose_rows (F, 6), focal_rows (F,), sources (S,) the frames with edges, in the order of the batches.
    """

    size: int
    poses: int
    focals: int
    pose_rows: Tensor
    focal_rows: Tensor
    sources: Tensor
    batches: tuple[Batch, ...]


def layout_of(problem: Problem, options: BundleOptions) -> Layout:
    """Return the layout of a problem. Reads ii back where it is on a device: keep ii on the CPU, or the layout, to avoid the wait."""
    frames, device = len(problem.poses), problem.poses.device
    first, past = options.pose_range(frames)
    first_focal, past_focal = options.focal_range(frames)
    poses, focals = past - first, 1 if options.focal == "shared" else past_focal - first_focal
    size = 6 * poses + focals
    pose_rows, focal_rows = np.full((frames, 6), size), np.full(frames, size)
    pose_rows[first:past] = np.arange(6 * poses).reshape(-1, 6)
    if options.focal == "shared":
        focal_rows[:] = 6 * poses
    else:
        focal_rows[first_focal:past_focal] = 6 * poses + np.arange(focals)
    order, batches = _batches(problem, device)
    return Layout(
        size=size,
        poses=poses,
        focals=focals,
        pose_rows=torch.from_numpy(pose_rows).to(device),
        focal_rows=torch.from_numpy(focal_rows).to(device),
        sources=torch.from_numpy(order).to(device),
        batches=batches,
    )


def _batches(problem: Problem, device: torch.device) -> tuple[np.ndarray, tuple[Batch, ...]]:
    ii = problem.ii.cpu().numpy()
    edges = np.argsort(ii, kind="stable")
    frames, starts, degrees = np.unique(ii[edges], return_index=True, return_counts=True)
    order = np.argsort(degrees, kind="stable")  # frames of about equal degree share a batch: little is filled up
    budget = (_POINTS_ON_CPU if device.type == "cpu" else _POINTS_ON_DEVICE) // problem.disps[0].numel()
    batches, begin = [], 0
    while begin < len(order):
        end = begin + 1
        while end < len(order) and (end + 1 - begin) * degrees[order[end]] <= budget:
            end += 1
        chosen = order[begin:end]
        slots = np.arange(degrees[chosen[-1]])
        meant = slots < degrees[chosen, None]
        index = edges[np.where(meant, starts[chosen, None] + slots, starts[chosen, None])]
        filled = None if meant.all() else torch.from_numpy(meant[..., None]).to(device, problem.disps.dtype)
        batches.append(Batch(torch.from_numpy(frames[chosen]).to(device), torch.from_numpy(index).to(device), filled))
        begin = end
    return frames[order], tuple(batches)
