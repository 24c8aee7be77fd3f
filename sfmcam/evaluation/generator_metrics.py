"""RotErr, TransErr and CamMC, by which camera-controlled video generators are compared.

MotionCtrl (arXiv 2312.03641), CameraCtrl (2404.02101) and CamI2V (2410.15957) name them; the sums over frames, the poses relative
to the first, and the scale by the farthest camera are those of CamI2V's published evaluation (ZGCTroy/CamI2V,
evaluation/glomap_evaluation.py: `metric`, and `relative_pose` and `normalize_t` of evaluation/utils/common.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.geometry.rigid import inverse
from sfmcam.geometry.rotation import rotation_angle_rad
from sfmcam.types import Float

SCALE_EPSILON = 1e-9  # CamI2V adds it to every scale
ROUNDING = 1e-12  # of the coordinates: a camera that moves by less did not move


@dataclass(frozen=True)
class GeneratorErrors:
    """Errors of each frame, the first included, which has none; the published figures are the sums.

    Attributes:
        rotation_rad: (N,) angle between estimated and true orientation. Its sum is RotErr.
        translation: (N,) distance of the cameras, each path divided by its own farthest camera's distance from its first. TransErr.
        matrix: (N,) Frobenius norm of the difference of the 3x4 matrices [R|t], scaled likewise. CamMC.
        translation_abs: (N,) as `translation`, both paths divided by the reference's scale. CamI2V's TransErr_abs.
        matrix_abs: (N,) as `matrix`, scaled likewise. CamMC_abs.
    """

    rotation_rad: Float
    translation: Float
    matrix: Float
    translation_abs: Float
    matrix_abs: Float


def generator_errors(estimate: Float, reference: Float) -> GeneratorErrors:
    """Compare two paths, each relative to its own first camera.

    With C_i the camera-to-world pose and inv(C_0) C_i = [R_i|t_i]: rotation arccos((tr(R_ref,i^T R_est,i) - 1) / 2), translation
    ||t_est,i / s_est - t_ref,i / s_ref||, s = max_i ||t_i|| + 1e-9.

    Args:
        estimate: (N, 4, 4) `cam_from_world`, N >= 1.
        reference: (N, 4, 4) `cam_from_world` of the same frames.
    """
    own, true = _first_from_each(estimate), _first_from_each(reference)
    own_scale, true_scale = _scale(own), _scale(true)
    turns = true[:, :3, :3].transpose(0, 2, 1) @ own[:, :3, :3]
    relative = _scaled(own, own_scale) - _scaled(true, true_scale)
    absolute = _scaled(own, true_scale) - _scaled(true, true_scale)
    return GeneratorErrors(rotation_angle_rad(turns), _shift(relative), _whole(relative), _shift(absolute), _whole(absolute))


def _first_from_each(cam_from_world: Float) -> Float:
    """Return (N, 4, 4) `cam0_from_cam`, the identity for the first frame; a camera that moves by rounding alone stays in place."""
    relative = cam_from_world[0] @ inverse(cam_from_world)
    relative[0] = np.eye(4)
    rounding = ROUNDING * np.abs(cam_from_world[:, :3, 3]).max()
    if np.linalg.norm(relative[:, :3, 3], axis=1).max() <= rounding:
        relative[:, :3, 3] = 0
    return relative


def _scale(relative: Float) -> float:
    return float(np.linalg.norm(relative[:, :3, 3], axis=1).max()) + SCALE_EPSILON


def _scaled(relative: Float, scale: float) -> Float:
    """Return [R|t / scale] as (N, 3, 4)."""
    return np.concatenate([relative[:, :3, :3], relative[:, :3, 3:] / scale], axis=2)


def _shift(difference: Float) -> Float:
    return np.linalg.norm(difference[:, :, 3], axis=1)


def _whole(difference: Float) -> Float:
    return np.linalg.norm(difference, axis=(1, 2))
