"""How much each motion model of a window is believed: a softmax over what speaks for and against it, fitted to clips of known motion.

Which of several motions that explain the tracks about equally well took place is a question of what cameras do and of what bends tracks
(lenses, shutters, movers, pictures made by a generator), not of the tracks alone. So the answer is learned: `benchmarks/fit_models.py`
finds the coefficients with which the labels of simulated and rendered clips become likeliest, and keeps them in configs/vo_belief.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from sfmcam.config import config_dir
from sfmcam.errors import ConfigError
from sfmcam.estimators.vo.bundle import LOG_FOCAL, Freedom, Noise, Observations, State
from sfmcam.estimators.vo.solve import ground_correlation
from sfmcam.geometry.rotation import vector_from_rotation
from sfmcam.types import Float

FORMAT = 1
SHIPPED = "vo_belief.json"
# (noise of the tracks, share of how far a point has travelled) that a residual is compared with: from "nothing but the tracker's noise"
# to "whatever bends tracks together"
SCALES = ((1.0, 0.0), (1.5, 0.003), (1.5, 0.01), (3.0, 0.03))
TYPICAL_NOISE = 0.3 / 384.0  # long sides; the contexts below are measured against what is usual, so that 0 is an ordinary window
TYPICAL_OBSERVATIONS, TYPICAL_KEYFRAMES = 2000.0, 14.0
SMALL_WIDTHS = 0.01
RHO_RANGE, ODD_RHO = (0.05, 8.0), (0.06, 3.5)  # inverse depth, in units of the median
FAR_MOVE = 0.3  # picture widths
GAIN_HALF = 0.5  # roll, zoom and forward motion move a point in proportion to its distance from the centre
FEATURES = (
    *(f"misfit_{i}" for i in range(len(SCALES))),  # minus the mean log(1 + e^2 / s^2), against the best model's
    "misfit_1_by_noise",
    "misfit_1_by_observations",
    "misfit_2_by_motion",
    "extravagance",  # log of the motions' sizes added up, over what the picture shows of them
    "focal",  # |log of the focal length over what is usual|
    "focal_moving",
    "focal_zooming",
    "far_move",
    "ground",  # what lies lower in the picture is nearer
    "relief",  # spread of the log depths
    "odd_depths",  # share of points nearer or farther than scenes are
    "cancelling",  # a move that a zoom makes up for
    *(f"{who}_by_{what}" for what in ("noise", "motion") for who in ("moving", "zooming", "turning")),
    *(f"{who}_by_{what}" for what in ("observations", "keyframes", "least_misfit") for who in ("moving", "zooming")),
    *(f.name.lower() for f in Freedom),
)


@dataclass(frozen=True)
class Belief:
    """Coefficients (len(FEATURES),) of the softmax, and what they were fitted to."""

    coefficients: Float
    provenance: Mapping[str, object]

    def __post_init__(self) -> None:
        if self.coefficients.shape != (len(FEATURES),) or not np.isfinite(self.coefficients).all():
            raise ValueError(f"coefficients must be {len(FEATURES)} finite numbers")

    def weights(self, features: Float) -> dict[Freedom, float]:
        """Return the weight of each model, together 1, from `model_features` (6, K)."""
        log = features @ self.coefficients
        weight = np.exp(log - log.max())
        return dict(zip(Freedom, (weight / weight.sum()).tolist(), strict=True))


@cache
def shipped_belief() -> Belief:
    """Return the coefficients that come with the package.

    Raises:
        ConfigError: they are missing, malformed, or fitted to other features than this version has.
    """
    path = config_dir() / SHIPPED
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT or tuple(document["coefficients"]) != FEATURES:
            raise ValueError("it is of another version")
        found = Belief(np.array([float(v) for v in document["coefficients"].values()]), document["provenance"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ConfigError(f"cannot use the coefficients {path} ({error}); make them anew with benchmarks/fit_models.py") from error
    return found


def belief_document(belief: Belief) -> dict[str, object]:
    """Return what configs/vo_belief.json holds."""
    coefficients = dict(zip(FEATURES, belief.coefficients.tolist(), strict=True))
    return {"format": FORMAT, "coefficients": coefficients, "provenance": dict(belief.provenance)}


def model_features(seen: Observations, states: Mapping[Freedom, State], squared: Mapping[Freedom, Float], noise: Noise) -> Float:
    """Return what speaks for each model of a window, (6, len(FEATURES)) in the order of `Freedom`.

    Args:
        seen: the observations.
        states: cameras and points of every model, in the unit of its scene's median depth.
        squared: (M,) squared reprojection errors of every model, in long sides squared.
        noise: of the tracks.

    Of the mirror image they are the same.
    """
    travelled2 = squared_travel(seen)
    scales2 = [(sigmas * noise.sigma) ** 2 + share**2 * travelled2 for sigmas, share in SCALES]
    misfit = np.array([[float(np.average(np.log1p(squared[f] / s2), weights=seen.weight)) for s2 in scales2] for f in Freedom])
    paths = {f: path_widths(states[f]) for f in Freedom}
    shown = {f: float(np.linalg.norm(np.ptp(_picture(paths[f]), axis=0))) for f in Freedom}
    context = np.array(
        [
            np.log(noise.sigma / TYPICAL_NOISE),
            np.log(shown[Freedom.ALL] + SMALL_WIDTHS / 2),
            np.log(len(seen.key) / TYPICAL_OBSERVATIONS),
            np.log(seen.num_keys / TYPICAL_KEYFRAMES),
            np.log(misfit[:, 1].min() + 0.1),
        ]
    )
    against = misfit - misfit.min(axis=0)
    rows = [_of_model(f, states[f], paths[f], shown=shown[f]) for f in Freedom]
    return np.array(
        [
            np.concatenate([_by_misfit(gap, context), row, _by_context(f, context), [float(f is g) for g in Freedom]])
            for f, gap, row in zip(Freedom, against, rows, strict=True)
        ]
    )


def squared_travel(seen: Observations) -> Float:
    """Return (M,) the squared distance of each observation from the first of its point, in long sides."""
    first = seen.xy[seen.point_start[:-1]][seen.point]
    return np.asarray(((seen.xy - first) ** 2).sum(axis=1), np.float64)


def path_widths(state: State) -> Float:
    """Return (K, 7) how far each degree of freedom (in the order of `Dof`) of a path has moved the picture, in long sides."""
    focal = float(np.exp(state.log_focal.mean()))
    turned = vector_from_rotation(state.rotation.transpose(0, 2, 1))
    path = np.column_stack([turned, state.centers, state.log_focal - state.log_focal[0]])
    return np.asarray(path * [focal, focal, GAIN_HALF, focal, focal, GAIN_HALF, GAIN_HALF], np.float64)


def _picture(path: Float) -> Float:
    """Return (K, 4) the picture's shift sideways and down, turn, and growth over a path: what can be told of it in any case."""
    tilt, pan, roll, right, down, into, zoom = path.T
    return np.column_stack([pan + right, tilt - down, roll, into + zoom])


