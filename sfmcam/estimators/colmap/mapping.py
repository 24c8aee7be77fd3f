"""Run COLMAP's incremental or global mapper on a database, and refine what comes out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pycolmap

from sfmcam.config import RunConfig
from sfmcam.estimators.colmap.options import ColmapOptions

PRIOR_LOG_SIGMA = 0.25  # of the focal length around the prior: two thirds of cameras see 52 to 77 degrees across
MAX_REPROJECTION_PX = 4.0
MAPPING_THREADS = 1  # sums taken by several threads differ from run to run, and grow into different maps
MIN_POINTS_TO_REFINE = 20


@dataclass(frozen=True)
class FocalRefinement:
    """A refined map, and how far its focal length went from the prior (0) to where the points alone would put it (1)."""

    reconstruction: Any
    focal_share: float


@dataclass(frozen=True)
class MapperResult:
    """The largest map that a mapper made, or None, and whether it got as far as starting one."""

    reconstruction: Any | None
    started: bool


def map_incremental(database: Path, images: Path, output: Path, options: ColmapOptions, run: RunConfig) -> MapperResult:
    """Run `incremental_mapping`."""
    pipeline = pycolmap.IncrementalPipelineOptions()
    pipeline.num_threads, pipeline.random_seed = MAPPING_THREADS, run.seed
    pipeline.mapper.num_threads, pipeline.mapper.random_seed, pipeline.triangulation.random_seed = MAPPING_THREADS, run.seed, run.seed
    pipeline.ba_refine_extra_params = options.refine_distortion
    _set(pipeline, min_model_size=options.min_model_size, multiple_models=options.multiple_models)
    _set(
        pipeline.mapper,
        init_min_tri_angle=options.init_min_tri_angle_deg,
        init_min_num_inliers=options.init_min_num_inliers,
        init_max_forward_motion=options.init_max_forward_motion,
        abs_pose_min_num_inliers=options.abs_pose_min_num_inliers,
        filter_min_tri_angle=options.min_tri_angle_deg,
    )
    _set(pipeline.triangulation, min_angle=options.min_tri_angle_deg)
    if options.use_two_view_tracks:
        pipeline.triangulation.ignore_two_view_tracks = False
    if options.fix_focal_while_mapping:
        pipeline.ba_refine_focal_length = False
        pipeline.mapper.abs_pose_refine_focal_length = pipeline.mapper.abs_pose_refine_extra_params = False
    starts: list[bool] = []
    maps = pycolmap.incremental_mapping(database, images, output, pipeline, initial_image_pair_callback=lambda: starts.append(True))
    return MapperResult(_largest(maps), bool(starts))


def map_global(database: Path, images: Path, output: Path, options: ColmapOptions, run: RunConfig) -> MapperResult:
    """Run `global_mapping` (GLOMAP), which has no pair to start from: it starts with all frames at once."""
    pipeline = pycolmap.GlobalPipelineOptions()
    mapper = pipeline.mapper
    for part in (pipeline, mapper, mapper.rotation_averaging, mapper.global_positioning, mapper.retriangulation):
        part.random_seed = run.seed
    pipeline.num_threads = mapper.num_threads = mapper.bundle_adjustment.ceres.solver_options.num_threads = MAPPING_THREADS
    mapper.global_positioning.use_gpu = mapper.bundle_adjustment.ceres.use_gpu = False
    mapper.bundle_adjustment.refine_extra_params = options.refine_distortion
    mapper.bundle_adjustment.refine_focal_length = not options.fix_focal_while_mapping
    _set(pipeline, min_model_size=options.min_model_size, multiple_models=options.multiple_models)
    _set(mapper, min_tri_angle_deg=options.min_tri_angle_deg)
    _set(mapper.retriangulation, min_angle=options.min_tri_angle_deg)
    if options.use_two_view_tracks:
        mapper.retriangulation.ignore_two_view_tracks = False
    return MapperResult(_largest(pycolmap.global_mapping(database, images, output, pipeline)), started=True)


def refine(reconstruction: Any) -> FocalRefinement:
    """Adjust cameras and points, and free the focal length as far as the points tell it.

    A camera that only trucks shows focal length times translation, never either alone: freed, its focal length drifts to anything at no
    gain in error, and the translation with it. So the map is adjusted with the prior focal length and with a free one, and the two are
    weighed: with the gain g in log likelihood of the free one, a parabola through both puts the maximum of likelihood times prior at
    the share k / (k + p) of the way, k = g / step^2 and p = 1 / (2 PRIOR_LOG_SIGMA^2). Each point counts as one observation, because
    the errors along its track are not independent.
    """
    held = pycolmap.Reconstruction(reconstruction)
    for _ in range(2):
        _drop_wild_points(held)
        if held.num_points3D() < MIN_POINTS_TO_REFINE:
            return FocalRefinement(reconstruction, 0.0)
        _adjust(held, free_focal=False)
    _drop_wild_points(held)
    free = pycolmap.Reconstruction(held)
    _adjust(free, free_focal=True)
    step = math.log(_focal_px(free) / _focal_px(held)) if _focal_px(free) > 0 else math.nan
    if not math.isfinite(step) or step == 0:
        return FocalRefinement(held, 0.0)
    gain = 0.5 * held.num_points3D() * math.log(_mean_square_error(held) / _mean_square_error(free))
    curvature = max(gain, 0.0) / step**2
    share = curvature / (curvature + 0.5 / PRIOR_LOG_SIGMA**2)
    nearer = free if share > 0.5 else held
    focal_px = _focal_px(held) * math.exp(share * step)
    for camera in nearer.cameras.values():
        for index in camera.focal_length_idxs():
            camera.params[index] = focal_px
    _adjust(nearer, free_focal=False)
    _drop_wild_points(nearer)
    return FocalRefinement(nearer, share)


def _adjust(reconstruction: Any, *, free_focal: bool) -> None:
    options = pycolmap.BundleAdjustmentOptions()
    options.refine_extra_params = options.print_summary = False
    options.refine_focal_length = free_focal
    options.ceres.loss_function_type = pycolmap.LossFunctionType.SOFT_L1
    options.ceres.solver_options.num_threads = MAPPING_THREADS
    config = pycolmap.BundleAdjustmentConfig()
    for image_id in reconstruction.reg_image_ids():
        config.add_image(image_id)
    config.fix_gauge(pycolmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    # not pycolmap.bundle_adjustment: that resets the log level and floods stderr
    pycolmap.create_default_bundle_adjuster(options, config, reconstruction).solve()
    reconstruction.update_point_3d_errors()


def _focal_px(reconstruction: Any) -> float:
    return float(np.median([camera.mean_focal_length() for camera in reconstruction.cameras.values()]))


def _mean_square_error(reconstruction: Any) -> float:
    """Return the mean square reprojection error over observations, wild points left out."""
    points = list(reconstruction.points3D.values())
    error = np.array([point.error for point in points])
    weight = np.array([len(point.track.elements) for point in points]) * (error < MAX_REPROJECTION_PX)
    return float((np.where(weight > 0, error, 0.0) ** 2 * weight).sum() / max(weight.sum(), 1)) + 1e-6


def _drop_wild_points(reconstruction: Any) -> None:
    """Remove observations behind a camera or off by more than `MAX_REPROJECTION_PX`, and the points that lose all but one."""
    for point_id in list(reconstruction.point3D_ids()):
        point = reconstruction.points3D[point_id]
        if not np.isfinite(point.xyz).all():
            reconstruction.delete_point3D(point_id)
            continue
        xyz, observations = point.xyz, [(element.image_id, element.point2D_idx) for element in point.track.elements]
        for image_id, index in observations:
            image = reconstruction.images[image_id]
            seen = image.project_point(xyz)
            error = math.inf if seen is None else float(np.linalg.norm(seen - image.points2D[index].xy))
            if not error <= MAX_REPROJECTION_PX:
                reconstruction.delete_observation(image_id, index)
                if not reconstruction.exists_point3D(point_id):
                    break
    reconstruction.update_point_3d_errors()


def _largest(reconstructions: dict[int, Any]) -> Any | None:
    return max(reconstructions.values(), key=lambda r: r.num_reg_images()) if reconstructions else None


def _set(target: Any, **values: Any) -> None:
    """Set the options that are given; None leaves COLMAP's default."""
    for name, value in values.items():
        if value is not None:
            setattr(target, name, value)
