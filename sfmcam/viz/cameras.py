"""The cameras of a trajectory, placed for a picture: in the first one's frame, in scene depths, with frusta of a readable size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.errors import InputError
from sfmcam.geometry.rigid import inverse
from sfmcam.types import CameraTrajectory, Float, Int, Scale
from sfmcam.viz.frustum import USUAL_FOCAL_RATIO, Frustum, camera_frustum
from sfmcam.viz.timecolor import time_colors

SCENE_DEPTHS = "scene depths"
MAX_FRUSTA = 9  # more of them hide one another
MAX_VERTICES = 2000  # of a drawn path
ONE_SPOT_DEPTHS = 0.02  # centres that span less than this read as one spot
ONE_SPOT = 1e-9  # the same where no depth is known
FRUSTUM_OF_PATH, LEAST_FRUSTUM_OF_PATH = 0.28, 0.08  # depth of a frustum over the extent of a straight, of a winding path
LEAST_FRUSTUM_DEPTHS = 0.12  # a smaller frustum would make the noise of a still camera look like a journey


@dataclass(frozen=True)
class Cameras:
    """The frames with a pose, x right, y down, z forward from the first of them.

    Attributes:
        times_s: (n,).
        first_from_cam: (n, 4, 4) poses.
        focal_ratio: (n,) focal length over picture width; NaN where unknown.
        aspect: picture height over width.
        unit_size: the drawing unit in units of the trajectory.
        unit: its name.
        one_spot: whether the centres lie so close together that only rotation and zoom can be seen.
        frustum_depth: depth of the drawn frusta.
    """

    times_s: Float
    first_from_cam: Float
    focal_ratio: Float
    aspect: float
    unit_size: float
    unit: str
    one_spot: bool
    frustum_depth: float

    @property
    def centers(self) -> Float:
        """(n, 3) camera centres."""
        return self.first_from_cam[:, :3, 3]

    @property
    def colors(self) -> Float:
        """(n, 3) colour of each camera's moment."""
        return time_colors(self.times_s)

    @property
    def shown(self) -> Int:
        """Indices of the cameras that get a frustum."""
        return thin(len(self.times_s), MAX_FRUSTA)

    def frustum(self, index: int) -> Frustum:
        """Return the frustum of one camera."""
        return camera_frustum(self.first_from_cam[index], self.focal_ratio[index], aspect=self.aspect, depth=self.frustum_depth)


def place_cameras(trajectory: CameraTrajectory) -> Cameras:
    """Place the frames of a trajectory that have a pose.

    Raises:
        InputError: none has.
    """
    if not trajectory.num_valid:
        raise InputError("the trajectory has no frame with a pose, so there is nothing to draw")
    cam_from_world = trajectory.cam_from_world[trajectory.valid]
    first_from_cam = cam_from_world[0] @ inverse(cam_from_world)
    unit_size, unit = _unit(trajectory)
    first_from_cam[:, :3, 3] /= unit_size
    centers = first_from_cam[:, :3, 3]
    extent = float(np.linalg.norm(np.ptp(centers, axis=0)))
    width, height = trajectory.image_size_px or (16, 9)
    return Cameras(
        times_s=trajectory.timestamps_s[trajectory.valid],
        first_from_cam=first_from_cam,
        focal_ratio=_focal_ratio(trajectory),
        aspect=height / width,
        unit_size=unit_size,
        unit=unit,
        one_spot=extent < (ONE_SPOT_DEPTHS if unit == SCENE_DEPTHS else ONE_SPOT),
        frustum_depth=_frustum_depth(centers, extent, has_depth=unit == SCENE_DEPTHS),
    )


def thin(count: int, limit: int) -> Int:
    """Return the indices of at most `limit` of `count` items, evenly spread, first and last included."""
    return np.unique(np.linspace(0, count - 1, min(count, limit)).round().astype(np.int64))


def _unit(trajectory: CameraTrajectory) -> tuple[float, str]:
    depth = trajectory.median_depth[trajectory.valid]
    if np.isfinite(depth).any():
        return float(np.nanmedian(depth)), SCENE_DEPTHS
    return 1.0, "m" if trajectory.scale is Scale.METRIC else "file units"


def _focal_ratio(trajectory: CameraTrajectory) -> Float:
    """Focal over picture width; where the picture size is unknown, the first known focal length counts as that of a usual lens."""
    focal = trajectory.focal_px[trajectory.valid]
    if trajectory.image_size_px is not None:
        return focal / trajectory.image_size_px[0]
    known = focal[np.isfinite(focal)]
    return focal / known[0] * USUAL_FOCAL_RATIO if len(known) else focal


def _frustum_depth(centers: Float, extent: float, *, has_depth: bool) -> float:
    arc = float(np.linalg.norm(np.diff(centers, axis=0), axis=1).sum())
    of_path = FRUSTUM_OF_PATH * extent / arc if arc > 0 else 0.0
    depth = max(of_path, LEAST_FRUSTUM_OF_PATH) * extent
    if has_depth:
        return max(depth, LEAST_FRUSTUM_DEPTHS)
    return depth if extent > ONE_SPOT else 1.0
