"""Does the picture's motion tell depth, and does it tell the focal length: the tests before a global bundle adjustment.

The released MegaSaM (Li et al. 2025, section 3.3) sums squared derivatives over the graph, whatever the weights, and compares with
constants. The sum for the focal length grows with every edge, and says nothing about whether a step of poses and depths would do the same
to the picture: going straight ahead it is large, and the focal length all but unknown. What counts is what is left when they may follow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from sfmcam.estimators.megasam import camera
from sfmcam.estimators.megasam.problem import BundleOptions, Problem
from sfmcam.estimators.megasam.uncertainty import uncertainty_of

_EDGES_AT_ONCE = 32
_LOG_FOCAL_KNOWN = 0.05  # of one sigma


@dataclass(frozen=True)
class DerivativeSums:
    """The released test: disparity (S, h, w), sum over a source frame's edges and both axes of |du/dd|^2, and its median.

    focal is the sum over all of (du/df)^2, for one focal length of all frames in grid pixels; per coordinate it is divided by their number.
    """

    disparity: Tensor
    median_disparity: Tensor
    focal: Tensor
    focal_per_coordinate: Tensor


def derivative_sums(poses: Tensor, disps: Tensor, intrinsics: Tensor, *, ii: Tensor, jj: Tensor) -> DerivativeSums:
    """Return the sums of a graph, without weights and without a near plane. Frames are those of sorted unique ii."""
    frames, row = torch.unique(ii, return_inverse=True)
    disparity = disps.new_zeros(len(frames), *disps.shape[1:])
    focal = disps.new_zeros(())
    unit = torch.ones_like(intrinsics[:, :2])
    for begin in range(0, len(ii), _EDGES_AT_ONCE):
        part = slice(begin, begin + _EDGES_AT_ONCE)
        rates = camera.jacobians(poses, disps, intrinsics, ii=ii[part], jj=jj[part], focal_rate=unit)
        disparity.index_add_(0, row[part], rates.disparity.square().sum(-1))
        focal += (rates.focal_i + rates.focal_j).square().sum()
    return DerivativeSums(disparity, disparity.median(), focal, focal / max(2 * len(ii) * disps[0].numel(), 1))


@dataclass(frozen=True)
class FocalKnowledge:
    """One sigma of the log of one focal length for all frames, poses and disparities free; whether that is enough to optimise it."""

    log_focal_sigma: float
    known: bool


def focal_knowledge(problem: Problem, *, alpha: float = 0.0, alike_px: float = 16.0, most: float = _LOG_FOCAL_KNOWN) -> FocalKnowledge:
    """Say how well a graph tells its focal length, from weights and residuals as they are.

    Args:
        problem: a graph, best after a first adjustment with the focal length held, since the residuals are its noise.
        alpha: weight of the prior disparity, which also says something.
        alike_px: how many grid pixels err alike; errors of flow are smooth, and count that much less often.
        most: the sigma up to which the focal length counts as known.
    """
    known = uncertainty_of(problem, BundleOptions(focal="shared", alpha=alpha))
    width = 2 * problem.intrinsics[:, 2].double().mean()
    share = width / problem.intrinsics[:, 0].double().mean()  # log focal by the parameter, focal length over width
    variance = known.focal_covariance[0, 0] * known.noise * alike_px
    sigma = float(share * variance.clamp(min=0).sqrt())
    return FocalKnowledge(sigma, math.isfinite(sigma) and sigma <= most)
