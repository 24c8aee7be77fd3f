"""From the path of the keyframes to a camera for every frame, and from the points to a static probability for every track."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from sfmcam.estimators.vo.fill_kernels import refine_frames, scene_nearness
from sfmcam.estimators.vo.track_kernels import track_residuals
from sfmcam.estimators.vo.windows import WindowPath
from sfmcam.geometry.rigid import camera_centers, rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector, vector_from_rotation
from sfmcam.types import Bool, Float, Int, PointTracks

MAX_POINTS = 150  # used in a frame; more do not make the camera better by what they cost
MIN_POINTS = 8  # in a frame, to place its camera and to judge it
MAX_ITERATIONS = 12
GOOD_NOISES, GOOD_PX, GOOD_LONG_SIDE_PX = 4.0, 2.0, 384  # median residual of a sound frame: the larger of the two
MAX_BLIND = 2  # frames in a row without points that two sound neighbours vouch for
FAR = 0.01  # smallest inverse depth, in units of the median one

# one-sigma of the true camera about the interpolated one, per frame of distance to the nearest keyframe ...
TURN_PER_FRAME, SHIFT_PER_FRAME, ZOOM_PER_FRAME = 0.01, 0.002, 0.003  # rad, scene depths, log focal
TURN_SHARE, SHIFT_SHARE = 0.25, 0.15  # ... and as a share of the motion between the two keyframes about it
HELD = 0.0  # sigma of what must not move
NO_MOVE, NO_ZOOM = 1e-3, 1e-6  # a path of smaller extent, in units of length or in log focal, has none

TRACK_OBSERVATIONS = 16  # of a track, used to fit its point
TRACK_QUANTILE = 0.7  # of a track's errors that speaks for it: one that moves during a third of its life is not static
STATIC_NOISES = 3.0  # a track whose points err by so many times the noise is as likely static as not
HALF_TRUST = 2.0  # degrees of freedom of a track's fit at which its verdict counts half


@dataclass(frozen=True)
class FilledPath:
    """Cameras of all frames of a shot.

    Attributes:
        cam_from_world: (N, 4, 4); NaN before the first and after the last keyframe; interpolated where a frame could not be placed.
        log_focal: (N,) log of the focal length in long sides of the picture; NaN as above.
        valid: (N,) whether the pose can be relied upon.
        median_depth: (N,) depth of the static scene in view, in the path's unit; NaN outside the keyframes.
        residual: (N,) median reprojection error over static points in pixels; NaN where no point is seen.
        static_probability: (T,) of all tracks, 0 to 1.
    """

    cam_from_world: Float
    log_focal: Float
    valid: Bool
    median_depth: Float
    residual: Float
    static_probability: Float


@dataclass(frozen=True)
class _Cameras:
    """Rotation (N, 3, 3), translation (N, 3) and log focal (N,) of frames."""

    rotation: Float
    translation: Float
    log_focal: Float


@dataclass(frozen=True)
class _Seen:
    """Tracks and points as the kernels want them: in long sides of the picture, without gaps in memory, of one type each.

    `frame_start` (N + 1,), `frame` (M,), `point` (M,) number or -1, `xy` (M, 2), `half` (2,) the picture's size; `direction` (P, 3),
    `rho` (P,), `static` (P,).
    """

    frame_start: Int
    frame: Int
    point: Int
    xy: Float
    half: Float
    direction: Float
    rho: Float
    static: Float


def fill_frames(path: WindowPath, tracks: PointTracks, num_frames: int, timestamps_s: Float, *, noise_px: float) -> FilledPath:
    """Place every frame between keyframes, and judge every frame and every track.

    A frame starts from the interpolation of the keyframes in time and is then fitted to the known points that it sees (Gauss and Newton's
    method with Geman and McClure's weights, 1985), held near the interpolation by a prior. Keyframes stay. Frames do not touch one
    another, so a spoilt one spoils only itself.

    Args:
        path: the keyframes of the whole shot and their points.
        tracks: of the shot.
        num_frames: N.
        timestamps_s: (N,) ascending.
        noise_px: one-sigma noise of a coordinate of an observation, in pixels of the frames.

    Raises:
        ValueError: the path has a keyframe that the shot has not.
    """
    if not len(path.frames) or path.frames[0] < 0 or path.frames[-1] >= num_frames or len(timestamps_s) != num_frames:
        raise ValueError(f"keyframes {path.frames} and {len(timestamps_s)} timestamps do not fit a shot of {num_frames} frames")
    seen, noise = _seen(path, tracks, num_frames), noise_px / max(tracks.size_px)
    cameras = _interpolate(path, timestamps_s)
    sound = max(GOOD_NOISES * noise, GOOD_PX / GOOD_LONG_SIDE_PX)
    residual, count = _refine(path, seen, cameras, noise=noise, sound=sound)
    inside = (np.arange(num_frames) >= path.frames[0]) & (np.arange(num_frames) <= path.frames[-1])
    valid = _valid(inside, residual < sound, count)
    nearness = _nearness(path, seen, cameras)
    static = _static(path, tracks, seen, cameras, usable=valid, nearness=nearness, level=max(noise, _level(residual, count)))
    return FilledPath(
        cam_from_world=np.where(inside[:, None, None], rigid_from_parts(cameras.rotation, cameras.translation), np.nan),
        log_focal=np.where(inside, cameras.log_focal, np.nan),
        valid=valid,
        median_depth=np.where(inside, 1 / nearness, np.nan),
        residual=np.where(count > 0, residual * max(tracks.size_px), np.nan),
        static_probability=static,
    )


def _seen(path: WindowPath, tracks: PointTracks, num_frames: int) -> _Seen:
    size = np.array(tracks.size_px, float)
    point_of = np.full(len(tracks), -1)
    point_of[path.track] = np.arange(len(path.track))
    return _Seen(
        frame_start=np.searchsorted(tracks.frame, np.arange(num_frames + 1)),
        frame=np.ascontiguousarray(tracks.frame, np.int64),
        point=point_of[tracks.track],
        xy=np.ascontiguousarray((tracks.xy_px - size / 2) / size.max(), float),
        half=size / size.max() / 2,
        direction=np.ascontiguousarray(path.direction, float),
        rho=np.ascontiguousarray(path.rho, float),
        static=np.ascontiguousarray(path.static, float),
    )


def _interpolate(path: WindowPath, timestamps_s: Float) -> _Cameras:
    """Return cameras of all frames: monotone cubics in time (Fritsch and Carlson 1980) through centres, log focals and summed turns.

    The turns from each keyframe to the next, as rotation vectors in camera axes, are summed; what the cubic gains over a keyframe turns
    that keyframe's camera. So neighbouring keyframes are met, the turning speed has no jump, and a whole circle is no special case.
    """
    rotation = path.cam_from_world[:, :3, :3]
    turns = vector_from_rotation(rotation[1:] @ rotation[:-1].transpose(0, 2, 1))
    summed = np.concatenate([np.zeros((1, 3)), np.cumsum(turns, axis=0)])
    values = np.column_stack([summed, camera_centers(path.cam_from_world), path.log_focal])
    times = timestamps_s[path.frames]
    if len(times) > 1:
        smooth = PchipInterpolator(times, values)(np.clip(timestamps_s, times[0], times[-1]))
    else:
        smooth = np.repeat(values, len(timestamps_s), axis=0)
    before = np.clip(np.searchsorted(path.frames, np.arange(len(timestamps_s)), side="right") - 1, 0, None)
    turned = rotation_from_vector(smooth[:, :3] - summed[before]) @ rotation[before]
    translation = -np.einsum("nij,nj->ni", turned, smooth[:, 3:6])
    translation[path.frames] = path.cam_from_world[:, :3, 3]
    return _Cameras(turned, translation, smooth[:, 6].copy())


def _refine(path: WindowPath, seen: _Seen, cameras: _Cameras, *, noise: float, sound: float) -> tuple[Float, Int]:
    """Refine the cameras between keyframes in place; return the residuals (N,), in long sides, and numbers of points (N,) of all frames."""
    n = len(cameras.log_focal)
    free = np.ones(n, bool)
    free[: path.frames[0]], free[path.frames[-1] :], free[path.frames] = False, False, False
    residual, count = np.zeros(n), np.zeros(n, np.int64)
    refine_frames(
        free, seen.frame_start, seen.xy, seen.point, seen.direction, seen.rho, seen.static, seen.half, MAX_POINTS, MIN_POINTS,
        sound, _prior_sigma(path, n), noise, MAX_ITERATIONS, cameras.rotation, cameras.translation, cameras.log_focal, residual, count,
    )  # fmt: skip
    return residual, count


def _prior_sigma(path: WindowPath, num_frames: int) -> Float:
    """Return (N, 7): how far the camera of each frame may be from the interpolation."""
    number = np.arange(num_frames)
    after = np.clip(np.searchsorted(path.frames, number), 1, max(len(path.frames) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(path.frames) - 1)
    distance = np.maximum(np.minimum(number - path.frames[before], path.frames[after] - number), 1)
    rotation, center = path.cam_from_world[:, :3, :3], camera_centers(path.cam_from_world)
    turn = np.linalg.norm(vector_from_rotation(rotation[after] @ rotation[before].transpose(0, 2, 1)), axis=1)
    shift = np.linalg.norm(center[after] - center[before], axis=1)
    sigma = np.empty((num_frames, 7))
    sigma[:, :3] = (TURN_PER_FRAME * distance + TURN_SHARE * turn)[:, None]
    sigma[:, 3:6] = (SHIFT_PER_FRAME * distance * _unit(path) + SHIFT_SHARE * shift)[:, None]
    sigma[:, 6] = ZOOM_PER_FRAME * distance
    if np.linalg.norm(center - center[0], axis=1).max() < NO_MOVE * _unit(path):
        sigma[:, 3:6] = HELD
    if np.ptp(path.log_focal) < NO_ZOOM:
        sigma[:, 6] = HELD
    return sigma


def _unit(path: WindowPath) -> float:
    """Return the depth of the scene, in the path's unit: about 1 where the path did not go far."""
    rho = float(np.median(path.rho)) if len(path.rho) else 1.0
    return 1 / rho if rho > FAR else 1.0


def _valid(inside: Bool, good: Bool, count: Int) -> Bool:
    """Return which frames can be relied upon: those that fit, and a gap of few points no longer than MAX_BLIND between such frames."""
    valid = inside & good & (count > 0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], valid, [False]]).astype(int)))
    for start, stop in zip(edges[1:-1:2], edges[2::2], strict=True):
        if stop - start <= MAX_BLIND and (count[start:stop] < MIN_POINTS).all():
            valid[start:stop] = True
    return valid


