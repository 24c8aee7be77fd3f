"""A turning, zooming camera from keyframe to keyframe: a robust start for everything that follows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sfmcam.estimators.vo.bundle import Observations
from sfmcam.estimators.vo.chain_kernels import fit_turn
from sfmcam.types import Float

SCALES = (0.06, 0.03, 0.012, 0.006, 0.004, 0.003, 0.003)  # of Geman and McClure's function, in long sides, coarse to fine
MIN_SHARED = 4  # points of a step; with fewer the camera is taken to rest


def chain_rotations(seen: Observations, focal: float) -> tuple[Float, Float]:
    """Fit x' ~ K' R K^-1 x between neighbouring keyframes and chain the steps; one that sees nothing is as the one before it.

    The homography of a turning and zooming camera (Hartley and Zisserman 2004, sec. 8.4), fitted by iteratively reweighted least squares
    whose scale shrinks (graduated non-convexity: Blake and Zisserman 1987).

    Args:
        seen: observations of the window.
        focal: assumed focal length of the first keyframe, in long sides.

    Returns:
        (K, 3, 3) keyframe from first keyframe, and (K,) log focal over the first one's.
    """
    rotation, zoom = np.tile(np.eye(3), (seen.num_keys, 1, 1)), np.zeros(seen.num_keys)
    seeing, rank = np.unique(seen.key, return_inverse=True)
    now = np.flatnonzero((np.diff(seen.point) == 0) & (np.diff(rank) == 1))
    now = now[np.argsort(rank[now], kind="stable")]
    bounds = np.searchsorted(rank[now], np.arange(len(seeing)))
    before, after, weight = seen.xy[now] / focal, seen.xy[now + 1] / focal, seen.weight[now].astype(np.float64)
    for k, (first, past) in enumerate(pairwise(bounds)):
        step, turn = 0.0, np.eye(3)
        if past - first >= MIN_SHARED:
            step = fit_turn(before[first:past], after[first:past], weight[first:past], np.array(SCALES) / focal, turn)
        here, later = seeing[k], slice(seeing[k + 1], None)
        rotation[later], zoom[later] = turn @ rotation[here], zoom[here] + step
    return rotation, zoom
