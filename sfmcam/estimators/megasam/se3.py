"""Rigid motions as tensors (..., 7): translation, then unit quaternion x y z w. Batched, differentiable, safe at zero angle and at pi.

A pose is cam_from_world. Tangent vectors (..., 6) are (translation tau, rotation phi), and an update stands on the left: exp(xi) T, as in
DROID-SLAM (Teed and Deng 2021) and lietorch. Near zero angle, series replace the quotients; both branches are finite, so that neither value
nor gradient is NaN. exp(log(T)) is T; log(exp(xi)) is xi where |phi| < pi. Formulas: Sola, Deray, Atchuthan, "A micro Lie theory", 2018.
"""

from __future__ import annotations

import torch
from torch import Tensor

_SERIES_BELOW = 0.05  # squared angle; the first term that the series leave out is then below 1e-16


def identity(*size: int, dtype: torch.dtype = torch.float32, device: torch.device | str | None = None) -> Tensor:
    """Return identity poses, shape (*size, 7)."""
    pose = torch.zeros(*size, 7, dtype=dtype, device=device)
    pose[..., 6] = 1
    return pose


def exp(xi: Tensor) -> Tensor:
    """Return the poses (..., 7) of tangent vectors (..., 6): t = V(phi) tau, quaternion from half the angle."""
    tau, phi = xi[..., :3], xi[..., 3:]
    squared = (phi * phi).sum(-1, keepdim=True)
    small, safe = _split(squared)
    half = 0.5 * torch.sqrt(safe)
    sine = torch.where(small, _series(squared, _HALF_SINE), torch.sin(half) / (2 * half))  # sin(angle / 2) / angle
    cosine = torch.where(small, _series(squared, _HALF_COSINE), torch.cos(half))
    cubic = torch.where(small, _series(squared, _CUBIC), (2 * half - torch.sin(2 * half)) / (safe * 2 * half))
    turned = torch.linalg.cross(phi, tau)
    translation = tau + 2 * sine * sine * turned + cubic * torch.linalg.cross(phi, turned)  # (1 - cos) / angle^2 = 2 sine^2
    return torch.cat([translation, sine * phi, cosine], -1)


def log(pose: Tensor) -> Tensor:
    """Return the tangent vectors (..., 6) of poses (..., 7), rotation angle at most pi."""
    translation, quaternion = pose[..., :3], pose[..., 3:]
    quaternion = torch.where(quaternion[..., 3:] < 0, -quaternion, quaternion)
    vector, scalar = quaternion[..., :3], quaternion[..., 3:]
    squared = (vector * vector).sum(-1, keepdim=True)  # sin^2(angle / 2)
    small, safe = _split(4 * squared)
    sine = 0.5 * torch.sqrt(safe)
    angle = 2 * torch.atan2(sine, scalar)
    factor = torch.where(small, _series(squared, _ARCSINE) / _length(quaternion), angle / sine)
    phi = factor * vector
    turn = torch.where(small, (phi * phi).sum(-1, keepdim=True), angle * angle)
    large = torch.where(small, torch.ones_like(angle), angle)
    inverse = torch.where(small, _series(turn, _INVERSE), (1 - 0.5 * angle * scalar / sine) / (large * large))
    turned = torch.linalg.cross(phi, translation)
    return torch.cat([translation - 0.5 * turned + inverse * torch.linalg.cross(phi, turned), phi], -1)


def inverse(pose: Tensor) -> Tensor:
    """Return the inverse poses (..., 7)."""
    back = torch.cat([-pose[..., 3:6], pose[..., 6:]], -1)
    return torch.cat([-_rotate(back, pose[..., :3]), back], -1)


def compose(left: Tensor, right: Tensor) -> Tensor:
    """Return left @ right as poses (..., 7), its quaternion brought back to length one; leading dimensions broadcast."""
    left, right = torch.broadcast_tensors(left, right)
    v, w, u, s = left[..., 3:6], left[..., 6:], right[..., 3:6], right[..., 6:]
    vector = w * u + s * v + torch.linalg.cross(v, u)
    scalar = w * s - (v * u).sum(-1, keepdim=True)
    quaternion = torch.cat([vector, scalar], -1)
    translation = _rotate(left[..., 3:], right[..., :3]) + left[..., :3]
    return torch.cat([translation, quaternion / _length(quaternion)], -1)


def matrix(pose: Tensor) -> Tensor:
    """Return the matrices (..., 4, 4)."""
    rotation = rotation_matrix(pose)
    upper = torch.cat([rotation, pose[..., :3, None]], -1)
    lower = torch.zeros_like(upper[..., :1, :])
    lower[..., 3] = 1
    return torch.cat([upper, lower], -2)


