"""Bundle adjustment of one window: cameras with a focal length each, points as direction and inverse depth, priors, robust weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from sfmcam.estimators.vo import kernels
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Float, Int

CAMERA = kernels.CAMERA
MAX_TURN = 0.3  # of one step, in rad and in log focal
MAX_MOVE = 0.5  # of one step, in scene depths
RHO_RANGE = (-0.02, 8.0)  # inverse depth in units of the median; a little below zero, for points at infinity seen with noise
ROBUST_SIGMAS = 3.0  # scale of Geman and McClure's function, in sigmas
FIRST_DAMPING = 1e-3
LOG_FOCAL = float(np.log(0.65))  # a horizontal field of view of 75 degrees: between phones and films, which are wider, and long lenses
TURN_SIGMA = 0.3  # rad, what a rotation may be a priori when models are compared
TRIALS = 5  # of a step with more and more damping before a minimum is accepted


class Freedom(Enum):
    """What a motion model leaves free: (rotation, translation, zoom)."""

    STATIC = (False, False, False)
    ROTATION = (True, False, False)
    ROTATION_ZOOM = (True, False, True)
    TRANSLATION = (False, True, False)
    ROTATION_TRANSLATION = (True, True, False)
    ALL = (True, True, True)

    @property
    def turns(self) -> bool:
        """Whether rotations are free."""
        return self.value[0]

    @property
    def moves(self) -> bool:
        """Whether translations are free."""
        return self.value[1]

    @property
    def zooms(self) -> bool:
        """Whether every keyframe has a focal length of its own."""
        return self.value[2]


@dataclass(frozen=True)
class Observations:
    """Where the points of a window are seen in its keyframes; rows sorted by point.

    Attributes:
        point_start: (P + 1,) first row of each point, and M.
        key: (M,) keyframe number.
        xy: (M, 2) position relative to the principal point, in long sides of the picture.
        weight: (M,) trust, 1 for a point that is surely static.
        num_keys: K.
    """

    point_start: Int
    key: Int
    xy: Float
    weight: Float
    num_keys: int

    @property
    def num_points(self) -> int:
        """P."""
        return len(self.point_start) - 1

    @property
    def point(self) -> Int:
        """(M,) point number of each row."""
        return np.repeat(np.arange(self.num_points), np.diff(self.point_start))


@dataclass(frozen=True)
class State:
    """Cameras and points of a window.

    Attributes:
        rotation: (K, 3, 3) keyframe from first keyframe.
        translation: (K, 3) in units of the reciprocal of `rho`.
        log_focal: (K,) of the focal length in long sides.
        direction: (P, 3) unit vectors in the first keyframe's axes.
        rho: (P,) inverse depth along `direction`.
    """

    rotation: Float
    translation: Float
    log_focal: Float
    direction: Float
    rho: Float

    @property
    def centers(self) -> Float:
        """(K, 3) positions of the cameras in the first keyframe's axes."""
        return -np.einsum("kji,kj->ki", self.rotation, self.translation)


@dataclass(frozen=True)
class Priors:
    """What is believed before looking: normal distributions.

    Attributes:
        log_focal: mean of the clip's mean log focal, in long sides.
        log_focal_sigma: its standard deviation.
        zoom_step_sigma: of the change of log focal between neighbouring keyframes.
        zoom_change_sigma: of the change of that change: zooms run smoothly.
        rho_sigma: of a point's inverse depth about 1, the unit of length.
        translation_sigma: of a camera's position.
    """

    log_focal: float = LOG_FOCAL
    log_focal_sigma: float = 0.25
    zoom_step_sigma: float = 0.1
    zoom_change_sigma: float = 0.03
    rho_sigma: float = 1.0
    translation_sigma: float = 2.0


@dataclass(frozen=True)
class Noise:
    """Noise of the observations.

    Attributes:
        sigma: of a coordinate, in long sides.
        correlation: how many observations of a track hold as much as one independent one: scales the data against the priors.
    """

    sigma: float
    correlation: float = 1.0


@dataclass(frozen=True)
class Solution:
    """A minimum.

    Attributes:
        state: where.
        cost: twice the negative log posterior.
        squared: (M,) squared reprojection errors, in long sides squared.
    """

    state: State
    cost: float
    squared: Float


@dataclass(frozen=True)
class Evidence:
    """What speaks for a model.

    Attributes:
        log_evidence: of the observations under the model; comparable between models with the same noise.
        covariance: (7 K, 7 K) of the cameras' parameters, points marginalised; zero where the model holds a parameter.
    """

    log_evidence: float
    covariance: Float


