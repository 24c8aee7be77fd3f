"""The only module that knows evo (GPLv3, optional; docs/adr has the reasons). Imported on use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from sfmcam.errors import MissingDependencyError
from sfmcam.geometry.rigid import inverse, rigid_from_parts
from sfmcam.geometry.rotation import nearest_rotation
from sfmcam.geometry.similarity import Similarity, fit_similarity, free_turns, nearest_turn
from sfmcam.types import Float

STATISTICS = ("rmse", "mean", "median", "std", "min", "max", "sse")  # those of evo


class Alignment(StrEnum):
    """What may be changed in the estimate before positions are compared; the options of evo's command line behind it.

    SIM3 (`-as`): orientation, position and scale of its world. SE3 (`-a`): orientation and position. SCALE (`-s`): the scale
    that SIM3 would take, and nothing else. NONE: nothing.
    """

    SIM3 = "sim3"
    SE3 = "se3"
    SCALE = "scale"
    NONE = "none"

    @property
    def moves(self) -> bool:
        """True where the estimate's world is turned and moved."""
        return self in (Alignment.SIM3, Alignment.SE3)

    @property
    def scales(self) -> bool:
        """True where the estimate's unit is changed."""
        return self in (Alignment.SIM3, Alignment.SCALE)


@dataclass(frozen=True)
class EvoSeries:
    """One of evo's metrics: an error per frame or step, and evo's statistics of them, by the names in STATISTICS."""

    errors: Float
    statistics: dict[str, float]


@dataclass(frozen=True)
class EvoComparison:
    """What evo says of one path against another.

    Attributes:
        world_from_cam: (N, 4, 4) the estimate as aligned.
        scale: by which the estimate was multiplied.
        is_unique: False where other turns fit the positions equally well (a straight path, a spot); then the one is taken that is
            nearest to the true orientations.
        ape: distance of the camera centres, in the reference's unit, per frame.
        ape_rotation: angle between the orientations, degrees, per frame.
        rpe: error of the translation from one frame to the next, in the reference's unit, per step; None for a single frame.
        rpe_rotation: error of the rotation from one frame to the next, degrees, per step; None for a single frame.
    """

    world_from_cam: Float
    scale: float
    is_unique: bool
    ape: EvoSeries
    ape_rotation: EvoSeries
    rpe: EvoSeries | None
    rpe_rotation: EvoSeries | None


@dataclass(frozen=True)
class EvoErrors:
    """The root mean squares that a run over a labelled set reports, after a Sim3 alignment.

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

    Args:
        estimate: (N, 4, 4) `cam_from_world`, N >= 3.
        reference: (N, 4, 4) `cam_from_world`, whose centres are not all the same.
        timestamps_s: (N,) ascending.

    Raises:
        MissingDependencyError: evo is not installed.
    """
    compared = evo_comparison(estimate, reference, timestamps_s, alignment=Alignment.SIM3)
    assert compared.rpe is not None
    assert compared.rpe_rotation is not None
    return EvoErrors(*(series.statistics["rmse"] for series in (compared.ape, compared.rpe, compared.rpe_rotation)))


def evo_comparison(estimate: Float, reference: Float, timestamps_s: Float, *, alignment: Alignment) -> EvoComparison:
    """Compare two paths frame by frame, as `evo_ape` and `evo_rpe` (delta 1 frame) do with the options behind `alignment`.

    evo refuses to align paths that are straight lines or single spots, where the rotation is not unique. The distance after the
    best alignment is, so those are aligned by `fit_similarity`, and turned about what is free to the true orientations.

    Args:
        estimate: (N, 4, 4) `cam_from_world`, N >= 1; a path that is to be turned needs N >= 3 to say anything.
        reference: (N, 4, 4) `cam_from_world` of the same frames.
        timestamps_s: (N,) ascending.
        alignment: what may be changed in the estimate.

    Raises:
        MissingDependencyError: evo is not installed.
    """
    metrics, trajectory = _import_evo()
    truth = _evo_trajectory(trajectory, inverse(reference), timestamps_s)
    world_from_cam = inverse(estimate)
    path, scale = _aligned(trajectory, world_from_cam, truth, alignment=alignment)
    free = free_turns(world_from_cam[:, :3, 3], truth.positions_xyz) if alignment.moves else np.empty((0, 3))
    if len(free):
        path = _evo_trajectory(trajectory, _turned(np.array(path.poses_se3), np.array(truth.poses_se3), free), timestamps_s)
    relation, frames = metrics.PoseRelation, metrics.Unit.frames
    has_steps = len(estimate) > 1

    def absolute(part: Any) -> EvoSeries:
        return _series(metrics.APE(part), truth, path)

    def relative(part: Any) -> EvoSeries | None:
        return _series(metrics.RPE(part, delta=1, delta_unit=frames), truth, path) if has_steps else None

    return EvoComparison(
        world_from_cam=np.array(path.poses_se3),
        scale=scale,
        is_unique=len(free) == 0,
        ape=absolute(relation.translation_part),
        ape_rotation=absolute(relation.rotation_angle_deg),
        rpe=relative(relation.translation_part),
        rpe_rotation=relative(relation.rotation_angle_deg),
    )


def _import_evo() -> tuple[Any, Any]:
    try:
        from evo.core import metrics, trajectory
    except ImportError as error:
        raise MissingDependencyError("pose errors need evo, which is not installed: pip install 'sfmcam[metrics]'") from error
    return metrics, trajectory


def _evo_trajectory(module: Any, world_from_cam: Float, timestamps_s: Float) -> Any:
    """Hand poses to evo, which refuses rotations that are exact to fewer digits than ours must be."""
    world_from_cam = rigid_from_parts(nearest_rotation(world_from_cam[:, :3, :3]), world_from_cam[:, :3, 3])
    return module.PoseTrajectory3D(poses_se3=list(world_from_cam), timestamps=timestamps_s)


def _aligned(module: Any, world_from_cam: Float, truth: Any, *, alignment: Alignment) -> tuple[Any, float]:
    from evo.core.geometry import GeometryException

    path = _evo_trajectory(module, world_from_cam, truth.timestamps)
    if alignment is Alignment.NONE:
        return path, 1.0
    try:
        scale = path.align(truth, correct_scale=alignment.scales, correct_only_scale=alignment is Alignment.SCALE)[2]
    except GeometryException:
        fit = fit_similarity(world_from_cam[:, :3, 3], truth.positions_xyz, with_scale=alignment.scales)
        if not alignment.moves:
            fit = Similarity(fit.scale, np.eye(3), np.zeros(3))
        moved = rigid_from_parts(fit.rotation @ world_from_cam[:, :3, :3], fit.apply(world_from_cam[:, :3, 3]))
        return _evo_trajectory(module, moved, truth.timestamps), fit.scale
    return path, float(scale)


def _turned(world_from_cam: Float, truth: Float, free: Float) -> Float:
    """Turn an aligned path (N, 4, 4) about the true centroid and the axes `free`, so that it looks where the truth looks."""
    turn = nearest_turn(world_from_cam[:, :3, :3], truth[:, :3, :3], free)
    middle = truth[:, :3, 3].mean(axis=0)
    return rigid_from_parts(turn @ world_from_cam[:, :3, :3], (world_from_cam[:, :3, 3] - middle) @ turn.T + middle)


def _series(metric: Any, truth: Any, path: Any) -> EvoSeries:
    metric.process_data((truth, path))
    statistics = metric.get_all_statistics()
    return EvoSeries(np.asarray(metric.error, float), {name: float(np.float64(statistics[name])) for name in STATISTICS})
