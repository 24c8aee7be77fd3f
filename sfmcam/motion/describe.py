"""A measurement in one plain sentence."""

from __future__ import annotations

import numpy as np

from sfmcam.motion.measurement import MotionMeasurement
from sfmcam.motion.primitive import PRIMITIVES


def describe(measurement: MotionMeasurement) -> str:
    """Return a sentence such as "The camera pans right 23 degrees while moving in by 0.4 scene depths."."""
    claimed = np.nan_to_num(np.abs(measurement.net)) > np.nan_to_num(2 * measurement.sigma)
    words = [p.words for p in PRIMITIVES if p.dof is not None and claimed[p.dof] and np.sign(measurement.net[p.dof]) == p.sign]
    return f"The camera {' and '.join(words) or 'holds still'}."