def _nearness(path: WindowPath, seen: _Seen, cameras: _Cameras) -> Float:
    """Return the inverse scene depth of every frame (N,); frames that see no static point get it from their neighbours."""
    nearness, far = np.zeros(len(cameras.log_focal)), FAR / _unit(path)
    scene_nearness(
        seen.frame_start, seen.xy, seen.point, seen.direction, seen.rho, seen.static, seen.half, cameras.rotation, cameras.translation, far,
        nearness,
    )  # fmt: skip
    known = np.flatnonzero(nearness > 0)
    if not len(known):
        return np.full(len(nearness), 1 / _unit(path))
    return np.interp(np.arange(len(nearness)), known, nearness[known])


def _level(residual: Float, count: Int) -> float:
    """Return the one-sigma noise that the frames show: the median distance of a normal spread in the plane is 1.18 sigmas."""
    judged = residual[count >= MIN_POINTS]
    return float(np.median(judged)) / 1.18 if len(judged) else 0.0


def _static(path: WindowPath, tracks: PointTracks, seen: _Seen, cameras: _Cameras, *, usable: Bool, nearness: Float, level: float) -> Float:
    """Return the static probability of every track: the path's own for its points, from the fit of a point for the others."""
    static = np.full(len(tracks), 0.5)
    static[path.track] = path.static
    chosen = np.setdiff1d(np.arange(len(tracks)), path.track)
    order = np.argsort(tracks.track, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(tracks.track, minlength=len(tracks)))])
    error, count = np.zeros(len(chosen)), np.zeros(len(chosen), np.int64)
    track_residuals(
        chosen, start, order, seen.frame, seen.xy, usable, cameras.rotation, cameras.translation, cameras.log_focal, nearness, level,
        TRACK_OBSERVATIONS, TRACK_QUANTILE, error, count,
    )  # fmt: skip
    typical = level * np.sqrt(-2 * np.log(1 - TRACK_QUANTILE))  # the quantile of a normal spread in the plane
    fits = 1 / (1 + (error / (STATIC_NOISES * typical)) ** 4)
    freedom = np.maximum(2 * count - 3, 0)
    static[chosen] = 0.5 + (fits - 0.5) * freedom / (freedom + HALF_TRUST)
    return static
