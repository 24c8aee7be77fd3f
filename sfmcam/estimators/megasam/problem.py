"""What a dense bundle adjustment is given and told: a graph of keyframes with flow targets, and how to solve it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from sfmcam.errors import ConfigError

FocalMode = Literal["fixed", "shared", "per_frame"]


@dataclass(frozen=True)
class Problem:
    """Keyframes and the edges between them, in grid pixels (1/8 resolution).

    poses (F, 7) cam_from_world, disps (F, h, w), intrinsics (F, 4) fx fy cx cy, target (E, h, w, 2) where each pixel of frame ii falls in
    frame jj, weight (E, h, w, 2) in 0..1 as the operator gives it, eta (F, h, w) its damping of the disparities, ii and jj (E,), i and j
    different. prior_disps (F, h, w) are the disparities that alpha pulls to, 0 where there is none; prior_log_focal (F,) is what
    focal_anchor pulls log fx to.
    """

    poses: Tensor
    disps: Tensor
    intrinsics: Tensor
    target: Tensor
    weight: Tensor
    eta: Tensor
    ii: Tensor
    jj: Tensor
    prior_disps: Tensor | None = None
    prior_log_focal: Tensor | None = None

    def __post_init__(self) -> None:
        frames, size, edges = len(self.poses), tuple(self.disps.shape[1:]), len(self.ii)
        want = {
            "poses": (frames, 7),
            "disps": (frames, *size),
            "intrinsics": (frames, 4),
            "target": (edges, *size, 2),
            "weight": (edges, *size, 2),
            "eta": (frames, *size),
            "jj": (edges,),
            "prior_disps": (frames, *size),
            "prior_log_focal": (frames,),
        }
        for name, shape in want.items():
            value: Tensor | None = getattr(self, name)
            if value is not None and tuple(value.shape) != shape:
                raise ValueError(f"{name} has the shape {tuple(value.shape)}; {frames} frames and {edges} edges need {shape}")


@dataclass(frozen=True)
class BundleOptions:
    """How to solve. The defaults are those of the tracker's front end.

    Args:
        first_pose: poses of the frames [first_pose, past_pose) are unknown, the others are held.
        past_pose: None is the number of frames.
        motion_only: hold the disparities.
        focal: held; one step for all frames, as released MegaSaM has it (the focal length over the picture's width); or one of each frame.
        first_focal: with "per_frame", focal lengths of [first_focal, past_pose) are unknown; None: from the first frame where first_pose
            is at most 1, else from first_pose.
        focal_smoothness: information (1 / variance, in the unit of the weighted residuals) of the change of log focal between neighbours.
        focal_bending: the same of the change of that change, which a steady zoom does not feel.
        focal_anchor: information that holds log focal to prior_log_focal (or to where it starts).
        lm: damping of poses and focal lengths as a share of the diagonal.
        ep: and as such.
        alpha: weight of the prior disparity; 0 leaves it out.
        iterations: Gauss-Newton steps.
        huber_px: residuals beyond this many grid pixels count linearly; None: all count as squares.
        disparity_range: disparities are held in it after each step; None leaves them as they come.
        far_to_zero: a disparity above the range becomes the smallest, not the largest, as the reference does with a free focal length.
        uncertainty: also say how well poses and focal lengths are known (`Adjusted.uncertainty`); costs another step, in float64.
    """

    first_pose: int = 1
    past_pose: int | None = None
    motion_only: bool = False
    focal: FocalMode = "fixed"
    first_focal: int | None = None
    focal_smoothness: float = 0.0
    focal_bending: float = 0.0
    focal_anchor: float = 0.0
    lm: float = 1e-4
    ep: float = 0.1
    alpha: float = 0.0
    iterations: int = 1
    huber_px: float | None = None
    disparity_range: tuple[float, float] | None = (1e-6, 10.0)
    far_to_zero: bool = False
    uncertainty: bool = False

    def __post_init__(self) -> None:
        if self.focal not in ("fixed", "shared", "per_frame"):
            raise ConfigError(f"The focal mode of the bundle adjustment is {self.focal!r}; it is fixed, shared or per_frame")
        if self.first_pose < 0 or self.iterations < 1:
            raise ConfigError("The bundle adjustment needs a first pose of 0 or more and at least one iteration")
        negative = [name for name in ("lm", "ep", "alpha", "focal_smoothness", "focal_bending", "focal_anchor") if getattr(self, name) < 0]
        if negative:
            raise ConfigError(f"{negative[0]} of the bundle adjustment is {getattr(self, negative[0])}; it must not be negative")

    def pose_range(self, frames: int) -> tuple[int, int]:
        """Return the first frame whose pose is unknown and the first one behind them."""
        past = frames if self.past_pose is None else min(self.past_pose, frames)
        return min(self.first_pose, past), past

    def focal_range(self, frames: int) -> tuple[int, int]:
        """Return the first frame with a focal length of its own that is unknown, and the first one behind them."""
        first, past = self.pose_range(frames)
        if self.focal != "per_frame":
            return 0, 0
        if self.first_focal is not None:
            return min(self.first_focal, past), past
        return (0 if first <= 1 else first), past
