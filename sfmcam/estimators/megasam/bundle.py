"""Dense bundle adjustment: Gauss-Newton steps of poses, disparities and focal lengths over a graph of keyframes, differentiable.

Li et al. 2025 (MegaSaM), section 3, on Teed and Deng 2021 (DROID-SLAM). Differences from the released code, all towards the exact step:
every iteration's disparities are kept; the step of the first unknown pose enters the disparities too; where the factorisation fails the
damping rises and no half step is taken; and a focal length may be free in each frame, held to its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sfmcam.estimators.megasam import damped_solve, normal_equations, se3
from sfmcam.estimators.megasam.focal_prior import focal_prior
from sfmcam.estimators.megasam.layout import Layout, layout_of
from sfmcam.estimators.megasam.normal_equations import NormalEquations
from sfmcam.estimators.megasam.problem import BundleOptions, FocalMode, Problem
from sfmcam.estimators.megasam.uncertainty import Uncertainty, uncertainty_of

__all__ = ["Adjusted", "BundleOptions", "FocalMode", "Layout", "Problem", "Step", "adjust", "layout_of", "step"]


@dataclass(frozen=True)
class Step:
    """One Gauss-Newton step: poses (P, 6) of the unknown ones, focals (M,), disparities (S, h, w) of the frames layout.sources.

    hessian and gradient are those of poses and focals, with damping and priors, before the disparities are eliminated; reduced after.
    solved: bool (); if not, the step is zero.
    """

    poses: Tensor
    focals: Tensor
    disparities: Tensor | None
    hessian: Tensor
    gradient: Tensor
    reduced: Tensor
    reduced_gradient: Tensor
    solved: Tensor
    cost: Tensor


@dataclass(frozen=True)
class Adjusted:
    """Poses (F, 7), disps (F, h, w), intrinsics (F, 4) after the steps; whether all were solved, bool (); sum W r^2 before the last."""

    poses: Tensor
    disps: Tensor
    intrinsics: Tensor
    solved: Tensor
    cost: Tensor
    uncertainty: Uncertainty | None


def adjust(problem: Problem, options: BundleOptions, layout: Layout | None = None) -> Adjusted:
    """Take Gauss-Newton steps.

    Args:
        problem: float32 or float64, on any device; sums over pixels are in the type of the disparities.
        options: what is unknown, damping, priors.
        layout: `layout_of` the graph, when many problems share it; the steps then never wait for the device.
    """
    layout, device = layout or layout_of(problem, options), problem.poses.device
    problem = replace(problem, ii=problem.ii.to(device), jj=problem.jj.to(device))
    solved = torch.ones((), dtype=torch.bool, device=device)
    for _ in range(options.iterations):
        taken = step(problem, options, layout)
        problem = replace(problem, **_moved(problem, options, layout, taken))
        solved = solved & taken.solved
    known = uncertainty_of(problem, options, layout) if options.uncertainty else None
    return Adjusted(problem.poses, problem.disps, problem.intrinsics, solved=solved, cost=taken.cost, uncertainty=known)


def step(problem: Problem, options: BundleOptions, layout: Layout) -> Step:
    """Return the next Gauss-Newton step without taking it."""
    equations = normal_equations.build(problem, options, layout)
    prior, pull = focal_prior(problem, options, layout)
    hessian, gradient = equations.hessian + prior, equations.gradient + pull
    damping = options.ep + options.lm * torch.diagonal(hessian)
    reduced, right = hessian - equations.taken_hessian, gradient - equations.taken_gradient
    solution, solved = damped_solve.solve(reduced, right, damping)
    poses, focals = solution[: 6 * layout.poses].view(-1, 6), solution[6 * layout.poses :]
    return Step(
        poses=poses,
        focals=focals,
        disparities=_disparity_steps(problem, equations, solution, solved),
        hessian=hessian + torch.diag(damping),
        gradient=gradient,
        reduced=reduced + torch.diag(damping),
        reduced_gradient=right,
        solved=solved,
        cost=equations.cost,
    )


def _disparity_steps(problem: Problem, equations: NormalEquations, solution: Tensor, solved: Tensor) -> Tensor | None:
    if not equations.disparities:
        return None
    steps = torch.cat([part.steps(solution) for part in equations.disparities])
    return torch.where(solved, steps, torch.zeros_like(steps)).unflatten(1, problem.disps.shape[1:])


def _moved(problem: Problem, options: BundleOptions, layout: Layout, taken: Step) -> dict[str, Tensor]:
    """Return poses, disparities and intrinsics after the step; what is held is not touched."""
    poses, dtype = problem.poses, problem.poses.dtype
    first, past = options.pose_range(len(poses))
    if layout.poses:
        poses = torch.cat([poses[:first], se3.retract(poses[first:past], taken.poses.to(dtype)), poses[past:]])
    moved = {"poses": poses, "disps": problem.disps, "intrinsics": problem.intrinsics}
    if taken.disparities is not None:
        rows = _in_range(problem.disps[layout.sources] + taken.disparities, options)
        moved["disps"] = problem.disps.index_copy(0, layout.sources, rows)
    if layout.focals:
        moved["intrinsics"] = _refocused(problem, options, taken.focals.to(problem.intrinsics.dtype))
    return moved


def _in_range(disps: Tensor, options: BundleOptions) -> Tensor:
    if options.disparity_range is None:
        return disps
    least, most = options.disparity_range
    if options.far_to_zero:
        disps = torch.where(disps > most, torch.zeros_like(disps), disps)
    return disps.clamp(least, most)


def _refocused(problem: Problem, options: BundleOptions, steps: Tensor) -> Tensor:
    focal, centre = problem.intrinsics.split(2, 1)
    if options.focal == "shared":
        return torch.cat([focal * (1 + steps * 2 * centre[:, :1] / focal[:, :1]), centre], 1)
    first, past = options.focal_range(len(focal))
    free = focal[first:past] * torch.exp(steps)[:, None]
    return torch.cat([torch.cat([focal[:first], free, focal[past:]]), centre], 1)
