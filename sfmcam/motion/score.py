"""From a measurement to 15 numbers: higher means more evidence that the camera did it, on one scale for every clip.

Everything is compared as image motion, in picture widths (`MotionMeasurement.image_gain`): a degree of pan and a tenth of
a scene depth of truck move the picture alike, so they can be weighed against each other.

1. evidence of a direction = how far the smooth path rises, less half of how far it falls. A one-way motion scores its
   size, its opposite minus half of that; there and back scores half its size for both; wander around a point little.
2. noise of a degree of freedom = its uncertainty, the unsteadiness of the hand, a floor below which nobody would speak
   of a motion, and the share of the other motions that may have leaked into it. Two degrees of freedom that shift the
   picture alike (pan and truck, tilt and pedestal, zoom and dolly) leak most.
3. x becomes x * x^2 / (x^2 + noise^2): what is far above the noise stays, what is below fades smoothly, and no two
   different motions become equal.
"""

from __future__ import annotations

import numpy as np

from sfmcam.motion.measurement import MotionMeasurement
from sfmcam.motion.primitive import PRIMITIVES, Dof
from sfmcam.types import Float

SIGMAS = 3.0  # multiple of the measurement uncertainty that halves the evidence
JITTER_SHARE = 2.0  # slow wander that comes with a shaky hand, as a multiple of its jitter
FLOOR_WIDTHS = 0.01  # motions that shift the picture by less than about this are not called motions
LEAK_CONFUSED = 0.25  # share of a motion that may show up in the one that shifts the picture alike
LEAK_OTHER = 0.05  # share of any other motion
BACK_SHARE = 0.5  # how much of a motion in the opposite direction counts against a direction
STATIC_FLOOR_WIDTHS = 1e-6  # keeps the logarithm finite for a path of exact zeros

CONFUSED = ((Dof.PAN, Dof.RIGHT), (Dof.TILT, Dof.DOWN), (Dof.ZOOM, Dof.IN))


def score_primitives(measurement: MotionMeasurement) -> dict[str, float]:
    """Return 15 finite scores by primitive id, comparable between clips; the module's docstring has the three rules.

    Directions score in picture widths: about 0 for a still or shaky camera and, as neutral value, where the focal length
    is unknown (zoom). `static` is minus the natural logarithm of the whole image motion, jitter included.
    """
    gain = measurement.image_gain
    noise = noise_widths(measurement)
    rise = _fade(np.nan_to_num(gain * measurement.rise), noise)
    fall = _fade(np.nan_to_num(gain * measurement.fall), noise)
    forth, back = rise - BACK_SHARE * fall, fall - BACK_SHARE * rise
    scores = {p.id: float((forth if p.sign > 0 else back)[p.dof]) for p in PRIMITIVES if p.dof is not None}
    scores["static"] = -float(np.log(_image_motion(measurement) + STATIC_FLOOR_WIDTHS))
    return scores


def noise_widths(measurement: MotionMeasurement) -> Float:
    """Return (7,) the image motion, in picture widths, at which the evidence of each degree of freedom is halved."""
    gain = measurement.image_gain
    own = np.nan_to_num(gain * np.hypot(SIGMAS * measurement.sigma, JITTER_SHARE * measurement.jitter))
    moved = np.nan_to_num(gain * measurement.extent)
    leaked = leak_matrix() @ moved**2
    return np.sqrt(own**2 + FLOOR_WIDTHS**2 + leaked)


def leak_matrix() -> Float:
    """Return (7, 7) squared shares: entry (i, j) is how much of the motion in j may be mistaken for i."""
    leak = np.full((len(Dof), len(Dof)), LEAK_OTHER**2)
    np.fill_diagonal(leak, 0.0)
    for a, b in CONFUSED:
        leak[a, b] = leak[b, a] = LEAK_CONFUSED**2
    return leak


def _fade(x: Float, noise: Float) -> Float:
    return x * x**2 / (x**2 + noise**2)


def _image_motion(measurement: MotionMeasurement) -> float:
    """Whole image motion in picture widths, each degree of freedom faded by the estimator's own noise only: shake is motion here."""
    noise = np.nan_to_num(measurement.image_gain * measurement.noise)
    return float(np.linalg.norm(_fade(measurement.image_motion, np.maximum(noise, STATIC_FLOOR_WIDTHS))))
