"""One round of the tracker: the operator revises the edges, then the adjustment follows it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sfmcam.estimators.megasam import bundle, camera
from sfmcam.estimators.megasam.operator import Sight, UpdateOperator
from sfmcam.estimators.megasam.problem import BundleOptions, Problem
from sfmcam.estimators.megasam.state import Edges, Keyframes, State

MIN_DISPARITY = 1e-3
MISFIT_SCALE = 0.1  # 1/8 pixels


@dataclass(frozen=True)
class Adjustment:
    """What one adjustment may change, beside `BundleOptions`: `reach` is the first keyframe whose retired edges still weigh in."""

    options: BundleOptions
    reach: int = 0
    prior_log_focal: Tensor | None = None


def open_edges(operator: UpdateOperator, keyframes: Keyframes, ii: Tensor, jj: Tensor) -> Edges:
    """Return new edges, aimed where the present belief sees the cells."""
    if not len(ii):
        return Edges.none(keyframes.disps)
    coords = camera.reproject(keyframes.poses, keyframes.disps, keyframes.intrinsics, ii=ii, jj=jj).coords
    memory = operator.open([keyframes.features[i] for i in ii.tolist()], [keyframes.features[j] for j in jj.tolist()])
    return Edges(ii, jj, torch.zeros_like(ii), coords, torch.zeros_like(coords), torch.ones_like(coords[..., 0]), memory)


def revise(operator: UpdateOperator, keyframes: Keyframes, edges: Edges, *, chunk_frames: int = 0) -> Edges:
    """Return the edges as the operator sees them after the present belief; the damping of the keyframes is updated in place.

    Args:
        operator: what looks.
        keyframes: the present belief.
        edges: the edges, with their memory.
        chunk_frames: so many source frames are looked at in one call; 0: all.
    """
    if not len(edges):
        return edges
    frames = torch.unique(edges.ii)
    if chunk_frames and len(frames) > chunk_frames:
        parts = [_revised(operator, keyframes, edges.select(torch.isin(edges.ii, some))) for some in frames.split(chunk_frames)]
        joined = parts[0]
        for part in parts[1:]:
            joined = joined.join(part)
        return joined
    return _revised(operator, keyframes, edges)


def _revised(operator: UpdateOperator, keyframes: Keyframes, edges: Edges) -> Edges:
    seen = camera.reproject(keyframes.poses, keyframes.disps, keyframes.intrinsics, ii=edges.ii, jj=edges.jj)
    memory, said = operator.revise(edges.memory, Sight(edges.ii, seen.coords, edges.target))
    frames = torch.unique(edges.ii)
    keyframes.eta[frames] = said.eta.to(keyframes.eta)
    weight = said.weight * keyframes.static_mask[edges.ii][..., None]
    return Edges(edges.ii, edges.jj, edges.age + 1, said.target, weight, said.static_probability, memory)


def adjust(state: State, how: Adjustment) -> bundle.Adjusted:
    """Move poses, disparities and focal lengths of the state to where its edges are, and return what the adjustment said."""
    frames, edges = state.keyframes, state.active
    if len(state.retired):
        near = (state.retired.ii >= how.reach) & (state.retired.jj >= how.reach)
        edges = edges.forget().join(state.retired.select(near))
    done = bundle.adjust(problem_of(frames, edges, how.prior_log_focal), how.options)
    frames.poses, frames.intrinsics = done.poses, done.intrinsics
    if not how.options.motion_only:
        frames.disps = done.disps.clamp(min=MIN_DISPARITY)
    return done


def problem_of(frames: Keyframes, edges: Edges, prior_log_focal: Tensor | None = None) -> Problem:
    """Return the adjustment of some edges between keyframes."""
    return Problem(
        poses=frames.poses,
        disps=frames.disps,
        intrinsics=frames.intrinsics,
        target=edges.target,
        weight=edges.weight,
        eta=frames.eta,
        ii=edges.ii,
        jj=edges.jj,
        prior_disps=frames.prior_disps,
        prior_log_focal=prior_log_focal,
    )


def rounds(state: State, operator: UpdateOperator, how: Adjustment, *, count: int, chunk_frames: int = 0, early_stop: float = 0.0) -> int:
    """Revise and adjust up to `count` times; return how often, having stopped once no pose moved by more than `early_stop`."""
    for number in range(count):
        before = state.keyframes.poses
        state.active = revise(operator, state.keyframes, state.active, chunk_frames=chunk_frames)
        adjust(state, how)
        if early_stop and float((state.keyframes.poses - before).abs().max()) < early_stop:
            return number + 1
    return count


def misfit(state: State) -> float:
    """Return the mean of log(1 + r^2 / s^2) over the trusted cells of the active edges, with s of 0.1 of 1/8 pixels: Cauchy's cost."""
    frames, edges = state.keyframes, state.active
    seen = camera.reproject(frames.poses, frames.disps, frames.intrinsics, ii=edges.ii, jj=edges.jj)
    trust = edges.weight.amin(dim=-1) / edges.static.clamp(min=1e-6)
    cost = torch.log1p((edges.target - seen.coords).square().sum(dim=-1) / MISFIT_SCALE**2)
    return float((trust * cost).sum() / trust.sum().clamp(min=1e-9))
