"""The prior of focal lengths that are free in each frame: neighbours alike, and near a value from elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor

from sfmcam.estimators.megasam.layout import Layout
from sfmcam.estimators.megasam.problem import BundleOptions, Problem


def focal_prior(problem: Problem, options: BundleOptions, layout: Layout) -> tuple[Tensor, Tensor]:
    """Return the addition to H (N, N) and to v (N,), with g = log fx.

    It is smoothness sum (g_k+1 - g_k)^2 + bending sum (g_k+1 - 2 g_k + g_k-1)^2 + anchor sum (g_k - prior_k)^2. The first free focal
    lengths are thereby held to those before them that are not free.
    """
    poses = 6 * layout.poses
    log_focal = torch.log(problem.intrinsics[:, 0].double())
    matrix, vector = log_focal.new_zeros(layout.size, layout.size), log_focal.new_zeros(layout.size)
    if options.focal != "per_frame" or not layout.focals:
        return matrix, vector
    first, past = options.focal_range(len(log_focal))
    held = max(first - 2, 0)
    unit = torch.eye(past - held, dtype=torch.float64, device=log_focal.device)
    terms = [(options.focal_smoothness, torch.diff(unit, dim=0), log_focal[held:past])]
    terms += [(options.focal_bending, torch.diff(unit, n=2, dim=0), log_focal[held:past])] if past - held > 2 else []
    start = log_focal.detach() if problem.prior_log_focal is None else problem.prior_log_focal.double()
    terms += [(options.focal_anchor, unit, (log_focal - start)[held:past])]
    for information, rows, value in terms:
        free = rows[:, first - held :]
        matrix[poses:, poses:] += information * free.T @ free
        vector[poses:] -= information * free.T @ (rows @ value)
    return matrix, vector
