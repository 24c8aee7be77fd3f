"""What the probability of a primitive is computed from: a handful of pure numbers, each one larger the more there is of the primitive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from sfmcam.motion.measurement import MotionMeasurement
from sfmcam.motion.primitive import PRIMITIVES, Dof, Primitive
from sfmcam.motion.score import CONFUSED
from sfmcam.motion.steadiness import TO_PICTURE, SteadinessMeasurement, measure_steadiness, smooth_picture
from sfmcam.types import Float

SMALL_WIDTHS = 0.004  # two pixels in 500: below it motions are hardly told apart
SMALL_SIGMA_WIDTHS = 1e-4
SURE_RATIO = 30.0  # a motion this many times its uncertainty is as sure as any
CAP_WIDTHS = 1.0  # a motion counts against the others up to this
STILL_WIDTHS = 0.001  # half a pixel in 500 is stillness
STILL_JITTER_WIDTHS = 3e-4
STILL_SIGMA_WIDTHS = 5e-4
STILL_RATIO = 0.1


class Family(StrEnum):
    """Primitives that share their coefficients, both directions of each among them, so that a mirror or reversed time changes nothing."""

    TRANSLATION = "translation"
    ROTATION = "rotation"
    ROLL = "roll"
    ZOOM = "zoom"
    STATIC = "static"


FAMILY_OF_DOF = {
    Dof.TILT: Family.ROTATION,
    Dof.PAN: Family.ROTATION,
    Dof.ROLL: Family.ROLL,
    Dof.RIGHT: Family.TRANSLATION,
    Dof.DOWN: Family.TRANSLATION,
    Dof.IN: Family.TRANSLATION,
    Dof.ZOOM: Family.ZOOM,
}
DIRECTION_FEATURES = ("size", "sureness", "share", "over_partner", "over_opposite", "over_jitter", "picture")
STATIC_FEATURES = ("smallness", "doubt", "calm", "calm_path", "still_picture")
PARTNER = {a: b for pair in CONFUSED for a, b in (pair, pair[::-1])}


def family_of(primitive: Primitive) -> Family:
    """Return the family of a primitive."""
    return Family.STATIC if primitive.dof is None else FAMILY_OF_DOF[primitive.dof]


def feature_names(family: Family) -> tuple[str, ...]:
    """Return the names of a family's features, in the order of their columns."""
    return STATIC_FEATURES if family is Family.STATIC else DIRECTION_FEATURES


@dataclass(frozen=True)
class WeighedFeatures:
    """What is known of a shot's primitives under each of its H hypotheses.

    Attributes:
        weights: (H,) how much each is believed, together 1.
        of: primitive id -> (H, K) `primitive_features`.
    """

    weights: Float
    of: Mapping[str, Float]


def weighed_features(
    measurements: Sequence[MotionMeasurement], weights: Sequence[float], steadiness: SteadinessMeasurement, *, alone: bool
) -> WeighedFeatures:
    """Return the features under every hypothesis; `alone` where an estimator gives one path and no hypotheses."""
    found = [primitive_features(measurement, steadiness, alone=alone) for measurement in measurements]
    return WeighedFeatures(np.array(weights, float), {p.id: np.stack([f[p.id] for f in found]) for p in PRIMITIVES})


def primitive_features(
    measurement: MotionMeasurement, steadiness: SteadinessMeasurement | None = None, *, alone: bool = True
) -> dict[str, Float]:
    """Return the features of each primitive by its id, in the order of `feature_names`.

    All are of motions in picture widths. With x = rise or fall of the primitive's degree of freedom, d = 0.004 widths:

    - size = log(x + d); sureness = log(1 + x / sigma), up to a ratio of 30;
    - share = x / |x, all others| (each at most one width);
    - over_partner = log((x + d) / (y + d)), y being the range of the motion that shifts the picture alike (0 for roll, which has none);
    - over_opposite: the same against the opposite direction; over_jitter: against the jitter of the seven degrees of freedom together;
    - picture = log(z + d), z being how far the picture itself moves the way the primitive moves it (`smooth_picture`). It is sure even
      where two motions that shift the picture alike are mixed up: a truck that only makes up for a pan the other way leaves it where it is.
      Both over_partner and picture are 0 where the path is not `alone` but one of several hypotheses, which tell by themselves what may be
      mixed up.

    And of `static`: smallness = -log of the whole range, doubt = -log of the largest range over its sigma, calm = -log of the
    picture's jitter (`measure_steadiness`), calm_path = -log of the path's, still_picture = -log of the picture's range.
    """
    steadiness = steadiness or measure_steadiness(measurement)
    widths = _Widths(measurement, alone=alone)
    features = {p.id: widths.direction(p.dof, p.sign) for p in PRIMITIVES if p.dof is not None}
    return features | {"static": widths.stillness(steadiness)}


class _Widths:
    """A measurement in picture widths, zero where unknown."""

    def __init__(self, measurement: MotionMeasurement, *, alone: bool) -> None:
        self._alone = alone
        gain = measurement.image_gain
        self._rise, self._fall, self._sigma, jitter = (
            np.nan_to_num(gain * values) for values in (measurement.rise, measurement.fall, measurement.sigma, measurement.jitter)
        )
        self._extent = np.maximum(self._rise, self._fall)
        self._jitter = float(np.linalg.norm(jitter))
        self._picture = smooth_picture(measurement)

    def direction(self, dof: Dof, sign: int) -> Float:
        """Return the features of one direction of a degree of freedom, each growing with its motion."""
        amount, opposite = (self._rise[dof], self._fall[dof]) if sign > 0 else (self._fall[dof], self._rise[dof])
        capped = np.minimum(self._extent, CAP_WIDTHS)
        others = float(np.linalg.norm(np.delete(capped, dof)))
        shown = min(amount, CAP_WIDTHS)
        return np.array(
            [
                np.log(amount + SMALL_WIDTHS),
                np.log1p(min(amount / (self._sigma[dof] + SMALL_SIGMA_WIDTHS), SURE_RATIO)),
                shown / (np.hypot(shown, others) + SMALL_WIDTHS),
                _log_ratio(amount, self._extent[PARTNER[dof]]) if self._alone and dof in PARTNER else 0.0,
                _log_ratio(amount, opposite),
                _log_ratio(amount, self._jitter),
                np.log(self._picture_moves(dof, sign) + SMALL_WIDTHS) if self._alone else 0.0,
            ]
        )

    def _picture_moves(self, dof: Dof, sign: int) -> float:
        """Largest change of the picture, from an earlier to a later frame, the way that a motion moves it."""
        column = int(np.argmax(np.abs(TO_PICTURE[dof])))
        along = sign * TO_PICTURE[dof, column] * self._picture[:, column]
        return float((along - np.minimum.accumulate(along)).max())

    def stillness(self, steadiness: SteadinessMeasurement) -> Float:
        """Return the features of a camera that rests, each growing with how still it is."""
        jitter = steadiness.jitter.jitter_widths
        surest = float((self._extent / (self._sigma + STILL_SIGMA_WIDTHS)).max())
        sizes = (
            float(np.linalg.norm(self._extent)) + STILL_WIDTHS,
            surest + STILL_RATIO,
            (jitter if np.isfinite(jitter) else self._jitter) + STILL_JITTER_WIDTHS,
            self._jitter + STILL_JITTER_WIDTHS,
            float(np.linalg.norm(np.ptp(self._picture, axis=0))) + STILL_WIDTHS,
        )
        return -np.log(np.array(sizes))


def _log_ratio(amount: float, other: float) -> float:
    return float(np.log((amount + SMALL_WIDTHS) / (other + SMALL_WIDTHS)))