class Adjuster:
    """Levenberg-Marquardt over one window; keeps its work arrays between calls."""

    def __init__(self, seen: Observations, priors: Priors) -> None:
        self.seen, self.priors = seen, priors
        k, p, m = seen.num_keys, seen.num_points, len(seen.key)
        self._h_cam, self._g_cam = np.empty((k, CAMERA, CAMERA)), np.empty((k, CAMERA))
        self._h_point, self._g_point = np.empty((p, 3, 3)), np.empty((p, 3))
        self._h_cross = np.empty((m, CAMERA, 3))
        self._half, self._half_g, self._steps = np.empty((CAMERA * k, 3 * p)), np.empty(3 * p), np.empty((p, 3))

    def solve(self, freedom: Freedom, state: State, noise: Noise, *, iterations: int, tolerance: float = 2e-4) -> Solution:
        """Descend from `state`; what `freedom` holds stays as it is there."""
        columns = _free_columns(self.seen.num_keys, freedom)
        damping, found = FIRST_DAMPING, self.cost(freedom, state, noise)
        for _ in range(iterations):
            tangent = tangent_planes(found.state.direction)
            h, g = self._normal_equations(freedom, found.state, tangent, noise)
            for _ in range(TRIALS):
                trial = self.cost(freedom, self._step(found.state, tangent, h, g, columns, damping), noise)
                if trial.cost < found.cost:
                    break
                damping = max(damping, 1e-6) * 6
            else:
                return found
            gain, found, damping = found.cost - trial.cost, trial, max(damping / 5, 1e-7)
            if gain < tolerance * found.cost:
                break
        return found

    def evidence(self, freedom: Freedom, state: State, noise: Noise) -> Evidence:
        """Return how probable the observations are under a model, by Laplace's approximation about its minimum (MacKay 2003, eq. 27.7)."""
        tangent, columns = tangent_planes(state.direction), _free_columns(self.seen.num_keys, freedom)
        h, g = self._normal_equations(freedom, state, tangent, noise)
        turn = np.zeros((self.seen.num_keys, CAMERA))
        turn[:, :3] = 1 / TURN_SIGMA**2
        weak = np.diag(turn.ravel())
        reduced, _, log_det_points = self._reduced(h + weak, g, columns, 0.0)
        prior = columns.T @ (prior_matrix(self.seen.num_keys, freedom, self.priors) + weak) @ columns
        log_det_points += self.seen.num_points * np.log(self.priors.rho_sigma)  # the prior's own log determinant taken off
        log_det_cameras = 0.5 * (np.linalg.slogdet(reduced)[1] - np.linalg.slogdet(prior)[1])
        covariance = columns @ np.linalg.inv(reduced) @ columns.T
        cost = self.cost(freedom, state, noise).cost
        return Evidence(-0.5 * cost - log_det_points - log_det_cameras, covariance)

    def cost(self, freedom: Freedom, state: State, noise: Noise) -> Solution:
        """Evaluate twice the negative log posterior (without constants)."""
        squared = np.empty(len(self.seen.key))
        data = kernels.robust_cost(
            self.seen.point_start,
            self.seen.key,
            self.seen.xy,
            self.seen.weight,
            *_arrays(state),
            (ROBUST_SIGMAS * noise.sigma) ** 2,
            squared,
        )
        return Solution(state, data / (noise.sigma**2 * noise.correlation) + self._prior_cost(freedom, state), squared)

    def _prior_cost(self, freedom: Freedom, state: State) -> float:
        priors, off = self.priors, state.log_focal - self.priors.log_focal
        cost = float(off.mean() ** 2) / priors.log_focal_sigma**2
        if freedom.zooms:
            cost += float((np.diff(off) ** 2).sum()) / priors.zoom_step_sigma**2
            cost += float((np.diff(off, 2) ** 2).sum()) / priors.zoom_change_sigma**2
        if freedom.moves:
            cost += float((state.translation**2).sum()) / priors.translation_sigma**2
            cost += float(((state.rho - 1) ** 2).sum()) / priors.rho_sigma**2
        return cost

    def _normal_equations(self, freedom: Freedom, state: State, tangent: Float, noise: Noise) -> tuple[Float, Float]:
        rotation, translation, log_focal, direction, rho = _arrays(state)
        information = 1.0 / (noise.sigma**2 * noise.correlation)
        kernels.linearise(
            self.seen.point_start, self.seen.key, self.seen.xy, self.seen.weight * information, rotation, translation, log_focal, direction,
            tangent, rho, (ROBUST_SIGMAS * noise.sigma) ** 2, self._h_cam, self._g_cam, self._h_point, self._g_point, self._h_cross,
        )  # fmt: skip
        h, g = prior_matrix(self.seen.num_keys, freedom, self.priors), np.zeros((self.seen.num_keys, CAMERA))
        g[:, 3:6], g[:, 6] = state.translation, state.log_focal - self.priors.log_focal
        g_flat = h @ g.ravel() + self._g_cam.ravel()
        for k, block in enumerate(self._h_cam):
            h[CAMERA * k : CAMERA * (k + 1), CAMERA * k : CAMERA * (k + 1)] += block
        self._h_point[:, 2, 2] += 1 / self.priors.rho_sigma**2
        self._g_point[:, 2] += (state.rho - 1) / self.priors.rho_sigma**2
        return h, g_flat

    def _reduced(self, h: Float, g: Float, columns: Float, damping: float) -> tuple[Float, Float, float]:
        seen = self.seen
        log_det = kernels.eliminate(
            seen.point_start, seen.key, self._h_point, self._g_point, self._h_cross, damping, self._half, self._half_g
        )
        return columns.T @ (h - self._half @ self._half.T) @ columns, columns.T @ (g - self._half @ self._half_g), log_det

    def _step(self, state: State, tangent: Float, h: Float, g: Float, columns: Float, damping: float) -> State:
        reduced, gradient, _ = self._reduced(h, g, columns, damping)
        reduced[np.diag_indices_from(reduced)] += damping * np.einsum("ij,ij->j", columns, h @ columns) + 1e-9
        step = (columns @ np.linalg.solve(reduced, -gradient)).reshape(-1, CAMERA)
        kernels.point_steps(self.seen.point_start, self.seen.key, self._h_point, self._h_cross, damping, self._half_g, step, self._steps)
        return moved(state, tangent, step, self._steps)


