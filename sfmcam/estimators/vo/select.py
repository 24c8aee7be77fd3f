"""How much each motion model is believed, and the path that follows from all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sfmcam.estimators.vo.bundle import Adjuster, Freedom, Noise, Observations, Solution, State, in_depths
from sfmcam.estimators.vo.keyframes import Window
from sfmcam.estimators.vo.options import ModelBelief
from sfmcam.estimators.vo.windows import WindowPath
from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.geometry.rotation import nearest_rotation, rotation_from_vector, vector_from_rotation
from sfmcam.types import Float

NEGLIGIBLE = 0.01  # of belief: a model below adds nothing to the spread


@dataclass(frozen=True)
class Candidate:
    """A motion model fitted to a window, in the unit of its scene's median depth.

    Attributes:
        state: cameras and points.
        sigma: (K, 7) one-sigma of the cameras, as in `WindowPath`.
        static: (P,) robust weight of each point's residuals: 1 where it follows the camera, towards 0 where it moves by itself.
        squared: (M,) squared reprojection errors, in long sides squared.
    """

    state: State
    sigma: Float
    static: Float
    squared: Float


@dataclass(frozen=True)
class Judged:
    """A window with its verdict.

    Attributes:
        belief: weight of each model, together 1.
        likely: the path of the model that is believed most, with the points that go with it.
        mean: the mean path over the models; its sigma holds how much they disagree.
    """

    belief: dict[Freedom, float]
    likely: WindowPath
    mean: WindowPath


def candidates(adjuster: Adjuster, solutions: Mapping[Freedom, Solution], noise: Noise) -> dict[Freedom, Candidate]:
    """Return a solution per model with all that a verdict needs."""
    found = {}
    for freedom, solution in solutions.items():
        state, unit = in_depths(solution.state)
        found[freedom] = Candidate(
            state,
            sigma=adjuster.sigma(freedom, solution.state, noise) * np.array([1, 1, 1, unit, unit, unit, 1]),
            static=trust_of_points(adjuster.seen, solution.squared, noise),
            squared=solution.squared,
        )
    return found


def trust_of_points(seen: Observations, squared: Float, noise: Noise) -> Float:
    """Return (P,) the robust weight of each point, from the mean of its squared reprojection errors (M,)."""
    scale2 = (3 * noise.sigma) ** 2
    mean = np.add.reduceat(squared, seen.point_start[:-1]) / np.diff(seen.point_start)
    return np.asarray((scale2 / (scale2 + mean)) ** 2, np.float64)


def judge(window: Window, found: Mapping[Freedom, Candidate], weights: Mapping[Freedom, float]) -> Judged:
    """Average the paths of the models by their `weights`, which are together 1."""
    likely = max(weights, key=lambda f: weights[f])
    counted = [f for f in found if weights[f] > NEGLIGIBLE or f is likely]
    share = np.array([weights[f] for f in counted])
    share /= share.sum()
    reference = found[likely].state
    numbers = np.stack([_numbers(found[f].state, reference) for f in counted])
    mean = np.einsum("f,fka->ka", share, numbers)
    spread = np.einsum("f,fka->ka", share, (numbers - mean) ** 2 + np.stack([found[f].sigma ** 2 for f in counted]))
    rotation = nearest_rotation(rotation_from_vector(mean[:, :3]) @ reference.rotation)
    static = found[likely].static
    return Judged(
        dict(weights),
        likely=path_of(window, found[likely]),
        mean=_path(window, _with_cameras(reference, rotation, mean[:, 3:6], mean[:, 6]), np.sqrt(spread), static),
    )


def path_of(window: Window, candidate: Candidate) -> WindowPath:
    """Return the path of one model."""
    return _path(window, candidate.state, candidate.sigma, candidate.static)


def model_weights(seen: Observations, squared: Mapping[Freedom, Float], noise: Noise, belief: ModelBelief) -> dict[Freedom, float]:
    """Return the weights of the models, together 1.

    Weight = prior * likelihood, and that is Cauchy's, of as many independent observations as `belief.observations` says:
    exp(-observations * mean log(1 + e^2 / s^2)). The scale s grows with how far a point has moved in the picture, since what bends tracks
    together (lens, shutter, a generated picture) grows with the motion: independent observations of the tracker's noise would be certain of
    a translation there. It decides whose poses are given; what is scored is weighed by `belief.Belief` (docs/adr/0014-*.md).
    """
    scale2 = (belief.noises * noise.sigma) ** 2 + belief.bend**2 * seen.squared_travel
    log = {
        f: np.log(belief.prior(f)) - belief.observations * float(np.average(np.log1p(e2 / scale2), weights=seen.weight))
        for f, e2 in squared.items()
    }
    top = max(log.values())
    weight = {f: float(np.exp(v - top)) for f, v in log.items()}
    total = sum(weight.values())
    return {f: w / total for f, w in weight.items()}


def _numbers(state: State, reference: State) -> Float:
    """Return (K, 7): rotation vector against the reference's, centre, log focal."""
    turn = vector_from_rotation(state.rotation @ reference.rotation.transpose(0, 2, 1))
    return np.hstack([turn, state.centers, state.log_focal[:, None]])


def _with_cameras(state: State, rotation: Float, centers: Float, log_focal: Float) -> State:
    return State(rotation, -np.einsum("kij,kj->ki", rotation, centers), log_focal, state.direction, state.rho)


def _path(window: Window, state: State, sigma: Float, static: Float) -> WindowPath:
    poses = rigid_from_parts(state.rotation, state.translation)
    return WindowPath(window.frames, poses, state.log_focal, sigma, window.track, state.direction, state.rho, static)
