"""Run COLMAP's incremental or global mapper on a database, and refine what comes out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pycolmap

from sfmcam.config import RunConfig
from sfmcam.estimators.colmap.options import ColmapOptions

FOCAL_RANGE = (0.3, 6.0)  # of the long side (118 to 10 degrees across): outside it a refined focal length has run away
MAX_REPROJECTION_PX = 4.0
MIN_POINTS_TO_REFINE = 20


def map_incremental(database: Path, images: Path, output: Path, options: ColmapOptions, run: RunConfig) -> Any | None:
    """Run `incremental_mapping`; return its largest reconstruction, or None."""
    pipeline = pycolmap.IncrementalPipelineOptions()
    pipeline.num_threads, pipeline.random_seed = run.threads, run.seed
    pipeline.mapper.num_threads, pipeline.mapper.random_seed, pipeline.triangulation.random_seed = run.threads, run.seed, run.seed
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
    return _largest(pycolmap.incremental_mapping(database, images, output, pipeline))


def map_global(database: Path, images: Path, output: Path, options: ColmapOptions, run: RunConfig) -> Any | None:
    """Run `global_mapping` (GLOMAP); return its largest reconstruction, or None."""
    pipeline = pycolmap.GlobalPipelineOptions()
    mapper = pipeline.mapper
    for part in (pipeline, mapper, mapper.rotation_averaging, mapper.global_positioning, mapper.retriangulation):
        part.random_seed = run.seed
    pipeline.num_threads = mapper.num_threads = mapper.bundle_adjustment.ceres.solver_options.num_threads = run.threads
    mapper.global_positioning.use_gpu = mapper.bundle_adjustment.ceres.use_gpu = False
    mapper.bundle_adjustment.refine_extra_params = options.refine_distortion
    mapper.bundle_adjustment.refine_focal_length = not options.fix_focal_while_mapping
    _set(pipeline, min_model_size=options.min_model_size, multiple_models=options.multiple_models)
    _set(mapper, min_tri_angle_deg=options.min_tri_angle_deg)
    _set(mapper.retriangulation, min_angle=options.min_tri_angle_deg)
    if options.use_two_view_tracks:
        mapper.retriangulation.ignore_two_view_tracks = False
    return _largest(pycolmap.global_mapping(database, images, output, pipeline))


def refine(reconstruction: Any, run: RunConfig, *, long_side_px: int) -> Any:
    """Adjust cameras and points with the focal length free, dropping wild points between two rounds.

    Returns:
        The refined reconstruction, or the one given where there are too few points or the focal length runs out of `FOCAL_RANGE`.
    """
    refined = pycolmap.Reconstruction(reconstruction)
    for _ in range(2):
        _drop_wild_points(refined)
        if refined.num_points3D() < MIN_POINTS_TO_REFINE:
            return reconstruction
        _adjust(refined, run)
    _drop_wild_points(refined)
    focals = [camera.mean_focal_length() / long_side_px for camera in refined.cameras.values()]
    if refined.num_points3D() < MIN_POINTS_TO_REFINE or not all(FOCAL_RANGE[0] < focal < FOCAL_RANGE[1] for focal in focals):
        _drop_wild_points(reconstruction)
        return reconstruction
    return refined


def _adjust(reconstruction: Any, run: RunConfig) -> None:
    options = pycolmap.BundleAdjustmentOptions()
    options.refine_extra_params = options.print_summary = False
    options.ceres.loss_function_type = pycolmap.LossFunctionType.SOFT_L1
    options.ceres.solver_options.num_threads = run.threads
    config = pycolmap.BundleAdjustmentConfig()
    for image_id in reconstruction.reg_image_ids():
        config.add_image(image_id)
    config.fix_gauge(pycolmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    # not pycolmap.bundle_adjustment: that resets the log level and floods stderr
    pycolmap.create_default_bundle_adjuster(options, config, reconstruction).solve()


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
