"""Fitting the probabilities of the primitives, and telling by clips left out how far they can be believed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sfmcam import __version__
from sfmcam.errors import InputError
from sfmcam.evaluation.average_precision import average_precision, rank_failed_last
from sfmcam.evaluation.calibration_examples import Example, MethodExamples
from sfmcam.evaluation.folds import folds_of
from sfmcam.evaluation.leaderboard_text import TextTable
from sfmcam.evaluation.logistic import fit_logistic
from sfmcam.evaluation.reliability import brier_score, calibration_error
from sfmcam.io.probability_file import ANY, CalibratedModel, ProbabilityFile
from sfmcam.motion.features import Family, family_of, feature_names
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.motion.probability import FamilyModel, sigmoid
from sfmcam.types import Bool, Float

MIN_OF_EACH = 5  # labels of either answer that a family needs
ALL = "all"


@dataclass(frozen=True)
class Reliability:
    """Figures over the labels of some primitives, every clip judged by a fit that has not seen it.

    `*_score` is a logistic regression on sfmcam's score alone, `*_features` that on the features, `brier_base` the share of yes for
    every label. Average precision is the mean over the primitives; the score's own needs no fit.
    """

    labels: int
    yes: int
    brier_base: float
    brier_score: float
    brier_features: float
    ece_score: float
    ece_features: float
    ap_score: float
    ap_features: float


@dataclass(frozen=True)
class _Rows:
    """Labels of one family with what is known of each: `clip` numbers its example.

    `features` is (N, H, K) and `shares` (N, H): one version of a row for each hypothesis of its clip, with zeros where a clip has fewer.
    """

    primitive: list[str]
    clip: np.ndarray
    features: Float
    shares: Float
    scores: Float
    labels: Bool


@dataclass(frozen=True)
class Fitted:
    """A model with its reliability by family, and over all under the key ALL."""

    model: CalibratedModel
    reliability: dict[str, Reliability]


def calibrate(methods: Sequence[MethodExamples], *, l2: float, folds: int) -> dict[str, Fitted]:
    """Fit one model per method, and one under the name ANY to all of them together; of a single method, the latter alone.

    Raises:
        InputError: too few labels of a family.
    """
    by_slug: dict[str, list[MethodExamples]] = {}
    for method in methods:
        by_slug.setdefault(method.slug, []).append(method)
    groups = (by_slug if len(by_slug) > 1 else {}) | {ANY: list(methods)}
    return {name: _fit_group(name, parts, l2=l2, folds=folds) for name, parts in groups.items()}


def probability_file(fitted: dict[str, Fitted]) -> ProbabilityFile:
    """Return what `sfmcam calibrate` writes."""
    return ProbabilityFile({name: part.model for name, part in fitted.items()})


def updated(old: ProbabilityFile, new: ProbabilityFile, *, slugs: Sequence[str]) -> ProbabilityFile:
    """Return `old` with the models of some methods from `new`, where that of a single method goes by the name ANY."""
    of_methods = {slug: new.models.get(slug, new.models[ANY]) for slug in dict.fromkeys(slugs)}
    return ProbabilityFile({**old.models, **of_methods})


def reliability_table(name: str, reliability: dict[str, Reliability]) -> TextTable:
    """Return one model's reliability as a table, one row per family."""
    columns = ("Family", "Labels", "Yes", "Brier: base", "score", "features", "ECE: score", "features", "AP: score", "features")
    rows = tuple(
        (
            family,
            str(r.labels),
            str(r.yes),
            *(f"{value:.4f}" for value in (r.brier_base, r.brier_score, r.brier_features, r.ece_score, r.ece_features)),
            *(f"{value:.3f}" for value in (r.ap_score, r.ap_features)),
        )
        for family, r in reliability.items()
    )
    return TextTable(f"Probabilities of {name}, clips left out of the fit", columns, rows)


def _fit_group(name: str, parts: Sequence[MethodExamples], *, l2: float, folds: int) -> Fitted:
    examples = [example for part in parts for example in part.examples]
    fold_of = folds_of([example.clip for example in examples], folds)  # one clip under several methods falls into one fold
    every = {family: _rows(examples, family) for family in Family}
    families, found, judged = {}, {}, {}
    for family, rows in every.items():
        _require_enough(rows, family, name)
        intercept, weights = fit_logistic(rows.features, rows.labels, l2=l2, shares=rows.shares)
        families[family] = FamilyModel(intercept, weights, base_rate=float(rows.labels.mean()))
        judged[family] = _cross_validated(rows, fold_of, l2=l2)
        found[str(family)] = _reliability(rows, *judged[family])
    together = _joined(list(every.values()))
    outside = tuple(np.concatenate([judged[family][k] for family in Family]) for k in range(2))
    found[ALL] = _reliability(together, *outside)
    provenance = _provenance(parts, l2=l2, folds=folds) | {"reliability": {key: vars(value) for key, value in found.items()}}
    return Fitted(CalibratedModel(families, provenance), found)


