"""How far estimated focal lengths are from known ones, both taken at one picture size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.evaluation.frame_pairs import FramePairs
from sfmcam.types import CameraTrajectory, Float

ASPECT_TOLERANCE = 0.02  # pictures whose shapes differ by more are not the same picture at two sizes


@dataclass(frozen=True)
class FocalErrors:
    """Errors over the frames for which both know a focal length; none where `note` says why.

    Attributes:
        percent: (K,) |estimated / true - 1| in percent.
        fov_deg: (K,) absolute difference of the horizontal fields of view, 2 atan(width / 2 focal), degrees.
        note: why there is none; empty where there are some.
    """

    percent: Float
    fov_deg: Float
    note: str = ""


def focal_errors(estimate: CameraTrajectory, reference: CameraTrajectory, pairs: FramePairs) -> FocalErrors:
    """Compare the focal lengths of the paired frames."""
    focal_px, true_px = estimate.focal_px[pairs.own], reference.focal_px[pairs.true]
    known = np.isfinite(focal_px) & np.isfinite(true_px)
    if not known.any():
        return _none("no focal length to compare")
    if estimate.image_size_px is None or reference.image_size_px is None:
        return _none("the picture size that a focal length refers to is unknown")
    (width, height), (true_width, true_height) = estimate.image_size_px, reference.image_size_px
    if abs(width * true_height / (height * true_width) - 1) > ASPECT_TOLERANCE:
        return _none(f"focal lengths refer to pictures of different shapes ({width} x {height}, {true_width} x {true_height})")
    own, true = focal_px[known] / width, true_px[known] / true_width
    return FocalErrors(np.abs(own / true - 1) * 100, np.abs(_fov_deg(own) - _fov_deg(true)))


def _fov_deg(focal_widths: Float) -> Float:
    return np.degrees(2 * np.arctan(0.5 / focal_widths))


def _none(note: str) -> FocalErrors:
    return FocalErrors(np.empty(0), np.empty(0), note)
