"""How much each motion model is believed, and the path that follows from all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sfmcam.estimators.vo.bundle import CAMERA, Freedom, State
from sfmcam.estimators.vo.keyframes import Window
from sfmcam.estimators.vo.options import ModelBelief
from sfmcam.estimators.vo.solve import Fits
from sfmcam.estimators.vo.windows import WindowPath
from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.geometry.rotation import nearest_rotation, rotation_from_vector, vector_from_rotation
from sfmcam.types import Float

NEGLIGIBLE = 0.01  # of belief: a model below adds nothing to the spread


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


def judge(window: Window, fits: Fits, belief: ModelBelief) -> Judged:
    """Weigh the models and average their paths.

    The weight of a model is prior / (cost + floor)^power, the cost being the robust squared residual per observation in units of its
    noise. That is softer than the evidence of independent observations, which would be certain of a translation wherever lens, shutter or
    a generated picture bend the tracks together; prior, floor and power are fitted on synthetic clips (docs/adr/0012-*.md).
    """
    weights = model_weights(costs(fits), belief)
    likely = max(weights, key=lambda f: weights[f])
    paths = {f: _unit_state(s.state) for f, s in fits.best.items() if weights[f] > NEGLIGIBLE or f is likely}
    reference = paths[likely]
    offset = {
        f: np.hstack([vector_from_rotation(p.rotation @ reference.rotation.transpose(0, 2, 1)), p.centers, p.log_focal[:, None]])
        for f, p in paths.items()
    }
    share = np.array([weights[f] for f in paths])
    share /= share.sum()
    stack = np.stack([offset[f] for f in paths])
    mean = np.einsum("f,fka->ka", share, stack)
    spread = np.einsum("f,fka->ka", share, (stack - mean) ** 2 + np.stack([_sigma(fits, f) ** 2 for f in paths]))
    rotation = nearest_rotation(rotation_from_vector(mean[:, :3]) @ reference.rotation)
    return Judged(
        weights,
        likely=_path(window, reference, _sigma(fits, likely), _static(fits, likely)),
        mean=_path(window, _with_cameras(reference, rotation, mean[:, 3:6], mean[:, 6]), np.sqrt(spread), _static(fits, likely)),
    )


def costs(fits: Fits) -> dict[Freedom, float]:
    """Return the robust squared residual per observation, in units of the noise, priors included."""
    num = len(fits.adjuster.seen.key)
    return {f: s.cost * fits.noise.correlation / max(num, 1) for f, s in fits.best.items()}


def model_weights(cost: Mapping[Freedom, float], belief: ModelBelief) -> dict[Freedom, float]:
    """Return the weights of the models, together 1."""
    log = {f: np.log(belief.prior(f)) - belief.power * np.log(c + belief.floor) for f, c in cost.items()}
    top = max(log.values())
    weight = {f: float(np.exp(v - top)) for f, v in log.items()}
    total = sum(weight.values())
    return {f: w / total for f, w in weight.items()}


def _unit_state(state: State) -> State:
    """Bring a state to the unit of its median depth."""
    middle = float(np.median(state.rho))
    if middle <= 0:
        return state
    return State(nearest_rotation(state.rotation), state.translation * middle, state.log_focal, state.direction, state.rho / middle)


def _with_cameras(state: State, rotation: Float, centers: Float, log_focal: Float) -> State:
    return State(rotation, -np.einsum("kij,kj->ki", rotation, centers), log_focal, state.direction, state.rho)


def _sigma(fits: Fits, freedom: Freedom) -> Float:
    solution = fits.best[freedom]
    variance = np.diag(fits.adjuster.evidence(freedom, solution.state, fits.noise).covariance).reshape(-1, CAMERA)
    return np.sqrt(np.maximum(variance, 0.0))


def _static(fits: Fits, freedom: Freedom) -> Float:
    """Return (P,) the robust weight of each point's residuals: 1 where it follows the camera, towards 0 where it moves by itself."""
    seen = fits.adjuster.seen
    scale2 = (3 * fits.noise.sigma) ** 2
    mean = np.add.reduceat(fits.best[freedom].squared, seen.point_start[:-1]) / np.diff(seen.point_start)
    return np.asarray((scale2 / (scale2 + mean)) ** 2, np.float64)


def _path(window: Window, state: State, sigma: Float, static: Float) -> WindowPath:
    poses = rigid_from_parts(state.rotation, state.translation)
    return WindowPath(window.frames, poses, state.log_focal, sigma, window.track, state.direction, state.rho, static)
