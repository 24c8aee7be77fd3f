"""How much each reading of a window is believed: a softmax over what speaks for and against it, fitted to clips of known motion.

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
from sfmcam.estimators.vo.reading import Reading
from sfmcam.estimators.vo.select import Candidate
from sfmcam.estimators.vo.shape import depths_from_centre, ground_correlation
from sfmcam.estimators.vo.support import SUPPORT, support_features
from sfmcam.estimators.vo.widths import path_widths, picture_of
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
    "from_centre",  # the middle of the picture is farthest
    "cancelling",  # a move that a zoom makes up for
    "many_motions",  # log of how many degrees of freedom move: (sum of the motions)^2 over the sum of their squares
    "main_motion",  # log of the largest motion's share of all
    *(f"{who}_by_{what}" for what in ("noise", "motion") for who in ("moving", "zooming", "turning")),
    *(f"{who}_by_{what}" for what in ("observations", "keyframes", "least_misfit") for who in ("moving", "zooming")),
    *SUPPORT,
    "flipped",
    "swapped",
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

    def weights(self, features: Mapping[Reading, Float]) -> dict[Reading, float]:
        """Return the weight of each reading, together 1, from `reading_features`."""
        log = np.stack(list(features.values())) @ self.coefficients
        weight = np.exp(log - log.max())
        return dict(zip(features, (weight / weight.sum()).tolist(), strict=True))


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


def reading_features(seen: Observations, found: Mapping[Reading, Candidate], noise: Noise) -> dict[Reading, Float]:
    """Return what speaks for each reading of a window, (len(FEATURES),).

    Args:
        seen: the observations.
        found: the solution of every reading, in the unit of its scene's median depth; of each background the freest model among them.
        noise: of the tracks.

    Of the mirror image they are the same.
    """
    scales2 = [(sigmas * noise.sigma) ** 2 + share**2 * seen.squared_travel for sigmas, share in SCALES]
    misfit = {r: np.array([float(np.average(np.log1p(c.squared / s2), weights=seen.weight)) for s2 in scales2]) for r, c in found.items()}
    least = np.min(list(misfit.values()), axis=0)
    grounds = {swapped: _Ground(seen, found[Reading(Freedom.ALL, swapped=swapped)], noise, least) for swapped in {r.swapped for r in found}}
    return {r: grounds[r.swapped].features(r, found[r].state, misfit[r] - least) for r in found}


class _Ground:
    """A background of a window: what the features of all its readings share."""

    def __init__(self, seen: Observations, freest: Candidate, noise: Noise, least: Float) -> None:
        self._support = support_features(seen, freest.static)
        self._shown = _shown(path_widths(freest.state))
        self._context = np.array(
            [
                np.log(noise.sigma / TYPICAL_NOISE),
                np.log(self._shown + SMALL_WIDTHS / 2),
                np.log(len(seen.key) / TYPICAL_OBSERVATIONS),
                np.log(seen.num_keys / TYPICAL_KEYFRAMES),
                np.log(least[1] + 0.1),
            ]
        )

    def features(self, reading: Reading, state: State, gap: Float) -> Float:
        """Return the features of a reading whose misfit is `gap` above the least."""
        freedom = reading.freedom
        return np.concatenate(
            [
                _by_misfit(gap, self._context),
                _of_model(freedom, state, shown=self._shown),
                _by_context(freedom, self._context),
                self._support,
                [float(reading.flipped), float(reading.swapped)],
                [float(freedom is g) for g in Freedom],
            ]
        )


def _shown(path: Float) -> float:
    """Return how far the picture itself moves over a path in widths."""
    return float(np.linalg.norm(np.ptp(picture_of(path), axis=0)))


def _by_misfit(gap: Float, context: Float) -> Float:
    noise, motion, observations = context[0], context[1], context[2]
    return np.array([*-gap, -gap[1] * noise, -gap[1] * observations, -gap[2] * motion])


def _of_model(freedom: Freedom, state: State, *, shown: float) -> Float:
    """Return extravagance to main_motion."""
    path = path_widths(state)
    extent, net = np.ptp(path, axis=0), path[-1] - path[0]
    total = float(extent.sum())
    off = abs(float(state.log_focal.mean()) - LOG_FOCAL)
    moving = float(freedom.moves)
    cancelling = np.sqrt(max(0.0, -float(net[5] * net[6]))) if freedom is Freedom.ALL else 0.0
    return np.array(
        [
            np.log((total + SMALL_WIDTHS) / (shown + SMALL_WIDTHS)),
            off,
            off * moving,
            off * float(freedom.zooms),
            np.log1p(float(np.linalg.norm(extent[3:6])) / FAR_MOVE) * moving,
            *(_shape(state) if freedom.moves else np.zeros(4)),
            cancelling,
            np.log((total + SMALL_WIDTHS) ** 2 / (float(extent @ extent) + SMALL_WIDTHS**2)),
            np.log((float(extent.max()) + SMALL_WIDTHS / 2) / (total + SMALL_WIDTHS)),
        ]
    )


def _shape(state: State) -> Float:
    """Return ground, relief, odd depths and from_centre of a model with depths."""
    odd = (state.rho < ODD_RHO[0]) | (state.rho > ODD_RHO[1])
    spread = float(np.log(state.rho.clip(*RHO_RANGE)).std())
    return np.array([ground_correlation(state), spread, float(odd.mean()), depths_from_centre(state)])


def _by_context(freedom: Freedom, context: Float) -> Float:
    noise, motion, observations, keyframes, least = context
    who = np.array([freedom.moves, freedom.zooms, freedom.turns], float)
    return np.concatenate([who * noise, who * motion, who[:2] * observations, who[:2] * keyframes, who[:2] * least])