def _rows(examples: Sequence[Example], family: Family) -> _Rows:
    ids = [p.id for p in PRIMITIVES if family_of(p) is family]
    picked = [(number, e, name) for number, e in enumerate(examples) for name in ids if name in e.labels]
    most = max((len(e.features.weights) for _, e, _ in picked), default=1)
    features, shares = np.zeros((len(picked), most, len(feature_names(family)))), np.zeros((len(picked), most))
    for row, (_, example, name) in enumerate(picked):
        of_row = example.features.of[name]
        features[row, : len(of_row)] = of_row
        shares[row, : len(of_row)] = example.features.weights
    return _Rows(
        primitive=[name for _, _, name in picked],
        clip=np.array([number for number, _, _ in picked], dtype=int),
        features=features,
        shares=shares,
        scores=np.array([e.scores[name] for _, e, name in picked]),
        labels=np.array([e.labels[name] for _, e, name in picked], dtype=bool),
    )


def _joined(parts: Sequence[_Rows]) -> _Rows:
    return _Rows(
        primitive=[name for part in parts for name in part.primitive],
        clip=np.concatenate([part.clip for part in parts]),
        features=np.empty((sum(len(part.labels) for part in parts), 0, 0)),
        shares=np.empty((sum(len(part.labels) for part in parts), 0)),
        scores=np.concatenate([part.scores for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
    )


def _require_enough(rows: _Rows, family: Family, name: str) -> None:
    yes = int(rows.labels.sum())
    if min(yes, len(rows.labels) - yes) < MIN_OF_EACH:
        raise InputError(
            f"{name}: the labels of {family} are {yes} yes and {len(rows.labels) - yes} no; "
            f"a fit needs at least {MIN_OF_EACH} of each, so give runs over more clips"
        )


def _cross_validated(rows: _Rows, fold_of: np.ndarray, *, l2: float) -> tuple[Float, Float]:
    """Return the log odds (N,) of every row by features and by score alone, from fits without its fold."""
    fold = fold_of[rows.clip]
    by_features, by_score = np.zeros(len(fold)), np.zeros(len(fold))
    alone = rows.scores[:, None]
    for held_out in np.unique(fold):
        test, train = fold == held_out, fold != held_out
        intercept, weights = fit_logistic(rows.features[train], rows.labels[train], l2=l2, shares=rows.shares[train])
        by_features[test] = _mean_log_odds(intercept + rows.features[test] @ weights, rows.shares[test])
        intercept, weights = fit_logistic(alone[train], rows.labels[train], l2=l2)
        by_score[test] = intercept + alone[test] @ weights
    return by_features, by_score


def _mean_log_odds(log_odds: Float, shares: Float) -> Float:
    """Return (N,) the log odds of the mean over the versions (N, H) of a row."""
    with np.errstate(divide="ignore"):
        log_shares = np.log(shares)
    yes, no = (np.logaddexp.reduce(log_shares - np.logaddexp(0.0, sign * log_odds), axis=1) for sign in (-1, 1))
    return np.asarray(yes - no, np.float64)


def _reliability(rows: _Rows, by_features: Float, by_score: Float) -> Reliability:
    probable, alone = (np.array([sigmoid(odds) for odds in column]) for column in (by_features, by_score))
    base = np.full(len(rows.labels), rows.labels.mean())
    return Reliability(
        labels=len(rows.labels),
        yes=int(rows.labels.sum()),
        brier_base=brier_score(base, rows.labels),
        brier_score=brier_score(alone, rows.labels),
        brier_features=brier_score(probable, rows.labels),
        ece_score=calibration_error(alone, rows.labels),
        ece_features=calibration_error(probable, rows.labels),
        ap_score=_mean_ap(rows, rows.scores),
        ap_features=_mean_ap(rows, by_features),
    )


def _mean_ap(rows: _Rows, values: Float) -> float:
    """Mean over the primitives of the average precision; those without both answers say nothing."""
    primitive = np.array(rows.primitive)
    masks = [primitive == name for name in dict.fromkeys(rows.primitive)]
    aps = np.array([average_precision(rows.labels[mask], rank_failed_last(values[mask])) for mask in masks])
    return float(np.nanmean(aps)) if np.isfinite(aps).any() else float("nan")


def _provenance(parts: Sequence[MethodExamples], *, l2: float, folds: int) -> dict[str, Any]:
    lines = sorted(f"{part.slug} {e.clip} {e.digest}" for part in parts for e in part.examples)
    return {
        "sfmcam_version": __version__,
        "runs": [
            {
                "estimator": part.slug,
                "configuration": part.configuration,
                "dataset": part.dataset,
                "clips": len(part.examples),
                "failed": part.failed,
                "of_several_shots": part.cut,
            }
            for part in parts
        ],
        "l2": l2,
        "folds": folds,
        "inputs_sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
    }
