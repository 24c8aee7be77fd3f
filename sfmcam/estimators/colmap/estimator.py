"""The estimators `colmap` and `glomap`: structure from motion with pycolmap, and honest answers where there is no structure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pycolmap

from sfmcam.config import RunConfig
from sfmcam.estimators.colmap.assemble import point_cloud, trajectory_of, turning_trajectory
from sfmcam.estimators.colmap.features import count_features, extract_and_match, read_matches, write_images
from sfmcam.estimators.colmap.mapping import MapperResult, map_global, map_incremental, refine
from sfmcam.estimators.colmap.motion_model import PARALLAX_GAIN, ModelGain, MotionModel, corner_motion_px, model_before_mapping, moving_gain
from sfmcam.estimators.colmap.options import ColmapOptions
from sfmcam.estimators.colmap.rotation_fit import FocalPrior, Matches, RotationFit, fit_rotation
from sfmcam.types import Estimate, Frames, Status

MIN_FEATURES = 30  # in the median frame
MIN_VALID_SHARE = 0.5  # of the frames; a path of fewer does not speak for the clip
TURNING_ACCOUNTS_FOR = 0.15  # residual over displacement, below which a turning camera is taken although mapping failed
TURNING_PLAUSIBLE = 0.5  # share of matches within a pixel of the turning camera, below which a map that does not beat it is tried again
MAX_ATTEMPTS = 2
MATCHES_PER_PAIR = 50  # enough for four numbers per frame, and quick
REFERENCE_LONG_SIDE_PX = 512.0


class Colmap:
    """COLMAP's incremental mapper (Schoenberger and Frahm 2016)."""

    name = "colmap"
    Options = ColmapOptions

    def __init__(self, options: ColmapOptions, run: RunConfig) -> None:
        self.options, self.run = options, run

    def _map(self, database: Path, images: Path, output: Path, run: RunConfig) -> MapperResult:
        return map_incremental(database, images, output, self.options, run)

    def estimate(self, frames: Frames, *, workspace: Path) -> Estimate:
        """See `estimators.base.Estimator`."""
        if len(frames) < 2:
            return Estimate(Status.TOO_FEW_FRAMES, message=f"{len(frames)} frame")
        pycolmap.logging.minloglevel = int(pycolmap.logging.ERROR)
        database, images = workspace / "database.db", workspace / "images"
        write_images(frames, images)
        extract_and_match(database, images, frames, self.options, self.run)
        matches = read_matches(database, frames.size_px, max_per_pair=MATCHES_PER_PAIR, seed=self.run.seed)
        failure = _matching_failure(database, matches, len(frames) if self.options.choose_motion_model else None)
        if failure is not None:
            return failure

        def run_mapper(attempt: int) -> Estimate:
            output = workspace / f"model_{attempt}"
            output.mkdir()
            run = self.run.model_copy(update={"seed": self.run.seed + attempt})
            return self._mapped(frames, self._map(database, images, output, run))

        return self._chosen(frames, matches, run_mapper) if self.options.choose_motion_model else run_mapper(0)

    def _chosen(self, frames: Frames, matches: Matches, run_mapper: Callable[[int], Estimate]) -> Estimate:
        """Answer with the simplest motion that explains the matches."""
        unit_px = max(frames.size_px) / REFERENCE_LONG_SIDE_PX
        prior = FocalPrior((self.options.focal_factor or 0.8) * max(frames.size_px))
        fit = fit_rotation(matches, num_frames=len(frames), prior=prior, unit_px=unit_px)
        corner_px = corner_motion_px(fit.cam_from_world, fit.focal_px, frames.size_px)
        model = model_before_mapping(matches, fit.residual_px, corner_px, unit_px=unit_px)
        if model is MotionModel.STILL:
            return _turning(Status.STILL, fit, matches, frames, f"the picture moves by {corner_px:.2f} px at most")
        if model is MotionModel.TURNING:
            return _turning(Status.ROTATION_ONLY, fit, matches, frames, _turning_message(fit))
        attempts = MAX_ATTEMPTS if np.mean(fit.residual_px < unit_px) < TURNING_PLAUSIBLE else 1
        moved, gain = _best_map(matches, fit, run_mapper, attempts=attempts, unit_px=unit_px)
        if gain is None:
            return self._without_map(moved, fit, matches, frames)
        if gain.gric < PARALLAX_GAIN:
            return _turning(Status.ROTATION_ONLY, fit, matches, frames, f"a map explains the matches no better (GRIC {gain.gric:+.2f})")
        return _with_parallax(moved, gain)

    @staticmethod
    def _without_map(failed: Estimate, fit: RotationFit, matches: Matches, frames: Frames) -> Estimate:
        """Answer where mapping failed: the turning camera if it accounts for nearly all that moves, else the failure."""
        message = f"{failed.message}; {_turning_message(fit)}"
        if np.median(fit.residual_px) < TURNING_ACCOUNTS_FOR * np.median(matches.displacement_px):
            return _turning(Status.ROTATION_ONLY, fit, matches, frames, f"no map came out ({message})")
        return replace(failed, message=message)

    def _mapped(self, frames: Frames, result: MapperResult) -> Estimate:
        """Turn the mapper's answer into an Estimate."""
        reconstruction = result.reconstruction
        if reconstruction is None and not result.started:
            return Estimate(Status.NO_INITIAL_PAIR, message="no pair of frames has parallax and matches enough to start from")
        if reconstruction is None:
            return Estimate(Status.MAPPING_FAILED, message="the mapper kept no model")
        counts: dict[str, float | int | str] = {}
        if self.options.final_refinement:
            refined = refine(reconstruction)
            reconstruction, counts["focal_share"] = refined.reconstruction, refined.focal_share
        trajectory = trajectory_of(reconstruction, frames)
        counts |= {
            "registered": trajectory.num_valid,
            "points": reconstruction.num_points3D(),
            "reprojection_error_px": float(reconstruction.compute_mean_reprojection_error()),
        }
        message = f"{trajectory.num_valid} of {len(frames)} frames, {counts['points']} points"
        if not counts["points"] or trajectory.num_valid < 2:
            return Estimate(Status.MAPPING_FAILED, message=message, diagnostics=counts)
        if trajectory.num_valid < MIN_VALID_SHARE * len(frames) and self.options.choose_motion_model:
            return Estimate(Status.TOO_FEW_REGISTERED, message=message, diagnostics=counts)
        return Estimate(Status.OK, trajectory, message, point_cloud(reconstruction), diagnostics=counts)


