"""How far apart two keyframes are: by how many grid pixels the picture of one moves in the other (Teed and Deng 2021, DROID-SLAM)."""

from __future__ import annotations

import torch
from torch import Tensor

from sfmcam.estimators.megasam import camera

FAR = 1000.0  # the distance of frames of which too little falls before the other's camera
_LEAST_VALID = 0.75  # share
_POINTS_AT_ONCE = 4_000_000
_POINTS_ON_CPU = 200_000


def frame_distance(
    poses: Tensor, disps: Tensor, intrinsics: Tensor, *, ii: Tensor, jj: Tensor, beta: float = 0.3, both_ways: bool = False
) -> Tensor:
    """Return the distance (E,) of frame jj from frame ii in grid pixels: the mean motion of the pixels of ii.

    beta weighs the motion itself, 1 - beta the motion by the translation alone, which a pan cannot cancel. Points before the near plane do
    not count; FAR where that leaves too few. poses (F, 7), disps (F, h, w), intrinsics (F, 4); both_ways averages both directions.
    """
    if both_ways:
        there, back = (frame_distance(poses, disps, intrinsics, ii=a, jj=b, beta=beta) for a, b in ((ii, jj), (jj, ii)))
        return 0.5 * (there + back)
    points = camera.homogeneous(disps, intrinsics)
    motion = camera.relative(poses, ii=ii, jj=jj).to(disps.dtype)
    alone = torch.cat([motion[:, :3], torch.zeros_like(motion[:, :3]), torch.ones_like(motion[:, :1])], 1)
    both = torch.stack([motion, alone], 1)  # E 2 7
    pixels = camera.grid(*disps.shape[1:], like=disps).flatten(0, 1)
    size = max(1, (_POINTS_ON_CPU if disps.device.type == "cpu" else _POINTS_AT_ONCE) // len(pixels))
    lenses = intrinsics.to(disps.dtype)[jj]
    parts = [
        _mean_motion(both[part], points[ii[part]], lenses[part], pixels=pixels, beta=beta)
        for part in (slice(k, k + size) for k in range(0, len(ii), size))
    ]
    return torch.cat(parts) if parts else disps.new_zeros(0)


def _mean_motion(motion: Tensor, points: Tensor, intrinsics: Tensor, *, pixels: Tensor, beta: float) -> Tensor:
    rays = camera.transfer(motion, points)  # E 2 n
    fx, fy, cx, cy = intrinsics[:, :, None, None].unbind(1)
    moved = torch.hypot(rays.p * fx + cx - pixels[:, 0], rays.q * fy + cy - pixels[:, 1])
    (whole, alone), (moved, moved_alone) = rays.depth_ok.sum(-1, dtype=moved.dtype).unbind(1), (moved * rays.depth_ok).sum(-1).unbind(1)
    valid = beta * whole + (1 - beta) * alone
    mean = (beta * moved + (1 - beta) * moved_alone) / valid.clamp(min=1e-8)
    return torch.where(valid < _LEAST_VALID * len(pixels), torch.full_like(mean, FAR), mean)


def distance_matrix(poses: Tensor, disps: Tensor, intrinsics: Tensor, *, beta: float = 0.3) -> Tensor:
    """Return the distances both ways of all pairs of frames, (F, F), symmetric, 0 on the diagonal."""
    frames = len(poses)
    ii, jj = torch.triu_indices(frames, frames, 1, device=poses.device)
    matrix = disps.new_zeros(frames, frames)
    matrix[ii, jj] = frame_distance(poses, disps, intrinsics, ii=ii, jj=jj, beta=beta, both_ways=True)
    return matrix + matrix.T
