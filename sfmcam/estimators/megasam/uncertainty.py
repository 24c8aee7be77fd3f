"""How well poses and focal lengths are known: the inverse of the reduced normal equations, without their damping."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from sfmcam.estimators.megasam import damped_solve, normal_equations
from sfmcam.estimators.megasam.focal_prior import focal_prior
from sfmcam.estimators.megasam.layout import Layout, layout_of
from sfmcam.estimators.megasam.problem import BundleOptions, Problem

_JITTER = 1e-10  # share of the diagonal; keeps the variance of what is not determined at all finite, if huge
_JITTER_OF_NONE = 1e-12  # and of what has no observation


@dataclass(frozen=True)
class Uncertainty:
    """What the residuals say about the solution, disparities eliminated and priors included, damping left out.

    pose_covariance (P, 6, 6) of each unknown pose, left tangent, and focal_covariance (M, M) of the focal parameters, for residual weights
    as given: times `noise` they are variances if the errors of all pixels were independent. focal_information (M, M): the inverse of the
    latter, poses and disparities eliminated (Schur marginal). noise: mean W r^2 of what has weight. count: coordinates with weight.
    """

    pose_covariance: Tensor
    focal_covariance: Tensor
    focal_information: Tensor
    noise: Tensor
    count: Tensor


def uncertainty_of(problem: Problem, options: BundleOptions, layout: Layout | None = None) -> Uncertainty:
    """Return how well the unknowns of a solved problem are known. Computed in float64, for directions that hardly show are differences."""
    layout = layout or layout_of(problem, options)
    problem = _in_float64(problem)
    with torch.no_grad():
        equations = normal_equations.build(problem, options, layout)
        hessian = equations.hessian + focal_prior(problem, options, layout)[0]
        jitter = _JITTER * torch.diagonal(hessian) + _JITTER_OF_NONE
        lower, _ = damped_solve.factor(hessian - equations.taken_hessian, jitter)
        covariance = torch.cholesky_inverse(lower)
    split = 6 * layout.poses
    blocks = covariance[:split, :split].unflatten(0, (layout.poses, 6)).unflatten(2, (layout.poses, 6))
    focal = covariance[split:, split:]
    return Uncertainty(
        pose_covariance=torch.diagonal(blocks, dim1=0, dim2=2).permute(2, 0, 1),
        focal_covariance=focal,
        focal_information=torch.linalg.inv(focal),
        noise=equations.cost / equations.count.clamp(min=1),
        count=equations.count,
    )


def _in_float64(problem: Problem) -> Problem:
    values = {field.name: getattr(problem, field.name) for field in fields(problem)}
    return replace(problem, **{k: v.detach().double() for k, v in values.items() if v is not None and v.is_floating_point()})
