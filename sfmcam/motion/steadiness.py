"""How steady the camera is: the shake of the picture by frequency band, what of it may be noise, and a word for it.

Everything is said of the picture at the depth of the scene, in picture widths: its shift sideways and up and down, its turn and its
growth. Pan and truck shift it alike, and an estimator that mixes the two up moves them against each other; so they are added before
anything is measured, and the mix-up cancels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any

import numpy as np

from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.motion.legs import find_legs, turning_points
from sfmcam.motion.measurement import MotionMeasurement
from sfmcam.motion.primitive import ROTATION_DOFS, TRANSLATION_DOFS, Dof
from sfmcam.motion.shake import Residual, residual
from sfmcam.motion.smooth import samples_per_window, smooth
from sfmcam.types import Float

MIN_FRAMES = 8
MIN_SECONDS = 0.9  # one period of the slowest shake above 1 Hz
MIN_FPS = 4.8  # half of it must reach well above 1 Hz
MIN_TREMBLE_FPS = 11.0  # and here above 4 Hz
MIN_SWAY_SECONDS = 1.5
MIN_SHAKY_SECONDS = 1.5  # in less a start and a stop may be all there is of a moving camera's shake
FIXED_SHAKY_WIDTHS = 0.002  # one pixel in 500
FIXED_SWAY_WIDTHS = 0.004
MOVING_SHAKY_WIDTHS = 0.003  # a moving picture hides more
NOISE_FACTOR = 1.3  # shake is told from this many times the noise floor on
BLIND_WIDTHS = 0.0065  # where the noise alone could be this much and explains the shake, nothing is said
WHITE_FACTOR = 1.5  # noise is taken for at most this many times what it is at the highest frequencies
THIRD_DIFFERENCE_GAIN = np.sqrt(20.0)  # of white noise: 1 + 9 + 9 + 1
MEDIAN_TO_SIGMA = 1.4826
SWAY_WIDTHS = 0.06  # going back and forth by more is a motion, by less is sway
CREEP_WIDTHS = 0.01  # a steady camera that gets this far moves; a shaky one ...
MOVES_RATIO = 3.5  # ... where it gets this many times as far as it shakes and sways
SIGMAS = 2.0  # and no camera moves by less than this many times the uncertainty
# (7, 4): how the degrees of freedom shift the picture to the left and down, turn it and let it grow (at half a width from its centre)
TO_PICTURE = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1]], float)


class Steadiness(StrEnum):
    """A word for how the camera is held."""

    LOCKED_OFF = "locked_off"
    FIXED_SHAKY = "fixed_shaky"
    SMOOTH = "smooth"
    SHAKY = "shaky"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Band:
    """Shake in one band of frequencies, root mean square in picture widths. NaN: the clip cannot tell.

    Attributes:
        jitter_widths: as measured, noise included.
        noise_widths: what the noise alone would leave.
    """

    jitter_widths: float
    noise_widths: float


UNKNOWN_BAND = Band(float("nan"), float("nan"))


@dataclass(frozen=True)
class SteadinessMeasurement:
    """How steady the camera is.

    Attributes:
        kind: the word for it.
        sway: below 1 Hz, back and forth by less than SWAY_WIDTHS.
        hand: 1 to 4 Hz, or up to half the frame rate where `tremble` is unknown.
        tremble: above 4 Hz.
    """

    kind: Steadiness
    sway: Band = UNKNOWN_BAND
    hand: Band = UNKNOWN_BAND
    tremble: Band = UNKNOWN_BAND

    @property
    def jitter(self) -> Band:
        """Hand and tremble together: comparable between frame rates, since what a low rate cannot show as tremble it shows as hand."""
        parts = [band for band in (self.hand, self.tremble) if np.isfinite(band.jitter_widths)]
        if not parts:
            return UNKNOWN_BAND
        return Band(float(np.hypot.reduce([b.jitter_widths for b in parts])), float(np.hypot.reduce([b.noise_widths for b in parts])))

    @property
    def shake_widths(self) -> float:
        """The jitter without the noise; 0 where noise explains it, NaN where unknown."""
        return net_of_noise(self.jitter)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; null where unknown."""
        bands = {"sway": self.sway, "hand": self.hand, "tremble": self.tremble, "jitter": self.jitter}
        values = {f"{name}_widths": band.jitter_widths for name, band in bands.items()}
        values |= {f"{name}_noise_widths": band.noise_widths for name, band in bands.items()} | {"shake_widths": self.shake_widths}
        return {"kind": str(self.kind)} | {name: value if np.isfinite(value) else None for name, value in values.items()}


