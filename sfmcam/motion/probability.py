"""From a measurement to 15 probabilities: that a person who labels the clip answers "does the camera do this?" with yes.

Under one path, logistic regression on the features of `motion.features`, one set of coefficients per family; over the paths that an
estimator finds possible, the mean. No coefficient is negative and every
feature grows with the motion, so that more of a motion never lowers its probability. The coefficients are fitted by `sfmcam calibrate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sfmcam.motion.features import Family, WeighedFeatures, family_of
from sfmcam.motion.primitive import PRIMITIVES
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


def probabilities(features: WeighedFeatures, model: ProbabilityModel, *, zoom_known: bool) -> dict[str, float]:
    """Return the 15 probabilities by primitive id: the mean over the hypotheses of what is likely under each.

    A zoom is as likely as among the labels that the model was fitted to where the focal length is unknown: not measured is not "no".
    """
    found = {}
    for primitive in PRIMITIVES:
        family = family_of(primitive)
        unknown = family is Family.ZOOM and not zoom_known
        of_family = model[family]
        if unknown:
            found[primitive.id] = of_family.base_rate
        else:
            likely = [sigmoid(odds) for odds in of_family.log_odds(features.of[primitive.id]).tolist()]
            found[primitive.id] = float(features.weights @ np.array(likely))
    return found


def sigmoid(log_odds: float) -> float:
    """Return the probability of log odds; small ones keep their digits, so that clips do not tie."""
    if log_odds < 0:
        odds = float(np.exp(log_odds))
        return odds / (1.0 + odds)
    return float(1.0 / (1.0 + np.exp(-log_odds)))
