"""Windows made up for the tests of the bundle adjustment: what cameras see of points, exactly or with noise, whole or in parts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sfmcam.estimators.vo.bundle import Observations, State
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Bool, Float


def observations(xy: Float, seen: Bool) -> Observations:
    """Return the observations of positions (P, K, 2) where `seen` (P, K)."""
    point, key = np.nonzero(seen)
    start = np.searchsorted(point, np.arange(len(seen) + 1))
    return Observations(start.astype(np.int64), key.astype(np.int64), xy[point, key], np.ones(len(key)), seen.shape[1])


def true_state(rng: np.random.Generator, *, keys: int, points: int, turn: float = 0.15, move: float = 0.4, zoom: float = 0.2) -> State:
    """Return cameras that end about `turn` rad, `move` scene depths and `zoom` off where they began, and points ahead of them."""
    share = np.linspace(0, 1, keys)[:, None]
    rotation = rotation_from_vector(share * rng.normal(0, 1, 3) * turn)
    centers = share * rng.normal(0, 1, 3) * move + np.sin(3 * share) * rng.normal(0, 0.3, 3) * move
    centers -= centers[0]
    bearing = np.column_stack([rng.uniform(-0.6, 0.6, points), rng.uniform(-0.4, 0.4, points), np.ones(points)])
    length = np.linalg.norm(bearing, axis=1)
    return State(
        rotation,
        -np.einsum("kij,kj->ki", rotation, centers),
        np.log(0.7) + zoom * share[:, 0],
        bearing / length[:, None],
        rng.uniform(0.4, 1.6, points) / length,
    )


def seen_by(state: State, *, rng: np.random.Generator | None = None, noise: float = 0.0, seen: Bool | None = None) -> Observations:
    """Return what the cameras of `state` see of its points, with `noise` in long sides; everything unless `seen` (P, K) says otherwise."""
    in_camera = np.einsum("kij,pj->pki", state.rotation, state.direction) + state.rho[:, None, None] * state.translation
    xy = np.exp(state.log_focal)[:, None] * in_camera[..., :2] / in_camera[..., 2:]
    if rng is not None:
        xy = xy + rng.normal(0, noise, xy.shape)
    return observations(xy, np.ones(xy.shape[:2], bool) if seen is None else seen)


def short_lived(rng: np.random.Generator, *, keys: int, points: int, length: int) -> Bool:
    """Return (P, K): every point seen in `length` keyframes in a row."""
    first = rng.integers(0, keys - length + 1, points)[:, None]
    every = np.arange(keys)
    return np.asarray((every >= first) & (every < first + length))


Odd = Callable[[np.random.Generator, int, int], Observations]


def _flow(rng: np.random.Generator, points: int, keys: int, *, pace: float) -> Float:
    place = rng.uniform(-0.5, 0.5, (points, 1, 2)) * np.array([1, 0.56])
    return np.asarray(place + rng.normal(0, pace, (1, keys, 2)).cumsum(axis=1))


def _blind(rng: np.random.Generator, points: int, keys: int) -> Observations:
    seen = np.ones((points, keys), bool)
    if keys >= 4:
        seen[:, keys // 2 : keys // 2 + keys // 4] = False
    return observations(_flow(rng, points, keys, pace=0.01), seen)


def _broken(rng: np.random.Generator, points: int, keys: int) -> Observations:
    seen = np.ones((points, keys), bool)
    if keys >= 4:
        seen[::2, keys // 2 :] = False
        seen[1::2, : keys // 2] = False
    return observations(_flow(rng, points, keys, pace=0.01), seen)


ODD: dict[str, Odd] = {
    "noise only": lambda rng, points, keys: observations(rng.uniform(-0.5, 0.5, (points, keys, 2)), np.ones((points, keys), bool)),
    "at rest": lambda rng, points, keys: observations(
        np.repeat(_flow(rng, points, 1, pace=0), keys, axis=1), np.ones((points, keys), bool)
    ),
    "one place": lambda rng, points, keys: observations(np.zeros((points, keys, 2)), np.ones((points, keys), bool)),
    "jumps": lambda rng, points, keys: observations(_flow(rng, points, keys, pace=0.3), np.ones((points, keys), bool)),
    "leaves": lambda rng, points, keys: observations(
        _flow(rng, points, keys, pace=0) + np.linspace(0, 30, keys)[:, None], np.ones((points, keys), bool)
    ),
    "seen twice": lambda rng, points, keys: observations(
        _flow(rng, points, keys, pace=0.02), short_lived(rng, keys=keys, points=points, length=2)
    ),
    "keyframes without points": _blind,
    "two parts": _broken,
}


def is_finite(state: State) -> bool:
    """Tell whether no number of a state is infinite or undefined and its rotations are rotations."""
    numbers = (state.rotation, state.translation, state.log_focal, state.direction, state.rho)
    return all(np.isfinite(values).all() for values in numbers) and np.allclose(np.linalg.det(state.rotation), 1, atol=1e-9)
