"""From a COLMAP reconstruction, or a turning camera, to a CameraTrajectory."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sfmcam.estimators.colmap.features import frame_number
from sfmcam.estimators.colmap.rotation_fit import NOISE_PX, RotationFit
from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.geometry.rotation import nearest_rotation
from sfmcam.types import Bool, CameraTrajectory, Evidence, Float, Frames, PointCloud

MIN_SHARED_POINTS = 10  # map points that tie two frames together; parts of a map that share fewer have scales of their own
DEPTH_CELLS = (10, 6)  # columns and rows of the grid over which the scene depth is taken
TRACK_CORRELATION = 10.0  # one feature is matched between about this many frame pairs, whose errors are not independent


def trajectory_of(reconstruction: Any, frames: Frames) -> CameraTrajectory:
    """Read poses, focal lengths and median depths of the largest part of the map that hangs together; other frames are not valid."""
    n = len(frames)
    cam_from_world, focal_px, depth = np.full((n, 4, 4), np.nan), np.full(n, np.nan), np.full(n, np.nan)
    valid = np.zeros(n, bool)
    for image_id in _connected_images(reconstruction):
        image = reconstruction.images[image_id]
        number = frame_number(image.name)
        median_depth = _median_depth(reconstruction, image, frames.size_px)
        if np.isnan(median_depth):
            continue
        pose = image.cam_from_world().matrix()
        cam_from_world[number] = rigid_from_parts(nearest_rotation(pose[:, :3]), pose[:, 3])
        focal_px[number] = reconstruction.cameras[image.camera_id].mean_focal_length()
        depth[number] = median_depth
        valid[number] = True
    evidence = _evidence(reconstruction, depth[valid], focal_px[valid])
    return CameraTrajectory(frames.timestamps_s, cam_from_world, focal_px, valid, depth, image_size_px=frames.size_px, evidence=evidence)


def turning_trajectory(fit: RotationFit, frames: Frames, *, linked: Bool, residual_px: float) -> CameraTrajectory:
    """Make the path of a camera that turns and zooms on the spot: its translation is zero, its scene depth unknown.

    Args:
        fit: the turning camera.
        frames: whose timestamps and size to take.
        linked: (N,) frames that matches tie to one another; the others get no pose.
        residual_px: median residual; it scales the fit's covariance, and bounds the translation that could hide in it.
    """
    inflation = TRACK_CORRELATION * max(residual_px / NOISE_PX, 0.2) ** 2
    variance = np.median(fit.covariance[linked][1:, np.arange(4), np.arange(4)], axis=0) * inflation
    evidence = Evidence(
        rotation_sigma_rad=float(np.sqrt(variance[:3].max())),
        translation_sigma=float(residual_px / np.median(fit.focal_px)),
        log_focal_sigma=float(np.sqrt(variance[3])),
        parallax_px=residual_px,
        reprojection_error_px=residual_px,
    )
    poses = rigid_from_parts(fit.cam_from_world, np.zeros((len(frames), 3)))
    poses[~linked] = np.nan
    return CameraTrajectory(
        frames.timestamps_s,
        poses,
        np.where(linked, fit.focal_px, np.nan),
        linked,
        np.where(linked, 1.0, np.nan),  # the scene depth is the unit of length: a turning camera has no other
        image_size_px=frames.size_px,
        evidence=evidence,
    )


def point_cloud(reconstruction: Any) -> PointCloud:
    """Return the map points."""
    points = list(reconstruction.points3D.values())
    xyz = np.array([point.xyz for point in points], float).reshape(-1, 3)
    return PointCloud(xyz, np.array([point.color for point in points], np.uint8).reshape(-1, 3))


def _connected_images(reconstruction: Any) -> list[int]:
    """Return the images of the largest component in which neighbours share at least MIN_SHARED_POINTS map points."""
    image_ids = sorted(reconstruction.reg_image_ids())
    if not image_ids:
        return []
    column_of = {image_id: column for column, image_id in enumerate(image_ids)}
    tracks = [{column_of[e.image_id] for e in point.track.elements} for point in reconstruction.points3D.values()]
    rows = np.repeat(np.arange(len(tracks)), [len(track) for track in tracks])
    columns = np.array([column for track in tracks for column in track], np.int64)
    seen = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(tracks), len(image_ids))).tocsr()
    shared = (seen.T @ seen).toarray() >= MIN_SHARED_POINTS
    _, component = connected_components(shared, directed=False)
    largest = np.argmax(np.bincount(component))
    return [image_id for image_id, part in zip(image_ids, component, strict=True) if part == largest]


def _median_depth(reconstruction: Any, image: Any, size_px: tuple[int, int]) -> float:
    """Return the median over picture cells of each cell's median depth, so that a patch rich in features does not count for more.

    NaN where no point in front of the camera is seen.
    """
    seen = [point for point in image.points2D if point.has_point3D()]
    xyz = np.array([reconstruction.points3D[point.point3D_id].xyz for point in seen], float).reshape(-1, 3)
    xy = np.array([point.xy for point in seen], float).reshape(-1, 2)
    pose = image.cam_from_world().matrix()
    depth = xyz @ pose[2, :3] + pose[2, 3]
    column, row = np.clip(xy / size_px * DEPTH_CELLS, 0, np.array(DEPTH_CELLS) - 1).astype(int).T
    cell, front = row * DEPTH_CELLS[0] + column, depth > 0
    medians = [np.median(depth[front & (cell == c)]) for c in np.unique(cell[front])]
    return float(np.median(medians)) if medians else float("nan")


def _evidence(reconstruction: Any, depth: Float, focal_px: Float) -> Evidence:
    """Propagate the reprojection error through the number of points that a frame sees (first order, points fixed)."""
    if not len(depth):
        return Evidence()
    error = float(reconstruction.compute_mean_reprojection_error())
    per_frame = max(reconstruction.compute_mean_observations_per_reg_image(), 1.0)
    focal = float(np.median(focal_px))
    sigma = error / focal / np.sqrt(per_frame) * 3.0  # the three: rotation and translation trade against one another
    # the focal length is one for the clip, so its change was not measured: its noise stays unknown
    return Evidence(rotation_sigma_rad=sigma, translation_sigma=3.0 * sigma, reprojection_error_px=error)
