"""The prior of focal lengths that are free in each frame: neighbours alike, and near a value from elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor

from sfmcam.estimators.megasam.layout import Layout
from sfmcam.estimators.megasam.problem import BundleOptions, Problem


def focal_prior(problem: Problem, options: BundleOptions, layout: Layout) -> tuple[Tensor, Tensor]:
    """Return the addition to H (N, N) and to v (N,): smoothness sum (g_k+1 - g_k)^2 + anchor sum (g_k - prior_k)^2, with g = log fx.

    The first free focal length is also held to the last one before it that is not free.
    """
    device = problem.poses.device
    matrix = torch.zeros(layout.size, layout.size, dtype=torch.float64, device=device)
    vector = torch.zeros(layout.size, dtype=torch.float64, device=device)
    if options.focal != "per_frame" or not layout.focals:
        return matrix, vector
    first, past = options.focal_range(len(problem.poses))
    log_focal = torch.log(problem.intrinsics[:, 0].double())
    held = max(first - 1, 0)
    change = torch.diff(torch.eye(past - held, dtype=torch.float64, device=device), dim=0)  # rows g_k+1 - g_k
    free = change[:, first - held :]
    block = options.focal_smoothness * free.T @ free
    pull = -options.focal_smoothness * free.T @ (change @ log_focal[held:past])
    if options.focal_anchor:
        block = block + options.focal_anchor * torch.eye(past - first, dtype=torch.float64, device=device)
        if problem.prior_log_focal is not None:
            pull = pull - options.focal_anchor * (log_focal - problem.prior_log_focal.double())[first:past]
    start = 6 * layout.poses
    pad = (start, 0)
    return torch.nn.functional.pad(block, (*pad, *pad)), torch.nn.functional.pad(pull, pad)
