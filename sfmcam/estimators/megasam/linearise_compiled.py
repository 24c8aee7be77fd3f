"""`linearise` for tensors on the CPU that need no gradient, by compiled code; the same result up to rounding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from sfmcam.estimators.megasam import camera, se3
from sfmcam.estimators.megasam.layout import Batch
from sfmcam.estimators.megasam.linearise import WEIGHT_SCALE, Linearised, focal_share, linearise, num_unknowns
from sfmcam.estimators.megasam.problem import BundleOptions, Problem


def prepared(problem: Problem) -> Problem:
    """Return the problem with the types and the layout in memory that the sums over pixels need, made once for all batches."""
    dtype, device = problem.disps.dtype, problem.disps.device
    problem = replace(problem, intrinsics=problem.intrinsics.to(dtype), ii=problem.ii.to(device), jj=problem.jj.to(device))
    if device.type != "cpu":
        return problem
    return replace(problem, target=problem.target.to(dtype).contiguous(), weight=problem.weight.to(dtype).contiguous())


def linearise_quickly(problem: Problem, options: BundleOptions, batch: Batch, *, motion: Tensor, points: Tensor) -> Linearised:
    """Linearise the edges of a batch of a prepared problem by compiled code where that can be, else by tensors."""
    given = (motion, points, problem.intrinsics, problem.target, problem.weight)
    kernel = None
    if all(value.device.type == "cpu" and not (torch.is_grad_enabled() and value.requires_grad) for value in given):
        kernel = _kernel()
    if kernel is None:
        return linearise(problem, options, batch, motion=motion, points=points)
    gram, rows, diagonal = _room(options, batch, points)
    limits = torch.tensor([camera.NEAR, camera.LEAST_DEPTH, WEIGHT_SCALE, options.huber_px or 0.0, 1.0, 0.0], dtype=points.dtype)
    count = kernel(
        _cameras(problem, options, batch, motion).contiguous().numpy(),
        points.detach().contiguous().numpy(),
        problem.target.detach().flatten(1, 2).numpy(),
        problem.weight.detach().flatten(1, 2).numpy(),
        *(value.numpy() for value in (batch.edges, limits, gram, rows, diagonal)),
    )
    return Linearised(gram, torch.tensor(count), None if options.motion_only else rows, diagonal[:, 0], diagonal[:, 1])


def _kernel() -> Callable[..., int] | None:
    """Return the compiled code, or None where numba is absent: a machine that only trains may do without."""
    try:
        from sfmcam.estimators.megasam.edge_kernels import linearise_edges
    except ImportError:
        return None
    return linearise_edges


def _room(options: BundleOptions, batch: Batch, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return where the sums, the rows of E, and curvature and slope of the disparities are written to."""
    (frames, degree), pixels, unknowns = batch.edges.shape, points.shape[-1], num_unknowns(options.focal)[0]
    gram = torch.zeros(frames, degree, unknowns + 1, unknowns + 1, dtype=torch.float64)
    rows = torch.empty(frames, 0 if options.motion_only else degree * unknowns, pixels, dtype=points.dtype)
    return gram, rows, torch.zeros(frames, 2, pixels, dtype=points.dtype)


def _cameras(problem: Problem, options: BundleOptions, batch: Batch, motion: Tensor) -> Tensor:
    """Return the (B, K, 21) numbers of `edge_kernels.linearise_edges`."""
    matrix = torch.cat([se3.rotation_matrix(motion), motion[..., :3, None]], -1).flatten(2)
    share, jj = focal_share(problem.intrinsics, options.focal), problem.jj[batch.edges]
    own = share[batch.frames, None].expand(-1, jj.shape[1], -1)
    meant = torch.ones_like(matrix[..., :1]) if batch.meant is None else batch.meant.to(matrix.dtype)
    return torch.cat([matrix, problem.intrinsics[jj], share[jj], own, meant], -1).detach()
