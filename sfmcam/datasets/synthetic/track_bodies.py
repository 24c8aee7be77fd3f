"""Things that move by themselves through a simulated scene: ovals with a round front and swinging outer parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sfmcam.datasets.synthetic.camera_path import CameraPath
from sfmcam.datasets.synthetic.track_spec import BodySpec, TrackClipSpec
from sfmcam.datasets.synthetic.track_wander import wander
from sfmcam.geometry.rigid import transform_points
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Float

WANDER_S = 0.8  # a body never moves quite evenly
RELIEF = 0.35  # how far the front stands out, over the half width


@dataclass(frozen=True)
class Body:
    """One body in the world over N frames.

    Attributes:
        center: (N, 3).
        axes: (N, 3, 3) in columns: its half width, half height and half depth as vectors.
        swing: (N, 2) of the two sides' limbs, over the half sides.
    """

    center: Float
    axes: Float
    swing: Float

    def quads(self) -> Float:
        """Return (N, 3, 3) the parallelograms around it for `track_view.View`."""
        right, down = 2 * self.axes[:, :, 0], 2 * self.axes[:, :, 1]
        return np.stack([right, down, self.center - (right + down) / 2], axis=-1)

    def points(self, uv: Float, frame: int) -> Float:
        """Return where points (K, 2), from 0 to 1 in the parallelogram, are in the world (K, 3) in a frame."""
        place = 2 * uv - 1
        radius2 = (place**2).sum(axis=1)
        outer = np.maximum(radius2 - 0.3, 0) * (place[:, 1] > -0.4)
        swing = self.swing[frame][(place[:, 0] > 0).astype(np.intp)]
        front = -np.sqrt(np.maximum(1 - radius2, 0))
        local = np.stack([place[:, 0] + outer * swing, place[:, 1] + 0.5 * outer * np.abs(swing), front], axis=1)
        return self.center[frame] + local @ self.axes[frame].T


def build_bodies(spec: TrackClipSpec, path: CameraPath, rng: np.random.Generator) -> tuple[Body, ...]:
    """Return the bodies of a clip; `path.depth_m` is what their distances refer to."""
    if not spec.bodies:
        return ()
    times = spec.timestamps_s
    world_from_cam = np.stack([path.intended_world_from_cam(t) for t in times.tolist()])
    return tuple(_build(body, spec, path, world_from_cam, rng) for body in spec.bodies)


def _build(body: BodySpec, spec: TrackClipSpec, path: CameraPath, world_from_cam: Float, rng: np.random.Generator) -> Body:
    times, size = spec.timestamps_s, np.array(spec.size_px, float)
    anchor = round(body.anchor * (len(times) - 1))
    focal_px = float(path.focal_px * np.exp(path.intended_dofs(times[anchor : anchor + 1])[0, -1]))
    depth = body.depth * path.depth_m
    half_height_px = np.sqrt(body.share * size.prod() * body.tallness / np.pi)
    half = np.array([half_height_px / body.tallness, half_height_px, RELIEF * half_height_px / body.tallness]) * depth / focal_px
    start = np.append((np.array(body.place) - 0.5) * size / focal_px, 1.0) * depth
    stays = transform_points(world_from_cam[anchor], start[None])[0]
    followed = transform_points(world_from_cam, start[None])[:, 0]
    phase = (times / max(times[-1], 1e-9) - body.anchor)[:, None]
    own = phase * np.append(np.array(body.travel[:2]) * max(size) / focal_px, body.travel[2]) * depth
    own += wander(times, WANDER_S, 3, rng) * 0.06 * half
    center = stays + body.follow * (followed - stays) + own @ world_from_cam[anchor, :3, :3].T
    return Body(center, _axes(body, world_from_cam, anchor, phase[:, 0]) * half, _swing(body, times, rng))


def _axes(body: BodySpec, world_from_cam: Float, anchor: int, phase: Float) -> Float:
    """Return (N, 3, 3): it faces the camera at the anchor and turns about its vertical axis."""
    turn = np.zeros((len(phase), 3))
    turn[:, 1] = phase * body.turn_rad
    return world_from_cam[anchor, :3, :3] @ rotation_from_vector(turn)


def _swing(body: BodySpec, times: Float, rng: np.random.Generator) -> Float:
    offsets = rng.uniform(0, 2 * np.pi, 2)
    return body.limbs * np.sin(2 * np.pi * body.limbs_hz * times[:, None] + offsets)


def body_quads(bodies: Sequence[Body], num_frames: int) -> Float:
    """Return (N, B, 3, 3) for `track_view.View`."""
    return np.stack([body.quads() for body in bodies], axis=1) if bodies else np.empty((num_frames, 0, 3, 3))
