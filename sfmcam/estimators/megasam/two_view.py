"""A start for the tracker from two keyframes: the motion that most cells agree on, whatever their depth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.types import Float

THRESHOLD = 0.3  # 1/8 pixels from the epipolar line
CONFIDENCE, MAX_ITERATIONS = 0.9999, 3000
MIN_CELLS = 20
PIXELS = 8.0


@dataclass(frozen=True)
class TwoViews:
    """The second camera as seen from the first, (4, 4) with a translation of length 1, and how well each cell agrees with it (n,), 0..1."""

    second_from_first: Float
    agrees: Float


def two_views(source: Float, target: Float, focal: Float) -> TwoViews | None:
    """Find the motion between two views that most cells agree on (five-point algorithm, Nister 2004, in USAC, Raguram et al. 2013).

    Args:
        source: (n, 2) cells in the first view, in 1/8 pixels, relative to the principal point.
        target: (n, 2) the same in the second view.
        focal: (2,) focal lengths of the two views, in 1/8 pixels.

    Returns:
        None where hardly any cell is given or no motion was found.
    """
    if len(source) < MIN_CELLS:
        return None
    cv2.setRNGSeed(0)
    # in pixels, with the lens: OpenCV's USAC finds nothing of use in coordinates that are divided by the focal length
    lens = np.diag([PIXELS * focal[0], PIXELS * focal[0], 1.0])
    alike = target * (focal[0] / focal[1])
    essential, _ = cv2.findEssentialMat(
        np.ascontiguousarray(PIXELS * source),
        np.ascontiguousarray(PIXELS * alike),
        lens,
        method=cv2.USAC_DEFAULT,
        prob=CONFIDENCE,
        threshold=PIXELS * THRESHOLD,
        maxIters=MAX_ITERATIONS,
    )
    if essential is None or essential.shape != (3, 3):
        return None
    one, other = (np.asarray(side, np.float64) for side in (source / focal[0], target / focal[1]))
    _, rotation, translation, _ = cv2.recoverPose(essential, one, other, np.eye(3))
    off = _from_epipolar_line(np.asarray(essential, np.float64), one, other) * float(focal.mean())
    pose = rigid_from_parts(np.asarray(rotation, np.float64), np.asarray(translation[:, 0], np.float64))
    return TwoViews(pose, np.exp(-((off / (2 * THRESHOLD)) ** 2)))


def _from_epipolar_line(essential: Float, one: Float, other: Float) -> Float:
    """Return (n,) Sampson's distance (Hartley and Zisserman 2004, eq. 11.9)."""
    first, second = (np.column_stack([p, np.ones(len(p))]) for p in (one, other))
    lines, back = first @ essential.T, second @ essential
    size = (lines[:, :2] ** 2).sum(axis=1) + (back[:, :2] ** 2).sum(axis=1)
    return np.abs((second * lines).sum(axis=1)) / np.sqrt(np.maximum(size, 1e-18))
