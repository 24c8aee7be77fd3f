"""All keyframes of a window adjusted together, with the focal length free where the pictures tell it (spec 2.6)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sfmcam.estimators.megasam.camera import reproject
from sfmcam.estimators.megasam.linearise import WEIGHT_SCALE
from sfmcam.estimators.megasam.neighbours import near_edges
from sfmcam.estimators.megasam.observability import FocalKnowledge, focal_knowledge
from sfmcam.estimators.megasam.operator import UpdateOperator
from sfmcam.estimators.megasam.options import Schedule
from sfmcam.estimators.megasam.problem import BundleOptions
from sfmcam.estimators.megasam.refine import Adjustment, open_edges, problem_of, rounds
from sfmcam.estimators.megasam.state import Edges, State

LM, EP = 1e-5, 1e-6
LM_FOCAL = 1e-8  # where focal lengths are tied so stiffly that a share of their diagonal would hold them
# what one coordinate says, in the unit of weighted residuals: an error of 0.1 of 1/8 pixels, shared by some 16 cells and edges, so that
# priors given as standard deviations meet the data at their true worth
UNIT = WEIGHT_SCALE * 0.1**2 * 16
STIFF = 1e-4  # standard deviation of the step of log focal that stands for one focal length


@dataclass(frozen=True)
class FocalPrior:
    """Normal priors on the log focal length, for an adjustment that frees it.

    Attributes:
        log_focal: (K,) of fx in 1/8 pixels.
        sigma: of the clip's mean.
        step_sigma: of the change between neighbouring keyframes.
    """

    log_focal: Tensor
    sigma: float
    step_sigma: float


def tie(state: State, operator: UpdateOperator, schedule: Schedule) -> None:
    """Forget the edges of the frontend and open those of the backend, active all of them."""
    frames = state.keyframes
    state.active = state.retired = Edges.none(frames.disps)
    ii, jj = near_edges(
        state,
        radius=schedule.backend_radius,
        nms=schedule.backend_nms,
        threshold=schedule.backend_threshold,
        cap=schedule.backend_edges * len(frames),
    )
    state.active = open_edges(operator, frames, ii, jj)


def adjust_all(
    state: State, operator: UpdateOperator, schedule: Schedule, *, prior: FocalPrior | None = None, count: int | None = None
) -> int:
    """Revise and adjust all keyframes together; focal lengths are held without a `prior`. Return the number of rounds taken."""
    how = Adjustment(backend_options(schedule, len(state.keyframes), prior), prior_log_focal=None if prior is None else prior.log_focal)
    return rounds(
        state,
        operator,
        how,
        count=schedule.backend_updates if count is None else count,
        chunk_frames=schedule.chunk_frames,
        early_stop=schedule.early_stop,
    )


def backend_options(schedule: Schedule, count: int, prior: FocalPrior | None) -> BundleOptions:
    """Return the adjustment of `count` keyframes."""
    options = BundleOptions(first_pose=1, lm=LM, ep=EP, alpha=schedule.backend_prior, iterations=schedule.gauss_newton)
    if prior is None:
        return options
    return replace(
        options,
        lm=LM_FOCAL,
        focal="per_frame",
        focal_smoothness=UNIT / prior.step_sigma**2,
        focal_anchor=UNIT / prior.sigma**2 / max(count, 1),
    )


def knowledge_of_focal(state: State, schedule: Schedule) -> FocalKnowledge:
    """Return how well the present edges tell one focal length, poses and disparities free."""
    return focal_knowledge(problem_of(state.keyframes, state.active), alpha=schedule.backend_prior)


def median_residual(state: State) -> float:
    """Return the median distance, in 1/8 pixels, between where trusted cells are seen and where the state puts them."""
    frames, edges = state.keyframes, state.active
    seen = reproject(frames.poses, frames.disps, frames.intrinsics, ii=edges.ii, jj=edges.jj)
    off = torch.linalg.vector_norm(edges.target - seen.coords, dim=-1)[edges.weight.amin(dim=-1) > 0.1]
    return float(off.median()) if off.numel() else math.nan
