"""Beyond average precision: the figures of a made-up pool by hand, the published accuracy of always answering No, and nothing dropped."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from label_folder import make_label_folder
from method_scores import method_scores, noisy_results, with_all_videos
from shared_data import SHARED, needs_shared
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from sfmcam.datasets.folder import load_folder
from sfmcam.datasets.parts import parts_of
from sfmcam.errors import ConfigError, ScoreFileError
from sfmcam.evaluation.beyond import Beyond, beyond
from sfmcam.evaluation.leaderboard import leaderboard
from sfmcam.evaluation.lineup import Scale, scale_of
from sfmcam.evaluation.method_decisions import together
from sfmcam.io.score_file import MethodLabel, write_score_files
from sfmcam.io.score_reader import MethodScores, read_score_dir
from sfmcam.motion.primitive import PRIMITIVES

NAN = math.nan
LIKELY = method_scores(
    "likely",
    {
        "Move_In": {"a": (True, 0.9), "b": (True, 0.3), "c": (False, 0.6), "d": (False, 0.1), "e": (False, "timeout")},
        "Zoom_In": {"a": (False, 0.2), "b": (False, 0.7), "c": (True, 0.8), "d": (False, 0.0), "e": (True, 0.05)},
    },
)
LETTERS = method_scores(
    "letters",
    {
        "Move_In": {"a": (True, 1.0), "b": (True, "no_answer"), "c": (False, 0.0), "d": (False, 0.0), "e": (False, 0.0)},
        "Zoom_In": {"a": (False, 0.0), "b": (False, 1.0), "c": (True, 0.0), "d": (False, 0.0), "e": (True, 0.0)},
    },
)
RAW = method_scores(
    "raw",
    {
        "Move_In": {"a": (True, 30.0), "b": (True, 20.0), "c": (False, -1.0), "d": (False, -2.0), "e": (False, 0.0)},
        "Zoom_In": {"a": (False, -5.0), "b": (False, 1.0), "c": (True, 7.0), "d": (False, 0.0), "e": (True, 9.0)},
    },
)


def look(*methods: MethodScores, **options: object) -> Beyond:
    return beyond(leaderboard(methods, resamples=50), methods, **options)  # type: ignore[arg-type]


def test_decisions_by_hand() -> None:
    likely, letters, raw = look(LIKELY, LETTERS, RAW).to_json()["methods"]  # type: ignore[misc]
    half, crossed = likely["decisions"]
    assert (half["rule"], crossed["rule"]) == ("half", "cross_validated")
    task = half["tasks"]["Move_In"]
    assert [task[k] for k in ("tp", "fp", "fn", "tn", "failed_yes", "failed_no")] == [1, 1, 1, 1, 0, 1]
    assert (task["accuracy"], task["accuracy_answered"]) == (pytest.approx(2 / 5), pytest.approx(2 / 4))
    assert task["balanced_accuracy"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert task["f1"] == pytest.approx(2 / 4)
    assert half["micro"]["accuracy"] == pytest.approx((2 + 3) / 10)
    assert half["mean"]["f1"] == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert half["tasks"]["Move_In"]["thresholds"] == [0.5]
    (letter,) = letters["decisions"]
    assert letter["rule"] == "letter"
    assert letter["tasks"]["Move_In"]["failed_yes"] == 1
    assert letter["micro"]["accuracy"] == pytest.approx((4 + 2) / 10)
    assert [d["rule"] for d in raw["decisions"]] == ["cross_validated"]
    low, high = half["micro"]["accuracy_interval"]
    assert low <= half["micro"]["accuracy"] <= high


def test_failures_are_shown_by_reason_with_their_videos() -> None:
    document = look(LIKELY, LETTERS).to_json()
    likely, letters = document["methods"]  # type: ignore[misc]
    assert likely["rows"] == {"pool": 10, "answered": 9, "failed": 1}
    assert likely["failures"] == [{"reason": "timeout", "rows": 1, "videos": 1, "first": ["e"]}]
    assert letters["failures"][0]["reason"] == "no_answer"
    uneven, letters_only = document["warnings"][1], document["warnings"][0]  # type: ignore[index]
    assert letters_only.startswith("letters answers yes or no only")
    assert "did not answer the same rows (likely 9, letters 9; all of them 8 of 10)" in uneven


def test_scales() -> None:
    kinds = {m.lineup.name: m.lineup.scale for m in look(LIKELY, LETTERS, RAW).methods}
    assert kinds == {"likely": Scale.PROBABILITY, "letters": Scale.ANSWER, "raw": Scale.RAW}
    assert scale_of("depth", np.array([0.1, 0.5])) == (Scale.RAW, "its files say scoring 'depth'")
    assert scale_of("probability", np.array([0.0, 1.0]))[0] is Scale.PROBABILITY
    assert scale_of("probability", np.array([0.0, 1.5])) == (
        Scale.RAW,
        "its files say scoring 'probability', but not all lie between 0 and 1",
    )
    assert scale_of("", np.array([NAN])) == (Scale.RAW, "no row is answered")


def test_reliability_is_of_probabilities_alone() -> None:
    likely, letters, raw = look(LIKELY, LETTERS, RAW).to_json()["methods"]  # type: ignore[misc]
    assert letters["reliability"] is None
    assert raw["reliability"] is None
    bins = likely["reliability"]["all"]["bins"]
    assert [b["labels"] for b in bins] == [2, 1, 1, 1, 0, 0, 1, 1, 1, 1]
    assert (bins[0]["probability"], bins[0]["share_yes"]) == (pytest.approx(0.025), 0.5)
    assert bins[4]["share_yes"] is None
    assert likely["reliability"]["all"]["ece"] == pytest.approx((2 * abs(0.025 - 0.5) + 0.1 + 0.2 + 0.7 + 0.6 + 0.7 + 0.2 + 0.1) / 9)


def test_confusion_by_probability() -> None:
    (likely,) = look(LIKELY).to_json()["methods"]  # type: ignore[misc]
    assert likely["confusion"]["by"] == "probability"
    assert likely["confusion"]["tasks"]["Move_In"]["wins"] == {"Move_In": 1.0, "Zoom_In": 1.0}  # of b the zoom is likelier
    assert likely["confusion"]["tasks"]["Zoom_In"]["unrivalled"] == 1  # e failed on Move_In
    assert likely["confusion"]["tasks"]["Zoom_In"]["wins"] == {"Zoom_In": 1.0}


def test_pairs_in_the_order_asked_and_in_the_order_of_the_methods() -> None:
    found = look(LIKELY, LETTERS, RAW, compare=[("raw", "like")])
    (asked,) = found.asked_for
    assert (asked.a, asked.b, asked.rows) == ("raw", "likely", {"both": 9, "only_a": 1, "only_b": 0, "neither": 0})
    document = found.to_json()
    pairs = {(c["a"], c["b"]): c for c in document["comparisons"]}  # type: ignore[attr-defined, index]
    assert list(pairs) == [("likely", "letters"), ("likely", "raw"), ("letters", "raw")]
    assert pairs["likely", "letters"]["both_answered"] is None
    pair = pairs["likely", "raw"]
    assert pair["mean"]["difference"] == pytest.approx(-asked.all.mean.difference)
    assert pair["mean"]["p"] == pytest.approx(asked.all.mean.p)
    assert pair["tasks"]["Move_In"]["ap_b"] == pytest.approx(1.0)
    assert asked.both_answered is not None
    on_both = asked.both_answered.tasks["Move_In"]
    assert (on_both.a, on_both.b) == (pytest.approx(1.0), pytest.approx((1 + 2 / 3) / 2))  # a, b, c, d without e, which one failed on


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("like", r"both names are those of likely; name two methods"),
        ("l", r"'l' could be likely or letters; give the whole name"),
        ("lettres", r"no method 'lettres' among .*did you mean 'letters'\?"),
    ],
)
def test_a_pair_that_is_not_there(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        look(LIKELY, LETTERS, compare=[(text, "likely")])


def test_a_method_without_labels_needs_a_set(tmp_path: Path) -> None:
    untold = method_scores("untold", {"Move_In": {"a": (None, 1.0), "z": (None, 0.0)}})  # type: ignore[dict-item]
    with pytest.raises(
        ScoreFileError, match=r"says what is true of 1 rows of untold \(first: Move_In z\); name the labelled set with --labels"
    ):
        look(LIKELY, untold)
    labels = load_folder(make_label_folder(tmp_path / "set", {"Move_In": {"a": True, "z": False}}))
    board = leaderboard([untold], labels, resamples=0)
    assert board.methods[0].mean_all.ap == 1.0
    assert board.warnings == ()


@pytest.mark.parametrize(
    ("videos", "sentence"),
    [
        (
            ("a", "z"),
            r"m: none of its 2 rows is among the labels of set \(first: Move_In a\); the labels say 'a\.mp4': names must be equal",
        ),
        (("x.mp4", "y.mp4"), r"m: none of its 2 rows is among .*\(first: Move_In x\.mp4\); are these the labels that it was asked about\?"),
        (
            ("a.mp4", "z"),
            r"m: rows of its score files that the labels do not have, left out: 1; first: Move_In z \(the labels say 'z\.mp4'",
        ),
    ],
)
def test_rows_that_are_not_those_of_the_labels_are_told(videos: tuple[str, str], sentence: str, tmp_path: Path) -> None:
    labels = load_folder(make_label_folder(tmp_path / "set", {"Move_In": {"a.mp4": True, "z.mp4": False}}))
    method = method_scores("m", {"Move_In": {videos[0]: (True, 1.0), videos[1]: (False, 0.0)}})
    assert re.search(sentence, leaderboard([method], labels, resamples=0).warnings[-1])


def test_a_task_of_one_class_has_no_balanced_accuracy_and_is_in_no_mean() -> None:
    lone = method_scores("lone", {"Zoom_In": {"a": (True, 0.9), "b": (True, 0.2)}, "Static": {"a": (False, 0.1), "b": (True, 0.8)}})
    document = json.loads(json.dumps(look(lone).to_json(), allow_nan=False))
    assert document["unrated"] == {"Zoom_In": "no negative clip"}
    half = document["methods"][0]["decisions"][0]
    assert half["tasks"]["Zoom_In"]["balanced_accuracy"] is None
    assert half["mean"]["balanced_accuracy"] == 1.0
    assert half["micro"]["accuracy"] == 0.75


def test_without_resamples_there_is_no_p() -> None:
    methods = [LIKELY, RAW]
    document = beyond(leaderboard(methods, resamples=0), methods).to_json()
    assert document["comparisons"][0]["mean"]["p"] is None  # type: ignore[index]
    json.dumps(document, allow_nan=False)


@needs_shared("camerabench", "binary_classification")
def test_always_no_is_right_on_camerabench_for_the_published_share(tmp_path: Path) -> None:
    """87.7 %: 6,737 of the 7,679 labels are No (counted in the label files; above CamReasoner's published 78.4)."""
    assert SHARED is not None
    labelled_set = with_all_videos(load_folder(SHARED / "camerabench", allow_missing=True))
    results = noisy_results(labelled_set, noise=0.5, num_failed=20)
    write_score_files(tmp_path, labelled_set=labelled_set, results=results, method=MethodLabel("made-up"))
    methods = read_score_dir(tmp_path)
    board = leaderboard(methods, labelled_set, resamples=20)
    found = beyond(board, methods, parts=parts_of(labelled_set))
    always_no = together(list(found.baseline.values()))
    assert (always_no.tn, always_no.clips) == (6737, 7679)
    assert always_no.accuracy == pytest.approx(0.877, abs=0.0005)
    assert (always_no.balanced_accuracy, always_no.f1) == (0.5, 0.0)
    assert {p.name: p.videos for p in found.parts if p.group == "scene"} == {"static scene": 80, "dynamic scene": 80}
    _agrees_with_scikit_learn(found)


def _agrees_with_scikit_learn(found: Beyond) -> None:
    """Every task's figures at the thresholds found, failed clips as mistakes."""
    (method,) = found.methods
    (decisions,) = method.decisions
    for split, task in found.pool.tasks.items():
        outcome = decisions.tasks[split].outcome
        scores = method.lineup.scores[split]
        assert outcome.failed_yes + outcome.failed_no == np.isnan(scores).sum()
        says = np.concatenate([np.repeat([True, True, False, False], [outcome.tp, outcome.fp, outcome.fn, outcome.tn])])
        truth = np.repeat([True, False, True, False], [outcome.tp, outcome.fp, outcome.fn, outcome.tn])
        failed = np.repeat([True, False], [outcome.failed_yes, outcome.failed_no])
        says_all, truth_all = np.append(says, ~failed), np.append(truth, failed)
        assert truth_all.sum() == task.labels.sum()
        assert outcome.accuracy == pytest.approx(accuracy_score(truth_all, says_all))
        assert outcome.balanced_accuracy == pytest.approx(balanced_accuracy_score(truth_all, says_all))
        assert outcome.f1 == pytest.approx(f1_score(truth_all, np.append(says, np.zeros(len(failed), bool))))
        assert outcome.accuracy_answered == pytest.approx(accuracy_score(truth, says))


@needs_shared("clips", "manifest.json")
def test_the_curve_is_that_of_scikit_learn(tmp_path: Path) -> None:
    assert SHARED is not None
    labelled_set = load_folder(SHARED / "clips")
    rng = np.random.default_rng(3)
    rows = {
        split: {row.video: (row.label, float(np.clip(0.6 * row.label + 0.5 * rng.random() - 0.05, 0, 1))) for row in of_split}
        for split, of_split in labelled_set.rows.items()
    }
    (method,) = look(method_scores("made", rows)).methods
    assert method.reliability is not None
    labels, said = (np.array(c) for c in zip(*(cell for of in rows.values() for cell in of.values()), strict=True))
    share, probability = calibration_curve(labels, said, n_bins=10)
    bins = [b for b in method.reliability.all.bins if b.labels]
    np.testing.assert_allclose([b.share_yes for b in bins], share)
    np.testing.assert_allclose([b.probability for b in bins], probability)


def test_every_primitive_has_its_row_in_the_json() -> None:
    rows = {p.split_name: {"a": (True, 1.0), "b": (False, 0.2)} for p in PRIMITIVES}
    document = look(method_scores("m", rows)).to_json()
    (method,) = document["methods"]  # type: ignore[misc]
    for part in (document["baseline"], method["decisions"][0], method["reliability"], method["confusion"]):
        assert list(part["tasks"]) == [p.split_name for p in PRIMITIVES]  # type: ignore[index, call-overload]
