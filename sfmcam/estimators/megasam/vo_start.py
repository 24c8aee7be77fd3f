"""The start that `vo` gives: the motions that it finds possible, of which dense adjustment makes those that travel exact.

How much each motion is believed, and how sure it is, stays as `vo` says: its coefficients were fitted to clips of known motion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from sfmcam.estimators.megasam import se3
from sfmcam.estimators.megasam.backend import LM, STIFF, FocalPrior, adjust_all, backend_options, median_residual, tie
from sfmcam.estimators.megasam.clip import Clip, Given
from sfmcam.estimators.megasam.depth_map import depth_of, keyframe_depths, path_depths, static_of
from sfmcam.estimators.megasam.options import TrackerOptions
from sfmcam.estimators.megasam.paths import blend, window_path
from sfmcam.estimators.megasam.refine import Adjustment, misfit, rounds
from sfmcam.estimators.megasam.resize import WorkingSize, grid_from_source, tracker_intrinsics
from sfmcam.estimators.megasam.shot import Solved, SolvedHypothesis
from sfmcam.estimators.megasam.state import State, copy_of
from sfmcam.estimators.megasam.tracker import Tracker
from sfmcam.estimators.vo.belief import shipped_belief
from sfmcam.estimators.vo.estimator import MIN_TRACKS, follow_points
from sfmcam.estimators.vo.fill import FilledPath
from sfmcam.estimators.vo.options import VoOptions
from sfmcam.estimators.vo.shot import SolvedShot, fit_windows, shifted
from sfmcam.estimators.vo.shot import solve_shot as solve_by_points
from sfmcam.estimators.vo.windows import WindowPath, choose_windows, join_windows
from sfmcam.geometry.rigid import camera_centers
from sfmcam.types import Float, Frames, Int, PointTracks

NEAR_CELLS = 3.0  # a track speaks for the cells so near to it
TURNS = 1e-9  # change of a rotation matrix on a path that turns
TRAVELS = 1e-6  # extent of a path that is no path on the spot, in scene depths
SAME = 1e-9  # difference of two numbers that are one but for rounding
ZOOMS = 1e-4  # extent of log focal of one that zooms
HELD = 1e6  # damping that holds poses while depths come to theirs
SETTLE = 5  # rounds of depths alone
FOCAL_TRUST = 0.5  # standard deviation of vo's log focal, wide: dense flow tells it better than points do


@dataclass(frozen=True)
class Refined:
    """A path after dense adjustment.

    Attributes:
        path: its cameras.
        states: of its windows.
        residual: median, in 1/8 pixels.
        depths: (K,) median depth before each keyframe, in the path's unit.
        held: whether the cameras are those of vo, whose points then also say how deep the scene is: cells that come to their depths before
            held cameras end up a tenth to a third too deep where the camera moves little.
    """

    path: WindowPath
    states: tuple[State, ...]
    residual: float
    depths: Float
    held: bool


def solve_by_vo(frames: Frames, *, threads: int) -> tuple[SolvedShot, PointTracks] | None:
    """Return what `vo` makes of a shot, and the points that it followed; None where it finds too few."""
    options, tracks = VoOptions(), follow_points(frames)
    if np.median(np.bincount(tracks.frame, minlength=len(frames))) < MIN_TRACKS:
        return None
    fitted = fit_windows(tracks, frames.timestamps_s, options, threads=threads)
    if fitted is None:
        return None
    solved = solve_by_points(fitted, tracks, frames.timestamps_s, options=options, belief=shipped_belief())
    return (solved, tracks) if solved.filled.valid.sum() >= 2 else None


class VoStart:
    """Makes the travelling motions of a shot exact, window by window; pictures are looked at once for all of them."""

    def __init__(self, clip: Clip, size: WorkingSize, options: TrackerOptions) -> None:
        self.clip, self.size, self.options = clip, size, options
        self._tied: dict[int, State] = {}
        self._known: list[tuple[WindowPath, Refined | None]] = []

    def solve(self, shot: SolvedShot, tracks: PointTracks) -> Solved:
        """Return the shot with its travelling motions adjusted."""
        mask = static_mask(tracks, shot.filled.static_probability, shot.points.frames, self.size)
        times = self.clip.timestamps_s.double().cpu().numpy()
        likely = self._refined(shot.points, mask)
        path, filled = shot.points, shot.filled
        if likely is not None:
            path = replace(likely.path, sigma=shot.points.sigma)
            filled = followed(shot.filled, shot.points, path, times_s=times, depths=likely.depths)
        hypotheses = []
        for h in shot.hypotheses:
            found = self._refined(h.keyframes, mask)
            if found is None:
                hypotheses.append(SolvedHypothesis(h.weight, h.keyframes, h.filled))
                continue
            keyframes = replace(found.path, sigma=h.keyframes.sigma)
            moved = followed(h.filled, h.keyframes, keyframes, times_s=times, depths=found.depths)
            hypotheses.append(SolvedHypothesis(h.weight, keyframes, moved))
        mean = blend([h.weight for h in hypotheses], [h.keyframes for h in hypotheses])
        hedged = shifted(filled, path, mean, times)
        noise = shot.noise_px * self.size.scale[0]
        depth = None if likely is None else depth_of(likely.states, path, self.size, medians=likely.depths if likely.held else None)
        parallax = float("nan")
        return Solved(filled, hedged, tuple(hypotheses), path, mean, mean, shot.belief, depth, noise, parallax)

    def _refined(self, path: WindowPath, mask: Tensor) -> Refined | None:
        """Return a path after dense adjustment; None of one that does not travel.

        The likeliest path is one of the hypotheses too wherever the shot is one window: it is adjusted once.
        """
        for known, found in self._known:
            if same_cameras(known, path):
                return found
        self._known.append((path, self._adjusted_path(path, mask)))
        return self._known[-1][1]

    def _adjusted_path(self, path: WindowPath, mask: Tensor) -> Refined | None:
        centers = camera_centers(path.cam_from_world)
        if np.ptp(centers, axis=0).max() < TRAVELS:
            return None
        parts, states, residuals = [], [], []
        windows = choose_windows(len(path.frames), self.options.window, min(self.options.overlap, self.options.window - 1))
        for number, window in enumerate(windows):
            state = self._adjusted(number, path, window, mask)
            states.append(state)
            residuals.append(median_residual(state))
            parts.append(replace(window_path(state.keyframes, static_of(state), self.size), sigma=path.sigma[window.start : window.stop]))
        residual = float(np.median(residuals))
        if not turns(path):
            # a camera that is known not to turn would be let turn: of its path only the depths are taken
            return Refined(path, tuple(states), residual, path_depths(path), held=True)
        joined = join_windows(parts)
        return Refined(joined, tuple(states), residual, keyframe_depths(joined, self.size.grid), held=False)

    def _adjusted(self, number: int, path: WindowPath, window: range, mask: Tensor) -> State:
        """Return a window of a path after dense adjustment."""
        rows = slice(window.start, window.stop)
        state = self._placed(number, path, rows, mask)
        schedule, frames = self.options.schedule, state.keyframes
        prior = FocalPrior(frames.intrinsics[:, 0].log(), FOCAL_TRUST, self._focal_step(path.log_focal[rows]))
        held = replace(backend_options(schedule, len(frames), None), ep=HELD, lm=LM, iterations=1)
        rounds(state, self.clip.operator, Adjustment(held), count=SETTLE)
        if not turns(path):
            return state
        free = copy_of(state)
        adjust_all(free, self.clip.operator, schedule, prior=None if self.options.focal == "fixed" else prior)
        return free if misfit(free) < misfit(state) else state

    def _focal_step(self, log_focal: Float) -> float:
        zooms = self.options.focal == "per_frame" or (self.options.focal == "auto" and float(np.ptp(log_focal)) > ZOOMS)
        return self.options.focal_step_sigma if zooms else STIFF

    def _placed(self, number: int, path: WindowPath, rows: slice, mask: Tensor) -> State:
        """Return the keyframes of a window at their places on a path, tied by edges that are opened once for all paths."""
        indices, given = path.frames[rows].tolist(), given_by(path, rows, self.size, mask=mask[rows])
        state = Tracker(self.clip, given, self.options.schedule).placed(indices, rows=range(len(indices)))
        if number not in self._tied:
            tie(state, self.clip.operator, self.options.schedule)
            self._tied[number] = State(state.keyframes, state.active, state.retired)
        else:
            state.active = self._tied[number].active
        return state


def same_cameras(one: WindowPath, other: WindowPath) -> bool:
    """Whether two paths have the same cameras before scenes of the same depths, to rounding."""
    return (
        np.array_equal(one.frames, other.frames)
        and np.allclose(one.cam_from_world, other.cam_from_world, rtol=0, atol=SAME)
        and np.allclose(one.log_focal, other.log_focal, rtol=0, atol=SAME)
        and np.allclose(path_depths(one), path_depths(other), rtol=SAME, atol=0)
    )


def turns(path: WindowPath) -> bool:
    """Whether the camera turns on a path at all."""
    return bool(np.abs(path.cam_from_world[:, :3, :3] - path.cam_from_world[0, :3, :3]).max() > TURNS)


def given_by(path: WindowPath, rows: slice, size: WorkingSize, *, mask: Tensor) -> Given:
    """Return poses, focal lengths and depths near 1 of some keyframes of a path."""
    focal = tracker_intrinsics(np.exp(path.log_focal[rows]) * max(size.source_px), size, half_pixel=True)
    poses = se3.from_matrix(torch.from_numpy(path.cam_from_world[rows])).float()
    depths = torch.from_numpy(path_depths(path)[rows]).float()
    return Given(torch.from_numpy(focal).float(), (1.0 / depths)[:, None, None].expand(len(depths), *size.grid).contiguous(), poses, mask)


def static_mask(tracks: PointTracks, static: Float, frames: Int, size: WorkingSize) -> Tensor:
    """Return (K, h, w) the static probability of the nearest track, 1 where none is near."""
    height, width = size.grid
    cells = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).reshape(-1, 2)
    masks = np.ones((len(frames), height * width), np.float32)
    for k, frame in enumerate(frames):
        begin, end = np.searchsorted(tracks.frame, [frame, frame + 1])
        if end > begin:
            far, nearest = cKDTree(grid_from_source(tracks.xy_px[begin:end], size)).query(cells)
            said = np.nan_to_num(static[tracks.track[begin:end]], nan=1.0)[nearest]
            masks[k] = np.where(far < NEAR_CELLS, said, 1.0)
    return torch.from_numpy(masks.reshape(-1, height, width))


def followed(filled: FilledPath, before: WindowPath, after: WindowPath, *, times_s: Float, depths: Float) -> FilledPath:
    """Let all frames follow the keyframes from one path to another, and take over the `depths` (K,) at these."""
    moved = shifted(filled, before, after, times_s)
    depth = np.interp(times_s, times_s[after.frames], depths)
    return replace(moved, median_depth=np.where(np.isfinite(filled.median_depth), depth, np.nan))
