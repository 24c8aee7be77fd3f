"""Claims: features come back from JSON as they were, and those of another version are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sfmcam.io.feature_document import features_document, parse_features
from sfmcam.motion.features import WeighedFeatures, family_of, feature_names
from sfmcam.motion.primitive import PRIMITIVES


def some(count: int = 3) -> WeighedFeatures:
    rng = np.random.default_rng(0)
    of = {p.id: rng.normal(size=(count, len(feature_names(family_of(p))))) for p in PRIMITIVES}
    return WeighedFeatures(np.array([0.5, 0.3, 0.2][:count]), of)


def test_there_and_back() -> None:
    plain = some()
    back = parse_features(json.loads(json.dumps(features_document(plain), allow_nan=False)))
    np.testing.assert_array_equal(back.weights, plain.weights)
    assert back.of.keys() == plain.of.keys()
    for name, values in plain.of.items():
        np.testing.assert_array_equal(back.of[name], values)


def test_other_versions_are_refused() -> None:
    document = features_document(some())
    with pytest.raises(ValueError, match="another version"):
        parse_features(document | {"names": {}})
    with pytest.raises(ValueError, match="static have shape"):
        parse_features(document | {"of": document["of"] | {"static": [[1.0]]}})
    with pytest.raises(LookupError):
        parse_features({})
