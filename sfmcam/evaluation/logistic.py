"""Logistic regression whose weights are never negative."""

from __future__ import annotations

import numpy as np

from sfmcam.types import Bool, Float

CONSTANT = 1e-9  # a feature that varies less is the same for every row, and gets no weight


def fit_logistic(features: Float, labels: Bool, *, l2: float) -> tuple[float, Float]:
    """Return intercept and weights (K,) that minimise the log loss plus l2/2 |standardised weights|^2, no weight below zero.

    Args:
        features: (N, K), each one larger the more a label speaks for yes.
        labels: (N,), with both answers among them.
        l2: strength of the penalty, on the weights of features scaled to unit variance; the intercept is free.

    L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995) from zero: the problem is convex, so that every start leads to the same end.
    """
    from scipy.optimize import minimize

    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > CONSTANT, spread, np.inf)
    scaled, answers = (features - mean) / spread, labels.astype(float)

    def loss(parameters: Float) -> tuple[float, Float]:
        intercept, weights = parameters[0], parameters[1:]
        odds = intercept + scaled @ weights
        excess = 1.0 / (1.0 + np.exp(-odds)) - answers
        value = float((np.logaddexp(0.0, odds) - answers * odds).sum() + 0.5 * l2 * (weights**2).sum())
        return value, np.concatenate([[excess.sum()], scaled.T @ excess + l2 * weights])

    bounds = [(None, None), *[(0.0, None)] * features.shape[1]]
    found = minimize(loss, np.zeros(features.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = found[1:] / spread
    return float(found[0] - mean @ weights), weights