def moved(state: State, tangent: Float, camera_step: Float, point_step: Float) -> State:
    """Apply a step: (K, 7) for the cameras, (P, 3) for the points."""
    turn = rotation_from_vector(np.clip(camera_step[:, :3], -MAX_TURN, MAX_TURN))
    direction = state.direction + np.einsum("pi,pij->pj", point_step[:, :2], tangent)
    length = np.linalg.norm(direction, axis=1)
    return State(
        rotation=turn @ state.rotation,
        translation=np.einsum("kij,kj->ki", turn, state.translation) + np.clip(camera_step[:, 3:6], -MAX_MOVE, MAX_MOVE),
        log_focal=state.log_focal + np.clip(camera_step[:, 6], -MAX_TURN, MAX_TURN),
        direction=direction / length[:, None],
        rho=np.clip((state.rho + np.clip(point_step[:, 2], -1, 1)) / length, *RHO_RANGE),
    )


def tangent_planes(direction: Float) -> Float:
    """Return (P, 2, 3) two unit vectors at right angles to each direction (P, 3) and to each other."""
    helper = np.where(np.abs(direction[:, 2:]) < 0.9, np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0]))
    first = np.cross(helper, direction)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.stack([first, np.cross(direction, first)], axis=1)


def prior_matrix(num_keys: int, freedom: Freedom, priors: Priors) -> Float:
    """Return (7 K, 7 K) information about the cameras."""
    h = np.zeros((num_keys, CAMERA, num_keys, CAMERA))
    focal = np.full((num_keys, num_keys), 1 / (num_keys * priors.log_focal_sigma) ** 2)
    if freedom.zooms:
        step, change = np.diff(np.eye(num_keys), axis=0), np.diff(np.eye(num_keys), 2, axis=0)
        focal += step.T @ step / priors.zoom_step_sigma**2 + change.T @ change / priors.zoom_change_sigma**2
    h[:, 6, :, 6] = focal
    every = np.arange(num_keys)
    if freedom.moves:
        for axis in range(3, 6):
            h[every, axis, every, axis] = 1 / priors.translation_sigma**2
    return h.reshape(CAMERA * num_keys, CAMERA * num_keys)


def _free_columns(num_keys: int, freedom: Freedom) -> Float:
    """Return (7 K, free): what each free number moves. The first keyframe holds the gauge."""
    columns = np.eye(CAMERA * num_keys)
    keep = np.zeros((num_keys, CAMERA), bool)
    keep[1:, :3], keep[1:, 3:6], keep[:, 6] = freedom.turns, freedom.moves, freedom.zooms
    free = columns[:, keep.ravel()]
    if freedom.zooms:
        return free
    together = np.zeros((num_keys, CAMERA))
    together[:, 6] = 1
    return np.hstack([free, together.reshape(-1, 1)])


def _arrays(state: State) -> tuple[Float, Float, Float, Float, Float]:
    return state.rotation, state.translation, state.log_focal, state.direction, state.rho


def mirrored(state: State, *, zooms: bool = False) -> State:
    """Return the other solution that looks nearly the same at little parallax: every camera on the other side, near things far.

    A flat start falls into either; the bas-relief ambiguity (Belhumeur et al. 1999) makes the two hard to leave for one another. What the
    mean of the depths would then lack in growth, turning makes up sideways by itself; along the optical axis it takes a zoom: with x the
    picture position, the flow x (c rho + z) of a move c and a zoom z is that of -c, 2 m - rho and z + 2 m c.
    """
    middle = float(np.median(state.rho))
    log_focal = state.log_focal + 2 * middle * state.centers[:, 2] if zooms else state.log_focal
    rho = np.clip(2 * middle - state.rho, 0.05, 4.0)
    return replace(state, translation=-state.translation, log_focal=log_focal, rho=rho)
