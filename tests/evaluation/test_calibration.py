"""Claims: the fit reads a finished run whole, leaves out what it must, is the same every time, and beats the score on clips left out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from finished_run import make_run

from sfmcam.errors import InputError
from sfmcam.evaluation.calibration import ALL, Fitted, calibrate, probability_file, reliability_table
from sfmcam.evaluation.calibration_examples import MethodExamples, read_run
from sfmcam.io.probability_file import ANY, read_probability_file, write_probability_file
from sfmcam.motion.features import Family


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("run"), ("vo", "glomap"))


@pytest.fixture(scope="module")
def methods(run: Path) -> tuple[MethodExamples, ...]:
    return read_run(run)


@pytest.fixture(scope="module")
def fitted(methods: tuple[MethodExamples, ...]) -> dict[str, Fitted]:
    return calibrate(methods, l2=1.0, folds=5)


def test_what_is_read(methods: tuple[MethodExamples, ...]) -> None:
    assert [m.slug for m in methods] == ["vo", "glomap"]
    for method in methods:
        assert (method.dataset, method.configuration, len(method.examples), method.failed, method.cut) == ("made", "abc", 148, 1, 1)
    first = methods[0].examples[0]
    assert first.clip == "made/clip000"
    assert len(first.labels) < 15  # unsure ones are not there
    assert first.features.of.keys() == first.scores.keys()


def test_models(fitted: dict[str, Fitted]) -> None:
    assert fitted.keys() == {"vo", "glomap", ANY}
    for part in fitted.values():
        assert part.model.families.keys() == set(Family)
        assert all((family.weights >= 0).all() and family.weights.any() for family in part.model.families.values())


def test_features_beat_the_score_and_the_score_beats_the_base_rate(fitted: dict[str, Fitted]) -> None:
    """On clips that the fits have not seen."""
    found = fitted["vo"].reliability[ALL]
    assert found.brier_features < found.brier_score < found.brier_base
    assert found.ece_features < found.ece_score
    assert found.ece_features < 0.03
    assert found.ap_features > found.ap_score - 0.01
    assert found.labels == sum(part.labels for name, part in fitted["vo"].reliability.items() if name != ALL)


def test_the_same_runs_give_the_same_file(methods: tuple[MethodExamples, ...], tmp_path: Path) -> None:
    paths, fits = [tmp_path / "a.json", tmp_path / "b.json"], [calibrate(methods[:1], l2=1.0, folds=2) for _ in range(2)]
    for path, fit in zip(paths, fits, strict=True):
        write_probability_file(path, probability_file(fit))
    assert paths[0].read_text() == paths[1].read_text()
    assert read_probability_file(paths[0]).models.keys() == fits[0].keys()


def test_provenance(fitted: dict[str, Fitted]) -> None:
    document = fitted[ANY].model.provenance
    assert [(run["estimator"], run["dataset"], run["clips"], run["configuration"]) for run in document["runs"]] == [
        ("vo", "made", 148, "abc"),
        ("glomap", "made", 148, "abc"),
    ]
    hashes = {part.model.provenance["inputs_sha256"] for part in fitted.values()}
    assert len(hashes) == 3
    json.dumps(document, allow_nan=False)


def test_a_single_method_is_the_model_for_any(methods: tuple[MethodExamples, ...], fitted: dict[str, Fitted]) -> None:
    alone = calibrate(methods[:1], l2=1.0, folds=5)
    assert alone.keys() == {ANY}
    np.testing.assert_array_equal(alone[ANY].model.families[Family.ROLL].weights, fitted["vo"].model.families[Family.ROLL].weights)


def test_a_stronger_penalty_makes_smaller_weights(methods: tuple[MethodExamples, ...], fitted: dict[str, Fitted]) -> None:
    strong = calibrate(methods[:1], l2=100.0, folds=5)[ANY]
    for family in Family:
        assert strong.model.families[family].weights.sum() < fitted["vo"].model.families[family].weights.sum()


def test_table(fitted: dict[str, Fitted]) -> None:
    table = reliability_table("vo", fitted["vo"].reliability)
    assert [row[0] for row in table.rows] == [*map(str, Family), ALL]
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_too_few_clips(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"vo: .*|any: the labels of .* at least 5 of each"):
        calibrate(read_run(make_run(tmp_path / "small", clips=12)), l2=1.0, folds=5)


def test_folders_that_are_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished run"):
        read_run(tmp_path)
    with pytest.raises(InputError, match="no finished run"):
        read_run(tmp_path / "none")
    (tmp_path / "results.json").write_text("{}")
    with pytest.raises(InputError, match="not what `sfmcam bench` writes"):
        read_run(tmp_path)


@pytest.mark.parametrize("spoiled", ["", "{}", '{"depth": {}}', "of another version"])
def test_scores_that_cannot_be_used(tmp_path: Path, spoiled: str) -> None:
    run = make_run(tmp_path / "run", clips=4)
    path = run / "vo" / "clips" / "clip000" / "scores.json"
    if spoiled == "of another version":
        spoiled = path.read_text().replace("over_partner", "over_friend")
    path.write_text(spoiled)
    with pytest.raises(InputError, match=r"clip000/scores.json cannot be used .*--overwrite"):
        read_run(run)
    path.unlink()
    with pytest.raises(InputError, match=r"clip000/scores.json cannot be used"):
        read_run(run)
