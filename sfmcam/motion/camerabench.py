"""The scoring that CameraBench's authors used for SfM, kept so that their rows can be reproduced."""

from __future__ import annotations

import numpy as np

from sfmcam.geometry.rigid import inverse
from sfmcam.geometry.rotation import vector_from_rotation
from sfmcam.motion.measure import require_two_poses
from sfmcam.motion.primitive import PRIMITIVES, Dof
from sfmcam.types import CameraTrajectory, Float

HALF_TURN_DEG = 180.0


def camerabench_scores(trajectory: CameraTrajectory) -> dict[str, float]:
    """Score the 15 primitives from the first against the last valid pose only (arXiv 2504.15376, appendix E).

    Rotation is in degrees, zoom is the ratio of the last to the first known focal length (1.0 when unknown), and static is
    minus the largest of |translation|, |angle| / 180 and |zoom - 1|. The paper calls the relative pose "normalised" without
    saying by what, and the script that did it is not public; here the translation is divided by its own norm, the simplest
    reading, which needs no depth. That makes the known flaw of this scoring: a camera that holds still gets a
    translation of length one in a random direction, which spoils the six translation scores and `static`.

    Raises:
        InputError: fewer than two frames have a pose.
    """
    delta, zoom = first_to_last(trajectory)
    scores = {p.id: float(p.sign * delta[p.dof]) for p in PRIMITIVES if p.dof is not None and p.dof is not Dof.ZOOM}
    share_of_half_turn = np.abs(delta[: Dof.RIGHT]) / HALF_TURN_DEG
    still = -max(*np.abs(delta[Dof.RIGHT :]), *share_of_half_turn, abs(zoom - 1.0))
    return scores | {"zoom_in": zoom, "zoom_out": -zoom, "static": float(still)}


def first_to_last(trajectory: CameraTrajectory) -> tuple[Float, float]:
    """Return (6,) tilt, pan, roll in degrees with the translation as a unit vector, and the focal ratio, all last against first.

    The angles are the components of the rotation vector; a translation of exactly zero stays zero.

    Raises:
        InputError: fewer than two frames have a pose.
    """
    require_two_poses(trajectory)
    poses = trajectory.cam_from_world[trajectory.valid]
    first_from_last = poses[0] @ inverse(poses[-1])
    translation = first_from_last[:3, 3]
    length = float(np.linalg.norm(translation))
    direction = translation / length if length > 0 else translation
    focal_px = trajectory.focal_px[trajectory.valid & np.isfinite(trajectory.focal_px)]
    zoom = float(focal_px[-1] / focal_px[0]) if len(focal_px) else 1.0
    return np.concatenate([np.degrees(vector_from_rotation(first_from_last[:3, :3])), direction]), zoom
