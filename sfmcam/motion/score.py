"""From a measurement to 15 numbers: higher means more evidence that the camera did it, on one scale for every clip.

Everything is compared as image motion, in picture widths (`MotionMeasurement.image_gain`): a degree of pan and a scene
depth of truck then have one unit and can be weighed against each other. For each degree of freedom and each direction:

1. x is how far the smooth path rises (or falls), wherever in the clip it does so.
2. Noise fades it: x * x^2 / (x^2 + noise^2). Noise is the measurement's uncertainty, the unsteadiness of the hand or of the
   poses, a floor below which nobody would speak of a motion, and what may have leaked in from the other motions; two that
   shift the picture alike (pan and truck, tilt and pedestal, zoom and dolly) leak most.
3. Dominance weighs it: times its share in the whole image motion, so that a small truck beside a large pan
   is less evidence than the same truck alone.
4. It saturates, x / (x + half a picture): beyond that, more motion is hardly more evidence.
5. Half of the opposite direction's evidence is taken off. A one-way motion thus scores its opposite below zero, there and
   back keeps half of both, and sway around a point keeps little of either.

All five are continuous and strictly increasing in x, so that no two different motions become equal.
"""

from __future__ import annotations

import numpy as np

from sfmcam.motion.measurement import MotionMeasurement
from sfmcam.motion.primitive import PRIMITIVES, ROTATION_DOFS, TRANSLATION_DOFS, Dof
from sfmcam.types import Float

SIGMAS = 0.6  # multiple of the measurement uncertainty that halves the evidence
JITTER_SHARE = 6.0  # slow sway that comes with a shaky hand, and drift that comes with poses that jump, as a multiple of the jitter
FLOOR_WIDTHS = 0.01  # motions that shift the picture by less than about this are not called motions
LEAK_CONFUSED = 0.25  # share of a motion that may show up in the one that shifts the picture alike
LEAK_OTHER = 0.1  # share of any other motion
CAP_WIDTHS = 1.0  # a motion counts against the others up to this: a translation that went astray must not drown the rotations
SATURATION_WIDTHS = 0.5
BACK_SHARE = 0.5
STATIC_FLOOR_WIDTHS = 1e-6  # keeps the logarithm finite for a path of exact zeros

CONFUSED = ((Dof.PAN, Dof.RIGHT), (Dof.TILT, Dof.DOWN), (Dof.ZOOM, Dof.IN))


def score_primitives(measurement: MotionMeasurement) -> dict[str, float]:
    """Return 15 finite scores by primitive id, comparable between clips (rules in the module's docstring).

    Directions score between -0.5 and 1: about 0 for a still or shaky camera, 0.5 for a clear motion by half a picture width,
    below 0 where the camera does the opposite. Where the focal length is unknown both zooms score 0, the value of "no
    zoom". `static` is minus the natural logarithm of the whole image motion in picture widths, jitter included.
    """
    noise = noise_widths(measurement)
    rise = _evidence(measurement, measurement.rise, noise=noise)
    fall = _evidence(measurement, measurement.fall, noise=noise)
    forth, back = rise - BACK_SHARE * fall, fall - BACK_SHARE * rise
    scores = {p.id: float((forth if p.sign > 0 else back)[p.dof]) for p in PRIMITIVES if p.dof is not None}
    scores["static"] = -float(np.log(_image_motion(measurement) + STATIC_FLOOR_WIDTHS))
    return scores


def noise_widths(measurement: MotionMeasurement) -> Float:
    """Return (7,) the image motion, in picture widths, at which rule 2 halves the evidence of each degree of freedom."""
    gain = measurement.image_gain
    uncertain = SIGMAS * np.nan_to_num(gain * measurement.sigma)
    unsteady = JITTER_SHARE * np.nan_to_num(gain * measurement.jitter)
    for group in (ROTATION_DOFS, TRANSLATION_DOFS):
        unsteady[list(group)] = np.linalg.norm(unsteady[list(group)])
    moved = np.minimum(np.nan_to_num(gain * measurement.extent), CAP_WIDTHS)
    return np.sqrt(uncertain**2 + unsteady**2 + FLOOR_WIDTHS**2 + _LEAK_SQUARED @ moved**2)


def _evidence(measurement: MotionMeasurement, amount: Float, *, noise: Float) -> Float:
    """Rules 2 to 4 for `amount` (7,), the rise or the fall of each degree of freedom; (7,) in [0, 1)."""
    x = np.nan_to_num(measurement.image_gain * amount)
    whole = float(np.linalg.norm(np.minimum(measurement.image_motion, CAP_WIDTHS)))
    share = np.minimum(x, CAP_WIDTHS) / max(whole, STATIC_FLOOR_WIDTHS)
    weighed = _fade(x, noise) * share
    return weighed / (weighed + SATURATION_WIDTHS)


def _fade(x: Float, noise: Float) -> Float:
    return x / (1.0 + (noise / np.maximum(x, 1e-12)) ** 2)


def _image_motion(measurement: MotionMeasurement) -> float:
    """Whole image motion in picture widths, each degree of freedom faded by the estimator's own noise only: shake is motion here."""
    noise = np.nan_to_num(measurement.image_gain * measurement.noise)
    return float(np.linalg.norm(_fade(measurement.image_motion, noise)))


def _leak_squared() -> Float:
    """(7, 7): entry (i, j) is the squared share of the motion in j that may be mistaken for i."""
    leak = np.full((len(Dof), len(Dof)), LEAK_OTHER**2)
    np.fill_diagonal(leak, 0.0)
    for a, b in CONFUSED:
        leak[a, b] = leak[b, a] = LEAK_CONFUSED**2
    return leak


_LEAK_SQUARED = _leak_squared()