class Glomap(Colmap):
    """COLMAP's global mapper (Pan et al. 2024)."""

    name = "glomap"

    def _map(self, database: Path, images: Path, output: Path, run: RunConfig) -> MapperResult:
        return map_global(database, images, output, self.options, run)


def _best_map(
    matches: Matches, fit: RotationFit, run_mapper: Callable[[int], Estimate], *, attempts: int, unit_px: float
) -> tuple[Estimate, ModelGain | None]:
    """Map until a map beats the turning camera, `attempts` times at most; the mappers start at random, and can start badly."""
    tried: list[tuple[Estimate, ModelGain | None]] = []
    for attempt in range(attempts):
        moved = run_mapper(attempt)
        gain = _gain(matches, fit, moved, unit_px)
        tried.append((moved, gain))
        if gain is not None and gain.gric >= PARALLAX_GAIN:
            break
    return max(tried, key=lambda t: -np.inf if t[1] is None else t[1].gric)


def _gain(matches: Matches, fit: RotationFit, moved: Estimate, unit_px: float) -> ModelGain | None:
    path = moved.trajectory
    if path is None:
        return None
    return moving_gain(
        matches, fit.residual_px, cam_from_world=path.cam_from_world, focal_px=path.focal_px, valid=path.valid, unit_px=unit_px
    )


def _matching_failure(database: Path, matches: Matches, num_frames: int | None) -> Estimate | None:
    """Return the failure that ends here, if features or matches are missing; without `num_frames`, only if there are none at all."""
    features = count_features(database)
    if np.median(features) < (MIN_FEATURES if num_frames is not None else 1):
        return Estimate(Status.TOO_FEW_FEATURES, message=f"{np.median(features):.0f} features in the median frame")
    if not len(matches):
        return Estimate(Status.TOO_FEW_MATCHES, message="no pair of frames could be verified")
    if num_frames is None:
        return None
    num_linked = int(matches.linked_frames(num_frames).sum())
    if num_linked < MIN_VALID_SHARE * num_frames:
        return Estimate(Status.TOO_FEW_MATCHES, message=f"matches tie only {num_linked} of {num_frames} frames together")
    return None


def _turning_message(fit: RotationFit) -> str:
    return f"a turning, zooming camera leaves {np.median(fit.residual_px):.2f} px"


def _turning(status: Status, fit: RotationFit, matches: Matches, frames: Frames, message: str) -> Estimate:
    residual = float(np.median(fit.residual_px))
    trajectory = turning_trajectory(fit, frames, linked=matches.linked_frames(len(frames)), residual_px=residual)
    return Estimate(status, trajectory, message, diagnostics={"turning_residual_px": residual})


def _with_parallax(moved: Estimate, gain: ModelGain) -> Estimate:
    assert moved.trajectory is not None
    evidence = replace(moved.trajectory.evidence, parallax_px=gain.parallax_px)
    diagnostics = {**moved.diagnostics, "gric_gain": gain.gric}
    return replace(moved, trajectory=replace(moved.trajectory, evidence=evidence), diagnostics=diagnostics)
