"""Where the pixels of one frame fall in another: reprojection by pose, disparity and a pinhole per frame, and its derivatives.

Everything is on the grid of 1/8 resolution: disparity (F, h, w) is 1/depth at the pixel, intrinsics (F, 4) are fx fy cx cy of each
frame in grid pixels, pixel centres are integers. Edge e goes from frame ii[e], whose pixels and disparities are meant, to frame jj[e], into
whose picture they are projected. Rays are unprojected by the intrinsics of ii and projected by those of jj, so that a zoom in between moves
the picture.

With X = R X0 + d t in the target camera, s = 1/z, p = x s, q = y s, the picture is (fx p + cx, fy q + cy). What the bundle adjustment
works with are *rays*: (p, q), and derivatives of (p, q), each axis divided by its focal length (Teed and Deng 2021, DROID-SLAM, appendix).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sfmcam.estimators.megasam import se3

NEAR = 0.25  # a point nearer than this in the target camera has no weight
LEAST_DEPTH = 0.1  # and one nearer than this is projected as if it were here, so that coordinates stay finite


@dataclass(frozen=True)
class Reprojection:
    """Where each source pixel falls: coords (E, h, w, 2) as x, y in grid pixels; depth_ok (E, h, w) where it is beyond the near plane."""

    coords: Tensor
    depth_ok: Tensor


@dataclass(frozen=True)
class Rays:
    """Source pixels in the target camera, planes of equal shape (..., n): p = x/z, q = y/z, s = 1/z (clamped), parallax = disparity s."""

    p: Tensor
    q: Tensor
    s: Tensor
    parallax: Tensor
    depth_ok: Tensor


@dataclass(frozen=True)
class Jacobians:
    """Derivatives of the picture coordinates (E, h, w, 2, ...) by poses (left tangent), disparity of the source, and focal lengths.

    A focal parameter changes (fx, fy) at the rate `focal_rate`; focal_i is the part of the unprojection, focal_j that of the projection.
    """

    pose_i: Tensor
    pose_j: Tensor
    disparity: Tensor
    focal_i: Tensor
    focal_j: Tensor
    depth_ok: Tensor


def grid(height: int, width: int, *, like: Tensor) -> Tensor:
    """Return the pixel coordinates (h, w, 2) as x, y."""
    y, x = torch.meshgrid(
        torch.arange(height, dtype=like.dtype, device=like.device),
        torch.arange(width, dtype=like.dtype, device=like.device),
        indexing="ij",
    )
    return torch.stack([x, y], -1)


def reproject(poses: Tensor, disps: Tensor, intrinsics: Tensor, *, ii: Tensor, jj: Tensor) -> Reprojection:
    """Project the pixels of the frames ii into the frames jj.

    Args:
        poses: (F, 7) cam_from_world.
        disps: (F, h, w).
        intrinsics: (F, 4).
        ii: (E,) source of each edge.
        jj: (E,) target of each edge.
    """
    height, width = disps.shape[-2:]
    rays = transfer(relative(poses, ii=ii, jj=jj)[:, None], homogeneous(disps, intrinsics)[ii])
    fx, fy, cx, cy = intrinsics[jj, :, None].unbind(1)
    coords = torch.stack([rays.p[:, 0] * fx + cx, rays.q[:, 0] * fy + cy], -1)
    return Reprojection(coords.unflatten(1, (height, width)), rays.depth_ok[:, 0].unflatten(-1, (height, width)))


def relative(poses: Tensor, *, ii: Tensor, jj: Tensor) -> Tensor:
    """Return cam_j_from_cam_i, poses (..., 7) in the shape of ii and jj."""
    return se3.compose(poses[jj], se3.inverse(poses[ii]))


def homogeneous(disps: Tensor, intrinsics: Tensor) -> Tensor:
    """Return the pixels of each frame as (x/z, y/z, 1, 1/z), shape (F, 4, n): points up to their depth."""
    height, width = disps.shape[-2:]
    pixels = grid(height, width, like=disps).flatten(0, 1).T  # 2, n
    focal, centre = intrinsics.unsqueeze(-1).split(2, 1)
    disparity = disps.flatten(1)[:, None]
    return torch.cat([(pixels - centre) / focal, torch.ones_like(disparity), disparity], 1)


def transfer(motion: Tensor, points: Tensor) -> Rays:
    """Return the rays (B, K, n) of the points (B, 4, n) of one camera in K others, motion (B, K, 7) into them."""
    to_target = torch.cat([se3.rotation_matrix(motion), motion[..., :3, None]], -1)
    x, y, z = (to_target.flatten(1, 2) @ points).unflatten(1, (-1, 3)).unbind(2)
    s = 1 / z.clamp(min=LEAST_DEPTH)
    return Rays(p=x * s, q=y * s, s=s, parallax=points[:, 3:] * s, depth_ok=z >= NEAR)


def disparity_rate(rays: Rays, motion: Tensor) -> tuple[Tensor, Tensor]:
    """Return d(p, q) by the source's disparity, two planes."""
    x, y, z = motion[..., :3, None].unbind(-2)
    return rays.s * (x - z * rays.p), rays.s * (y - z * rays.q)


