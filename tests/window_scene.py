"""A made-up shot for the tests of `vo`: points about the camera, their tracks with noise, and windows solved as well as noise allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.estimators.vo.windows import WindowPath
from sfmcam.geometry.rigid import camera_centers, inverse, rigid_from_parts, transform_points
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Float, Int, PointTracks

SIZE_PX = (384, 216)
LONG_PX = 384


@dataclass(frozen=True)
class Shot:
    """True cameras (N, 4, 4), log focals (N,), points (P, 3) and the tracks of these, numbered alike."""

    cam_from_world: Float
    log_focal: Float
    points: Float
    tracks: PointTracks


def path_poses(rotation_vector: Float, center: Float) -> Float:
    """Return cam_from_world (N, 4, 4) of cameras with orientation world_from_cam = exp(rotation_vector) (N, 3) and centres (N, 3)."""
    rotation = rotation_from_vector(rotation_vector).transpose(0, 2, 1)
    return rigid_from_parts(rotation, -np.einsum("nij,nj->ni", rotation, center))


def scene_points(rng: np.random.Generator, count: int, *, turn_rad: float = 0.0, far: float = 6.0) -> Float:
    """Return points at depths 1 to `far` over a view that a camera turning right by `turn_rad` sweeps."""
    bearing = rng.uniform(-0.75, 0.75 + turn_rad, count)
    depth = np.exp(rng.uniform(0, np.log(far), count)) * 0.6
    return np.column_stack([np.sin(bearing) * depth, rng.uniform(-0.4, 0.4, count) * depth, np.cos(bearing) * depth])


def shoot(cam_from_world: Float, log_focal: Float, points: Float, rng: np.random.Generator, *, noise_px: float = 0.4) -> Shot:
    """Follow the points through the shot; a track ends where its point leaves the picture, for good."""
    in_cam = transform_points(cam_from_world, points)
    with np.errstate(divide="ignore", invalid="ignore"):
        xy = in_cam[..., :2] / in_cam[..., 2:] * np.exp(log_focal)[:, None, None] * LONG_PX + np.array(SIZE_PX) / 2
    xy = xy + rng.normal(0, noise_px, xy.shape)
    visible = (in_cam[..., 2] > 0.1) & (xy > 4).all(axis=2) & (xy < np.array(SIZE_PX) - 4).all(axis=2)
    frame, track = np.nonzero(visible & (np.cumsum(np.diff(visible, axis=0, prepend=False), axis=0) == 1))
    tracks = PointTracks(frame, track, xy[frame, track], SIZE_PX, np.full(len(points), np.nan))
    return Shot(cam_from_world, log_focal, points, tracks)


def window(shot: Shot, frames: Int, *, unit: float = 1.0, rng: np.random.Generator | None = None, moves: bool = True) -> WindowPath:
    """Return the window of some keyframes as a good solver would: in its own world and unit, with a little noise where `rng` is given."""
    keys = shot.cam_from_world[frames]
    own = keys @ inverse(keys[0])
    own[:, :3, 3] /= unit
    sigma = np.tile([3e-4] * 3 + [2e-3] * 3 + [1e-3], (len(frames), 1))
    sigma[0] = 0
    if rng is not None:
        own[1:, :3, :3] = rotation_from_vector(rng.normal(0, 3e-4, (len(frames) - 1, 3))) @ own[1:, :3, :3]
    seen = np.bincount(shot.tracks.track[np.isin(shot.tracks.frame, frames)], minlength=len(shot.points))
    track = np.flatnonzero(seen >= 2)
    in_first = transform_points(keys[0], shot.points[track]) / unit
    distance = np.linalg.norm(in_first, axis=1)
    rho = 1 / distance
    if rng is not None:
        rho = rho * np.exp(rng.normal(0, 0.03, len(rho)))
    if not moves:
        own[:, :3, 3], rho = 0.0, np.ones(len(rho))
    return WindowPath(frames, own, shot.log_focal[frames], sigma, track, in_first / distance[:, None], rho, np.full(len(track), 0.95))


def center_gap(one: Float, other: Float) -> float:
    """Return the largest distance between the centres of two paths (N, 4, 4)."""
    return float(np.linalg.norm(camera_centers(one) - camera_centers(other), axis=1).max())
