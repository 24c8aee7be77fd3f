"""The fit of vo's belief: it finds what speaks for the true model, says how well clips left out are foretold, and writes what is read."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sfmcam.estimators.vo.belief import FEATURES
from sfmcam.motion.features import Family, family_of, feature_names
from sfmcam.motion.primitive import PRIMITIVES

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
MISFIT = FEATURES.index("misfit_1")


@pytest.fixture(scope="module")
def fit_models() -> Iterator[ModuleType]:
    pytest.importorskip("torch")
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield importlib.import_module("fit_models")  # the path stays meanwhile: child processes take it over
    finally:
        sys.path.remove(str(BENCHMARKS))


def made_examples(fit_models: ModuleType, count: int) -> list:
    """Clips of which one model at random is true: it fits best, and what it says of each primitive is so."""
    rng = np.random.default_rng(0)
    examples = []
    for number in range(count):
        true = int(rng.integers(6))
        features = np.zeros((6, len(FEATURES)))
        features[:, -6:] = np.eye(6)
        features[:, MISFIT] = -rng.uniform(0.5, 2.0, 6)
        features[true, MISFIT] = 0.0
        primitives, labels = {}, {}
        for primitive in PRIMITIVES:
            values = rng.normal(size=(6, len(feature_names(family_of(primitive)))))
            primitives[primitive.id] = values
            labels[primitive.id] = bool(values[true].sum() > 0.5)
        examples.append(fit_models.BeliefExample(f"made_{number}", features, primitives, labels))
    return examples


def test_the_fit_finds_the_true_model(fit_models: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "belief.json"
    fit_models.fit_and_write(made_examples(fit_models, 150), out, {"sets": ["made"]})
    document = json.loads(out.read_text())
    assert tuple(document["coefficients"]) == FEATURES
    assert document["coefficients"]["misfit_1"] > 1.0
    assert document["provenance"]["clips"] == 150
    left_out = document["provenance"]["left_out_ap"]
    assert np.mean([value for name, value in left_out.items() if name.startswith("rendered/")]) > 0.9
    assert "rendered: mean AP" in capsys.readouterr().out


def test_unsure_labels_count_for_nothing(fit_models: ModuleType) -> None:
    examples = made_examples(fit_models, 40)
    mute = [fit_models.BeliefExample(e.name, e.features, e.primitives, {}) for e in examples[20:]]
    spread = fit_models.spread_of(examples)
    whole, part = (fit_models.fit(fit_models.tensors(some, spread)).gate.detach().numpy() for some in (examples[:20] + mute, examples[:20]))
    np.testing.assert_allclose(whole, part, atol=0.05)


def test_a_reading_that_a_clip_does_not_have_gets_no_weight(fit_models: ModuleType) -> None:
    """Clips with fewer readings than others are filled up, and foretold as if they were not."""
    few = made_examples(fit_models, 6)
    e = few[0]
    more = fit_models.BeliefExample(
        "more", np.vstack([e.features] * 2), {name: np.vstack([values] * 2) for name, values in e.primitives.items()}, e.labels
    )
    spread = fit_models.spread_of(few)
    mixture = fit_models.fit(fit_models.tensors(few, spread)).requires_grad_(False)
    alone, filled = mixture(fit_models.tensors(few, spread)), mixture(fit_models.tensors([*few, more], spread))
    for one, other in zip(alone, filled, strict=True):
        np.testing.assert_allclose(other[:-1], one, atol=1e-9)


@pytest.mark.slow
def test_simulated_clips_make_examples(fit_models: ModuleType) -> None:
    found = list(fit_models.simulated_examples(range(3), jobs=1))
    assert found
    for example in found:
        readings = len(example.features)
        assert readings >= 6
        assert example.features.shape == (readings, len(FEATURES))
        assert {len(values) for values in example.primitives.values()} == {readings}
        assert np.isfinite(example.features).all()
        assert set(example.primitives) == {p.id for p in PRIMITIVES}
        assert {family_of(p) for p in PRIMITIVES} == set(Family)
        assert 0 < len(example.labels) <= len(PRIMITIVES)
