"""Claims: coefficients survive the file, those of the package are whole, and a file of another version is refused with a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sfmcam.errors import ConfigError
from sfmcam.io.probability_file import (
    ANY,
    CalibratedModel,
    ProbabilityFile,
    read_probability_file,
    shipped_probabilities,
    write_probability_file,
)
from sfmcam.motion.features import Family, feature_names
from sfmcam.motion.probability import FamilyModel


def model(intercept: float) -> CalibratedModel:
    families = {family: FamilyModel(intercept, 0.1 + np.arange(len(feature_names(family))), 0.25) for family in Family}
    return CalibratedModel(families, {"l2": 1.0})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "made" / "p.json"
    target.parent.mkdir()
    write_probability_file(target, ProbabilityFile({"vo": model(-1.5), ANY: model(0.25)}))
    return target


def test_round_trip(path: Path) -> None:
    content = read_probability_file(path)
    assert content.models.keys() == {"vo", ANY}
    assert content.models["vo"].provenance == {"l2": 1.0}
    for family in Family:
        found, made = content.models["vo"].families[family], model(-1.5).families[family]
        assert (found.intercept, found.base_rate) == (made.intercept, made.base_rate)
        np.testing.assert_array_equal(found.weights, made.weights)


@pytest.mark.parametrize(("estimator", "intercept"), [("vo", -1.5), ("vo-fast", -1.5), ("glomap", 0.25), ("external-x", 0.25), ("", 0.25)])
def test_an_estimator_gets_its_own_model_or_the_one_for_any(path: Path, estimator: str, intercept: float) -> None:
    assert read_probability_file(path).model_of(estimator)[Family.ROLL].intercept == intercept


def test_what_comes_with_the_package() -> None:
    content = shipped_probabilities()
    for made in content.models.values():
        assert {"inputs_sha256", "runs", "l2", "folds", "sfmcam_version", "reliability"} <= made.provenance.keys()
        assert made.provenance["reliability"]["all"]["brier_features"] < 0.5 * made.provenance["reliability"]["all"]["brier_base"]


def _without(*keys: str) -> Any:
    def spoil(document: dict) -> dict:
        inner = document
        for key in keys[:-1]:
            inner = inner[key]
        del inner[keys[-1]]
        return document

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        _without("models", ANY),
        _without("format"),
        _without("models", "vo", "families", "roll"),
        _without("models", "vo", "families", "roll", "weights", "size"),
        _without("models", "vo", "families", "roll", "base_rate"),
        lambda document: document | {"format": 99},
        lambda document: [document],
        lambda document: "a" + json.dumps(document),
    ],
)
def test_bad_files(path: Path, spoil: Any) -> None:
    spoilt = spoil(json.loads(path.read_text()))
    path.write_text(spoilt if isinstance(spoilt, str) else json.dumps(spoilt))
    with pytest.raises(ConfigError, match="make them anew with `sfmcam calibrate`"):
        read_probability_file(path)


def test_a_negative_weight_is_refused(path: Path) -> None:
    document = json.loads(path.read_text())
    document["models"]["vo"]["families"]["roll"]["weights"]["size"] = -1.0
    path.write_text(json.dumps(document))
    with pytest.raises(ConfigError, match="not negative"):
        read_probability_file(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot use the coefficients"):
        read_probability_file(tmp_path / "none.json")
