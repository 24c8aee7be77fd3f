"""A turning, zooming camera from keyframe to keyframe: a robust start for everything that follows."""

from __future__ import annotations

import numpy as np

from sfmcam.estimators.vo.bundle import Observations
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Float

SCALES = (0.06, 0.03, 0.012, 0.006, 0.004, 0.003, 0.003)  # of Geman and McClure's function, in long sides, coarse to fine
MIN_SHARED = 4  # points of a step; with fewer the camera is taken to rest


def chain_rotations(seen: Observations, focal: float) -> tuple[Float, Float]:
    """Fit x' ~ K' R K^-1 x between neighbouring keyframes and chain the steps.

    The homography of a turning and zooming camera (Hartley and Zisserman 2004, sec. 8.4), fitted by iteratively reweighted least squares whose
    scale shrinks (graduated non-convexity: Blake and Zisserman 1987).

    Args:
        seen: observations of the window.
        focal: assumed focal length of the first keyframe, in long sides.

    Returns:
        (K, 3, 3) keyframe from first keyframe, and (K,) log focal over the first one's.
    """
    rotation, zoom = np.tile(np.eye(3), (seen.num_keys, 1, 1)), np.zeros(seen.num_keys)
    now, after = _neighbours(seen)
    key = seen.key[now]
    for k in range(seen.num_keys - 1):
        rows = key == k
        turn, step = _fit_step(seen.xy[now[rows]] / focal, seen.xy[after[rows]] / focal, seen.weight[now[rows]], focal=focal)
        rotation[k + 1], zoom[k + 1] = turn @ rotation[k], zoom[k] + step
    return rotation, zoom


def _neighbours(seen: Observations) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of observations, and the rows of the same points in the next keyframe."""
    point = seen.point
    now = np.flatnonzero((np.diff(point) == 0) & (np.diff(seen.key) == 1))
    return now, now + 1


def _fit_step(before: Float, after: Float, weight: Float, *, focal: float) -> tuple[Float, float]:
    turn, zoom = np.eye(3), 0.0
    if len(before) < MIN_SHARED:
        return turn, zoom
    rays = np.column_stack([before, np.ones(len(before))])
    for scale in SCALES:
        turned = rays @ turn.T
        x, y = (turned[:, :2] / turned[:, 2:]).T
        gain = np.exp(zoom)
        residual = np.column_stack([gain * x - after[:, 0], gain * y - after[:, 1]])
        trust = weight / (1 + (residual**2).sum(axis=1) / (scale / focal) ** 2) ** 2
        jacobian = gain * np.array([[-x * y, 1 + x * x, -y, x], [-(1 + y * y), x * y, x, y]])  # (2, 4, M)
        h = np.einsum("iam,ibm,m->ab", jacobian, jacobian, trust) + 1e-6 * np.eye(4)
        step = -np.linalg.solve(h, np.einsum("iam,mi,m->a", jacobian, residual, trust))
        turn, zoom = rotation_from_vector(step[:3]) @ turn, zoom + float(step[3])
    return turn, zoom