def net_of_noise(band: Band) -> float:
    """Return the shake that noise does not explain, in picture widths; NaN where unknown."""
    if band.jitter_widths < NOISE_FACTOR * band.noise_widths:
        return 0.0
    return float(np.sqrt(band.jitter_widths**2 - band.noise_widths**2))


def measure_steadiness(measurement: MotionMeasurement) -> SteadinessMeasurement:
    """Measure the shake of a camera path.

    Shake goes on all the time, so each band is the median over half seconds: one bad pose, or one whip of the camera, is none. A clip
    that is too short or has too few frames per second to part shake from motion is unknown, unless its picture never moved at all.
    """
    times_s, path = measurement.timestamps_s[measurement.valid], _path_widths(measurement)
    stated = _stated_noise(measurement)
    fps = 1.0 / float(np.median(np.diff(times_s)))
    if len(times_s) < MIN_FRAMES:
        return SteadinessMeasurement(Steadiness.UNKNOWN)
    if measurement.duration_s < MIN_SECONDS or fps < MIN_FPS:
        still = bool((np.ptp(path @ TO_PICTURE, axis=0) < FIXED_SHAKY_WIDTHS).all())
        return SteadinessMeasurement(Steadiness.LOCKED_OFF if still else Steadiness.UNKNOWN)
    picture, noise = path @ TO_PICTURE, np.fmin(_picture_noise(path, stated), measurement.picture_noise_widths)
    parts = residual(times_s, picture, noise=noise, parts_tremble=fps >= MIN_TREMBLE_FPS)
    if (parts.window < 0).all():
        return SteadinessMeasurement(Steadiness.UNKNOWN)
    floors = np.linalg.norm(noise) * np.sqrt(parts.noise_share)
    hand, tremble = (_band(values, parts, floor) for values, floor in zip((parts.hand, parts.tremble), floors.tolist(), strict=True))
    sway = UNKNOWN_BAND
    if measurement.duration_s >= MIN_SWAY_SECONDS:
        drifting = np.fmin(np.sqrt(stated**2 @ TO_PICTURE**2), measurement.picture_noise_widths)
        sway = Band(_sway(smooth(times_s, picture)), float(np.linalg.norm(drifting)) / np.sqrt(samples_per_window(times_s)))
    measured = SteadinessMeasurement(Steadiness.UNKNOWN, sway, hand, tremble)
    return replace(measured, kind=_kind(measurement, measured))


def smooth_picture(measurement: MotionMeasurement) -> Float:
    """Return the smooth path of the picture at the scene's depth (M, 4) over the valid frames, in picture widths.

    Its columns are the shift to the left and down, the turn, and the growth, the last two at half a width from the centre: what can be told
    even where the motions that shift the picture alike cannot be told apart.
    """
    return smooth(measurement.timestamps_s[measurement.valid], _path_widths(measurement) @ TO_PICTURE)


def _path_widths(measurement: MotionMeasurement) -> Float:
    """(M, 7) path of the degrees of freedom in picture widths; translation, unlike in the measurement, along the axes of the time."""
    steps = np.nan_to_num(measurement.steps)
    first_from_cam = np.eye(3)
    for step, turn in zip(steps, rotation_from_vector(steps[:, ROTATION_DOFS]), strict=True):
        step[list(TRANSLATION_DOFS)] = first_from_cam.T @ step[list(TRANSLATION_DOFS)]
        first_from_cam = first_from_cam @ turn
    widths: Float = measurement.image_gain * np.vstack([np.zeros(len(Dof)), np.cumsum(steps, axis=0)])
    return widths


def _stated_noise(measurement: MotionMeasurement) -> Float:
    """(7,) noise of one frame in picture widths by the estimator's own word, whose figures are for the difference of two frames."""
    return np.nan_to_num(measurement.image_gain * measurement.noise) / np.sqrt(2.0)


