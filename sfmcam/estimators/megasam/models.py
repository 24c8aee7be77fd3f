"""The motions that a window may have gone through, each fitted to the same flow, and how much each is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sfmcam.estimators.megasam import camera, se3
from sfmcam.estimators.megasam.backend import STIFF, UNIT, FocalPrior, adjust_all, backend_options
from sfmcam.estimators.megasam.operator import UpdateOperator
from sfmcam.estimators.megasam.options import TrackerOptions
from sfmcam.estimators.megasam.refine import problem_of
from sfmcam.estimators.megasam.state import Edges, Keyframes, State, copy_of
from sfmcam.estimators.megasam.turning import FlowSeen, Turning, TurningPrior, fit_turning
from sfmcam.estimators.megasam.uncertainty import uncertainty_of
from sfmcam.estimators.vo.bundle import Freedom
from sfmcam.estimators.vo.options import ModelBelief
from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.types import Float

CELL_STEP = 2  # every so many cells across and down are compared
AT_INFINITY = 1e-15  # disparity of a scene before a camera that only turns
LEAST_NOISE = 0.04  # 1/8 pixels
TRUSTED = 0.05


@dataclass(frozen=True)
class Fit:
    """One motion model of a window.

    Attributes:
        state: keyframes as the model has them.
        off: (E, n) distance between where cells are seen and where the model puts them, in 1/8 pixels.
        sigma: (K, 7) one-sigma of rotation vector, translation (in the keyframes' own unit) and log focal against the first keyframe.
    """

    state: State
    off: Float
    sigma: Float


def fit_models(moving: State, operator: UpdateOperator, options: TrackerOptions, *, prior_log_focal: Tensor) -> dict[Freedom, Fit]:
    """Fit every model, the moving ones from where the backend left `moving`, whose focal length has not been freed.

    Args:
        moving: keyframes and edges after the backend.
        operator: what looks.
        options: focal priors and schedule.
        prior_log_focal: (K,) of fx in 1/8 pixels.
    """
    found: dict[Freedom, Fit] = {}
    seen = flow_seen(moving)
    prior = TurningPrior(float(prior_log_focal.mean()), options.focal_log_sigma, options.focal_step_sigma)
    count = len(moving.keyframes)
    for freedom in (Freedom.STATIC, Freedom.ROTATION, Freedom.ROTATION_ZOOM):
        turning = fit_turning(seen, count, prior, turns=freedom.turns, zooms=freedom.zooms)
        found[freedom] = Fit(turned(moving, turning), turning.off, _with_rest(turning.sigma))
    for freedom, step in ((Freedom.ROTATION_TRANSLATION, STIFF), (Freedom.ALL, options.focal_step_sigma)):
        state = copy_of(found[Freedom.ROTATION_TRANSLATION].state if freedom is Freedom.ALL else moving)
        focal = FocalPrior(prior_log_focal, options.focal_log_sigma, step)
        adjust_all(state, operator, options.schedule, prior=focal, count=options.schedule.focal_updates)
        found[freedom] = Fit(state, residuals(state), moving_sigma(state, options, focal))
    return found


def flow_seen(state: State) -> FlowSeen:
    """Return the flow of a state's active edges, on every other cell, as the turning camera is fitted to."""
    edges, frames = state.active, state.keyframes
    height, width = frames.disps.shape[1:]
    centre = frames.intrinsics[0, 2:].double()
    cells = camera.grid(height, width, like=frames.disps)[::CELL_STEP, ::CELL_STEP].double() - centre
    target = edges.target[:, ::CELL_STEP, ::CELL_STEP].double() - centre
    return FlowSeen(
        edges.ii.cpu().numpy(),
        edges.jj.cpu().numpy(),
        cells.flatten(0, 1).cpu().numpy(),
        target.flatten(1, 2).cpu().numpy(),
        _trust(edges)[:, ::CELL_STEP, ::CELL_STEP].flatten(1, 2).double().cpu().numpy(),
    )


def _trust(edges: Edges) -> Tensor:
    """Return (E, h, w, 2) the weight of the edges without the static probability, which depends on the model."""
    return edges.weight / edges.static.clamp(min=1e-6)[..., None]


def residuals(state: State) -> Float:
    """Return (E, n) the distances between where cells are seen and where a state puts them, in 1/8 pixels."""
    frames, edges = state.keyframes, state.active
    coords = camera.reproject(frames.poses, frames.disps, frames.intrinsics, ii=edges.ii, jj=edges.jj).coords
    off = torch.linalg.vector_norm(edges.target - coords, dim=-1)[:, ::CELL_STEP, ::CELL_STEP]
    return np.asarray(off.flatten(1).double().cpu().numpy())


def turned(state: State, turning: Turning) -> State:
    """Return a state with the cameras of a turning one before a scene at infinity."""
    frames = state.keyframes
    poses = torch.from_numpy(rigid_from_parts(turning.rotation, np.zeros((len(frames), 3)))).to(frames.poses)
    focal = torch.from_numpy(np.exp(turning.log_focal)).to(frames.intrinsics)
    ratio = (focal / frames.intrinsics[:, 0])[:, None]
    intrinsics = torch.cat([frames.intrinsics[:, :2] * ratio, frames.intrinsics[:, 2:]], 1)
    made = Keyframes(
        frames.index,
        frames.features,
        se3.from_matrix(poses),
        torch.full_like(frames.disps, AT_INFINITY),
        frames.prior_disps,
        intrinsics,
        frames.eta.clone(),
        frames.static_mask,
    )
    return State(made, state.active, state.retired)


def moving_sigma(state: State, options: TrackerOptions, prior: FocalPrior) -> Float:
    """Return (K, 7) one-sigma of a moving camera: what the edges say with disparities eliminated, errors taken as alike over cells."""
    count = len(state.keyframes)
    how = backend_options(options.schedule, count, prior)
    known = uncertainty_of(problem_of(state.keyframes, state.active, prior.log_focal), how)
    noise = float(known.noise.clamp(min=UNIT / 16)) * 16 * len(state.active) / (2 * count)
    variance = known.pose_covariance.diagonal(dim1=1, dim2=2).cpu().numpy() * noise
    focal = known.focal_covariance.cpu().numpy() * noise
    against_first = np.diagonal(focal) + focal[0, 0] - 2 * focal[0]
    sigma = np.zeros((count, 7))
    sigma[1:, :3], sigma[1:, 3:6] = np.sqrt(np.maximum(variance[:, 3:], 0)), np.sqrt(np.maximum(variance[:, :3], 0))
    sigma[:, 6] = np.sqrt(np.maximum(against_first, 0))
    return sigma


def _with_rest(sigma: Float) -> Float:
    """Return (K, 7) from the (K, 4) of a turning camera."""
    return np.hstack([sigma[:, :3], np.zeros((len(sigma), 3)), sigma[:, 3:]])


def noise_of(found: Mapping[Freedom, Fit], seen: FlowSeen) -> float:
    """Return the one-sigma error of a coordinate of the flow, in 1/8 pixels: by the model that fits best."""
    trusted = seen.weight.min(axis=-1) > TRUSTED
    if not trusted.any():
        return LEAST_NOISE
    return max(min(float(np.median(fit.off[trusted])) for fit in found.values()) / 1.18, LEAST_NOISE)


def model_weights(found: Mapping[Freedom, Fit], seen: FlowSeen, belief: ModelBelief) -> dict[Freedom, float]:
    """Return the weight of every `Freedom`, together 1, 0 of those that were not fitted; by likelihood as in `vo.select.model_weights`."""
    trust = seen.weight.min(axis=-1)
    travelled2 = ((seen.target - seen.source) ** 2).sum(axis=-1)
    scale2 = (belief.noises * noise_of(found, seen)) ** 2 + belief.bend**2 * travelled2
    log = {
        f: np.log(belief.prior(f)) - belief.observations * float(np.average(np.log1p(fit.off**2 / scale2), weights=trust + 1e-9))
        for f, fit in found.items()
    }
    top = max(log.values())
    weight = {f: float(np.exp(log[f] - top)) if f in log else 0.0 for f in Freedom}
    total = sum(weight.values())
    return {f: w / total for f, w in weight.items()}


def parallax_of(found: Mapping[Freedom, Fit], seen: FlowSeen) -> float:
    """Return the median distance, in 1/8 pixels, that is left over when rotation and zoom are taken out; NaN where they were not fitted."""
    trusted = seen.weight.min(axis=-1) > TRUSTED
    if Freedom.ROTATION_ZOOM not in found or not trusted.any():
        return float("nan")
    return float(np.median(found[Freedom.ROTATION_ZOOM].off[trusted]))
