"""Normal equations of the dense bundle adjustment, and the elimination of the disparities (Schur complement), batch by batch.

Minimised is sum W (target - reprojection)^2 + sum alpha m (d - prior)^2, linearised (Li et al. 2025, MegaSaM; Teed and Deng 2021):

    [H   E] [x]   [v]        S = H - E C^-1 E^T,   S x = v - E C^-1 w,   d = C^-1 (w - E^T x)
    [E^T C] [d] = [w]

A pixel's disparity shows on the edges that leave its frame only, so C is diagonal, and all that S needs of a frame is one product of the
rows of E of its edges. A pose step xi of the source moves the picture as the step -Ad(T_ij) xi of the target does; so rows of E are formed
for the targets alone, and the source's follow on small matrices. Sums over pixels are in the type of the disparities, all else in float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sfmcam.estimators.megasam import camera
from sfmcam.estimators.megasam.layout import Batch, Layout
from sfmcam.estimators.megasam.linearise import Linearised, num_unknowns, own_map
from sfmcam.estimators.megasam.linearise_compiled import linearise_quickly, prepared
from sfmcam.estimators.megasam.problem import BundleOptions, Problem

ETA_FLOOR = 1e-7  # added to the damping of the disparities, which may be 0


@dataclass(frozen=True)
class Eliminated:
    """The disparities of a batch: rows (B, K m, n) of E, C and w (B, n), and how the unknowns (B, Q) enter the rows: enter (B, K m, Q)."""

    rows: Tensor
    curvature: Tensor
    slope: Tensor
    enter: Tensor
    unknowns: Tensor

    def steps(self, solution: Tensor) -> Tensor:
        """Return the steps of the disparities (B, n), given those of all else (N,)."""
        known = torch.nn.functional.pad(solution, (0, 1))[self.unknowns]
        moved = (self.enter @ known[..., None]).to(self.rows.dtype)
        return (self.slope - (moved.mT @ self.rows)[:, 0]) / self.curvature


@dataclass(frozen=True)
class NormalEquations:
    """H (N, N) and v (N,) without damping; what the elimination takes from them; the disparities; sum W r^2, and how many W > 0."""

    hessian: Tensor
    gradient: Tensor
    taken_hessian: Tensor
    taken_gradient: Tensor
    disparities: tuple[Eliminated, ...]
    cost: Tensor
    count: Tensor


def build(problem: Problem, options: BundleOptions, layout: Layout) -> NormalEquations:
    """Return the normal equations at the poses, disparities and intrinsics of the problem."""
    problem = prepared(problem)
    motions = camera.relative(problem.poses.double(), ii=problem.ii, jj=problem.jj)
    points = camera.homogeneous(problem.disps, problem.intrinsics)
    direct, schur = _Sum(layout.size, problem.poses.device), _Sum(layout.size, problem.poses.device)
    disparities = []
    for batch in layout.batches:
        motion = motions[batch.edges]
        linear = linearise_quickly(problem, options, batch, motion=motion.to(points.dtype), points=points[batch.frames])
        own = own_map(motion.double(), options.focal)
        source, targets = _rows(problem, options, layout, batch)
        _add_edges(direct, linear, own, rows=(source, targets))
        if not options.motion_only:
            curvature, slope = _with_prior(problem, options, batch, linear)
            unknowns = torch.cat([source, targets.flatten(1)], 1)
            part = Eliminated(_known(linear.rows), curvature, slope, _enter(own, options), unknowns)
            _add_eliminated(schur, part)
            disparities.append(part)
    return NormalEquations(*direct.matrices(), *schur.matrices(), tuple(disparities), cost=direct.cost, count=direct.count)


class _Sum:
    """Blocks that are added up at the end, all at once, without writing into a tensor that autograd needs."""

    def __init__(self, size: int, device: torch.device) -> None:
        self._size = size
        self._places: list[Tensor] = []
        self._blocks: list[Tensor] = []
        self._rows: list[Tensor] = []
        self._values: list[Tensor] = []
        self.cost = torch.zeros((), dtype=torch.float64, device=device)
        self.count = torch.zeros((), dtype=torch.long, device=device)

    def add(self, unknowns: Tensor, block: Tensor, vector: Tensor) -> None:
        """Take blocks (..., Q, Q) and vectors (..., Q) of the unknowns (..., Q)."""
        width = self._size + 1
        self._places.append((unknowns[..., :, None] * width + unknowns[..., None, :]).flatten())
        self._blocks.append(block.flatten())
        self._rows.append(unknowns.flatten())
        self._values.append(vector.flatten())

    def matrices(self) -> tuple[Tensor, Tensor]:
        """Return the (N, N) matrix and the (N,) vector."""
        size, width = self._size, self._size + 1
        matrix = torch.zeros(width * width, dtype=torch.float64, device=self.cost.device)
        vector = torch.zeros(width, dtype=torch.float64, device=self.cost.device)
        if self._blocks:
            matrix = matrix.index_add(0, torch.cat(self._places), torch.cat(self._blocks))
            vector = vector.index_add(0, torch.cat(self._rows), torch.cat(self._values))
        return matrix.view(width, width)[:size, :size], vector[:size]


def _rows(problem: Problem, options: BundleOptions, layout: Layout, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return which unknowns are the source's (B, 6 or 7) and which are the targets' (B, K, 6 or 7)."""
    jj = problem.jj[batch.edges]
    source, targets = layout.pose_rows[batch.frames], layout.pose_rows[jj]
    if options.focal != "fixed":
        source = torch.cat([source, layout.focal_rows[batch.frames, None]], -1)
    if options.focal == "per_frame":
        targets = torch.cat([targets, layout.focal_rows[jj][..., None]], -1)
    return source, targets


