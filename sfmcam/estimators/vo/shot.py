"""From the tracks of a shot to a camera for every frame: windows solved, joined, and filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sfmcam.estimators.vo.background import swapped_background
from sfmcam.estimators.vo.balance import area_weights
from sfmcam.estimators.vo.belief import Belief, reading_features
from sfmcam.estimators.vo.bundle import Freedom, Noise, Priors
from sfmcam.estimators.vo.fill import FilledPath, fill_frames
from sfmcam.estimators.vo.hypotheses import weighed_paths
from sfmcam.estimators.vo.keyframes import Window, choose_keyframes, make_window
from sfmcam.estimators.vo.options import ModelBelief, VoOptions
from sfmcam.estimators.vo.reading import Reading
from sfmcam.estimators.vo.select import Candidate, Judged, candidates, judge, model_weights, path_of
from sfmcam.estimators.vo.solve import Fits, fit_models
from sfmcam.estimators.vo.windows import WindowPath, choose_windows, join_windows
from sfmcam.geometry.rigid import camera_centers, rigid_from_parts
from sfmcam.geometry.rotation import nearest_rotation, rotation_from_vector, vector_from_rotation
from sfmcam.types import Float, Int, PointTracks

MIN_POINTS = 6  # of a window; fewer say nothing
SEEING_SHARE = 0.2  # of the median number of points, that a keyframe must show


@dataclass(frozen=True)
class FittedWindow:
    """A window, its solution under every reading, and the noise of its tracks."""

    window: Window
    found: dict[Reading, Candidate]
    noise: Noise

    def features(self) -> dict[Reading, Float]:
        """Return what speaks for each reading; see `belief.reading_features`."""
        return reading_features(self.window.seen, self.found, self.noise)

    def judged(self, belief: ModelBelief) -> Judged:
        """Weigh the best solutions of the models on the first background by likelihood; see `select.model_weights`."""
        models = {f: self.found[Reading(f)] for f in Freedom}
        return judge(self.window, models, model_weights(self.window.seen, {f: c.squared for f, c in models.items()}, self.noise, belief))

    def paths(self) -> dict[Reading, WindowPath]:
        """Return the path of each reading."""
        return {r: path_of(self.window, c) for r, c in self.found.items()}


@dataclass(frozen=True)
class FilledHypothesis:
    """One motion that the shot may have gone through: its weight, its path at the keyframes, and the cameras of all frames."""

    weight: float
    keyframes: WindowPath
    filled: FilledPath


@dataclass(frozen=True)
class SolvedShot:
    """What is known of a shot.

    Attributes:
        filled: the cameras of all frames under the likeliest model of each window; the static probabilities of all tracks.
        hedged: the same, moved to the mean over the models.
        hypotheses: the motions that the shot may have gone through, by a belief of its own; their weights are together 1.
        keyframes: the mean path at the keyframes; its sigma holds how much the models disagree.
        points: the path of the likeliest models, whose points those are.
        belief: weight of each motion model among the hypotheses, averaged over the windows.
        noise_px: of the tracks, one coordinate.
    """

    filled: FilledPath
    hedged: FilledPath
    hypotheses: tuple[FilledHypothesis, ...]
    keyframes: WindowPath
    points: WindowPath
    belief: dict[Freedom, float]
    noise_px: float


def fit_windows(tracks: PointTracks, timestamps_s: Float, options: VoOptions, *, threads: int = 1) -> list[FittedWindow] | None:
    """Fit all models to every window of a shot; None where a window has too few points to say anything."""
    keys = _keyframes_in_sight(tracks, timestamps_s)
    priors = Priors(log_focal=float(np.log(options.focal_factor)), log_focal_sigma=options.focal_log_sigma)
    fitted = []
    for part in choose_windows(len(keys), options.window, min(options.overlap, options.window - 1)):
        window = make_window(tracks, keys[part.start : part.stop], max_points=options.max_points)
        if window.seen.num_points < MIN_POINTS:
            return None
        window = window.with_weights(area_weights(window.seen))
        fitted.append(fit_window(window, priors, threads=threads))
    return fitted


def fit_window(window: Window, priors: Priors, *, threads: int = 1) -> FittedWindow:
    """Fit every reading of a window: all models on its background and, where a mover may have been taken for that, on the other one."""
    fits = fit_models(window.seen, priors, threads=threads)
    found = _readings(fits, swapped=False)
    other = swapped_background(window.seen, found[Reading(Freedom.ALL)], fits, priors, threads=threads)
    return FittedWindow(window, found if other is None else found | _readings(other, swapped=True), fits.noise)


def _readings(fits: Fits, *, swapped: bool) -> dict[Reading, Candidate]:
    return {
        Reading(freedom, flipped, swapped): candidate
        for flipped, solutions in ((False, fits.best), (True, fits.flipped))
        for freedom, candidate in candidates(fits.adjuster, solutions, fits.noise).items()
    }


def _keyframes_in_sight(tracks: PointTracks, timestamps_s: Float) -> Int:
    """Choose keyframes among the frames that show something: a black, white or blurred one would hang loose, first of all as the first."""
    alive = np.bincount(tracks.frame, minlength=len(timestamps_s))
    seeing = np.flatnonzero(alive >= max(SEEING_SHARE * float(np.median(alive)), 1.0))
    keys = choose_keyframes(tracks, timestamps_s)
    if len(seeing) < 2:
        return keys
    return np.unique(seeing[np.abs(keys[:, None] - seeing[None, :]).argmin(axis=1)])


def solve_shot(
    fitted: Sequence[FittedWindow], tracks: PointTracks, timestamps_s: Float, *, options: VoOptions, belief: Belief
) -> SolvedShot:
    """Weigh the models, join the windows and fill in the frames."""
    beliefs = [belief.weights(f.features()) for f in fitted]
    judged, decided = ([f.judged(by) for f in fitted] for by in (options.belief, options.pose_belief))
    noise_px = float(np.median([f.noise.sigma for f in fitted])) * max(tracks.size_px)
    likely, mean = join_windows([j.likely for j in decided]), join_windows([j.mean for j in judged])
    filled = fill_frames(likely, tracks, len(timestamps_s), timestamps_s, noise_px=noise_px)
    hypotheses = tuple(
        FilledHypothesis(h.weight, h.path, shifted(filled, likely, h.path, timestamps_s))
        for h in weighed_paths(beliefs, [f.paths() for f in fitted])
    )
    weights = {f: float(np.mean([sum(w for r, w in b.items() if r.freedom is f) for b in beliefs])) for f in Freedom}
    return SolvedShot(filled, shifted(filled, likely, mean, timestamps_s), hypotheses, mean, likely, weights, noise_px)


def shifted(filled: FilledPath, likely: WindowPath, mean: WindowPath, timestamps_s: Float, *, keys_s: Float | None = None) -> FilledPath:
    """Move every frame by what lies between the likeliest path and the mean one at the keyframes about it.

    Args:
        filled: cameras of the frames, by the likeliest path.
        likely: the path that they follow.
        mean: the path that they shall follow.
        timestamps_s: of the frames.
        keys_s: of the keyframes; where not given, that of the frames that they are.
    """
    at = timestamps_s
    keys_s = timestamps_s[likely.frames] if keys_s is None else keys_s
    turn = vector_from_rotation(mean.cam_from_world[:, :3, :3] @ likely.cam_from_world[:, :3, :3].transpose(0, 2, 1))
    move = camera_centers(mean.cam_from_world) - camera_centers(likely.cam_from_world)
    zoom = (mean.log_focal - likely.log_focal)[:, None]
    offset = np.hstack([turn, move, zoom])
    here = np.column_stack([np.interp(at, keys_s, column) for column in offset.T])
    poses = filled.cam_from_world
    rotation = nearest_rotation(rotation_from_vector(here[:, :3]) @ np.nan_to_num(poses[:, :3, :3]))
    centers = camera_centers(poses) + here[:, 3:6]
    moved = rigid_from_parts(rotation, -np.einsum("nij,nj->ni", rotation, centers))
    return FilledPath(
        np.where(np.isnan(poses), np.nan, moved),
        filled.log_focal + here[:, 6],
        filled.valid,
        filled.median_depth,
        filled.residual,
        filled.static_probability,
    )