def rotation_matrix(pose: Tensor) -> Tensor:
    """Return the rotations (..., 3, 3)."""
    x, y, z, w = pose[..., 3:].unbind(-1)
    rows = [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        *(2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        *(2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    ]
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def from_matrix(matrices: Tensor) -> Tensor:
    """Return the poses (..., 7) of matrices (..., 4, 4) or (..., 3, 4), w >= 0.

    Of the four ways to read a quaternion off a rotation, each is scaled by another component; the largest is taken (Markley 2008).
    """
    m = matrices[..., :3, :3]
    a, b, c = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    x, y, z = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    rows = [(1 + a - b - c, xy, xz, x), (xy, 1 - a + b - c, yz, y), (xz, yz, 1 - a - b + c, z), (x, y, z, 1 + a + b + c)]
    scaled = torch.stack([torch.stack(row, -1) for row in rows], -2)  # four times q q^T
    best = torch.diagonal(scaled, dim1=-2, dim2=-1).argmax(-1)
    row = torch.take_along_dim(scaled, best[..., None, None], -2)[..., 0, :]
    quaternion = row / _length(row)
    quaternion = torch.where(quaternion[..., 3:] < 0, -quaternion, quaternion)
    return torch.cat([matrices[..., :3, 3], quaternion], -1)


def adjoint(pose: Tensor) -> Tensor:
    """Return Ad(T) = [[R, [t]x R], [0, R]], shape (..., 6, 6): T exp(xi) = exp(Ad(T) xi) T."""
    rotation = rotation_matrix(pose)
    crossed = torch.linalg.cross(pose[..., :3, None].expand_as(rotation), rotation, dim=-2)
    upper = torch.cat([rotation, crossed], -1)
    return torch.cat([upper, torch.cat([torch.zeros_like(rotation), rotation], -1)], -2)


def act(pose: Tensor, points: Tensor) -> Tensor:
    """Return homogeneous points (..., 4) after the motion: (R x + w t, w); leading dimensions broadcast."""
    moved = _rotate(pose[..., 3:], points[..., :3]) + points[..., 3:] * pose[..., :3]
    return torch.cat([moved, points[..., 3:].expand_as(moved[..., :1])], -1)


def retract(pose: Tensor, xi: Tensor) -> Tensor:
    """Return exp(xi) T, the pose after a step."""
    return compose(exp(xi), pose)


def interpolate(first: Tensor, last: Tensor, share: Tensor) -> Tensor:
    """Return exp(share log(last first^-1)) first: at constant speed from `first` (share 0) to `last` (share 1); share (...,)."""
    return retract(first, share[..., None] * log(compose(last, inverse(first))))


# Coefficients of powers of the squared argument.
_HALF_SINE = (1 / 2, -1 / 48, 1 / 3840, -1 / 645120, 1 / 185794560)
_HALF_COSINE = (1.0, -1 / 8, 1 / 384, -1 / 46080, 1 / 10321920)
_CUBIC = (1 / 6, -1 / 120, 1 / 5040, -1 / 362880, 1 / 39916800)
_INVERSE = (1 / 12, 1 / 720, 1 / 30240, 1 / 1209600, 1 / 47900160, 691 / 1307674368000)
_ARCSINE = (2.0, 1 / 3, 3 / 20, 5 / 56, 35 / 576, 63 / 1408, 231 / 6656, 143 / 5120)  # 2 arcsin(s) / s, s^2 < 0.0125


def _split(squared: Tensor) -> tuple[Tensor, Tensor]:
    """Say where the series hold, and return the argument with a harmless value there, whose unused quotients stay finite."""
    small = squared < _SERIES_BELOW
    return small, torch.where(small, torch.ones_like(squared), squared)


def _series(squared: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    total = torch.full_like(squared, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * squared + coefficient
    return total


def _length(vector: Tensor) -> Tensor:
    return torch.linalg.vector_norm(vector, dim=-1, keepdim=True)


def _rotate(quaternion: Tensor, points: Tensor) -> Tensor:
    """Return points (..., 3) turned by quaternions (..., 4): x + 2 w (v x x) + 2 v x (v x x)."""
    vector, points = torch.broadcast_tensors(quaternion[..., :3], points)
    turned = 2 * torch.linalg.cross(vector, points)
    return points + quaternion[..., 3:] * turned + torch.linalg.cross(vector, turned)
