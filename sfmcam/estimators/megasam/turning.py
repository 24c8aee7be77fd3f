"""The camera that only turns, or turns and zooms, fitted to the same flow as the camera that moves: what the full model must beat.

A cell of frame i with ray r is seen in frame j in the direction R_j R_i^T r whatever its depth (the infinite homography). Unknown
are a rotation and a log focal length per keyframe; the first rotation is the identity, and the mean log focal is held by a
normal prior, since a small turn hardly tells it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Float, Int

ITERATIONS = 12
STEP_ENOUGH = 1e-6
HUGE = 1e12  # information that fixes an unknown


@dataclass(frozen=True)
class FlowSeen:
    """Where cells are seen: E edges of n cells on the 1/8 grid, relative to the principal point.

    Attributes:
        ii, jj: (E,) source and target keyframe.
        source: (n, 2) the cells.
        target: (E, n, 2) where they are seen.
        weight: (E, n, 2) how much that is believed by what the pictures say, 0..1.
    """

    ii: Int
    jj: Int
    source: Float
    target: Float
    weight: Float


@dataclass(frozen=True)
class TurningPrior:
    """Normal priors on the log focal length, in 1/8 pixels: of the clip's mean, and of the step between neighbouring keyframes."""

    log_focal: float
    log_focal_sigma: float = 0.25
    step_sigma: float = 0.1
    change_sigma: float = 0.03


@dataclass(frozen=True)
class Turning:
    """A camera that turns and zooms on the spot.

    Attributes:
        rotation: (K, 3, 3) keyframe from first keyframe.
        log_focal: (K,) of the focal length in 1/8 pixels.
        off: (E, n) distance between where cells are seen and where this camera sees them, in 1/8 pixels.
        sigma: (K, 4) one-sigma of rotation vector (rad) and log focal against the first keyframe.
    """

    rotation: Float
    log_focal: Float
    off: Float
    sigma: Float


def fit_turning(
    seen: FlowSeen, num_keys: int, prior: TurningPrior, *, turns: bool = True, zooms: bool = True, noise: float = 0.1
) -> Turning:
    """Fit by Gauss-Newton with robust weights.

    Args:
        seen: the flow.
        num_keys: K.
        prior: of the focal length.
        turns: whether rotations are free.
        zooms: whether each keyframe has a focal length of its own; else all have one.
        noise: least residual, in 1/8 pixels, that the robust scale stands for.
    """
    rotation, log_focal = np.tile(np.eye(3), (num_keys, 1, 1)), np.full(num_keys, prior.log_focal)
    information = np.eye(4 * num_keys)
    for _ in range(ITERATIONS):
        off, jacobian = _residuals(seen, rotation, log_focal)
        weight = _robust(seen.weight, off, noise)
        information, gradient = _normal_equations(seen, jacobian, off, weight, num_keys)
        _add_priors(information, gradient, log_focal, prior=prior, zooms=zooms, turns=turns)
        step = np.linalg.solve(information, gradient).reshape(num_keys, 4)
        rotation = rotation_from_vector(np.asarray(step[:, :3], np.float64)) @ rotation
        log_focal = log_focal + step[:, 3]
        if np.abs(step).max() < STEP_ENOUGH:
            break
    off, _ = _residuals(seen, rotation, log_focal)
    return Turning(rotation, log_focal, np.linalg.norm(off, axis=-1), _sigma(information, num_keys))


def _residuals(seen: FlowSeen, rotation: Float, log_focal: Float) -> tuple[Float, NDArray[np.float64]]:
    """Return target minus prediction (E, n, 2), and d prediction / d (rotation j, log focal j, rotation i, log focal i): (E, n, 2, 8)."""
    focal = np.exp(log_focal)
    ray = np.concatenate([seen.source[None] / focal[seen.ii][:, None, None], np.ones((len(seen.ii), len(seen.source), 1))], axis=2)
    turn = rotation[seen.jj] @ rotation[seen.ii].transpose(0, 2, 1)
    x, y, z = np.moveaxis(ray @ turn.transpose(0, 2, 1), 2, 0)
    s = 1.0 / np.maximum(z, 0.1)
    p, q, f = x * s, y * s, focal[seen.jj][:, None]
    jacobian = np.empty((*p.shape, 2, 8))
    jacobian[..., 0, 0], jacobian[..., 0, 1], jacobian[..., 0, 2], jacobian[..., 0, 3] = -f * p * q, f * (1 + p * p), -f * q, f * p
    jacobian[..., 1, 0], jacobian[..., 1, 1], jacobian[..., 1, 2], jacobian[..., 1, 3] = -f * (1 + q * q), f * p * q, f * p, f * q
    jacobian[..., 4:7] = -jacobian[..., :3] @ turn[:, None]
    bent = -(turn[:, None, :, :2] @ ray[..., :2, None])[..., 0]
    jacobian[..., 0, 7], jacobian[..., 1, 7] = f * s * (bent[..., 0] - p * bent[..., 2]), f * s * (bent[..., 1] - q * bent[..., 2])
    return seen.target - np.stack([f * p, f * q], axis=-1), jacobian