def _add_edges(total: _Sum, linear: Linearised, own: Tensor, *, rows: tuple[Tensor, Tensor]) -> None:
    source, targets = rows
    gram, (batch, edges, width) = linear.gram.double(), targets.shape
    target = torch.eye(own.shape[2], width, dtype=own.dtype, device=own.device).expand(batch, edges, -1, -1)
    enter = torch.cat([own, target], -1)
    unknowns = torch.cat([source[:, None].expand(-1, edges, -1), targets], -1)
    total.add(unknowns, enter.mT @ gram[..., :-1, :-1] @ enter, (enter.mT @ gram[..., :-1, -1:])[..., 0])
    total.cost = total.cost + gram[..., -1, -1].sum()
    total.count = total.count + linear.count


def _with_prior(problem: Problem, options: BundleOptions, batch: Batch, linear: Linearised) -> tuple[Tensor, Tensor]:
    """Return C and w (B, n) with the damping, which the prior replaces where there is one."""
    dtype = problem.disps.dtype
    damping = problem.eta[batch.frames].flatten(1).to(dtype) + ETA_FLOOR
    if problem.prior_disps is None or options.alpha == 0:
        return linear.curvature + damping, linear.slope
    prior, disparity = problem.prior_disps[batch.frames].flatten(1).to(dtype), problem.disps[batch.frames].flatten(1)
    pull = options.alpha * (prior > 0).to(dtype)
    return linear.curvature + torch.where(prior > 0, pull, damping), linear.slope - pull * (disparity - prior)


def _enter(own: Tensor, options: BundleOptions) -> Tensor:
    """Return how the unknowns of a source and of its K targets, one after the other, enter those of the edges: (B, K m, Q)."""
    edges = own.shape[1]
    target = torch.eye(*num_unknowns(options.focal), dtype=own.dtype, device=own.device)
    block = torch.block_diag(*[target] * edges)
    return torch.cat([own.flatten(1, 2), block.expand(len(own), -1, -1)], -1)


def _add_eliminated(total: _Sum, part: Eliminated) -> None:
    if part.rows.device.type == "cpu":  # frame by frame, which the cache holds
        frames = zip(part.rows, part.curvature, part.slope, strict=True)
        product, vector = (torch.stack(values) for values in zip(*(_products(*frame) for frame in frames), strict=True))
    else:
        product, vector = _products(part.rows, part.curvature, part.slope)
    total.add(part.unknowns, part.enter.mT @ product @ part.enter, (part.enter.mT @ vector[..., None])[..., 0])


def _products(rows: Tensor, curvature: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """Return E C^-1 E^T and E C^-1 w. The latter's sum is in float64, for v - E C^-1 w is a small difference of large numbers."""
    product = (rows / curvature[..., None, :]) @ rows.mT
    return product.double(), (rows.double() @ (slope / curvature).double()[..., None])[..., 0]


def _known(rows: Tensor | None) -> Tensor:
    if rows is None:
        raise ValueError("the disparities cannot be eliminated from equations of the motion only")
    return rows
