"""Depth of the keyframes, as the adjustment has it and as a depth prior says, in the unit of the path."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sfmcam.estimators.megasam.paths import median_disparity
from sfmcam.estimators.megasam.resize import WorkingSize, source_from_grid
from sfmcam.estimators.megasam.state import State
from sfmcam.estimators.vo.windows import WindowPath
from sfmcam.types import DenseDepth, Float, Int

STATIC = 0.5  # static probability of a cell that counts as scene
FARTHEST = 0.01  # inverse depth of a point that still has one, in units of the path


def static_of(state: State) -> Tensor:
    """Return (K, h, w) the mean static probability over the edges that leave each keyframe; 1 of those that none leaves."""
    edges, frames = state.active, state.keyframes
    source = edges.ii.to(frames.disps.device)
    total = torch.zeros_like(frames.disps).index_add_(0, source, edges.static.to(frames.disps))
    count = frames.disps.new_zeros(len(frames)).index_add_(0, source, torch.ones_like(source, dtype=frames.disps.dtype))
    return torch.where(count[:, None, None] > 0, total / count.clamp(min=1)[:, None, None], torch.ones_like(total))


def path_depths(path: WindowPath) -> Float:
    """Return (K,) the median depth of the static points in front of each keyframe, 1 where there is none."""
    out = np.ones(len(path.frames))
    points = np.flatnonzero((path.static > STATIC) & (path.rho > FARTHEST))
    for k in range(len(path.frames)):
        near = path.inverse_depths(k, points)
        if (near > 0).any():
            out[k] = 1.0 / float(np.median(near[near > 0]))
    return out


def keyframe_depths(path: WindowPath, grid: tuple[int, int]) -> Float:
    """Return (K,) the median depth of what each keyframe itself shows of the static scene, 1 where it shows none.

    Of a path whose points are numbered as in `paths.window_path`. Points of other keyframes may lie outside this one's picture: of a camera
    that comes nearer those beside it drop out behind it, and what is left is too deep.
    """
    out = np.ones(len(path.frames))
    for k in range(len(path.frames)):
        near = path.inverse_depths(k, _own_points(path, k, grid))
        if (near > 0).any():
            out[k] = 1.0 / float(np.median(near[near > 0]))
    return out


def depth_of(windows: Sequence[State], path: WindowPath, size: WorkingSize, *, medians: Float | None = None) -> DenseDepth:
    """Return the depth of all keyframes of some windows in the unit of a path; what two windows have, the earlier one gives.

    Args:
        windows: states of the windows.
        path: of all keyframes.
        size: of the pictures.
        medians: (K,) median depths of the static scene to which the cells are brought; None of a path that was joined of the windows, which
            says by its points how they relate to its unit.
    """
    rows: dict[int, tuple[Float, Float, Float]] = {}
    for state in windows:
        frames = state.keyframes
        believed, disps, priors = (part.double().cpu().numpy() for part in (static_of(state), frames.disps, frames.prior_disps))
        for k, index in enumerate(frames.index):
            row = int(np.searchsorted(path.frames, index))
            unit = _unit(path, row, disps[k], believed[k]) if medians is None else _unit_by(medians[row], disps[k], believed[k])
            rows.setdefault(index, (disps[k] * unit, priors[k] * unit, believed[k]))
    inverse, prior, static = (np.stack(parts) for parts in zip(*rows.values(), strict=True))
    cells = np.stack(np.meshgrid(np.arange(size.grid[1]), np.arange(size.grid[0])), axis=-1)
    return DenseDepth(np.array(list(rows)), inverse, prior, static, source_from_grid(cells.astype(float), size))


def _own_points(path: WindowPath, k: int, grid: tuple[int, int]) -> Int:
    """Return which points were taken from keyframe `k` and belong to the static scene."""
    taken = path.track // (grid[0] * grid[1]) == path.frames[k]
    return np.flatnonzero(taken & (path.static > STATIC) & (path.rho > FARTHEST))


def _unit(path: WindowPath, k: int, disps: Float, believed: Float) -> float:
    """Return the inverse depth in the path's unit over that of a state, by the points that the path has of its keyframe `k`."""
    points = _own_points(path, k, (disps.shape[0], disps.shape[1]))
    on_path, in_state = path.inverse_depths(k, points), disps.ravel()[path.track[points] % disps.size]
    known = (on_path > 0) & (in_state > 0)
    if not known.any():
        return _unit_by(1.0, disps, believed)
    return float(np.median(on_path[known] / in_state[known]))


def _unit_by(median: float, disps: Float, believed: Float) -> float:
    """Return the factor that brings the median depth of the static cells to `median`."""
    return 1.0 / (median * median_disparity(disps, believed))
