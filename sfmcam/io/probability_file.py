"""Coefficients of the primitives' probabilities on disk, and those that come with the package (configs/probabilities.json)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sfmcam.config import config_dir
from sfmcam.errors import ConfigError
from sfmcam.io.json_file import write_json
from sfmcam.motion.features import Family, feature_names
from sfmcam.motion.probability import FamilyModel, ProbabilityModel

FORMAT = 1
ANY = "any"  # the model for estimators that have none of their own
SHIPPED = "probabilities.json"


@dataclass(frozen=True)
class CalibratedModel:
    """A model and what it was fitted to (docs/outputs.md)."""

    families: ProbabilityModel
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ProbabilityFile:
    """Models by the slug of the estimator whose trajectories they were fitted to; ANY is always there."""

    models: Mapping[str, CalibratedModel]

    def model_of(self, estimator: str) -> ProbabilityModel:
        """Return the model of an estimator's slug: its own, that of another preset, or else the one for any."""
        name = estimator if estimator in self.models else estimator.split("-")[0]
        return self.models.get(name, self.models[ANY]).families


def write_probability_file(path: Path, content: ProbabilityFile) -> None:
    """Write the coefficients.

    Raises:
        InputError: the file cannot be written.
    """
    models = {
        name: {"families": {str(family): _family_json(family, part) for family, part in model.families.items()}, **model.provenance}
        for name, model in content.models.items()
    }
    write_json(path, {"format": FORMAT, "models": models})


def read_probability_file(path: Path) -> ProbabilityFile:
    """Read the coefficients.

    Raises:
        ConfigError: unreadable, malformed, or fitted to other features than this version has.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}, not {FORMAT}")
        models = {name: _parse_model(model) for name, model in document["models"].items()}
        if ANY not in models:
            raise ValueError(f"no model '{ANY}'")
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ConfigError(f"cannot use the coefficients {path} ({error}); make them anew with `sfmcam calibrate`") from error
    return ProbabilityFile(models)


@cache
def shipped_probabilities() -> ProbabilityFile:
    """Return the coefficients that come with the package.

    Raises:
        ConfigError: they are missing or of another version.
    """
    return read_probability_file(config_dir() / SHIPPED)


def _family_json(family: Family, part: FamilyModel) -> dict[str, Any]:
    weights = dict(zip(feature_names(family), part.weights.tolist(), strict=True))
    return {"intercept": part.intercept, "weights": weights, "base_rate": part.base_rate}


def _parse_model(model: dict[str, Any]) -> CalibratedModel:
    families = {family: _parse_family(family, model["families"][str(family)]) for family in Family}
    return CalibratedModel(families, {key: value for key, value in model.items() if key != "families"})


def _parse_family(family: Family, part: dict[str, Any]) -> FamilyModel:
    names = feature_names(family)
    if tuple(part["weights"]) != names:
        raise ValueError(f"{family} has weights for {', '.join(part['weights'])}, not for {', '.join(names)}")
    weights = np.array([float(part["weights"][name]) for name in names])
    return FamilyModel(float(part["intercept"]), weights, float(part["base_rate"]))
