"""From a measurement to 15 probabilities: that a person who labels the clip answers "does the camera do this?" with yes.

Logistic regression on the features of `motion.features`, one set of coefficients per family. No coefficient is negative and every
feature grows with the motion, so that more of a motion never lowers its probability. The coefficients are fitted by `sfmcam calibrate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sfmcam.motion.features import Family, family_of, primitive_features
from sfmcam.motion.measurement import MotionMeasurement
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.motion.steadiness import SteadinessMeasurement
from sfmcam.types import Float


@dataclass(frozen=True)
class FamilyModel:
    """The coefficients of one family.

    Attributes:
        intercept: log odds where every feature is zero.
        weights: (K,) per feature, none negative.
        base_rate: share of yes among the labels it was fitted to; what is said where nothing was measured.
    """

    intercept: float
    weights: Float
    base_rate: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.intercept) and np.isfinite(self.weights).all() and (self.weights >= 0).all()):
            raise ValueError("coefficients must be finite and weights not negative")
        if not 0 <= self.base_rate <= 1:
            raise ValueError(f"a base rate of {self.base_rate} is no probability")

    def log_odds(self, features: Float) -> Float:
        """Return the log odds (...,) of features (..., K)."""
        odds: Float = self.intercept + features @ self.weights
        return odds


ProbabilityModel = Mapping[Family, FamilyModel]


def probabilities(
    measurement: MotionMeasurement, model: ProbabilityModel, steadiness: SteadinessMeasurement | None = None
) -> dict[str, float]:
    """Return the 15 probabilities by primitive id.

    A zoom is as likely as among the labels that the model was fitted to where the focal length is unknown: not measured is not "no".
    """
    features = primitive_features(measurement, steadiness)
    found = {}
    for primitive in PRIMITIVES:
        family = family_of(primitive)
        unknown = family is Family.ZOOM and not measurement.zoom_known
        of_family = model[family]
        found[primitive.id] = of_family.base_rate if unknown else sigmoid(float(of_family.log_odds(features[primitive.id])))
    return found


def sigmoid(log_odds: float) -> float:
    """Return the probability of log odds; small ones keep their digits, so that clips do not tie."""
    if log_odds < 0:
        odds = float(np.exp(log_odds))
        return odds / (1.0 + odds)
    return float(1.0 / (1.0 + np.exp(-log_odds)))
