"""From the tracker's keyframes to a path as the package wants it: first camera at the origin, the scene's median depth as the unit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from sfmcam.estimators.megasam import se3
from sfmcam.estimators.megasam.resize import STRIDE, WorkingSize, source_focal_px
from sfmcam.estimators.megasam.state import Keyframes
from sfmcam.estimators.vo.windows import WindowPath
from sfmcam.geometry.rigid import camera_centers, inverse, rigid_from_parts
from sfmcam.geometry.rotation import nearest_rotation, rotation_from_vector, vector_from_rotation
from sfmcam.types import Float, Int

POINT_STEP = 4  # every so many cells across and down stand for the scene
MIN_DISPARITY = 1e-6


def window_path(frames: Keyframes, trust: Tensor, size: WorkingSize, *, sigma: Float | None = None) -> WindowPath:
    """Return the path of some keyframes.

    Args:
        frames: the keyframes.
        trust: (K, h, w) in 0..1 how much each cell is believed to be static.
        size: of the pictures.
        sigma: (K, 7) as in `WindowPath`, with the translation in the keyframes' own unit.
    """
    poses = nearest(se3.matrix(frames.poses).double().cpu().numpy())
    disps, believed = frames.disps.double().cpu().numpy(), trust.double().cpu().numpy()
    unit = median_disparity(disps, believed)
    poses = poses @ inverse(poses[0])
    poses[:, :3, 3] *= unit
    disps = disps / unit
    log_focal = np.log(source_focal_px(frames.intrinsics.double().cpu().numpy(), size) / max(size.source_px))
    spread = np.zeros((len(frames), 7)) if sigma is None else sigma * np.array([1, 1, 1, unit, unit, unit, 1])
    track, direction, rho, static = _points(frames, poses, disps, believed)
    return WindowPath(np.array(frames.index), poses, log_focal, spread, track, direction, rho, static)


def median_disparity(disps: Float, trust: Float) -> float:
    """Return the median disparity of the believed cells, of all where none is."""
    believed = trust > 0.5
    return max(float(np.median(disps[believed] if believed.any() else disps)), MIN_DISPARITY)


def nearest(poses: Float) -> Float:
    """Return poses (K, 4, 4) whose rotations are rotations to the last digit."""
    return rigid_from_parts(nearest_rotation(poses[:, :3, :3]), poses[:, :3, 3])


def _points(frames: Keyframes, poses: Float, disps: Float, trust: Float) -> tuple[Int, Float, Float, Float]:
    """Return every few cells of every keyframe as points of the world: number, direction, inverse depth, static probability."""
    height, width = disps.shape[1:]
    rows, columns = np.arange(POINT_STEP // 2, height, POINT_STEP), np.arange(POINT_STEP // 2, width, POINT_STEP)
    y, x = (axis.ravel() for axis in np.meshgrid(rows, columns, indexing="ij"))
    fx, fy, cx, cy = frames.intrinsics.double().cpu().numpy()[:, :, None].transpose(1, 0, 2)
    ray = np.stack([(x - cx) / fx, (y - cy) / fy, np.ones((len(poses), len(x)))], axis=-1)
    rho = disps[:, y, x]
    in_world = (ray - rho[..., None] * poses[:, None, :3, 3]) @ poses[:, :3, :3]
    length = np.linalg.norm(in_world, axis=-1)
    track = np.array(frames.index)[:, None] * (height * width) + y * width + x
    return track.ravel(), (in_world / length[..., None]).reshape(-1, 3), (rho / length).ravel(), trust[:, y, x].ravel()


def point_places(path: WindowPath, grid: tuple[int, int]) -> tuple[Int, Float]:
    """Return the frame (P,) from which each point of a path was taken, and where it was seen there, (P, 2) in 1/8 pixels."""
    cells = grid[0] * grid[1]
    cell = path.track % cells
    return path.track // cells, np.stack([cell % grid[1], cell // grid[1]], axis=1).astype(float)


def blend(weights: Sequence[float], paths: Sequence[WindowPath]) -> WindowPath:
    """Return the mean of paths of the same keyframes, with the points of the likeliest; its sigma holds how much they disagree."""
    share = np.asarray(weights, float) / float(np.sum(weights))
    likely = paths[int(np.argmax(share))]
    reference = likely.cam_from_world[:, :3, :3]
    numbers = np.stack(
        [
            np.hstack(
                [
                    vector_from_rotation(p.cam_from_world[:, :3, :3] @ reference.transpose(0, 2, 1)),
                    camera_centers(p.cam_from_world),
                    p.log_focal[:, None],
                ]
            )
            for p in paths
        ]
    )
    mean = np.einsum("f,fka->ka", share, numbers)
    spread = np.einsum("f,fka->ka", share, (numbers - mean) ** 2 + np.stack([p.sigma**2 for p in paths]))
    rotation = nearest_rotation(rotation_from_vector(mean[:, :3]) @ reference)
    poses = rigid_from_parts(rotation, -np.einsum("kij,kj->ki", rotation, mean[:, 3:6]))
    return WindowPath(likely.frames, poses, mean[:, 6], np.sqrt(spread), likely.track, likely.direction, likely.rho, likely.static)


def long_side_cells(size: WorkingSize) -> float:
    """Return the longer side of the resized picture in 1/8 pixels."""
    return max(size.resized_px) / STRIDE
