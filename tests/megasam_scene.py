"""A small scene for the tests of the dense bundle adjustment: a camera before a wavy wall, its true flow between keyframes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from sfmcam.estimators.megasam import camera, graph, se3

if TYPE_CHECKING:
    from sfmcam.estimators.megasam.problem import Problem


def make_scene(*, frames: int = 6, size: tuple[int, int] = (12, 16), zoom: float = 0.0, move: float = 0.25, turn: float = 0.06) -> Problem:
    """Return a problem at its solution, in float64: targets are where the pixels fall, weights 1.

    The camera goes sideways and ahead by about `move`, turns by `turn` radians, and its focal length grows by the factor exp(zoom).
    Disparities lie between 0.35 and 0.85. Edges join frames up to three apart.
    """
    from sfmcam.estimators.megasam.problem import Problem

    height, width = size
    time = torch.linspace(0, 1, frames, dtype=torch.float64)
    path = torch.stack([move * time, 0.2 * move * torch.sin(3 * time), -0.8 * move * time**2], 1)
    turns = turn * torch.stack([torch.sin(2 * time), time, 0.5 * torch.cos(4 * time) - 0.5], 1)
    poses = se3.exp(torch.cat([path, turns], 1))
    x, y = camera.grid(height, width, like=time).unbind(-1)
    phase = time[:, None, None]
    disps = 0.6 + 0.15 * torch.sin(0.7 * x + 3 * phase) + 0.1 * torch.cos(0.9 * y - 2 * phase)
    focal = 1.1 * width * torch.exp(zoom * time)
    centre = torch.tensor([(width - 1) / 2, (height - 1) / 2], dtype=torch.float64).expand(frames, 2)
    intrinsics = torch.cat([focal[:, None], focal[:, None], centre], 1)
    ii, jj = torch.from_numpy(graph.neighbourhood_edges(0, frames, radius=3)).unbind(1)
    coords = camera.reproject(poses, disps, intrinsics, ii=ii, jj=jj).coords
    return Problem(poses, disps, intrinsics, coords, torch.ones_like(coords), torch.full_like(disps, 1e-6), ii, jj)


def disturbed(problem: Problem, *, pose: float = 0.02, disparity: float = 0.1, seed: int = 0) -> Problem:
    """Return the problem with wrong poses (tangent noise; the first stays) and disparities (by a factor of noise)."""
    generator = torch.Generator().manual_seed(seed)
    xi = pose * torch.randn(len(problem.poses), 6, generator=generator, dtype=problem.poses.dtype)
    xi[0] = 0
    factor = torch.exp(disparity * torch.randn(problem.disps.shape, generator=generator, dtype=problem.disps.dtype))
    return replace(problem, poses=se3.retract(problem.poses, xi), disps=problem.disps * factor)


def pose_errors(found: torch.Tensor, true: torch.Tensor) -> tuple[float, float]:
    """Return the largest rotation error in degrees, and the largest translation error over the length of the path, scale fitted.

    Poses are relative to the first frame's.
    """
    first, other = (se3.compose(p, se3.inverse(p[:1])) for p in (found, true))
    apart = se3.log(se3.compose(first, se3.inverse(other)))[:, 3:].norm(dim=1).max()
    centres, want = se3.inverse(first)[:, :3], se3.inverse(other)[:, :3]
    scale = (centres * want).sum() / (centres * centres).sum()
    length = (want[-1] - want[0]).norm()
    return float(torch.rad2deg(apart)), float((scale * centres - want).norm(dim=1).max() / length)