def _picture_noise(path: Float, stated: Float) -> Float:
    """(4,) noise of one frame's picture: as stated, but no more than the path, and the picture, show at their highest frequencies."""
    of_dofs = np.minimum(stated, WHITE_FACTOR * _white_noise(path))
    return np.minimum(np.sqrt(of_dofs**2 @ TO_PICTURE**2), WHITE_FACTOR * _white_noise(path @ TO_PICTURE))


def _white_noise(path: Float) -> Float:
    """(C,) noise of one frame as it shows at the highest frequencies: an upper bound, since shake there counts as noise."""
    third = np.abs(np.diff(path, n=3, axis=0))
    white: Float = MEDIAN_TO_SIGMA * np.median(third, axis=0) / THIRD_DIFFERENCE_GAIN
    return white


def _band(values: Float, parts: Residual, noise_widths: float) -> Band:
    if not np.isfinite(values).all():
        return UNKNOWN_BAND
    energy = (values**2).sum(axis=1)
    of_windows = [energy[parts.window == k].mean() for k in np.unique(parts.window[parts.window >= 0])]
    return Band(float(np.sqrt(np.median(of_windows))), noise_widths)


def _sway(slow: Float) -> float:
    """Root mean square of a slow picture path (M, 4) around what goes steadily one way."""
    return float(np.sqrt(sum(((column - _steady_course(column)) ** 2).mean() for column in slow.T)))


def _steady_course(values: Float) -> Float:
    """Return the nearest path (M,) that only turns where `values` turns by SWAY_WIDTHS or more."""
    turns = turning_points(values, SWAY_WIDTHS)
    if not turns:
        courses = [sign * _never_falling(sign * values) for sign in (1.0, -1.0)]
        return min(courses, key=lambda course: float(((values - course) ** 2).sum()))
    course = values.copy()
    for first, last in pairwise([0, *turns[1:-1], len(values) - 1]):
        sign = 1.0 if values[last] >= values[first] else -1.0
        course[first : last + 1] = sign * _never_falling(sign * values[first : last + 1])
    return course


def _never_falling(values: Float) -> Float:
    """Midway between the highest value so far and the lowest still to come: as near as a path can stay that never falls."""
    return (np.maximum.accumulate(values) + np.minimum.accumulate(values[::-1])[::-1]) / 2


def _kind(measurement: MotionMeasurement, measured: SteadinessMeasurement) -> Steadiness:
    shake, sway = measured.shake_widths, float(np.nan_to_num(net_of_noise(measured.sway)))
    moves = _moves(measurement, unsteady_widths=float(np.hypot(shake, sway)))
    if moves and shake >= MOVING_SHAKY_WIDTHS:
        return Steadiness.SHAKY if measurement.duration_s >= MIN_SHAKY_SECONDS else Steadiness.UNKNOWN
    if not moves and (shake >= FIXED_SHAKY_WIDTHS or sway >= FIXED_SWAY_WIDTHS):
        return Steadiness.FIXED_SHAKY
    if measured.jitter.noise_widths >= BLIND_WIDTHS and measured.jitter.jitter_widths >= MOVING_SHAKY_WIDTHS:
        return Steadiness.UNKNOWN
    return Steadiness.SMOOTH if moves else Steadiness.LOCKED_OFF


def _moves(measurement: MotionMeasurement, *, unsteady_widths: float) -> bool:
    """Whether the camera goes anywhere, beyond shake and sway: by the picture where that is known, or by a sure degree of freedom."""
    needed = max(CREEP_WIDTHS, MOVES_RATIO * unsteady_widths)
    if np.isfinite(measurement.picture_noise_widths) and (np.ptp(smooth_picture(measurement), axis=0) >= needed).any():
        return True
    extent = np.nan_to_num(measurement.extent)
    far = (measurement.image_gain * extent >= needed) & (extent > SIGMAS * np.nan_to_num(measurement.sigma))
    return bool(far.any()) and (unsteady_widths < FIXED_SHAKY_WIDTHS or bool(find_legs(measurement)))
