"""One camera path against another, by every metric that the field uses. To add a metric: a function here, and a line in METRICS.

Angles of RotErr are radians, as they are published; all others are degrees. docs/compare.md defines each figure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sfmcam.evaluation.compare_metric import NAN, Metric, summarised
from sfmcam.evaluation.evo_bridge import STATISTICS, Alignment, EvoComparison, EvoSeries, evo_comparison
from sfmcam.evaluation.focal_error import focal_errors
from sfmcam.evaluation.frame_pairs import FramePairs
from sfmcam.evaluation.generator_metrics import GeneratorErrors, generator_errors
from sfmcam.evaluation.pair_auc import THRESHOLDS_DEG, pose_auc, share_below
from sfmcam.evaluation.pair_error import directions_of_all_pairs_rad, pair_direction_errors_rad, pair_rotation_errors_rad
from sfmcam.evaluation.pose_error import MIN_TO_ALIGN, ROUNDING, negligible_translation, rms_from_centroid
from sfmcam.geometry.rigid import camera_centers
from sfmcam.types import CameraTrajectory, Float

REFERENCE_UNIT = "ref. unit"
STILL = "the true camera does not translate to speak of, so there is neither a scale nor a direction"


@dataclass(frozen=True)
class Comparison:
    """The result.

    Attributes:
        pairs: the frames compared.
        num_estimate: frames with a pose in the estimate.
        num_reference: frames with a pose in the reference.
        alignment: what was allowed to change in the estimate.
        scale: by which the estimate was multiplied; NaN where it was not aligned.
        metrics: in the order of METRICS.
        aligned: evo's comparison, with an error per frame and the aligned path; None where there is none.
    """

    pairs: FramePairs
    num_estimate: int
    num_reference: int
    alignment: Alignment
    scale: float
    metrics: tuple[Metric, ...]
    aligned: EvoComparison | None

    @property
    def coverage(self) -> float:
        """Share of the reference's frames that were compared."""
        return len(self.pairs) / self.num_reference if self.num_reference else NAN

    @property
    def figures(self) -> dict[str, float]:
        """Every figure by its key."""
        return {key: value for metric in self.metrics for key, value in metric.figures.items()}


def compare_trajectories(
    estimate: CameraTrajectory, reference: CameraTrajectory, pairs: FramePairs, *, alignment: Alignment, still_extent: float = 0.0
) -> Comparison:
    """Compare the paired frames of two trajectories.

    Args:
        estimate: the estimate.
        reference: the truth.
        pairs: which frames are compared.
        alignment: what may be changed in the estimate before positions are compared.
        still_extent: a true path whose bounding box has no longer diagonal counts as that of a still camera, in the reference's unit.

    Raises:
        MissingDependencyError: evo is not installed.
    """
    data = _Paired(estimate, reference, pairs, alignment, still_extent)
    return Comparison(
        pairs=pairs,
        num_estimate=estimate.num_valid,
        num_reference=reference.num_valid,
        alignment=alignment,
        scale=data.evo.scale if data.evo is not None and not data.why_not_aligned else NAN,
        metrics=tuple(metric for make in METRICS for metric in make(data)),
        aligned=data.evo,
    )


@dataclass(frozen=True)
class _Paired:
    """What the metrics are computed from; what several need is computed once."""

    estimate: CameraTrajectory
    reference: CameraTrajectory
    pairs: FramePairs
    alignment: Alignment
    still_extent: float

    @property
    def n(self) -> int:
        return len(self.pairs)

    @cached_property
    def poses(self) -> Float:
        return self.estimate.cam_from_world[self.pairs.own]

    @cached_property
    def truth(self) -> Float:
        return self.reference.cam_from_world[self.pairs.true]

    @cached_property
    def negligible(self) -> float:
        return self._negligible_and_extent[0]

    @cached_property
    def still(self) -> bool:
        negligible, extent = self._negligible_and_extent
        return self.n > 0 and extent <= max(negligible, self.still_extent)

    @property
    def why_still(self) -> str:
        """Why there is no true translation to compare with; empty where there is one."""
        return STILL if self.still else ""

    @cached_property
    def _negligible_and_extent(self) -> tuple[float, float]:
        return negligible_translation(self.truth, self.reference.median_depth[self.pairs.true])

    @cached_property
    def generator(self) -> GeneratorErrors:
        return generator_errors(self.poses, self.truth)

    @cached_property
    def evo(self) -> EvoComparison | None:
        """evo's comparison, also where its alignment means nothing (see `why_not_aligned`) but its relative rotations do."""
        if self.n == 0:
            return None
        return evo_comparison(self.poses, self.truth, self.reference.timestamps_s[self.pairs.true], alignment=self.alignment)

    @cached_property
    def rotations_deg(self) -> Float:
        return np.degrees(pair_rotation_errors_rad(self.poses, self.truth))

    @cached_property
    def directions_deg(self) -> Float:
        """Of all pairs; NaN where the true camera does not move from one to the other."""
        rounding = ROUNDING * float(np.abs(camera_centers(self.truth)).max(initial=0.0))
        return np.degrees(directions_of_all_pairs_rad(self.poses, self.truth, negligible=rounding))

    @property
    def too_few(self) -> str:
        """Why nothing relative can be said."""
        if self.n > 1:
            return ""
        return "one frame in common, and every error is relative to another frame" if self.n else "no frame in common"

    @property
    def why_not_aligned(self) -> str:
        """Why positions cannot be compared."""
        least = MIN_TO_ALIGN if self.alignment.moves else 2 if self.alignment.scales else 1
        if self.n == 0:
            return "no frame in common"
        if self.n < least:
            are = "frame is" if self.n == 1 else "frames are"
            return f"{self.n} {are} in common, too few to align ({self.alignment})"
        return self.why_still if self.alignment.scales else ""


