"""What a path does to the picture: every degree of freedom in picture widths, so that motions of different kinds compare."""

from __future__ import annotations

import numpy as np

from sfmcam.estimators.vo.bundle import State
from sfmcam.geometry.rotation import vector_from_rotation
from sfmcam.types import Float

GAIN_HALF = 0.5  # roll, zoom and forward motion move a point in proportion to its distance from the centre
SAME_SHARE = 0.2  # of the larger motion, by which two paths of one and the same solution may differ
SAME_WIDTHS = 0.01  # a motion below is taken for this large


def path_widths(state: State) -> Float:
    """Return (K, 7) how far each degree of freedom (in the order of `Dof`) of a path has moved the picture, in long sides.

    The unit of the translations must be the scene's median depth.
    """
    focal = float(np.exp(state.log_focal.mean()))
    turned = vector_from_rotation(state.rotation.transpose(0, 2, 1))
    path = np.column_stack([turned, state.centers, state.log_focal - state.log_focal[0]])
    return np.asarray(path * [focal, focal, GAIN_HALF, focal, focal, GAIN_HALF, GAIN_HALF], np.float64)


def picture_of(path: Float) -> Float:
    """Return (K, 4) the picture's shift sideways and down, turn, and growth over a path (K, 7): what can be told of it in any case."""
    tilt, pan, roll, right, down, into, zoom = path.T
    return np.column_stack([pan + right, tilt - down, roll, into + zoom])


def are_alike(one: Float, other: Float) -> bool:
    """Tell whether two paths (K, 7) in widths are of the same solution, but for what a descent leaves."""
    size = max(float(np.abs(one).max()), float(np.abs(other).max()), SAME_WIDTHS)
    return float(np.abs(one - other).max()) <= SAME_SHARE * size
