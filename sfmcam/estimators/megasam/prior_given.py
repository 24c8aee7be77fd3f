"""What a depth prior gives the tracker beforehand, and the length in metres of what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from sfmcam.estimators.megasam.clip import Given
from sfmcam.estimators.megasam.depth_map import FARTHEST, STATIC, DenseDepth
from sfmcam.estimators.megasam.resize import WorkingSize, tracker_intrinsics

if TYPE_CHECKING:
    from sfmcam.estimators.megasam.clip_prior import ClipPrior

MIN_CELLS = 8  # of a frame that see the scene and have a prior
FAR = 0.02  # inverse depth, as a share of the near one's, below which neither of the two knows a cell's depth


def given_by_prior(prior: ClipPrior, size: WorkingSize, *, focal_px: float) -> Given:
    """Return the prior's disparities and its focal length, or `focal_px` of the source pictures where it tells none."""
    focal = np.full(len(prior.disps), prior.focal_px or focal_px)
    return Given(torch.from_numpy(tracker_intrinsics(focal, size, half_pixel=True)).float(), prior.disps)


def metres_per_unit(depth: DenseDepth, prior: ClipPrior, *, focal_px: float | None = None) -> float | None:
    """Return the metres of one unit of a path whose depths were found by adjustment; None where the prior knows no metres.

    The median over keyframes of the median ratio of both depths over the static cells that both see.

    Args:
        depth: what the adjustment found.
        prior: of the same clip, on the same grid.
        focal_px: as the adjustment has it, in source pixels; the metres of a model that assumed another one change with it.
    """
    unit = prior.metric_per_unit if focal_px is None else prior.metric_per_unit_at(focal_px)
    if not np.isfinite(unit):
        return None
    ratios = []
    for frame, found, static in zip(depth.frames, depth.inverse_depth, depth.static, strict=True):
        said = prior.disps[int(frame)].double().cpu().numpy()
        both = (static > STATIC) & (found > FARTHEST) & (said > FAR)
        if both.sum() >= MIN_CELLS:
            ratios.append(float(np.median(found[both] / said[both])))
    return unit * float(np.median(ratios)) if ratios else None
