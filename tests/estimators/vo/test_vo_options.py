"""The options of `vo`: what they accept, and that every motion model has its prior."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sfmcam.estimators.registry import frame_config, load_options, parse_spec
from sfmcam.estimators.vo.bundle import Freedom
from sfmcam.estimators.vo.options import ModelBelief, VoOptions


@pytest.mark.parametrize("freedom", list(Freedom))
def test_every_model_has_a_prior_of_its_own(freedom: Freedom) -> None:
    belief = ModelBelief().model_copy(update={freedom.name.lower(): 0.123})
    assert belief.prior(freedom) == 0.123
    assert all(belief.prior(other) == ModelBelief().prior(other) for other in Freedom if other is not freedom)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_points": 10},
        {"window": 3},
        {"overlap": 0},
        {"focal_factor": 0.0},
        {"focal_log_sigma": -1.0},
        {"belief": {"static": 0.0}},
        {"belief": {"observations": -1.0}},
        {"speed": 1},
    ],
    ids=str,
)
def test_values_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        VoOptions.model_validate(wrong)


@pytest.mark.parametrize("spec", ["vo", "vo:default"])
def test_presets_are_made_and_ask_for_grey_pictures(spec: str) -> None:
    parsed = parse_spec(spec)
    assert isinstance(load_options(parsed), VoOptions)
    assert frame_config(parsed, {}).pixels == "gray"
