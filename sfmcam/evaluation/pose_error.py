"""How far an estimated camera path is from a known one, free of both worlds' gauge and of the estimate's scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.evaluation.evo_bridge import EvoErrors, evo_errors
from sfmcam.evaluation.focal_error import focal_errors
from sfmcam.evaluation.frame_pairs import pair_by_time
from sfmcam.evaluation.pair_error import pair_direction_errors_rad, pair_rotation_errors_rad
from sfmcam.geometry.rigid import camera_centers
from sfmcam.types import CameraTrajectory, Float

MIN_TO_ALIGN = 3  # two points always align perfectly
NEGLIGIBLE_OF_EXTENT = 0.01  # a true translation below this share of the path's extent has no direction to speak of
NEGLIGIBLE_OF_DEPTH = 0.001  # likewise, of the scene depth: it moves the picture by less than a pixel
ROUNDING = 1e-9  # of the coordinates
NAN = float("nan")


@dataclass(frozen=True)
class PoseErrors:
    """Errors of an estimated path, over the frames that have a pose in both; NaN where `note` says why there is none.

    A pair means any two compared frames. Rotation and direction errors are those of the relative pose of a pair, so no
    alignment enters them.

    Attributes:
        num_compared: frames that have a pose in both.
        num_reference: frames with a pose in the reference.
        coverage: num_compared / num_reference.
        answered: share of the estimate's own frames within the reference's times for which it has a pose.
        rotation_mean_deg: mean over pairs of the angle between estimated and true relative rotation, degrees.
        rotation_median_deg: median of the same, degrees.
        direction_mean_deg: mean over pairs of the angle between estimated and true translation, seen from the earlier camera,
            degrees in [0, 180]: opposite is 180. Pairs whose true translation is negligible are left out; where the
            estimate does not translate at all, it counts as 90, what a random direction has on average.
        direction_median_deg: median of the same, degrees.
        ate_rmse: absolute trajectory error: RMS distance of the camera centres after Sim3 alignment, in the reference's unit.
            The alignment ignores orientations, so a straight path run backwards has none; the direction error shows it.
        ate_relative: the same over the RMS distance of the true centres from their centroid; 1 is what a camera that does
            not move would have.
        rpe_translation_rmse: RMS error of the translation between consecutive compared frames after alignment, in the
            reference's unit.
        rpe_rotation_rmse_deg: RMS error of the rotation between consecutive compared frames, degrees.
        focal_percent: median over frames of the focal length's relative error, percent, both taken at one picture size.
        note: why something is NaN; empty where nothing is.
    """

    num_compared: int
    num_reference: int
    coverage: float
    answered: float
    rotation_mean_deg: float
    rotation_median_deg: float
    direction_mean_deg: float
    direction_median_deg: float
    ate_rmse: float
    ate_relative: float
    rpe_translation_rmse: float
    rpe_rotation_rmse_deg: float
    focal_percent: float
    note: str


def pose_errors(estimate: CameraTrajectory, reference: CameraTrajectory) -> PoseErrors:
    """Compare `estimate` with `reference`; frames are paired by time, to within half of the reference's frame interval.

    Raises:
        MissingDependencyError: evo is not installed.
    """
    pairs = pair_by_time(estimate, reference)
    poses, truth = estimate.cam_from_world[pairs.own], reference.cam_from_world[pairs.true]
    negligible, extent = negligible_translation(truth, reference.median_depth[pairs.true])
    moves = extent > negligible
    rotations = pair_rotation_errors_rad(poses, truth)
    directions = pair_direction_errors_rad(poses, truth, negligible=negligible)
    aligned, alignment_note = _aligned_errors(poses, truth, reference.timestamps_s[pairs.true], moves=moves)
    focal = focal_errors(estimate, reference, pairs)
    return PoseErrors(
        num_compared=len(pairs),
        num_reference=reference.num_valid,
        coverage=len(pairs) / reference.num_valid if reference.num_valid else NAN,
        answered=pairs.answered,
        rotation_mean_deg=_mean_deg(rotations),
        rotation_median_deg=_median_deg(rotations),
        direction_mean_deg=_mean_deg(directions),
        direction_median_deg=_median_deg(directions),
        ate_rmse=aligned.ate_rmse,
        ate_relative=aligned.ate_rmse / rms_from_centroid(truth) if moves else NAN,
        rpe_translation_rmse=aligned.rpe_translation_rmse,
        rpe_rotation_rmse_deg=aligned.rpe_rotation_rmse_deg,
        focal_percent=float(np.median(focal.percent)) if len(focal.percent) else NAN,
        note="; ".join(filter(None, (alignment_note, focal.note))),
    )


def negligible_translation(truth: Float, median_depth: Float) -> tuple[float, float]:
    """Return the length below which a true translation says nothing, and the extent of the true path."""
    centers = camera_centers(truth)
    if len(centers) == 0:
        return 0.0, 0.0
    extent = float(np.linalg.norm(np.ptp(centers, axis=0)))
    depth = float(np.median(median_depth[np.isfinite(median_depth)])) if np.isfinite(median_depth).any() else 0.0
    floor = ROUNDING * float(np.abs(centers).max())
    return max(NEGLIGIBLE_OF_EXTENT * extent, NEGLIGIBLE_OF_DEPTH * depth, floor), extent


def _aligned_errors(poses: Float, truth: Float, timestamps_s: Float, *, moves: bool) -> tuple[EvoErrors, str]:
    """Return evo's errors, or NaN with the reason why the paths cannot be aligned."""
    n = len(poses)
    if n < MIN_TO_ALIGN:
        return EvoErrors(NAN, NAN, NAN), f"{n or 'no'} frame{'' if n == 1 else 's'} in common, too few to align"
    errors = evo_errors(poses, truth, timestamps_s)
    if not moves:
        reason = "the true camera does not translate, so there is neither direction nor scale"
        return EvoErrors(NAN, NAN, errors.rpe_rotation_rmse_deg), reason
    return errors, ""


def rms_from_centroid(truth: Float) -> float:
    """Return the RMS distance of the camera centres of (N, 4, 4) `cam_from_world` from their centroid."""
    centers = camera_centers(truth)
    return float(np.sqrt(np.mean(np.sum((centers - centers.mean(axis=0)) ** 2, axis=1))))


def _mean_deg(angles_rad: Float) -> float:
    return float(np.degrees(angles_rad.mean())) if len(angles_rad) else NAN


def _median_deg(angles_rad: Float) -> float:
    return float(np.degrees(np.median(angles_rad))) if len(angles_rad) else NAN
