"""Claims: the fit is scikit-learn's where that one's weights are positive, never negative elsewhere, and finds the weights behind data."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from sfmcam.evaluation.logistic import fit_logistic
from sfmcam.evaluation.reliability import brier_score, calibration_error
from sfmcam.types import Bool, Float


def drawn(weights: list[float], intercept: float, *, count: int = 4000, seed: int = 0) -> tuple[Float, Bool]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, len(weights))) * [3.0, 0.2, 1.0][: len(weights)] + [5.0, -1.0, 0.0][: len(weights)]
    odds = intercept + features @ np.array(weights)
    return features, rng.random(count) < 1 / (1 + np.exp(-odds))


@pytest.mark.parametrize("l2", [0.1, 10.0])
def test_scikit_learn_agrees(l2: float) -> None:
    features, labels = drawn([0.5, 4.0, 1.0], -2.0, count=500)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    theirs = LogisticRegression(C=1 / l2, tol=1e-10, max_iter=10_000).fit(scaled, labels)
    intercept, weights = fit_logistic(features, labels, l2=l2)
    assert (weights > 0).all()
    np.testing.assert_allclose(intercept + features @ weights, theirs.decision_function(scaled), atol=2e-3)


def test_the_weights_behind_the_labels_are_found() -> None:
    intercept, weights = fit_logistic(*drawn([0.5, 4.0, 0.3], -2.0, count=40_000), l2=1.0)
    assert intercept == pytest.approx(-2.0, abs=0.3)
    assert weights == pytest.approx([0.5, 4.0, 0.3], rel=0.12)


def test_what_speaks_against_gets_no_weight_and_not_a_negative_one() -> None:
    features, labels = drawn([0.5, -4.0, 0.3], -6.0)
    weights = fit_logistic(features, labels, l2=1.0)[1]
    assert weights[1] == 0.0
    assert (weights[[0, 2]] > 0).all()


def test_a_constant_feature_gets_no_weight() -> None:
    features, labels = drawn([0.5, 4.0], -2.0, count=300)
    intercept, weights = fit_logistic(np.column_stack([features, np.full(300, 7.0)]), labels, l2=1.0)
    assert weights[2] == 0.0
    assert np.isfinite(intercept)


def test_separable_labels_stay_finite() -> None:
    features = np.linspace(-1, 1, 40)[:, None]
    intercept, weights = fit_logistic(features, features[:, 0] > 0, l2=1.0)
    assert 0 < weights[0] < 50
    assert abs(intercept) < 1


def test_a_version_that_nobody_believes_changes_nothing() -> None:
    features, labels = drawn([0.5, 4.0], -2.0, count=400)
    wild = np.random.default_rng(3).normal(size=features.shape) * 50
    shares = np.tile([1.0, 0.0], (len(labels), 1))
    both = fit_logistic(np.stack([features, wild], axis=1), labels, l2=1.0, shares=shares)
    alone = fit_logistic(features, labels, l2=1.0)
    assert both[0] == pytest.approx(alone[0], abs=1e-3)
    np.testing.assert_allclose(both[1], alone[1], rtol=1e-3)


def test_the_weights_behind_a_mixture_are_found() -> None:
    """Each row is one of two versions, nobody knows which; the labels were drawn from the true one."""
    rng = np.random.default_rng(4)
    versions, share = rng.normal(size=(30_000, 2, 2)), rng.uniform(0, 1, 30_000)
    true = versions[np.arange(30_000), (rng.random(30_000) > share).astype(int)]
    labels = rng.random(30_000) < 1 / (1 + np.exp(-(true @ [2.0, 1.0] - 1.0)))
    intercept, weights = fit_logistic(versions, labels, l2=1.0, shares=np.column_stack([share, 1 - share]))
    assert intercept == pytest.approx(-1.0, abs=0.15)
    np.testing.assert_allclose(weights, [2.0, 1.0], rtol=0.15)


def test_brier_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    probable, labels = rng.random(200), rng.random(200) < 0.3
    assert brier_score(probable, labels) == pytest.approx(brier_score_loss(labels, probable))


def test_calibration_error() -> None:
    """By hand: (2 * |0.15 - 0.5| + 2 * |0.95 - 1|) / 4 = 0.2; a certain and right answer has none, a certain and wrong one has 1."""
    assert calibration_error(np.array([0.1, 0.2 - 1e-9, 0.92, 0.98]), np.array([True, False, True, True])) == pytest.approx(0.2)
    assert calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0.0
    assert calibration_error(np.array([1.0, 0.0]), np.array([False, True])) == 1.0
    assert np.isnan(calibration_error(np.array([]), np.array([], dtype=bool)))


def test_probabilities_that_are_frequencies_have_no_calibration_error() -> None:
    rng = np.random.default_rng(1)
    probable = rng.random(100_000)
    assert calibration_error(probable, rng.random(100_000) < probable) < 0.01
    assert calibration_error(probable**2, rng.random(100_000) < probable) > 0.1
