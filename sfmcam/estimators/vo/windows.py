"""A long shot is solved in windows of keyframes that overlap; here they are chosen, and their paths joined into one world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sfmcam.geometry.rigid import camera_centers, rigid_from_parts
from sfmcam.geometry.rotation import nearest_rotation, rotation_from_vector, vector_from_rotation
from sfmcam.geometry.similarity import Similarity
from sfmcam.types import Float, Int

MOVING_SIGMAS = 3.0  # a translation of fewer sigmas is noise: the window's depths say nothing
FAR = 0.1  # a point of less inverse depth, in units of the window's median, has no depth to compare
MIN_DETERMINED = 5  # tracks with a depth in both windows that can carry a scale
MAX_SIGNAL = 100.0  # translation over its sigma beyond which a window's points deserve no more trust
ROUNDS = 10  # of reweighting until the mean rotation stands


@dataclass(frozen=True)
class WindowPath:
    """Cameras of the keyframes of a window, or of the whole shot, and the points that they see.

    Attributes:
        frames: (K,) frame numbers of the keyframes, ascending.
        cam_from_world: (K, 4, 4); in a window's own path the first keyframe is the identity and the unit of length is the median depth
            of its scene.
        log_focal: (K,) log of the focal length in long sides of the picture.
        sigma: (K, 7) one-sigma noise of rotation vector (rad), translation (unit above) and log focal, against the first keyframe.
        track: (P,) numbers of the tracks that are used as points, as in `PointTracks.track`.
        direction: (P, 3) unit vectors in world axes; a point is direction / rho.
        rho: (P,) inverse depth; may be 0 (infinity) or, by noise, a little below.
        static: (P,) probability, 0 to 1, that the track is static.
    """

    frames: Int
    cam_from_world: Float
    log_focal: Float
    sigma: Float
    track: Int
    direction: Float
    rho: Float
    static: Float

    @property
    def signal(self) -> float:
        """Largest translation against the first keyframe, in sigmas; 0 where nothing moved."""
        moved = self.cam_from_world[:, :3, 3] - self.cam_from_world[0, :3, 3]
        ratio = np.where(moved == 0, 0.0, moved / np.maximum(self.sigma[:, 3:6], 1e-12))
        return float(np.linalg.norm(ratio, axis=1).max())

    @property
    def moves(self) -> bool:
        """Whether the translation stands out of its noise, so that depths were measured."""
        return self.signal > MOVING_SIGMAS

    def inverse_depths(self, key: int, points: Int) -> Float:
        """Return the inverse depths (1 / unit) of some points in the camera of one keyframe; 0 where behind it or at infinity."""
        row = self.cam_from_world[key, 2]
        height = self.direction[points] @ row[:3] + self.rho[points] * row[3]
        return np.where(height > 0, np.maximum(self.rho[points], 0.0) / np.maximum(height, 1e-9), 0.0)


def choose_windows(num_keyframes: int, size: int, overlap: int) -> list[range]:
    """Cut keyframes into the fewest windows of at most `size`, of near-equal length, each sharing `overlap` with the one before.

    Raises:
        ValueError: unless 0 < overlap < size.
    """
    if not 0 < overlap < size:
        raise ValueError(f"windows of {size} keyframes cannot share {overlap}")
    if num_keyframes <= size:
        return [range(num_keyframes)] if num_keyframes > 0 else []
    count = -(-(num_keyframes - overlap) // (size - overlap))
    edges = [round(i * (num_keyframes - overlap) / count) for i in range(count + 1)]
    return [range(start, stop + overlap) for start, stop in pairwise(edges)]


def join_windows(paths: Sequence[WindowPath]) -> WindowPath:
    """Bring the windows of a shot into the world and the unit of the first.

    Neighbours are laid over one another by the rotations and centres of the keyframes that they share and by the depths of the tracks
    that they share; over the shared keyframes one path fades into the next, so nothing steps.

    Args:
        paths: in order of time; neighbours share at least one keyframe.

    Returns:
        The path of all keyframes. Points seen in several windows are averaged, windows that moved further counting for more; so are
        their static probabilities, plainly. The noise of each window adds to that of the ones before.

    Raises:
        ValueError: there is no window, or two neighbours share no keyframe.
    """
    if not paths:
        raise ValueError("there is no window to join")
    if len(paths) == 1:
        return paths[0]
    placed = [Similarity(1.0, np.eye(3), np.zeros(3))]
    for before, after in pairwise(paths):
        placed.append(_compose(placed[-1], _before_from_after(before, after)))
    frames, poses, log_focal, sigma = _merge_cameras(paths, placed)
    return WindowPath(frames, poses, log_focal, sigma, *_merge_points(paths, placed))


def _before_from_after(before: WindowPath, after: WindowPath) -> Similarity:
    """Return what takes the later window's world into the earlier's."""
    frames, i, j = np.intersect1d(before.frames, after.frames, return_indices=True)
    if not len(frames):
        raise ValueError(f"the windows of frames {before.frames[[0, -1]]} and {after.frames[[0, -1]]} share no keyframe")
    one, other = before.cam_from_world[i], after.cam_from_world[j]
    rotation = robust_mean_rotation(one[:, :3, :3].transpose(0, 2, 1) @ other[:, :3, :3])
    middle = len(frames) // 2
    scale = _scale(before, after, keys=(int(i[middle]), int(j[middle])))
    centers = scale * camera_centers(other) @ rotation.T
    return Similarity(scale, rotation, (camera_centers(one) - centers).mean(axis=0))


def robust_mean_rotation(rotations: Float) -> Float:
    """Return the mean of rotations (M, 3, 3) that are near one another, outliers counting less (Huber's weights, at the median)."""
    mean = nearest_rotation(rotations.sum(axis=0))
    for _ in range(ROUNDS):
        off = vector_from_rotation(rotations @ mean.T)
        size = np.linalg.norm(off, axis=1)
        weight = np.minimum(1.0, (np.median(size) + 1e-9) / (size + 1e-9))
        mean = rotation_from_vector(weight @ off / weight.sum()) @ mean
    return mean


def _scale(before: WindowPath, after: WindowPath, *, keys: tuple[int, int]) -> float:
    """Return the later window's unit of length in units of the earlier's, from the depths of shared tracks in a shared keyframe."""
    _, a, b = np.intersect1d(before.track, after.track, return_indices=True)
    if not len(a):
        return 1.0
    one, other = before.inverse_depths(keys[0], a), after.inverse_depths(keys[1], b)
    unit_one, unit_other = (np.median(q) if np.median(q) > FAR else 1.0 for q in (one, other))
    if not (before.moves and after.moves):
        return float(unit_other / unit_one)
    determined = (one > FAR * unit_one) & (other > FAR * unit_other)
    if determined.sum() < MIN_DETERMINED:
        return float(unit_other / unit_one)
    one, other = one[determined], other[determined]
    # the noise of an inverse depth is about the same for all points of a window, so that of its logarithm goes with the depth
    noise = (unit_one / one) ** 2 + (unit_other / other) ** 2
    weight = np.minimum(before.static[a], after.static[b])[determined] / noise
    return float(np.exp(_weighted_median(np.log(other / one), weight + 1e-12)))


def _weighted_median(values: Float, weight: Float) -> float:
    """Return the value at which half of the weight is reached, between two values where it falls between them."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order]) - weight[order] / 2
    return float(np.interp(weight.sum() / 2, reached, values[order]))


def _compose(outer: Similarity, inner: Similarity) -> Similarity:
    return Similarity(outer.scale * inner.scale, outer.rotation @ inner.rotation, outer.apply(inner.translation[None])[0])


def _merge_cameras(paths: Sequence[WindowPath], placed: list[Similarity]) -> tuple[Int, Float, Float, Float]:
    """Return frames (K,), poses, log focals and sigmas of all keyframes in the first window's world."""
    frames = np.unique(np.concatenate([path.frames for path in paths]))
    weight, rotation, center = np.zeros(len(frames)), np.zeros((len(frames), 3, 3)), np.zeros((len(frames), 3))
    log_focal, variance = np.zeros(len(frames)), np.zeros((len(frames), 7))
    for path, place, share, own in zip(paths, placed, _shares(paths), _variances(paths, placed), strict=True):
        row = np.searchsorted(frames, path.frames)
        weight[row] += share
        rotation[row] += share[:, None, None] * (path.cam_from_world[:, :3, :3] @ place.rotation.T)
        center[row] += share[:, None] * place.apply(camera_centers(path.cam_from_world))
        log_focal[row] += share * path.log_focal
        variance[row] += share[:, None] * own
    rotation = nearest_rotation(rotation)
    poses = rigid_from_parts(rotation, -(rotation @ (center / weight[:, None])[..., None])[..., 0])
    return frames, poses, log_focal / weight, np.sqrt(variance / weight[:, None])


def _shares(paths: Sequence[WindowPath]) -> list[Float]:
    """Return how much each window counts in each of its keyframes: falling linearly over those shared with a neighbour."""
    shares = [np.ones(len(path.frames)) for path in paths]
    for number, (before, after) in enumerate(pairwise(paths)):
        frames, i, j = np.intersect1d(before.frames, after.frames, return_indices=True)
        rising = np.arange(1, len(frames) + 1) / (len(frames) + 1)
        shares[number][i] = np.minimum(shares[number][i], 1 - rising)
        shares[number + 1][j] = np.minimum(shares[number + 1][j], rising)
    return shares


def _variances(paths: Sequence[WindowPath], placed: list[Similarity]) -> list[Float]:
    """Return each window's (K, 7) variances against the first keyframe of all, independent from window to window."""
    variances: list[Float] = []
    for number, (path, place) in enumerate(zip(paths, placed, strict=True)):
        own = (path.sigma * np.array([1.0, 1.0, 1.0, place.scale, place.scale, place.scale, 1.0])) ** 2
        if number:
            _, i, j = np.intersect1d(paths[number - 1].frames, path.frames, return_indices=True)
            own = own + np.maximum(variances[-1][i[0]] - own[j[0]], 0.0)
        variances.append(own)
    return variances


def _merge_points(paths: Sequence[WindowPath], placed: list[Similarity]) -> tuple[Int, Float, Float, Float]:
    """Return tracks (P,), directions, inverse depths and static probabilities of all points in the first window's world."""
    tracks = np.unique(np.concatenate([path.track for path in paths]))
    point, static, seen = np.zeros((len(tracks), 4)), np.zeros(len(tracks)), np.zeros(len(tracks))
    for path, place in zip(paths, placed, strict=True):
        row = np.searchsorted(tracks, path.track)
        direction = place.scale * path.direction @ place.rotation.T + path.rho[:, None] * place.translation
        moved = np.column_stack([direction, path.rho]) / np.linalg.norm(direction, axis=1, keepdims=True)
        # homogeneous points: a mean of two that project to one spot projects there too; the information goes with the square of the path
        point[row] += (0.01 + min(path.signal, MAX_SIGNAL) ** 2) * moved
        static[row] += path.static
        seen[row] += 1
    point /= np.linalg.norm(point[:, :3], axis=1, keepdims=True)
    return tracks, point[:, :3].copy(), point[:, 3].copy(), static / seen
