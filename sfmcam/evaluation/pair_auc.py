"""How many pairs of frames have a small enough error, over all thresholds up to one: the area under the recall curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sfmcam.types import Float

THRESHOLDS_DEG = (5, 10, 20)


def pose_auc(errors_deg: Float, thresholds_deg: Sequence[float] = THRESHOLDS_DEG) -> tuple[float, ...]:
    """Return the area under the recall curve up to each threshold, divided by the threshold: 1 where no pair has an error.

    As SuperGlue evaluates it, and after it LoFTR and others (magicleap/SuperGluePretrainedNetwork, models/utils.py: `pose_auc`):
    the curve runs straight from (0, 0) through the points (k-th smallest error, k / P), and level from the last error below the
    threshold on; an error that equals the threshold is not below it. VGGT and PoseDiffusion count in bins of one degree instead.

    Args:
        errors_deg: (P,) the larger of rotation and translation error of each pair, degrees, P >= 1.
        thresholds_deg: upper ends of the integration, degrees.
    """
    errors = np.concatenate([[0.0], np.sort(errors_deg)])
    recall = np.arange(len(errors)) / len(errors_deg)
    areas = []
    for threshold in thresholds_deg:
        below = max(int(np.searchsorted(errors, threshold)), 1)
        x = np.append(errors[:below], threshold)
        y = np.append(recall[:below], recall[below - 1])
        areas.append(float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)) / threshold)
    return tuple(areas)


def share_below(errors_deg: Float, thresholds_deg: Sequence[float] = THRESHOLDS_DEG) -> tuple[float, ...]:
    """Return the share of pairs whose error is below each threshold: RRA and RTA of rotation and translation (RelPose, VGGT)."""
    return tuple(float(np.mean(errors_deg < threshold)) for threshold in thresholds_deg)
