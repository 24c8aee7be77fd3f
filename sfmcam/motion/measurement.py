"""The result of `measure`: how the camera moved, in numbers that a person can check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sfmcam.motion.depth import DepthSource
from sfmcam.motion.primitive import ROTATION_DOFS, Dof
from sfmcam.types import Bool, Float, Scale

HALF_PICTURE = 0.5  # roll, zoom and forward motion move a point in proportion to its distance from the centre: half a width at the edge
DOF_KEYS = ("tilt_deg", "pan_deg", "roll_deg", "right_depths", "down_depths", "in_depths", "log_zoom")  # in files, in the order of Dof


@dataclass(frozen=True)
class MotionMeasurement:
    """How the camera moved. Arrays of 7 follow `primitive.Dof`: tilt, pan, roll (rad), right, down, in (scene depths), log focal.

    NaN in the zoom column means that the focal length is unknown.

    Attributes:
        timestamps_s: (N,) of the trajectory.
        valid: (N,) frames that have a pose.
        steps: (M-1, 7) motion between consecutive valid frames, across a gap where frames in between have no pose.
        path: (N, 7) cumulated steps since the first valid frame; NaN at frames without a pose.
        smooth: (N, 7) the path without spikes and shake; NaN where the path is.
        net: (7,) last minus first of the smooth path.
        rise: (7,) largest increase of the smooth path from an earlier to a later frame, never negative.
        fall: (7,) largest decrease from an earlier to a later frame, never negative.
        jitter: (7,) RMS of path minus smooth path: shake above about 1 Hz, and spikes.
        noise: (7,) one-sigma noise of the difference between two frames, as the estimator states it, or else a default.
        sigma: (7,) one-sigma uncertainty of the difference between two values of the smooth path: noise, and jitter averaged over
            the samples that one smoothed value holds.
        net_rotation_rad: (3,) tilt, pan, roll of first_from_last = R_y(pan) R_x(tilt) R_z(roll), to check the sums against.
        depth: (N,) scene depth used, in the trajectory's unit; NaN at frames without a pose, infinite where nothing translates.
        depth_source: where that depth came from. Only "points" relates the translation to the scene.
        scale: unit of the trajectory's translation.
        focal_over_width: focal length over picture width that turns angles into picture widths.
        picture_noise_widths: one-sigma noise of where one frame's picture lies, in picture widths, by the reprojection error; NaN where
            unknown. Far below `noise` where two motions that shift the picture alike cannot be told apart, but their sum can.
    """

    timestamps_s: Float
    valid: Bool
    steps: Float
    path: Float
    smooth: Float
    net: Float
    rise: Float
    fall: Float
    jitter: Float
    noise: Float
    sigma: Float
    net_rotation_rad: Float
    depth: Float
    depth_source: DepthSource
    scale: Scale
    focal_over_width: float
    picture_noise_widths: float = float("nan")

    @property
    def extent(self) -> Float:
        """(7,) range of the smooth path."""
        return np.maximum(self.rise, self.fall)

    @property
    def duration_s(self) -> float:
        """Time from the first to the last valid frame."""
        times_s = self.timestamps_s[self.valid]
        return float(times_s[-1] - times_s[0])

    @property
    def zoom_known(self) -> bool:
        """Whether the focal length was estimated."""
        return bool(np.isfinite(self.net[Dof.ZOOM]))

    @property
    def image_gain(self) -> Float:
        """(7,) picture widths by which the picture moves per radian, scene depth or unit of log focal."""
        f = self.focal_over_width
        return np.array([f, f, HALF_PICTURE, f, f, HALF_PICTURE, HALF_PICTURE])

    @property
    def image_motion(self) -> Float:
        """(7,) how far each degree of freedom moves the picture, jitter included, in picture widths; 0 where unknown."""
        return np.nan_to_num(self.image_gain * np.hypot(self.extent, self.jitter))

    @property
    def total_image_motion(self) -> float:
        """The seven image motions in quadrature: how far the picture moved in all, in picture widths."""
        return float(np.linalg.norm(self.image_motion))

    def to_json(self) -> dict[str, Any]:
        """Return the measurement as JSON values: degrees, scene depths, log focal ratios; null where unknown or infinite."""
        unit = np.where(np.isin(np.arange(len(Dof)), ROTATION_DOFS), np.degrees(1.0), 1.0)
        per_dof = {"net": self.net, "rise": self.rise, "fall": self.fall, "jitter": self.jitter, "noise": self.noise, "sigma": self.sigma}
        return {
            "duration_s": self.duration_s,
            "num_frames": len(self.valid),
            "num_valid": int(self.valid.sum()),
            "scale": str(self.scale),
            "depth_source": str(self.depth_source),
            "focal_over_width": self.focal_over_width,
            "picture_noise_widths": _plain(self.picture_noise_widths),
            "total_image_motion_widths": self.total_image_motion,
            "net_rotation_deg": dict(zip(("tilt", "pan", "roll"), np.degrees(self.net_rotation_rad).tolist(), strict=True)),
            "dofs": {
                key: {name: _plain(values[i] * unit[i]) for name, values in per_dof.items()}
                | {"image_motion_widths": float(self.image_motion[i])}
                for i, key in enumerate(DOF_KEYS)
            },
            "frames": {"timestamp_s": self.timestamps_s.tolist(), "valid": self.valid.tolist(), "depth": _plain_list(self.depth)}
            | {key: _plain_list(self.path[:, i] * unit[i]) for i, key in enumerate(DOF_KEYS)}
            | {f"smooth_{key}": _plain_list(self.smooth[:, i] * unit[i]) for i, key in enumerate(DOF_KEYS)},
        }


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _plain_list(values: Float) -> list[float | None]:
    return [_plain(v) for v in values]
