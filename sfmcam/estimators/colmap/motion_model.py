"""Which motion do the verified matches show: none, turning and zooming on the spot, or a move through space?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from sfmcam.estimators.colmap.rotation_fit import Matches
from sfmcam.types import Bool, Float

STILL_MOTION_PX = 1.0  # the picture's corners move less than this over the whole clip (at a long side of 512 px)
TURNING_SHARE = 0.8  # of the matches within TURNING_ERROR_PX of a turning camera: no need to ask the mapper
TURNING_ERROR_PX = 1.0
NOISE_RANGE_PX = (0.5, 3.0)
PARALLAX_GAIN = 0.25  # per match, in units of GRIC, that a moving camera must win by
LAMBDA_1, LAMBDA_3 = math.log(4.0), 2.0


class MotionModel(StrEnum):
    """What the matches show."""

    STILL = "still"
    TURNING = "turning"
    MOVING = "moving"


@dataclass(frozen=True)
class ModelGain:
    """Comparison of a reconstruction with the turning camera.

    Attributes:
        gric: mean gain per match of the moving over the turning camera; above PARALLAX_GAIN the camera moved.
        num_matches: matches that both models speak about.
        parallax_px: median residual of those under the turning camera.
    """

    gric: float
    num_matches: int
    parallax_px: float


def corner_motion_px(cam_from_world: Float, focal_px: Float, size_px: tuple[int, int]) -> float:
    """Return how far the corners of the first picture travel at most under the turning camera, (N, 3, 3) and (N,)."""
    half = np.asarray(size_px, float) / 2
    corners = half * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    rays = np.concatenate([corners / focal_px[0], np.ones((4, 1))], axis=1) @ cam_from_world[0]
    in_cam = rays @ cam_from_world.transpose(0, 2, 1)
    seen = focal_px[:, None, None] * in_cam[..., :2] / np.maximum(in_cam[..., 2:], 0.05)
    return float(np.linalg.norm(seen - corners, axis=2).max())


def model_before_mapping(matches: Matches, residual_px: Float, corner_px: float, *, unit_px: float) -> MotionModel:
    """Decide from the turning camera's fit alone; MOVING means: ask the mapper.

    Args:
        matches: all verified matches.
        residual_px: (M,) of the turning camera.
        corner_px: from `corner_motion_px`.
        unit_px: size of a pixel of a 512 px picture.
    """
    share = float(np.mean(residual_px < TURNING_ERROR_PX * unit_px))
    still_share = float(np.mean(matches.displacement_px < TURNING_ERROR_PX * unit_px))
    if corner_px < STILL_MOTION_PX * unit_px and still_share > 0.5:
        return MotionModel.STILL
    return MotionModel.TURNING if share > TURNING_SHARE else MotionModel.MOVING


def moving_gain(matches: Matches, residual_px: Float, *, cam_from_world: Float, focal_px: Float, valid: Bool, unit_px: float) -> ModelGain:
    """Compare a reconstruction with the turning camera on the same matches (Torr 1998, GRIC, eq. 4-7).

    A homography leaves two dimensions of a match to noise and an epipolar geometry one; GRIC charges the model for what it absorbs. The
    residual in the second picture is divided by sqrt(2), since both ends of a match are noisy, as Sampson's error allows for.

    Args:
        matches: all verified matches.
        residual_px: (M,) of the turning camera.
        cam_from_world: (N, 4, 4) of the reconstruction, NaN where not valid.
        focal_px: (N,).
        valid: (N,) boolean.
        unit_px: size of a pixel of a 512 px picture.
    """
    both = valid[matches.frame_i] & valid[matches.frame_j]
    if not both.any():
        return ModelGain(-math.inf, 0, float("nan"))
    epipolar = _sampson_px(_rows(matches, both), cam_from_world, focal_px) / unit_px
    turning = residual_px[both] / math.sqrt(2.0) / unit_px
    sigma = float(np.clip(1.4826 * np.median(epipolar), *NOISE_RANGE_PX))
    turning_cost = np.minimum((turning / sigma) ** 2, LAMBDA_3 * 2) + LAMBDA_1 * 2
    moving_cost = np.minimum((epipolar / sigma) ** 2, LAMBDA_3) + LAMBDA_1 * 3
    return ModelGain(float(np.mean(turning_cost - moving_cost)), int(both.sum()), float(np.median(residual_px[both])))


def _rows(matches: Matches, keep: Bool) -> Matches:
    return Matches(matches.frame_i[keep], matches.frame_j[keep], matches.xy_i_px[keep], matches.xy_j_px[keep])


def _sampson_px(matches: Matches, cam_from_world: Float, focal_px: Float) -> Float:
    """Return Sampson's distance (M,) in pixels to the epipolar geometry (Hartley and Zisserman 2004, eq. 11.9)."""
    i, j = matches.frame_i, matches.frame_j
    rotation = cam_from_world[j, :3, :3] @ cam_from_world[i, :3, :3].transpose(0, 2, 1)
    x, y, z = (cam_from_world[j, :3, 3] - (rotation @ cam_from_world[i, :3, 3:])[:, :, 0]).T
    cross = np.zeros_like(rotation)
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -z, y, -x
    cross[:, 1, 0], cross[:, 2, 0], cross[:, 2, 1] = z, -y, x
    scale_i, scale_j = (np.stack([1 / focal_px[k], 1 / focal_px[k], np.ones(len(k))], axis=1) for k in (i, j))
    fundamental = scale_j[:, :, None] * (cross @ rotation) * scale_i[:, None, :]
    at_i = np.concatenate([matches.xy_i_px, np.ones((len(i), 1))], axis=1)
    at_j = np.concatenate([matches.xy_j_px, np.ones((len(j), 1))], axis=1)
    line_j = (fundamental @ at_i[:, :, None])[:, :, 0]
    line_i = (at_j[:, None, :] @ fundamental)[:, 0, :]
    slope = np.sqrt((line_j[:, :2] ** 2).sum(1) + (line_i[:, :2] ** 2).sum(1))
    return np.abs((at_j * line_j).sum(1)) / np.maximum(slope, 1e-12)