def unprojection_rate(rays: Rays, motion: Tensor, points: Tensor, rate: Tensor) -> tuple[Tensor, Tensor]:
    """Return d(p, q) by the focal parameter of the source, which changes its (fx, fy) by `rate` (B, 2) as a share of them."""
    turned = se3.rotation_matrix(motion)[..., :2] * -rate[:, None, None, :]
    x, y, z = (turned.flatten(1, 2) @ points[:, :2]).unflatten(1, (-1, 3)).unbind(2)
    return rays.s * (x - rays.p * z), rays.s * (y - rays.q * z)


def pose_rate(rays: Rays) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Return d p and d q by the tangent of the target's pose, six planes each."""
    p, q, parallax = rays.p, rays.q, rays.parallax
    none, product = torch.zeros_like(p), p * q
    along_x = (parallax, none, -p * parallax, -product, 1 + p * p, -q)
    along_y = (none, parallax, -q * parallax, -1 - q * q, product, p)
    return along_x, along_y


def jacobians(poses: Tensor, disps: Tensor, intrinsics: Tensor, *, ii: Tensor, jj: Tensor, focal_rate: Tensor | None = None) -> Jacobians:
    """Return the derivatives of `reproject`, all at once; focal_rate (F, 2) is (fx, fy) where not given: the parameter is then log focal.

    For statistics and tests: the bundle adjustment never holds them for a whole graph.
    """
    rate = intrinsics[:, :2] if focal_rate is None else focal_rate
    size = disps.shape[-2:]
    motion, points, focal = relative(poses, ii=ii, jj=jj)[:, None], homogeneous(disps, intrinsics)[ii], intrinsics[jj, :2]
    rays = transfer(motion, points)

    def in_picture(x: Tensor, y: Tensor) -> Tensor:
        return (torch.stack([x, y], -1) * focal[:, None, None]).flatten(0, 1).unflatten(1, size)

    along_x, along_y = pose_rate(rays)
    pose_j = torch.stack([in_picture(x, y) for x, y in zip(along_x, along_y, strict=True)], -1)
    pose_i = -pose_j @ se3.adjoint(motion)[:, :, None]
    share = rate / intrinsics[:, :2]
    return Jacobians(
        pose_i=pose_i,
        pose_j=pose_j,
        disparity=in_picture(*disparity_rate(rays, motion)),
        focal_i=in_picture(*unprojection_rate(rays, motion, points, share[ii])),
        focal_j=torch.stack([rays.p[:, 0], rays.q[:, 0]], -1).unflatten(1, size) * rate[jj][:, None, None],
        depth_ok=rays.depth_ok[:, 0].unflatten(-1, size),
    )
