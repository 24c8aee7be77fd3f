"""The features of a shot's primitives as JSON values: what `sfmcam calibrate` fits the probabilities to."""

from __future__ import annotations

from typing import Any

import numpy as np

from sfmcam.motion.features import Family, WeighedFeatures, family_of, feature_names
from sfmcam.motion.primitive import PRIMITIVES


def features_document(features: WeighedFeatures) -> dict[str, Any]:
    """Return the JSON values; the names of the columns go with them, so that files of another version are noticed."""
    return {
        "names": {str(family): list(feature_names(family)) for family in Family},
        "weights": features.weights.tolist(),
        "of": {name: values.tolist() for name, values in features.of.items()},
    }


def parse_features(document: Any) -> WeighedFeatures:
    """Return the features that `features_document` made JSON values of.

    Raises:
        ValueError, LookupError, TypeError: it is not what that function returns, or of a version with other features.
    """
    if document["names"] != {str(family): list(feature_names(family)) for family in Family}:
        raise ValueError("its features are of another version")
    weights = np.array(document["weights"], float)
    of = {p.id: np.array(document["of"][p.id], float) for p in PRIMITIVES}
    for primitive in PRIMITIVES:
        expected = (len(weights), len(feature_names(family_of(primitive))))
        if of[primitive.id].shape != expected:
            raise ValueError(f"the features of {primitive.id} have shape {of[primitive.id].shape}, not {expected}")
    return WeighedFeatures(weights, of)
