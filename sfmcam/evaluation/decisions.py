"""Yes or no at a threshold: accuracy, balanced accuracy and F1, and the threshold that other videos suggest.

A failed clip gave no answer. It counts as a mistake in accuracy and balanced accuracy, as a positive that was missed in F1 where it shows
the motion, and for nothing in F1 where it does not (it was not claimed to show it). Figures over the answered clips stand beside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.types import Bool, Float, Int

HALF = 0.5
FOLDS = 5


@dataclass(frozen=True)
class Outcome:
    """Clips by truth and answer: true and false positives and negatives, and those that failed."""

    tp: int
    fp: int
    fn: int
    tn: int
    failed_yes: int = 0
    failed_no: int = 0

    @property
    def clips(self) -> int:
        """All of them."""
        return self.tp + self.fp + self.fn + self.tn + self.failed_yes + self.failed_no

    @property
    def accuracy(self) -> float:
        """Share of clips with the right answer."""
        return _share(self.tp + self.tn, self.clips)

    @property
    def accuracy_answered(self) -> float:
        """Share of right answers in all answers."""
        return _share(self.tp + self.tn, self.tp + self.fp + self.fn + self.tn)

    @property
    def balanced_accuracy(self) -> float:
        """Mean of the shares of positives and of negatives with the right answer (scikit-learn's); NaN for a pool of one class."""
        return (_share(self.tp, self.tp + self.fn + self.failed_yes) + _share(self.tn, self.tn + self.fp + self.failed_no)) / 2

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 0 where no yes was right; NaN where no clip shows the motion."""
        if not self.tp + self.fn + self.failed_yes:
            return float("nan")
        return 2 * self.tp / (2 * self.tp + self.fp + self.fn + self.failed_yes)


def outcome_kinds(labels: Bool, says_yes: Bool, answered: Bool) -> Bool:
    """Return (6, n): which clips are tp, fp, fn, tn, failed_yes, failed_no."""
    yes, no = answered & says_yes, answered & ~says_yes
    return np.stack([labels & yes, ~labels & yes, labels & no, ~labels & no, labels & ~answered, ~labels & ~answered])


def outcome(kinds: Bool) -> Outcome:
    """Count the clips of each of `outcome_kinds`."""
    return Outcome(*(int(kind.sum()) for kind in kinds))


def fewest_mistakes(scores: Float, labels: Bool) -> float:
    """Return the threshold above which to say yes so that the fewest clips are wrong: the decision of least expected cost where both
    mistakes cost the same, as 0.5 is for a probability.

    Args:
        scores: (n,) finite.
        labels: (n,).

    Returns:
        Half-way between two neighbouring scores, or just below the lowest; infinite where saying no to all is as good. Of several as
        good, the highest.
    """
    if not len(scores):
        return float("inf")
    order = np.argsort(-scores, kind="stable")
    falling, truth = scores[order], labels[order]
    mistakes = np.concatenate([[0], np.cumsum(np.where(truth, -1, 1))])  # more than by saying no to all, with the first k said yes to
    cut = np.concatenate([[True], falling[:-1] > falling[1:], [True]])  # clips of equal score get the same answer
    best = int(np.flatnonzero(cut)[np.argmin(mistakes[cut])])
    if best == 0:
        return float("inf")
    if best == len(falling):
        return float(np.nextafter(falling[-1], -np.inf))
    middle = falling[best - 1] / 2 + falling[best] / 2
    return float(middle if middle < falling[best - 1] else falling[best])


def cross_validated_thresholds(scores: Float, labels: Bool, folds: Int) -> dict[int, float]:
    """Return fold -> threshold with the fewest mistakes on the answered clips of all other folds; NaN in `scores` means failed."""
    answered = ~np.isnan(scores)
    others = {int(fold): answered & (folds != fold) for fold in np.unique(folds)}
    return {fold: fewest_mistakes(scores[kept], labels[kept]) for fold, kept in others.items()}


def best_f1(scores: Float, labels: Bool) -> float:
    """Return the F1 of the threshold that suits these very clips best, failed ones (NaN) never said yes to; NaN without a positive."""
    if not labels.any():
        return float("nan")
    answered = ~np.isnan(scores)
    order = np.argsort(-scores[answered], kind="stable")
    falling, truth = scores[answered][order], labels[answered][order]
    if not len(falling):
        return 0.0
    ends = np.append(falling[:-1] > falling[1:], True)
    hits, said = np.cumsum(truth)[ends], np.flatnonzero(ends) + 1
    return float((2 * hits / (said + labels.sum())).max())  # F1 = 2 tp / (said yes + positives)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
