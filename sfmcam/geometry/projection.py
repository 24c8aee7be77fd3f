"""Pinhole projection with square pixels and the principal point at the picture's centre."""

from __future__ import annotations

import numpy as np

from sfmcam.types import Float


def intrinsics(focal_px: float, size_px: tuple[int, int]) -> Float:
    """Return K (3, 3) for a focal length in pixels and a picture of (width, height)."""
    return np.array([[focal_px, 0.0, size_px[0] / 2], [0.0, focal_px, size_px[1] / 2], [0.0, 0.0, 1.0]])


def project(points_in_cam: Float, focal_px: float, size_px: tuple[int, int]) -> Float:
    """Project (..., 3) points in front of the camera to (..., 2) pixels; points at or behind it give NaN."""
    depth = points_in_cam[..., 2:]
    safe = np.where(depth > 0, depth, np.nan)
    return points_in_cam[..., :2] / safe * focal_px + np.asarray(size_px, float) / 2
