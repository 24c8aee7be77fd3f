"""Labels from the true path by stated thresholds; in between lies an unsure band that the label files leave out.

A direction is judged on what the camera was meant to do: shake is no pan. `static` is judged on the camera as it was: a shaky
camera on a fixed spot is not static (CameraBench's `fixed_camera`). Translation is in the initial camera's axes, over the median depth
of the scene as seen over the clip.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np

from sfmcam.datasets.synthetic.camera_path import picture_motion_px
from sfmcam.datasets.synthetic.clip import RenderedClip
from sfmcam.geometry.rotation import rotation_from_vector, vector_from_rotation
from sfmcam.motion.primitive import PRIMITIVES, ROTATION_DOFS, Dof
from sfmcam.types import Float


class Label(StrEnum):
    """Answer to "does the camera do this?"."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Thresholds:
    """From `*_yes` on a motion counts, up to `*_no` it does not; in between nobody could be sure.

    Attributes:
        rotation_yes_deg: largest change of an angle between two frames.
        rotation_no_deg: the same.
        translation_yes: largest displacement between two frames, in scene depths.
        translation_no: the same.
        zoom_yes: largest focal ratio between two frames, minus 1.
        zoom_no: the same.
        still_no_px: picture motion from which a camera is not still; without any motion at all it is.
    """

    rotation_yes_deg: float = 4.0
    rotation_no_deg: float = 1.5
    translation_yes: float = 0.08
    translation_no: float = 0.03
    zoom_yes: float = 0.08
    zoom_no: float = 0.02
    still_no_px: float = 0.5

    def bounds(self, dof: Dof) -> tuple[float, float]:
        """Return the `no` and the `yes` bound of a degree of freedom, in radians, scene depths or log focal."""
        if dof in ROTATION_DOFS:
            return float(np.radians(self.rotation_no_deg)), float(np.radians(self.rotation_yes_deg))
        if dof is Dof.ZOOM:
            return float(np.log1p(self.zoom_no)), float(np.log1p(self.zoom_yes))
        return self.translation_no, self.translation_yes

    def as_dict(self) -> dict[str, float]:
        """Return the thresholds for a JSON file."""
        return asdict(self)


@dataclass(frozen=True)
class Truth:
    """What is said of one clip besides its labels.

    Attributes:
        labels: per primitive.
        steadiness: static, smooth or shaky.
        speed: slow, regular or fast, by picture motion.
        picture_motion_px: how far the camera moves a point in the scene's depth at most, shake included; an upper bound.
    """

    labels: dict[str, Label]
    steadiness: str
    speed: str
    picture_motion_px: float


def label_clip(clip: RenderedClip, thresholds: Thresholds | None = None) -> Truth:
    """Judge a rendered clip."""
    bounds = thresholds or Thresholds()
    path, times = clip.path, clip.timestamps_s
    unit = np.ones(len(Dof))
    unit[Dof.RIGHT : Dof.ZOOM] = path.depth_m / float(np.median(clip.median_depth))
    intended, actual = path.intended_dofs(times) * unit, path.dofs(times) * unit
    motion_px = picture_motion_px(actual, float(clip.focal_px.max()), clip.spec.size_px)
    labels = sure_direction_labels(intended, bounds)
    labels["static"] = static_label(motion_px, bounds)
    return Truth(labels, _steadiness(clip, motion_px), _speed(clip, motion_px), motion_px)


def sure_direction_labels(dofs: Float, thresholds: Thresholds) -> dict[str, Label]:
    """Label the 14 directional primitives of a path (N, 7); unsure where the two readings of a rotation come to different answers.

    A camera that turns about two axes, one after the other, has turned about the third by up to the product of the angles if the rotation
    vector from the first frame is read, and not at all if its own small turns are added up, as `motion.measure` does.
    """
    first_from_cam = rotation_from_vector(dofs[:, ROTATION_DOFS])
    steps = vector_from_rotation(first_from_cam[:-1].transpose(0, 2, 1) @ first_from_cam[1:])
    summed = dofs.copy()
    summed[1:, ROTATION_DOFS] = dofs[0, ROTATION_DOFS] + np.cumsum(steps, axis=0)
    one, other = direction_labels(dofs, thresholds), direction_labels(summed, thresholds)
    return {name: label if label is other[name] else Label.UNSURE for name, label in one.items()}


def direction_labels(dofs: Float, thresholds: Thresholds) -> dict[str, Label]:
    """Label the 14 directional primitives of a path (N, 7): how far does each degree of freedom rise, and fall, between any two frames?

    So a pan to the right and back again counts as both.
    """
    labels = {}
    for primitive in PRIMITIVES:
        if primitive.dof is None:
            continue
        extent = largest_rise(primitive.sign * dofs[:, primitive.dof])
        no, yes = thresholds.bounds(primitive.dof)
        labels[primitive.id] = Label.YES if extent >= yes else Label.NO if extent <= no else Label.UNSURE
    return labels


def largest_rise(values: Float) -> float:
    """Return the largest increase of values (N,) from an earlier to a later one, 0 if they only fall."""
    return float((values - np.minimum.accumulate(values)).max())


def static_label(motion_px: float, thresholds: Thresholds) -> Label:
    """Label `static` by the picture motion, shake included."""
    if motion_px < 1e-6:
        return Label.YES
    return Label.NO if motion_px >= thresholds.still_no_px else Label.UNSURE


def _steadiness(clip: RenderedClip, motion_px: float) -> str:
    if clip.spec.shake is not None:
        return "shaky"
    return "static" if motion_px < 1e-6 else "smooth"


def _speed(clip: RenderedClip, motion_px: float) -> str:
    """Tell the speed by picture widths per second: slow below a tenth, fast from 0.4 on."""
    widths_per_s = motion_px / clip.spec.size_px[0] / max(clip.path.duration_s, 1e-6)
    return "slow" if widths_per_s < 0.1 else "fast" if widths_per_s >= 0.4 else "regular"
