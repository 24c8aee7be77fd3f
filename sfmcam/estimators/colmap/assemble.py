"""From a COLMAP reconstruction, or a turning camera, to a CameraTrajectory."""

from __future__ import annotations

from typing import Any

import numpy as np

from sfmcam.estimators.colmap.features import frame_number
from sfmcam.estimators.colmap.rotation_fit import RotationFit
from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.geometry.rotation import nearest_rotation
from sfmcam.types import CameraTrajectory, Evidence, Float, Frames, PointCloud

MIN_OBSERVATIONS = 8  # of map points in a frame; with fewer its pose hangs in the air
TRACK_CORRELATION = 10.0  # one feature is matched between about this many frame pairs, whose errors are not independent


def trajectory_of(reconstruction: Any, frames: Frames) -> CameraTrajectory:
    """Read poses, focal lengths and median depths; frames that were not registered, or hardly see the map, are not valid."""
    n = len(frames)
    cam_from_world, focal_px, depth = np.full((n, 4, 4), np.nan), np.full(n, np.nan), np.full(n, np.nan)
    valid = np.zeros(n, bool)
    for image_id in reconstruction.reg_image_ids():
        image = reconstruction.images[image_id]
        number = frame_number(image.name)
        depths = _depths(reconstruction, image)
        if len(depths) < MIN_OBSERVATIONS:
            continue
        pose = image.cam_from_world().matrix()
        cam_from_world[number] = rigid_from_parts(nearest_rotation(pose[:, :3]), pose[:, 3])
        focal_px[number] = reconstruction.cameras[image.camera_id].mean_focal_length()
        depth[number] = np.median(depths)
        valid[number] = True
    depth[~(depth > 0)] = np.nan
    evidence = _evidence(reconstruction, depth[valid], focal_px[valid])
    return CameraTrajectory(frames.timestamps_s, cam_from_world, focal_px, valid, depth, image_size_px=frames.size_px, evidence=evidence)


def turning_trajectory(fit: RotationFit, frames: Frames, *, parallax_px: float, noise_px: float) -> CameraTrajectory:
    """Make the path of a camera that turns and zooms on the spot: its translation is zero, its scene depth unknown.

    Args:
        fit: the turning camera.
        frames: whose timestamps and size to take.
        parallax_px: median residual, which bounds the translation that could hide in it.
        noise_px: spread of a match's residual, to scale the fit's covariance.
    """
    inflation = TRACK_CORRELATION * max(noise_px / 0.5, 0.2) ** 2
    variance = np.median(fit.covariance[1:, np.arange(4), np.arange(4)], axis=0) * inflation
    evidence = Evidence(
        rotation_sigma_rad=float(np.sqrt(variance[:3].max())),
        translation_sigma=float(parallax_px / np.median(fit.focal_px)),
        log_focal_sigma=float(np.sqrt(variance[3])),
        parallax_px=parallax_px,
        reprojection_error_px=parallax_px,
    )
    n = len(frames)
    poses = rigid_from_parts(fit.cam_from_world, np.zeros((n, 3)))
    # one scene depth is the unit of length: a turning camera has no other, and its translation is zero in any
    return CameraTrajectory(
        frames.timestamps_s, poses, fit.focal_px, np.ones(n, bool), np.ones(n), image_size_px=frames.size_px, evidence=evidence
    )


def point_cloud(reconstruction: Any) -> PointCloud:
    """Return the map points."""
    points = list(reconstruction.points3D.values())
    xyz = np.array([point.xyz for point in points], float).reshape(-1, 3)
    return PointCloud(xyz, np.array([point.color for point in points], np.uint8).reshape(-1, 3))


def _depths(reconstruction: Any, image: Any) -> Float:
    ids = [point.point3D_id for point in image.points2D if point.has_point3D()]
    xyz = np.array([reconstruction.points3D[i].xyz for i in ids], float).reshape(-1, 3)
    pose = image.cam_from_world().matrix()
    depths: Float = xyz @ pose[2, :3] + pose[2, 3]
    return depths[depths > 0]


def _evidence(reconstruction: Any, depth: Float, focal_px: Float) -> Evidence:
    """Propagate the reprojection error through the number of points that a frame sees (first order, points fixed)."""
    if not len(depth):
        return Evidence()
    error = float(reconstruction.compute_mean_reprojection_error())
    per_frame = max(reconstruction.compute_mean_observations_per_reg_image(), 1.0)
    focal = float(np.median(focal_px))
    sigma = error / focal / np.sqrt(per_frame) * 3.0  # the three: rotation and translation trade against one another
    return Evidence(rotation_sigma_rad=sigma, translation_sigma=3.0 * sigma, log_focal_sigma=3.0 * sigma, reprojection_error_px=error)
