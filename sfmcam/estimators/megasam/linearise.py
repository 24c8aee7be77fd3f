"""Residuals and derivatives of the edges of one batch, each axis divided by the focal length of the target.

The unknowns of an edge are its own: the step of the target's pose (of which the source's follows), then the focal parameter: one for all,
or the target's and then the source's. `own_map` says how the source frame's unknowns enter.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sfmcam.estimators.megasam import camera, se3
from sfmcam.estimators.megasam.layout import Batch
from sfmcam.estimators.megasam.problem import BundleOptions, FocalMode, Problem

WEIGHT_SCALE = 0.001  # of the operator's weights, as trained


@dataclass(frozen=True)
class Linearised:
    """One batch: B source frames, K edges each, m unknowns of an edge, n pixels.

    gram (B, K, m + 1, m + 1): sums of W J J^T, the residual being the last column of J; count of W > 0. By pixel, unless motion only: rows
    (B, K m, n) = sum W dJ/dd J, curvature (B, n) and slope (B, n), of the disparity.
    """

    gram: Tensor
    count: Tensor
    rows: Tensor | None
    curvature: Tensor
    slope: Tensor


def num_unknowns(focal: FocalMode) -> tuple[int, int]:
    """Return how many unknowns an edge has, and how many of them, the first ones, are its target's."""
    return {"fixed": (6, 6), "shared": (7, 6), "per_frame": (8, 7)}[focal]


def own_map(motion: Tensor, focal: FocalMode) -> Tensor:
    """Return the (..., m, 6 or 7) by which unknowns of the source enter those of its edges: -Ad(T_ij), and the focal parameter itself."""
    if focal == "fixed":
        return -se3.adjoint(motion)
    unknowns = num_unknowns(focal)[0]
    enter = torch.nn.functional.pad(-se3.adjoint(motion), (0, 1, 0, unknowns - 6))
    unit = torch.zeros(unknowns, 7, dtype=motion.dtype, device=motion.device)
    unit[-1, -1] = 1
    return enter + unit


def focal_share(intrinsics: Tensor, focal: FocalMode) -> Tensor:
    """Return by what share fx and fy change with the focal parameter, (F, 2).

    One for all frames is the focal length over the picture's width 2 cx, and moves fx and fy by the same pixels (the released code's
    derivative, exact where fx = fy). One per frame is log focal.
    """
    if focal == "shared":
        return 2 * intrinsics[:, 2:3] / intrinsics[:, :2]
    return torch.ones_like(intrinsics[:, :2])


def linearise(problem: Problem, options: BundleOptions, batch: Batch, *, motion: Tensor, points: Tensor) -> Linearised:
    """Linearise the edges of a batch. motion (B, K, 7) is cam_j_from_cam_i, points (B, 4, n) the homogeneous pixels of the frames."""
    rays = camera.transfer(motion, points)
    residual, weight = _residual(problem, options, batch, rays)
    columns = [*zip(*camera.pose_rate(rays), strict=True)]
    columns += _focal_columns(problem, options, batch, rays=rays, motion=motion, points=points)
    rates = torch.stack([axis for column in [*columns, residual] for axis in column], 2).unflatten(2, (-1, 2))  # B K m+1 2 n
    weighted = rates * weight[:, :, None]
    gram = weighted.flatten(3) @ rates.flatten(3).mT
    count = (weight.detach() > 0).sum()
    if options.motion_only:
        return Linearised(gram, count, None, points[:, 3], points[:, 3])
    along = torch.stack(camera.disparity_rate(rays, motion), 2)  # B K 2 n
    pulled = torch.addcmul(weighted[..., 0, :] * along[:, :, None, 0], weighted[..., 1, :], along[:, :, None, 1])
    curvature = (along * along * weight).sum((1, 2))
    return Linearised(gram, count, pulled[:, :, :-1].flatten(1, 2), curvature, pulled[:, :, -1].sum(1))


def _residual(problem: Problem, options: BundleOptions, batch: Batch, rays: camera.Rays) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Return target - reprojection, two planes, and the weight (B, K, 2, n), in units of the target's focal lengths."""
    focal, centre = problem.intrinsics[problem.jj[batch.edges], :, None].split(2, 2)  # B K 2 1
    x, y = ((problem.target[batch.edges].flatten(2, 3).mT.to(focal.dtype) - centre) / focal).unbind(2)
    residual = (x - rays.p, y - rays.q)
    scale = WEIGHT_SCALE * focal * focal
    if batch.meant is not None:
        scale = scale * batch.meant[..., None]
    weight = problem.weight[batch.edges].flatten(2, 3).mT.to(focal.dtype) * scale * rays.depth_ok[:, :, None]
    if options.huber_px is not None:
        size = torch.hypot(residual[0].detach() * focal[:, :, 0], residual[1].detach() * focal[:, :, 1])
        weight = weight * (options.huber_px / size.clamp(min=options.huber_px))[:, :, None]
    return residual, weight


def _focal_columns(
    problem: Problem, options: BundleOptions, batch: Batch, *, rays: camera.Rays, motion: Tensor, points: Tensor
) -> list[tuple[Tensor, Tensor]]:
    if options.focal == "fixed":
        return []
    share = focal_share(problem.intrinsics, options.focal)
    x, y = share[problem.jj[batch.edges], :, None].unbind(2)
    projected = rays.p * x, rays.q * y
    unprojected = camera.unprojection_rate(rays, motion, points, share[batch.frames])
    if options.focal == "shared":
        return [(projected[0] + unprojected[0], projected[1] + unprojected[1])]
    return [projected, unprojected]
