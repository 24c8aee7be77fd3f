"""What a depth prior gives the tracker beforehand, and the length in metres of what came out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from sfmcam.estimators.megasam.clip import Given
from sfmcam.estimators.megasam.depth_map import FARTHEST, STATIC, DenseDepth
from sfmcam.estimators.megasam.options import TrackerOptions
from sfmcam.estimators.megasam.pictures import neutral
from sfmcam.estimators.megasam.resize import WorkingSize, tracker_intrinsics
from sfmcam.types import Frames

if TYPE_CHECKING:
    from sfmcam.estimators.megasam.clip_prior import ClipPrior
    from sfmcam.estimators.megasam.shot import Solved

MIN_CELLS = 8  # of a frame that see the scene and have a prior
FAR = 0.02  # inverse depth, as a share of the near one's, below which neither of the two knows a cell's depth


def prior_of(frames: Frames, options: TrackerOptions, size: WorkingSize) -> ClipPrior | None:
    """Return the depth prior of a shot; the modules of its models are loaded only where the options name some."""
    if not options.has_prior:
        return None
    from sfmcam.estimators.megasam.clip_prior import clip_prior

    return clip_prior(frames, options.prior, size=size, device=device_of(options))


def device_of(options: TrackerOptions) -> torch.device:
    """Return the device that the options choose."""
    if options.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(options.device)


def given_of(frames: Frames, options: TrackerOptions, size: WorkingSize, prior: ClipPrior | None) -> Given:
    """Return what is known of a shot beforehand: disparities and focal length of the depth prior, or what is usual."""
    if prior is None:
        return neutral(frames, size, options)
    given = given_by_prior(prior, size, focal_px=options.focal_factor * max(frames.size_px))
    return replace(given, focal_known=prior.focal_px is not None)


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
    for frame, found, static in zip(depth.frames, depth.inverse_depth, depth.static_probability, strict=True):
        said = prior.disps[int(frame)].double().cpu().numpy()
        both = (static > STATIC) & (found > FARTHEST) & (said > FAR)
        if both.sum() >= MIN_CELLS:
            ratios.append(float(np.median(found[both] / said[both])))
    return unit * float(np.median(ratios)) if ratios else None


def metres_of(solved: Solved, prior: ClipPrior | None, frames: Frames) -> float | None:
    """Return the metres of one unit of a solved shot; None where no prior knows them, or no motion was found that tells depth."""
    if prior is None or solved.depth is None:
        return None
    focal_px = float(np.exp(np.nanmedian(solved.filled.log_focal))) * max(frames.size_px)
    return metres_per_unit(solved.depth, prior, focal_px=focal_px)
