"""Bundle adjustment of one window: cameras with a focal length each, points as direction and inverse depth, priors, robust weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from sfmcam.estimators.vo.descent_kernels import Layout, Problem, accumulate, descend, eliminate, new_work, posterior
from sfmcam.estimators.vo.kernels import CAMERA, Pose, Rows
from sfmcam.geometry.rotation import nearest_rotation, rotation_from_vector, vector_from_rotation
from sfmcam.types import Bool, Float, Int

ROBUST_SIGMAS = 3.0  # scale of Geman and McClure's function, in sigmas
LOG_FOCAL = float(np.log(0.65))  # a horizontal field of view of 75 degrees: between phones and films, which are wider, and long lenses
MIN_MEDIAN_RHO = 0.05  # keeps the unit finite where most points came out at infinity
TURN_SIGMA = 0.3  # rad, of a rotation before looking, where its uncertainty is asked for


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

    @property
    def squared_travel(self) -> Float:
        """(M,) squared distance of each observation from the first of its point, in long sides."""
        first = self.xy[self.point_start[:-1]][self.point]
        return np.asarray(((self.xy - first) ** 2).sum(axis=1), np.float64)

    def of_points(self, keep: Bool) -> Observations:
        """Return the observations of some points (P,) alone, in all keyframes."""
        rows, count = keep[self.point], np.diff(self.point_start)[keep]
        start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        return Observations(start, self.key[rows], np.ascontiguousarray(self.xy[rows]), self.weight[rows], self.num_keys)


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


class Adjuster:
    """Levenberg-Marquardt over one window; its methods may be called from several threads, which then work at the same time."""

    def __init__(self, seen: Observations, priors: Priors) -> None:
        self.seen, self.priors = seen, priors
        self._rows = Rows(_whole(seen.point_start), _whole(seen.key), _real(seen.xy), _real(seen.weight))
        self._layouts: dict[Freedom, Layout] = {}
        self._seeing = np.unique(seen.key)

    def solve(self, freedom: Freedom, state: State, noise: Noise, *, iterations: int, tolerance: float = 2e-4) -> Solution:
        """Descend from `state`; what `freedom` holds stays as it is there. Keyframes that see nothing are interpolated."""
        problem, room = self._problem(freedom, noise), np.empty(len(self.seen.key))
        cost, pose, squared = descend(problem, iterations, tolerance, _pose(state), room, new_work(problem))
        found = Solution(State(*pose), cost, squared)
        if len(self._seeing) in (0, self.seen.num_keys):
            return found
        return self.cost(freedom, bridged(found.state, self._seeing), noise)

    def cost(self, freedom: Freedom, state: State, noise: Noise) -> Solution:
        """Evaluate twice the negative log posterior (without constants)."""
        squared = np.empty(len(self.seen.key))
        return Solution(state, posterior(self._problem(freedom, noise), _pose(state), squared), squared)

    def sigma(self, freedom: Freedom, state: State, noise: Noise) -> Float:
        """Return how uncertain a minimum is, by the curvature of the cost about it (MacKay 2003, eq. 27.6), points marginalised.

        Returns:
            (K, 7) standard deviations in the order of `kernels`; 0 where the model holds a parameter.
        """
        problem = self._problem(freedom, noise)
        work, column = new_work(problem), problem.layout.column
        accumulate(problem, _pose(state), work)
        weak = np.zeros(len(work.full))
        weak[column[:, :3][column[:, :3] >= 0]] = 1 / TURN_SIGMA**2
        work.full[np.diag_indices_from(work.full)] += weak
        eliminate(problem, 0.0, work)
        lower = np.tril(work.reduced[:-1, :-1])
        variance = np.diag(np.linalg.inv(lower + np.tril(lower, -1).T))
        if not (variance > 0).all():  # nothing is left but rounding: as unsure as before looking
            variance = np.diag(np.linalg.inv(problem.layout.prior + np.diag(weak)))
        return np.where(column >= 0, np.sqrt(variance)[column], 0.0)

    def _problem(self, freedom: Freedom, noise: Noise) -> Problem:
        if freedom not in self._layouts:
            self._layouts[freedom] = free_layout(self.seen.num_keys, freedom, self.priors)
        information = 1 / (noise.sigma**2 * noise.correlation)
        return Problem(self._rows, self._layouts[freedom], (ROBUST_SIGMAS * noise.sigma) ** 2, information)


def free_layout(num_keys: int, freedom: Freedom, priors: Priors) -> Layout:
    """Return where the free numbers of a model are and what is believed about them. The first keyframe holds the gauge."""
    free = np.zeros((num_keys, CAMERA), bool)
    free[1:, :3], free[1:, 3:6], free[:, 6] = freedom.turns, freedom.moves, freedom.zooms
    column = np.where(free, np.cumsum(free).reshape(free.shape) - 1, -1)
    begin = np.concatenate([[0], np.cumsum(free.sum(axis=1))])
    num_free = int(begin[-1])
    if not freedom.zooms:
        column[:, 6], num_free = num_free, num_free + 1
    prior, focal = np.zeros((num_free, num_free)), focal_information(num_keys, freedom, priors)
    np.add.at(prior, (column[:, 6, None], column[:, 6]), focal)
    move_information = 1 / priors.translation_sigma**2 if freedom.moves else 0.0
    moves = column[:, 3:6][column[:, 3:6] >= 0]
    prior[moves, moves] = move_information
    rho_information = 1 / priors.rho_sigma**2
    use = np.flatnonzero(free[-1])
    return Layout(
        _whole(column), _whole(begin), _whole(use), prior, focal, float(priors.log_focal), move_information, rho_information, freedom.moves
    )


def focal_information(num_keys: int, freedom: Freedom, priors: Priors) -> Float:
    """Return (K, K) information of the priors about the log focal lengths."""
    focal = np.full((num_keys, num_keys), 1 / (num_keys * priors.log_focal_sigma) ** 2)
    if freedom.zooms:
        step, change = np.diff(np.eye(num_keys), axis=0), np.diff(np.eye(num_keys), 2, axis=0)
        focal += step.T @ step / priors.zoom_step_sigma**2 + change.T @ change / priors.zoom_change_sigma**2
    return focal


def _real(values: Float) -> Float:
    """Return a contiguous copy that can be written: one kind of array, so that the kernels compile once."""
    return np.array(values, np.float64, order="C")


def _whole(values: Int) -> Int:
    return np.array(values, np.int64, order="C")


def _pose(state: State) -> Pose:
    return Pose(_real(state.rotation), _real(state.translation), _real(state.log_focal), _real(state.direction), _real(state.rho))


def bridged(state: State, known: Int) -> State:
    """Return the state with the poses of all keyframes but the `known` ones (ascending) interpolated between these, at the ends copied."""
    every = np.arange(len(state.rotation))
    after = np.minimum(np.searchsorted(known, every), len(known) - 1)
    a, b = known[np.maximum(after - 1, 0)], known[after]
    share = np.clip((every - a) / np.maximum(b - a, 1), 0, 1)
    turn = vector_from_rotation(state.rotation[b] @ state.rotation[a].transpose(0, 2, 1))
    between = rotation_from_vector(share[:, None] * turn) @ state.rotation[a]
    centers = state.centers[a] + share[:, None] * (state.centers[b] - state.centers[a])
    rotation, translation = state.rotation.copy(), state.translation.copy()
    blind = np.setdiff1d(every, known)
    rotation[blind], translation[blind] = between[blind], -np.einsum("kij,kj->ki", between[blind], centers[blind])
    return replace(state, rotation=rotation, translation=translation)


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


def in_depths(state: State) -> tuple[State, float]:
    """Bring a state to the unit of its scene's median depth; return also the factor."""
    middle = max(float(np.median(state.rho)), MIN_MEDIAN_RHO)
    return State(nearest_rotation(state.rotation), state.translation * middle, state.log_focal, state.direction, state.rho / middle), middle
