"""Depth of the keyframes, as the adjustment has it and as a depth prior says, in the unit of the path."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sfmcam.estimators.megasam.resize import WorkingSize, source_from_grid
from sfmcam.estimators.megasam.state import State
from sfmcam.estimators.vo.windows import WindowPath
from sfmcam.types import DenseDepth, Float

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


def depth_of(windows: Sequence[State], path: WindowPath, size: WorkingSize) -> DenseDepth:
    """Return the depth of all keyframes of some windows in the unit of the joined `path`; what two windows have, the earlier one gives."""
    depths = dict(zip(path.frames.tolist(), path_depths(path).tolist(), strict=True))
    rows: dict[int, tuple[Float, Float, Float]] = {}
    for state in windows:
        frames = state.keyframes
        believed, disps, priors = (part.double().cpu().numpy() for part in (static_of(state), frames.disps, frames.prior_disps))
        for k, index in enumerate(frames.index):
            scene = believed[k] > STATIC
            middle = float(np.median(disps[k][scene] if scene.any() else disps[k]))
            unit = 1.0 / (depths[index] * max(middle, 1e-12))
            rows.setdefault(index, (disps[k] * unit, priors[k] * unit, believed[k]))
    inverse, prior, static = (np.stack(parts) for parts in zip(*rows.values(), strict=True))
    cells = np.stack(np.meshgrid(np.arange(size.grid[1]), np.arange(size.grid[0])), axis=-1)
    return DenseDepth(np.array(list(rows)), inverse, prior, static, source_from_grid(cells.astype(float), size))
