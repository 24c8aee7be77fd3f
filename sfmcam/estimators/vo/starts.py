"""Where the bundle adjustment starts from: a flat scene, a translation that looks like a turn, or a path grown keyframe by keyframe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from sfmcam.estimators.vo.bundle import Adjuster, Freedom, Noise, Observations, Priors, State, mirrored
from sfmcam.geometry.rotation import nearest_rotation
from sfmcam.types import Float, Int

FIRST_STAGE = 5  # keyframes of the part that a path is grown from
STAGE = 3  # keyframes added at a time
GROW_ITERATIONS = 6
NEIGHBOURS = 3  # known points from which a new one takes its depth
LEAST_COSINE = 0.2  # of a turn that is taken for a translation: a wall seen more from the side says nothing
LEAST_LENGTH = 1e-3  # of a vector whose direction is taken


def flat_start(seen: Observations, rotation: Float, log_focal: Float) -> State:
    """Return cameras that only turn, before a scene of one depth: each direction is the mean of those it was seen in."""
    rays = _rays(seen, log_focal)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    return _pointing(seen, np.einsum("mji,mj->mi", rotation[seen.key], rays), rotation, np.zeros((seen.num_keys, 3)), log_focal)


def moving_start(seen: Observations, turning: State, log_focal: float) -> State:
    """Return cameras that move without turning and show a wall at depth 1 as the `turning`, zooming ones do."""
    axis = turning.rotation[:, :, 2]
    depth = np.exp(turning.log_focal[0] - turning.log_focal)
    translation = np.empty((seen.num_keys, 3))
    translation[:, :2] = (
        axis[:, :2] / np.maximum(axis[:, 2:], LEAST_COSINE) * np.exp(turning.log_focal - log_focal)[:, None] * depth[:, None]
    )
    translation[:, 2] = depth - 1
    focal = np.full(seen.num_keys, log_focal)
    rays = _rays(seen, focal) * depth[seen.key, None] - translation[seen.key]
    return _pointing(seen, rays, np.tile(np.eye(3), (seen.num_keys, 1, 1)), translation, focal)


def grown_start(seen: Observations, priors: Priors, flat: State, *, freedom: Freedom, noise: Noise) -> State:
    """Solve the first keyframes and add the next ones bit by bit, cameras extrapolated and new points at their neighbours' depth.

    For paths on which the last keyframes see little of what the first saw: there a flat start falls into false minima.
    """
    first = min(FIRST_STAGE, seen.num_keys)
    part, ids = _part(seen, first)
    known = np.zeros(seen.num_points, bool)
    known[ids] = True
    state = flat
    if len(ids) > 0:
        adjuster, coarse = Adjuster(part, priors), replace(noise, sigma=2 * noise.sigma)
        one = adjuster.solve(freedom, _of_part(flat, ids, first), coarse, iterations=2 * GROW_ITERATIONS)
        other = adjuster.solve(freedom, mirrored(one.state), coarse, iterations=2 * GROW_ITERATIONS)
        state = _merged(flat, min(one, other, key=lambda s: s.cost).state, ids)
    for begin in range(first, seen.num_keys, STAGE):
        stage = (begin, min(begin + STAGE, seen.num_keys))
        state, known = _extended(seen, priors, state, known, stage, freedom=freedom, noise=noise)
    return state


def _extended(
    seen: Observations, priors: Priors, state: State, known: np.ndarray, stage: tuple[int, int], *, freedom: Freedom, noise: Noise
) -> tuple[State, np.ndarray]:
    begin, end = stage
    part, ids = _part(seen, end)
    state = _extrapolated(state, range(begin, end))
    state = _with_new_points(seen, state, known, ids[~known[ids]])
    adjuster = Adjuster(part, priors)
    found = adjuster.solve(freedom, _of_part(state, ids, end), replace(noise, sigma=3 * noise.sigma), iterations=GROW_ITERATIONS // 2)
    found = adjuster.solve(freedom, found.state, noise, iterations=GROW_ITERATIONS)
    known = known.copy()
    known[ids] = True
    return _merged(state, found.state, ids), known


def _rays(seen: Observations, log_focal: Float) -> Float:
    return np.column_stack([seen.xy / np.exp(log_focal)[seen.key, None], np.ones(len(seen.key))])


def _pointing(seen: Observations, rays: Float, rotation: Float, translation: Float, log_focal: Float) -> State:
    first = seen.point_start[:-1]
    direction = _unit(np.add.reduceat(rays, first, axis=0), rays[first])
    return State(rotation.copy(), translation.copy(), np.array(log_focal, float), direction, np.ones(seen.num_points))


def _unit(vectors: Float, otherwise: Float) -> Float:
    """Return unit vectors along `vectors` (N, 3), or along `otherwise` (N, 3) where those have hardly a length, or else ahead."""
    for candidate in (otherwise, np.array([0.0, 0.0, 1.0])):
        vectors = np.where(np.linalg.norm(vectors, axis=1, keepdims=True) < LEAST_LENGTH, candidate, vectors)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _part(seen: Observations, num_keys: int) -> tuple[Observations, Int]:
    """Return the observations in the first `num_keys` keyframes of the points seen at least twice there, and those points' numbers."""
    point = seen.point
    keep = seen.key < num_keys
    count = np.bincount(point[keep], minlength=seen.num_points)
    keep &= count[point] >= 2
    ids = np.flatnonzero(count >= 2)
    start = np.concatenate([[0], np.cumsum(count[ids])])
    return Observations(start.astype(np.int64), seen.key[keep], np.ascontiguousarray(seen.xy[keep]), seen.weight[keep], num_keys), ids


