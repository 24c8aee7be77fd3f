"""How a camera moves: curves of the seven degrees of freedom against the first frame, and hand-held shake on top.

Signs and order are those of `motion.primitive.Dof` for cam0_from_cam: tilt up, pan right, roll clockwise in radians; right, DOWN and
in, in units of the scene's median depth; log focal ratio.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import numpy as np

from sfmcam.geometry.rigid import inverse, rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.motion.primitive import Dof
from sfmcam.types import Float

NUM_DOFS = len(Dof)
SHAKE_HZ = np.geomspace(0.9, 7.0, 12)  # a hand drifts slowly and trembles fast; below 0.9 Hz it would read as a slow pan
SHAKE_SHARE = np.array([1.0, 1.0, 0.45, 1.0, 1.0, 0.5, 0.0])  # of each degree of freedom; a hand does not zoom


class Ease(StrEnum):
    """Speed over the course of a move."""

    LINEAR = "linear"
    SMOOTH = "smooth"
    STARTS_SLOWLY = "starts_slowly"
    ENDS_SLOWLY = "ends_slowly"

    def progress(self, phase: Float) -> Float:
        """Map the share of time (N,) to the share of the way, both 0 to 1."""
        phase = np.clip(phase, 0, 1)
        if self is Ease.SMOOTH:
            return (1 - np.cos(np.pi * phase)) / 2
        if self is Ease.STARTS_SLOWLY:
            return phase**2
        if self is Ease.ENDS_SLOWLY:
            return 1 - (1 - phase) ** 2
        return phase


class Curve(Protocol):
    """A part of a camera's path; the parts' degrees of freedom add up."""

    def dofs(self, phase: Float) -> Float:
        """Return (N, 7) changes since the first frame at shares of the clip's time (N,)."""
        ...


@dataclass(frozen=True)
class Move:
    """One degree of freedom changes by `amount` between two shares of the clip's time."""

    dof: Dof
    amount: float
    start: float = 0.0
    end: float = 1.0
    ease: Ease = Ease.SMOOTH

    def dofs(self, phase: Float) -> Float:
        """See `Curve`."""
        out = np.zeros((len(phase), NUM_DOFS))
        out[:, self.dof] = self.amount * self.ease.progress((phase - self.start) / (self.end - self.start))
        return out


@dataclass(frozen=True)
class Arc:
    """An orbit to the right (positive `angle_rad`) about a point ahead, which keeps its place in the picture: truck right, pan left."""

    angle_rad: float
    radius: float = 1.0  # scene depths
    ease: Ease = Ease.SMOOTH

    def dofs(self, phase: Float) -> Float:
        """See `Curve`."""
        angle = self.angle_rad * self.ease.progress(phase)
        out = np.zeros((len(phase), NUM_DOFS))
        out[:, Dof.RIGHT], out[:, Dof.IN] = self.radius * np.sin(angle), self.radius * (1 - np.cos(angle))
        out[:, Dof.PAN] = -angle
        return out


@dataclass(frozen=True)
class DollyZoom:
    """A move in by `amount` scene depths while the focal length keeps things at `subject` scene depths the same size."""

    amount: float
    subject: float = 1.0
    ease: Ease = Ease.SMOOTH

    def dofs(self, phase: Float) -> Float:
        """See `Curve`."""
        out = np.zeros((len(phase), NUM_DOFS))
        out[:, Dof.IN] = self.amount * self.ease.progress(phase)
        out[:, Dof.ZOOM] = np.log((self.subject - out[:, Dof.IN]) / self.subject)
        return out


@dataclass(frozen=True)
class Shake:
    """Unsteady hands: sums of sines of random phase, weaker the faster.

    Attributes:
        rotation_rad: root mean square of tilt and of pan.
        translation: root mean square of the sideways and of the vertical movement, in scene depths.
        seed: source of the phases.
    """

    rotation_rad: float
    translation: float
    seed: int

    def dofs(self, times_s: Float) -> Float:
        """Return the (N, 7) displacement at times (N,)."""
        phases = np.random.default_rng(self.seed).uniform(0, 2 * np.pi, (len(SHAKE_HZ), NUM_DOFS))
        strength = SHAKE_HZ**-0.7
        waves = np.sin(2 * np.pi * SHAKE_HZ[:, None] * times_s[:, None, None] + phases)  # (N, waves, 7)
        unit = np.einsum("twd,w->td", waves, strength) / np.sqrt((strength**2).sum() / 2)
        scale = np.where(np.arange(NUM_DOFS) < Dof.RIGHT, self.rotation_rad, self.translation)
        return unit * scale * SHAKE_SHARE


