"""From the pictures of a shot to a camera for every frame: windows tracked, motion models weighed, windows joined, frames filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from sfmcam.estimators.megasam.backend import adjust_all, median_residual, tie
from sfmcam.estimators.megasam.clip import Clip, Given
from sfmcam.estimators.megasam.depth_map import depth_of, keyframe_depths, static_of
from sfmcam.estimators.megasam.fill import Filled, fill
from sfmcam.estimators.megasam.models import Fit, fit_models, flow_seen, model_weights, noise_of, parallax_of
from sfmcam.estimators.megasam.motion_filter import choose_keyframes
from sfmcam.estimators.megasam.options import TrackerOptions
from sfmcam.estimators.megasam.paths import blend, median_disparity, nearest, window_path
from sfmcam.estimators.megasam.resize import STRIDE, WorkingSize, source_focal_px
from sfmcam.estimators.megasam.se3 import matrix
from sfmcam.estimators.megasam.state import State
from sfmcam.estimators.megasam.tracker import Tracker
from sfmcam.estimators.vo.bundle import Freedom
from sfmcam.estimators.vo.fill import FilledPath
from sfmcam.estimators.vo.hypotheses import weighed_paths
from sfmcam.estimators.vo.options import DECISIVE, ModelBelief
from sfmcam.estimators.vo.reading import Reading
from sfmcam.estimators.vo.shot import shifted
from sfmcam.estimators.vo.windows import WindowPath, choose_windows, join_windows
from sfmcam.geometry.rigid import camera_centers, rigid_from_parts
from sfmcam.types import DenseDepth, Float

MOST_KEYFRAMES = 600
FOLLOWED, FOLLOWED_SHARE = 0.2, 0.04  # trust of a cell that is followed well, and share of those that there must be
LOST_SHARE = 0.02  # of cells that must say something, for a frame's pose to be relied upon
LOST_PX = 6.0  # median residual, in pixels of the tracker's picture, beyond which it is not


@dataclass(frozen=True)
class SolvedHypothesis:
    """One motion of the shot: its weight, its path at the keyframes, and the cameras of all frames."""

    weight: float
    keyframes: WindowPath
    filled: FilledPath


@dataclass(frozen=True)
class Solved:
    """What is known of a shot.

    Attributes:
        filled: cameras of all frames under the likeliest motion.
        hedged: the same, moved to the mean over the motions.
        hypotheses: the motions; weights together 1.
        points: the likeliest path with its points.
        mean: the mean path; its sigma holds how much the motions disagree.
        decided: the same under the weights by which the likeliest motion was chosen; the verdict rests on it.
        belief: of each motion model, averaged over the windows.
        depth: of the likeliest motion; None of one that does not travel, which tells no depth.
        noise_px: of the flow, one coordinate, in pixels of the tracker's picture.
        parallax_px: median of what the best turning, zooming camera leaves unexplained, in the same pixels.
        tracker_units: length of the paths' unit in the tracker's, which a depth prior sets.
    """

    filled: FilledPath
    hedged: FilledPath
    hypotheses: tuple[SolvedHypothesis, ...]
    points: WindowPath
    mean: WindowPath
    decided: WindowPath
    belief: dict[Freedom, float]
    depth: DenseDepth | None
    noise_px: float
    parallax_px: float
    tracker_units: float = 1.0


@dataclass(frozen=True)
class FittedWindow:
    """A window of keyframes with its motion models and their weights: soft for what is measured, decisive for what is given."""

    found: dict[Freedom, Fit]
    paths: dict[Freedom, WindowPath]
    soft: dict[Freedom, float]
    decisive: dict[Freedom, float]
    noise: float
    parallax: float
    tracker_units: float

    @property
    def likely(self) -> Freedom:
        """The motion model whose poses are given."""
        return max(self.decisive, key=lambda f: self.decisive[f])


def solve_shot(clip: Clip, given: Given, size: WorkingSize, options: TrackerOptions) -> Solved | None:
    """Solve a shot; None where the pictures say too little to place any camera."""
    keys = choose_keyframes(clip, options.schedule, most=MOST_KEYFRAMES)
    overlap = min(options.overlap, options.window - 1)
    windows = [[keys[k] for k in part] for part in choose_windows(len(keys), options.window, overlap)]
    fitted = []
    for window in windows:
        one = fit_window(clip, given, window, size=size, options=options)
        if one is None:
            return None
        fitted.append(one)
    return _joined(fitted, clip, size, options)


def fit_window(clip: Clip, given: Given, window: Sequence[int], *, size: WorkingSize, options: TrackerOptions) -> FittedWindow | None:
    """Track a window and fit every motion model to it; None where too little of the pictures can be followed."""
    moving = _tracked(clip, given, window, options)
    seen = flow_seen(moving)
    if not len(seen.ii) or float((seen.weight.min(axis=-1) > FOLLOWED).mean()) < FOLLOWED_SHARE:
        return None
    prior = torch.log(given.intrinsics[moving.keyframes.index, 0])
    if options.motion_models:
        found = fit_models(moving, clip.operator, options, prior_log_focal=prior)
    else:
        found = {Freedom.ALL: fit_models(moving, clip.operator, options, prior_log_focal=prior)[Freedom.ALL]}
    paths = {f: window_path(fit.state.keyframes, static_of(fit.state), size, sigma=fit.sigma) for f, fit in found.items()}
    trusted = static_of(moving).double().cpu().numpy()
    units = 1.0 / median_disparity(moving.keyframes.disps.double().cpu().numpy(), trusted)
    soft, decisive = (model_weights(found, seen, belief) for belief in (ModelBelief(), DECISIVE))
    return FittedWindow(found, paths, soft, decisive, noise_of(found, seen), parallax_of(found, seen), units)


def _tracked(clip: Clip, given: Given, window: Sequence[int], options: TrackerOptions) -> State:
    """Track a window with the focal length held at each guess, and return the state that fits best."""
    long_side = float(2 * given.intrinsics[0, 2:].max())
    best: tuple[float, State] | None = None
    for guess in (0.0,) if given.focal_known or given.poses is not None else options.focal_guesses:
        start = given if guess == 0.0 else refocused(given, guess * long_side)
        state = Tracker(clip, start, options.schedule).track(window)
        tie(state, clip.operator, options.schedule)
        adjust_all(state, clip.operator, options.schedule)
        misfit = median_residual(state)
        if best is None or misfit < best[0]:
            best = misfit, state
    assert best is not None
    return best[1]


def refocused(given: Given, focal: float) -> Given:
    """Return what is given with another focal length, in 1/8 pixels."""
    ratio = focal / given.intrinsics[:, :1]
    intrinsics = torch.cat([given.intrinsics[:, :2] * ratio, given.intrinsics[:, 2:]], 1)
    return replace(given, intrinsics=intrinsics)


def _joined(fitted: Sequence[FittedWindow], clip: Clip, size: WorkingSize, options: TrackerOptions) -> Solved:
    """Join the windows under every motion, and place all frames."""
    likely = join_windows([w.paths[w.likely] for w in fitted])
    fills = [fill(w.found[w.likely].state, clip, options.schedule, held=w.likely is Freedom.STATIC) for w in fitted]
    filled = filled_path(likely, fitted, fills, clip=clip, size=size)
    times = clip.timestamps_s.double().cpu().numpy()
    paths = [{Reading(f): path for f, path in w.paths.items()} for w in fitted]
    weighed, decisive = (
        weighed_paths([{Reading(f): weight for f, weight in weights.items()} for weights in some], paths)
        for some in ([w.soft for w in fitted], [w.decisive for w in fitted])
    )
    mean, decided = (blend([h.weight for h in some], [h.path for h in some]) for some in (weighed, decisive))
    hypotheses = tuple(SolvedHypothesis(h.weight, h.path, shifted(filled, likely, h.path, times)) for h in weighed)
    belief = {f: float(np.mean([w.soft[f] for w in fitted])) for f in Freedom}
    noise = float(np.median([w.noise for w in fitted])) * STRIDE
    parallax = float(np.median([w.parallax for w in fitted])) * STRIDE
    return Solved(
        filled,
        shifted(filled, likely, mean, times),
        hypotheses,
        likely,
        mean,
        decided,
        belief,
        depth_of([w.found[w.likely].state for w in fitted], likely, size),
        noise,
        parallax,
        fitted[0].tracker_units,
    )


def filled_path(
    likely: WindowPath, fitted: Sequence[FittedWindow], fills: Sequence[Filled], *, clip: Clip, size: WorkingSize
) -> FilledPath:
    """Lay the frames of every window over the joined path: each moves as the keyframes about it do."""
    count, times = len(clip), clip.timestamps_s.double().cpu().numpy()
    poses, log_focal = np.full((count, 4, 4), np.nan), np.full(count, np.nan)
    residual, valid = np.full(count, np.nan), np.zeros(count, bool)
    for window, found in zip(fitted, fills, strict=True):
        own = window.paths[window.likely]
        at = np.array(found.index)
        placed = _in_unit(found, window)
        local = FilledPath(placed, _log_focal(found, size), np.ones(len(at), bool), np.ones(len(at)), np.ones(len(at)), np.ones(0))
        rows = np.searchsorted(likely.frames, own.frames)
        joined = WindowPath(
            own.frames, likely.cam_from_world[rows], likely.log_focal[rows], own.sigma, own.track, own.direction, own.rho, own.static
        )
        moved = moved_with(local, own, joined, times_s=times[at], keys_s=times[own.frames])
        fresh = np.isnan(log_focal[at])
        poses[at[fresh]], log_focal[at[fresh]] = moved.cam_from_world[fresh], moved.log_focal[fresh]
        residual[at[fresh]] = found.residual.double().cpu().numpy()[fresh] * STRIDE
        valid[at[fresh]] = found.trusted.cpu().numpy()[fresh] > LOST_SHARE
    valid &= np.nan_to_num(residual, nan=np.inf) < LOST_PX
    depth = np.interp(times, times[likely.frames], keyframe_depths(likely, size.grid))
    return FilledPath(poses, log_focal, valid, np.where(valid, depth, np.nan), residual, np.ones(0))


def moved_with(local: FilledPath, own: WindowPath, joined: WindowPath, *, times_s: Float, keys_s: Float) -> FilledPath:
    """Bring a window's frames into the joined world: by the similarity of its first keyframe, then by what is left at the keyframes."""
    moved = np.linalg.norm(camera_centers(joined.cam_from_world) - camera_centers(joined.cam_from_world[:1]), axis=1).max()
    alone = np.linalg.norm(camera_centers(own.cam_from_world) - camera_centers(own.cam_from_world[:1]), axis=1).max()
    scale = moved / alone if alone > 1e-9 else 1.0
    rotation = joined.cam_from_world[0, :3, :3].T @ own.cam_from_world[0, :3, :3]
    origin = camera_centers(joined.cam_from_world[:1])[0] - scale * rotation @ camera_centers(own.cam_from_world[:1])[0]

    def placed(poses: Float) -> Float:
        turned = poses[:, :3, :3] @ rotation.T
        centers = scale * camera_centers(poses) @ rotation.T + origin
        return rigid_from_parts(turned, -np.einsum("nij,nj->ni", turned, centers))

    there = WindowPath(
        np.arange(len(own.frames)), placed(own.cam_from_world), own.log_focal, own.sigma, own.track, own.direction, own.rho, own.static
    )
    here = WindowPath(there.frames, joined.cam_from_world, joined.log_focal, own.sigma, own.track, own.direction, own.rho, own.static)
    frames = FilledPath(
        placed(local.cam_from_world), local.log_focal, local.valid, local.median_depth, local.residual, local.static_probability
    )
    return shifted(frames, there, here, times_s, keys_s=keys_s)


def _in_unit(found: Filled, window: FittedWindow) -> Float:
    """Return the filled poses (N, 4, 4) in the world and the unit of the window's own path."""
    own, state = window.paths[window.likely], window.found[window.likely].state
    poses = nearest(matrix(found.poses).double().cpu().numpy())
    first = nearest(matrix(state.keyframes.poses[:1]).double().cpu().numpy())[0]
    raw = nearest(matrix(state.keyframes.poses).double().cpu().numpy())
    poses = poses @ np.linalg.inv(first)
    away = np.linalg.norm(camera_centers(raw @ np.linalg.inv(first)), axis=1).max()
    unit = np.linalg.norm(camera_centers(own.cam_from_world), axis=1).max() / away if away > 1e-9 else 1.0
    poses[:, :3, 3] *= unit
    return poses


def _log_focal(found: Filled, size: WorkingSize) -> Float:
    return np.asarray(np.log(source_focal_px(found.intrinsics.double().cpu().numpy(), size) / max(size.source_px)))