def _by_misfit(gap: Float, context: Float) -> Float:
    noise, motion, observations = context[0], context[1], context[2]
    return np.array([*-gap, -gap[1] * noise, -gap[1] * observations, -gap[2] * motion])


def _of_model(freedom: Freedom, state: State, path: Float, *, shown: float) -> Float:
    """Return extravagance to cancelling."""
    extent, net = np.ptp(path, axis=0), path[-1] - path[0]
    off = abs(float(state.log_focal.mean()) - LOG_FOCAL)
    moving = float(freedom.moves)
    cancelling = np.sqrt(max(0.0, -float(net[5] * net[6]))) if freedom is Freedom.ALL else 0.0
    shape = _shape(state) if freedom.moves else np.zeros(3)
    return np.array(
        [
            np.log((float(extent.sum()) + SMALL_WIDTHS) / (shown + SMALL_WIDTHS)),
            off,
            off * moving,
            off * float(freedom.zooms),
            np.log1p(float(np.linalg.norm(extent[3:6])) / FAR_MOVE) * moving,
            *shape,
            cancelling,
        ]
    )


def _shape(state: State) -> Float:
    """Return ground, relief and odd depths of a model with depths."""
    odd = (state.rho < ODD_RHO[0]) | (state.rho > ODD_RHO[1])
    return np.array([ground_correlation(state), float(np.log(state.rho.clip(*RHO_RANGE)).std()), float(odd.mean())])


def _by_context(freedom: Freedom, context: Float) -> Float:
    noise, motion, observations, keyframes, least = context
    who = np.array([freedom.moves, freedom.zooms, freedom.turns], float)
    return np.concatenate([who * noise, who * motion, who[:2] * observations, who[:2] * keyframes, who[:2] * least])