@dataclass(frozen=True)
class CameraPath:
    """A camera on its way through a scene.

    Attributes:
        curves: what the operator means to do.
        shake: what the hands add, or None.
        duration_s: time from the first to the last frame.
        world_from_start: (4, 4) camera pose before path and shake.
        depth_m: length of one scene depth.
        focal_px: focal length before zooming.
    """

    curves: tuple[Curve, ...]
    shake: Shake | None
    duration_s: float
    world_from_start: Float
    depth_m: float
    focal_px: float

    def intended_dofs(self, times_s: Float) -> Float:
        """Return the (N, 7) degrees of freedom without shake."""
        phase = np.clip(np.asarray(times_s, float) / self.duration_s, 0, 1)
        return sum((curve.dofs(phase) for curve in self.curves), np.zeros((len(phase), NUM_DOFS)))

    def dofs(self, times_s: Float) -> Float:
        """Return the (N, 7) degrees of freedom with shake."""
        intended = self.intended_dofs(times_s)
        return intended if self.shake is None else intended + self.shake.dofs(np.asarray(times_s, float))

    def cameras(self, times_s: Float) -> tuple[Float, Float]:
        """Return the poses (N, 4, 4) and the focal lengths (N,)."""
        dofs = self.dofs(times_s)
        return inverse(self.world_from_start @ self._start_from_cam(dofs)), self.focal_px * np.exp(dofs[:, Dof.ZOOM])

    def cam_from_world(self, times_s: Float) -> Float:
        """Return the poses (N, 4, 4)."""
        return self.cameras(times_s)[0]

    def focals_px(self, times_s: Float) -> Float:
        """Return the focal lengths (N,)."""
        return self.cameras(times_s)[1]

    def intended_travel_m(self, time_s: float) -> Float:
        """Return how far (3,) the camera has moved in the world, shake left out: what a follower copies."""
        start_from_cam = self._start_from_cam(self.intended_dofs(np.array([time_s])))[0]
        return self.world_from_start[:3, :3] @ start_from_cam[:3, 3]

    def intended_world_from_cam(self, time_s: float) -> Float:
        """Return the camera's pose (4, 4) in the world without shake."""
        return self.world_from_start @ self._start_from_cam(self.intended_dofs(np.array([time_s])))[0]

    def anchored(self, world_from_anchor: Float, phase: float) -> CameraPath:
        """Return the same path with the start moved so that, shake left out, the camera has the pose (4, 4) at a share of the time."""
        start_from_anchor = self._start_from_cam(self.intended_dofs(np.array([phase * self.duration_s])))[0]
        return replace(self, world_from_start=world_from_anchor @ inverse(start_from_anchor))

    def _start_from_cam(self, dofs: Float) -> Float:
        return rigid_from_parts(rotation_from_vector(dofs[:, : Dof.RIGHT]), dofs[:, Dof.RIGHT : Dof.ZOOM] * self.depth_m)


def picture_motion_px(dofs: Float, focal_px: float, size_px: tuple[int, int]) -> float:
    """Bound how far a point at one scene depth moves in the picture over a path (N, 7): every degree of freedom's part, added up."""
    half_diagonal = float(np.hypot(*size_px)) / 2
    gain = np.array([focal_px, focal_px, half_diagonal, focal_px, focal_px, half_diagonal, half_diagonal])
    return float((np.ptp(dofs, axis=0) * gain).sum())


def pan(right_deg: float, **timing: float | Ease) -> Move:
    """Turn right (negative: left)."""
    return _move(Dof.PAN, np.radians(right_deg), timing)


def tilt(up_deg: float, **timing: float | Ease) -> Move:
    """Turn up (negative: down)."""
    return _move(Dof.TILT, np.radians(up_deg), timing)


def roll(clockwise_deg: float, **timing: float | Ease) -> Move:
    """Turn the camera clockwise (negative: counterclockwise); the picture turns the other way."""
    return _move(Dof.ROLL, np.radians(clockwise_deg), timing)


def truck(right: float, **timing: float | Ease) -> Move:
    """Move right (negative: left) by a number of scene depths."""
    return _move(Dof.RIGHT, right, timing)


def pedestal(up: float, **timing: float | Ease) -> Move:
    """Move up (negative: down) by a number of scene depths."""
    return _move(Dof.DOWN, -up, timing)


def dolly(into: float, **timing: float | Ease) -> Move:
    """Move in (negative: out) by a number of scene depths."""
    return _move(Dof.IN, into, timing)


def zoom(ratio: float, **timing: float | Ease) -> Move:
    """Multiply the focal length by `ratio` (above 1: zoom in)."""
    return _move(Dof.ZOOM, np.log(ratio), timing)


def _move(dof: Dof, amount: float, timing: dict) -> Move:
    return Move(dof, float(amount), **timing)