def _of_part(state: State, ids: Int, num_keys: int) -> State:
    cameras = (state.rotation[:num_keys], state.translation[:num_keys], state.log_focal[:num_keys])
    return State(*cameras, state.direction[ids], state.rho[ids])


def _merged(state: State, part: State, ids: Int) -> State:
    n = len(part.rotation)
    direction, rho = state.direction.copy(), state.rho.copy()
    direction[ids], rho[ids] = part.direction, part.rho
    return State(
        np.concatenate([part.rotation, state.rotation[n:]]),
        np.concatenate([part.translation, state.translation[n:]]),
        np.concatenate([part.log_focal, state.log_focal[n:]]),
        direction,
        rho,
    )


def _extrapolated(state: State, keys: Sequence[int]) -> State:
    """Go on as between the last two keyframes."""
    rotation, translation, log_focal = state.rotation.copy(), state.translation.copy(), state.log_focal.copy()
    for k in keys:
        centers = -np.einsum("kji,kj->ki", rotation[k - 2 : k], translation[k - 2 : k])
        rotation[k] = nearest_rotation(rotation[k - 1] @ rotation[k - 2].T @ rotation[k - 1])  # else rounding grows by 2.4 a time
        translation[k] = -rotation[k] @ (2 * centers[1] - centers[0])
        log_focal[k] = log_focal[k - 1]
    return State(rotation, translation, log_focal, state.direction, state.rho)


def _with_new_points(seen: Observations, state: State, known: np.ndarray, new: Int) -> State:
    """Place points along the ray of their first observation, as deep as the known points near it."""
    direction, rho = state.direction.copy(), state.rho.copy()
    born, point = seen.key[seen.point_start[:-1]], seen.point
    for k in np.unique(born[new]):
        here = new[born[new] == k]
        xy = seen.xy[seen.point_start[here]]
        rows = np.flatnonzero((seen.key == k) & known[point])
        inverse = np.ones(len(here))
        if len(rows) >= NEIGHBOURS:
            near = point[rows]
            depth = (direction[near] @ state.rotation[k].T + rho[near, None] * state.translation[k])[:, 2]
            of_known = rho[near] / np.maximum(depth, 0.05)
            inverse = np.median(of_known[cKDTree(seen.xy[rows]).query(xy, k=NEIGHBOURS)[1]], axis=1)
        rays = np.column_stack([xy / np.exp(state.log_focal[k]), np.ones(len(here))])
        placed = (rays - inverse[:, None] * state.translation[k]) @ state.rotation[k]
        length = np.maximum(np.linalg.norm(placed, axis=1), LEAST_LENGTH)
        direction[here], rho[here] = _unit(placed, rays @ state.rotation[k]), np.clip(inverse / length, 0.02, 4.0)
    return replace(state, direction=direction, rho=rho)
