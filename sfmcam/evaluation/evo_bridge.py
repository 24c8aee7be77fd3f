"""The only module that knows evo (GPLv3, optional; docs/adr has the reasons). Imported on use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sfmcam.errors import MissingDependencyError
from sfmcam.geometry.rigid import inverse, rigid_from_parts
from sfmcam.geometry.similarity import fit_similarity
from sfmcam.types import Float


@dataclass(frozen=True)
class EvoErrors:
    """What evo says of one trajectory against another, after a Sim3 alignment.

    Attributes:
        ate_rmse: root mean square of the distances between camera centres, in the reference's unit.
        rpe_translation_rmse: root mean square error of the translation from one frame to the next, in the reference's unit.
        rpe_rotation_rmse_deg: root mean square error of the rotation from one frame to the next.
    """

    ate_rmse: float
    rpe_translation_rmse: float
    rpe_rotation_rmse_deg: float


def evo_errors(estimate: Float, reference: Float, timestamps_s: Float) -> EvoErrors:
    """Compare two paths frame by frame, as `evo_ape tum REFERENCE ESTIMATE -as` and `evo_rpe` (delta 1 frame) do.

    evo refuses to align paths that are straight lines or single spots, where the rotation is not unique. The error after the
    best alignment is, so those are aligned by `fit_similarity`.

    Args:
        estimate: (N, 4, 4) `cam_from_world`, N >= 3.
        reference: (N, 4, 4) `cam_from_world`, whose centres are not all the same.
        timestamps_s: (N,) ascending.

    Raises:
        MissingDependencyError: evo is not installed.
    """
    metrics, trajectory = _import_evo()
    truth = _evo_trajectory(trajectory, inverse(reference), timestamps_s)
    path = _aligned(trajectory, inverse(estimate), truth)
    relation = metrics.PoseRelation
    absolute = metrics.APE(relation.translation_part)
    steps = metrics.RPE(relation.translation_part, delta=1, delta_unit=metrics.Unit.frames)
    turns = metrics.RPE(relation.rotation_angle_deg, delta=1, delta_unit=metrics.Unit.frames)
    return EvoErrors(*(_rmse(metrics, metric, truth, path) for metric in (absolute, steps, turns)))


def _import_evo() -> tuple[Any, Any]:
    try:
        from evo.core import metrics, trajectory
    except ImportError as error:
        raise MissingDependencyError("pose errors need evo, which is not installed: pip install 'sfmcam[metrics]'") from error
    return metrics, trajectory


def _evo_trajectory(module: Any, world_from_cam: Float, timestamps_s: Float) -> Any:
    return module.PoseTrajectory3D(poses_se3=list(world_from_cam), timestamps=timestamps_s)


def _aligned(module: Any, world_from_cam: Float, truth: Any) -> Any:
    from evo.core.geometry import GeometryException

    path = _evo_trajectory(module, world_from_cam, truth.timestamps)
    try:
        path.align(truth, correct_scale=True)
    except GeometryException:
        fit = fit_similarity(world_from_cam[:, :3, 3], truth.positions_xyz)
        moved = rigid_from_parts(fit.rotation @ world_from_cam[:, :3, :3], fit.apply(world_from_cam[:, :3, 3]))
        return _evo_trajectory(module, moved, truth.timestamps)
    return path


def _rmse(metrics: Any, metric: Any, truth: Any, path: Any) -> float:
    metric.process_data((truth, path))
    return float(np.float64(metric.get_statistic(metrics.StatisticsType.rmse)))