def _generator(data: _Paired) -> tuple[Metric, ...]:
    moving = data.too_few or data.why_still
    absolute = moving or ("" if not data.alignment.scales else "both paths must be in one unit: --align se3 or none says so")
    rows = (
        ("RotErr", "rotation_rad", "rad", data.too_few),
        ("TransErr", "translation", "farthest camera = 1", moving),
        ("CamMC", "matrix", "farthest camera = 1", moving),
        ("TransErr_abs", "translation_abs", "ref.'s farthest = 1", absolute),
        ("CamMC_abs", "matrix_abs", "ref.'s farthest = 1", absolute),
    )
    return tuple(
        _metric(name, np.empty(0) if reason else getattr(data.generator, field), "sum", "mean", unit=unit, reason=reason)
        for name, field, unit, reason in rows
    )


def _absolute(data: _Paired) -> tuple[Metric, ...]:
    reason = data.why_not_aligned
    ape = _of_evo("APE", data.evo.ape if data.evo else None, REFERENCE_UNIT, reason=reason)
    turn = _of_evo("APE_rot", data.evo.ape_rotation if data.evo else None, "deg", reason=reason)
    still = reason or data.why_still
    relative = NAN if still else ape.statistics["rmse"] / rms_from_centroid(data.truth)
    return ape, Metric("APE_relative", {"sum": relative}, "a still camera = 1", count=0 if still else data.n, reason=still), turn


def _relative(data: _Paired) -> tuple[Metric, ...]:
    reason = data.too_few or data.why_not_aligned
    steps = _of_evo("RPE_trans", data.evo.rpe if data.evo else None, REFERENCE_UNIT, reason=reason, counted="steps")
    turns = _of_evo("RPE_rot", data.evo.rpe_rotation if data.evo else None, "deg", reason=data.too_few, counted="steps")
    return steps, turns


def _all_pairs(data: _Paired) -> tuple[Metric, ...]:
    """RRE and RTE; the direction of RTE is that of a line, as where it comes from an essential matrix, so that it ends at 90."""
    rotations, known = data.rotations_deg, ~np.isnan(data.directions_deg)
    signed = data.directions_deg[known]
    lines = np.minimum(signed, 180 - signed)
    moving = data.too_few or data.why_still
    rotation, translation = (
        _metric(name, errors, "mean", "median", unit="deg", unit_suffix="_deg", counted="pairs", reason=reason)
        for name, errors, reason in (("RRE", rotations, data.too_few), ("RTE", np.empty(0) if moving else lines, moving))
    )
    worst, worst_signed = (np.maximum(rotations[known], errors) for errors in (lines, signed))
    return (
        rotation,
        translation,
        _thresholds("RRA", share_below, rotations, reason=data.too_few),
        _thresholds("RTA", share_below, lines, reason=moving),
        _thresholds("AUC", pose_auc, worst, reason=moving),
        _thresholds("AUC_signed", pose_auc, worst_signed, reason=moving),
    )


def _direction(data: _Paired) -> tuple[Metric, ...]:
    errors = np.degrees(pair_direction_errors_rad(data.poses, data.truth, negligible=data.negligible))
    reason = data.too_few or data.why_still
    return (
        _metric(
            "direction", np.empty(0) if reason else errors, "mean", "median", unit="deg", unit_suffix="_deg", counted="pairs", reason=reason
        ),
    )


def _focal(data: _Paired) -> tuple[Metric, ...]:
    errors = focal_errors(data.estimate, data.reference, data.pairs)
    reason = errors.note and (data.too_few if data.n == 0 else errors.note)
    percent = _metric("focal", errors.percent, "mean", "median", "max", unit="%", unit_suffix="_percent", reason=reason)
    return percent, _metric("fov", errors.fov_deg, "mean", "median", "max", unit="deg", unit_suffix="_deg", reason=reason)


METRICS: tuple[Callable[[_Paired], tuple[Metric, ...]], ...] = (_generator, _absolute, _relative, _all_pairs, _direction, _focal)


def _metric(
    name: str, errors: Float, *statistics: str, unit: str, unit_suffix: str = "", counted: str = "frames", reason: str = ""
) -> Metric:
    return Metric(name, summarised(errors, *statistics), unit, unit_suffix, count=len(errors), counted=counted, reason=reason)


def _of_evo(name: str, series: EvoSeries | None, unit: str, *, reason: str, counted: str = "frames") -> Metric:
    suffix = "_deg" if unit == "deg" else ""
    if series is None or reason:
        return Metric(name, dict.fromkeys(STATISTICS, NAN), unit, suffix, counted=counted, reason=reason)
    return Metric(name, series.statistics, unit, suffix, count=len(series.errors), counted=counted)


def _thresholds(name: str, share: Callable[[Float], tuple[float, ...]], errors_deg: Float, *, reason: str) -> Metric:
    values = (NAN,) * len(THRESHOLDS_DEG) if reason else share(errors_deg)
    statistics = {str(threshold): value for threshold, value in zip(THRESHOLDS_DEG, values, strict=True)}
    return Metric(name, statistics, "share of pairs", count=0 if reason else len(errors_deg), counted="pairs", reason=reason)
