"""Logistic regression whose weights are never negative, of rows that may each have several weighed versions."""

from __future__ import annotations

import numpy as np

from sfmcam.types import Bool, Float

CONSTANT = 1e-9  # a feature that varies less is the same for every row, and gets no weight


def fit_logistic(features: Float, labels: Bool, *, l2: float, shares: Float | None = None) -> tuple[float, Float]:
    """Return intercept and weights (K,) that minimise the log loss plus l2/2 |standardised weights|^2, no weight below zero.

    Args:
        features: (N, K), each one larger the more a label speaks for yes; or (N, H, K) where a row has H versions.
        labels: (N,), with both answers among them.
        l2: strength of the penalty, on the weights of features scaled to unit variance; the intercept is free.
        shares: (N, H) how much each version of a row is believed, together 1: its probability is the mean of theirs (a mixture of
            experts with known gates: Jacobs et al. 1991).

    L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995) from zero. With one version a row the problem is convex, so that every start leads to the
    same end; with several it need not be, but the same data always lead to the same end.
    """
    from scipy.optimize import minimize

    versions = features[:, None, :] if features.ndim == 2 else features
    gates = np.ones(versions.shape[:2]) if shares is None else shares
    believed = gates / gates.sum()
    mean = np.einsum("nh,nhk->k", believed, versions)
    spread = np.sqrt(np.einsum("nh,nhk->k", believed, (versions - mean) ** 2))
    spread = np.where(spread > CONSTANT, spread, np.inf)
    scaled, signs = (versions - mean) / spread, np.where(labels, 1.0, -1.0)[:, None]
    flat, shape = np.ascontiguousarray(scaled.reshape(-1, scaled.shape[2])), scaled.shape[:2]
    with np.errstate(divide="ignore"):
        log_gates = np.log(gates)

    def loss(parameters: Float) -> tuple[float, Float]:
        """Return the penalised log loss of (intercept, weights of the standardised features), and its gradient."""
        intercept, weights = parameters[0], parameters[1:]
        odds = signs * (intercept + (flat @ weights).reshape(shape))
        log_each = log_gates - np.logaddexp(0.0, -odds)
        log_answer = log_each[:, 0] if shape[1] == 1 else np.logaddexp.reduce(log_each, axis=1)
        pull = -signs * np.exp(log_each - log_answer[:, None]) / (1.0 + np.exp(np.minimum(odds, 700.0)))
        value = float(-log_answer.sum() + 0.5 * l2 * (weights**2).sum())
        return value, np.concatenate([[pull.sum()], flat.T @ pull.ravel() + l2 * weights])

    bounds = [(None, None), *[(0.0, None)] * versions.shape[2]]
    found = minimize(loss, np.zeros(versions.shape[2] + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = found[1:] / spread
    return float(found[0] - mean @ weights), weights