def _robust(trust: Float, off: Float, noise: float) -> Float:
    """Return trust times Geman and McClure's weight; the scale follows the median residual of the trusted cells of all edges."""
    distance = np.linalg.norm(off, axis=-1)
    trusted = trust.min(axis=-1) > 0.05
    middle = float(np.median(distance[trusted])) if trusted.any() else 0.0
    scale2 = 9.0 * (middle**2 + noise**2)
    return np.asarray(trust * ((scale2 / (scale2 + distance**2)) ** 2)[..., None] / (middle**2 + noise**2), np.float64)


def _normal_equations(seen: FlowSeen, jacobian: Float, off: Float, weight: Float, num_keys: int) -> tuple[Float, Float]:
    edges, cells = off.shape[:2]
    flat, weighed = jacobian.reshape(edges, cells * 2, 8), (jacobian * weight[..., None]).reshape(edges, cells * 2, 8)
    blocks = weighed.transpose(0, 2, 1) @ flat
    sides = (weighed.transpose(0, 2, 1) @ off.reshape(edges, cells * 2, 1))[..., 0]
    information, gradient = np.zeros((num_keys, num_keys, 4, 4)), np.zeros((num_keys, 4))
    for a, rows in enumerate((seen.jj, seen.ii)):
        np.add.at(gradient, rows, sides[:, 4 * a : 4 * a + 4])
        for b, columns in enumerate((seen.jj, seen.ii)):
            np.add.at(information, (rows, columns), blocks[:, 4 * a : 4 * a + 4, 4 * b : 4 * b + 4])
    return information.transpose(0, 2, 1, 3).reshape(4 * num_keys, 4 * num_keys), gradient.reshape(-1)


def _add_priors(information: Float, gradient: Float, log_focal: Float, *, prior: TurningPrior, zooms: bool, turns: bool) -> None:
    """Add the priors in place; what is not free is fixed by a huge information."""
    count = len(log_focal)
    focal, diagonal = np.arange(count) * 4 + 3, np.einsum("ii->i", information)
    diagonal += 1e-9
    mean = np.full(count, 1.0 / count)
    _add_term(information, gradient, focal, mean, float(prior.log_focal - log_focal.mean()), 1 / prior.log_focal_sigma**2)
    for k in range(count - 1):
        row = np.zeros(count)
        row[k : k + 2] = -1.0, 1.0
        _add_term(information, gradient, focal, row, float(-row @ log_focal), 1 / prior.step_sigma**2 if zooms else HUGE)
    for k in range(count - 2):
        row = np.zeros(count)
        row[k : k + 3] = 1.0, -2.0, 1.0
        _add_term(information, gradient, focal, row, float(-row @ log_focal), 1 / prior.change_sigma**2)
    fixed = np.arange(3) if turns else np.setdiff1d(np.arange(4 * count), focal)
    diagonal[fixed] += HUGE
    if not turns:
        gradient[fixed] = 0.0


def _add_term(information: Float, gradient: Float, focal: Int, row: Float, off: float, weight: float) -> None:
    information[np.ix_(focal, focal)] += weight * np.outer(row, row)
    gradient[focal] += weight * row * off


def _sigma(information: Float, num_keys: int) -> Float:
    """Return (K, 4) one-sigma of the difference from the first keyframe."""
    covariance = np.linalg.inv(information).reshape(num_keys, 4, num_keys, 4)
    k, a = np.arange(num_keys)[:, None], np.arange(4)[None]
    variance = covariance[k, a, k, a] + covariance[0, a, 0, a] - 2 * covariance[k, a, 0, a]
    return np.sqrt(np.maximum(variance, 0.0))
