"""The 15 binary tasks in CameraBench's words: the question that is put to a video-language model, and the label's name.

From the label files of Lin et al. 2025 (arXiv 2504.15376), CC BY 4.0.
"""

from __future__ import annotations

from dataclasses import dataclass

from sfmcam.motion.primitive import PRIMITIVES

_MOVEMENT = "cam_motion.camera_centric_movement"


@dataclass(frozen=True)
class Question:
    """How CameraBench asks for one primitive: `task` in words, the `question`, and the `label_name` in its taxonomy."""

    task: str
    question: str
    label_name: str


_TEXTS: dict[str, tuple[str, str]] = {
    "move_in": ("Does the camera move forward (not zooming in) with respect to the initial frame?", "forward.has_forward_wrt_camera"),
    "move_out": ("Does the camera move backward (not zooming out) with respect to the initial frame?", "backward.has_backward_wrt_camera"),
    "move_up": ("Does the camera move upward (not tilting up) with respect to the initial frame?", "upward.has_upward_wrt_camera"),
    "move_down": (
        "Does the camera move downward (not tilting down) with respect to the initial frame?",
        "downward.has_downward_wrt_camera",
    ),
    "move_right": ("Does the camera move rightward in the scene?", "rightward.has_rightward"),
    "move_left": ("Does the camera move leftward in the scene?", "leftward.has_leftward"),
    "zoom_in": ("Does the camera zoom in?", "zoom_in.has_zoom_in"),
    "zoom_out": ("Does the camera zoom out?", "zoom_out.has_zoom_out"),
    "pan_right": ("Does the camera pan to the right?", "pan_right.has_pan_right"),
    "pan_left": ("Does the camera pan to the left?", "pan_left.has_pan_left"),
    "tilt_up": ("Does the camera tilt upward?", "tilt_up.has_tilt_up"),
    "tilt_down": ("Does the camera tilt downward?", "tilt_down.has_tilt_down"),
    "roll_clockwise": ("Does the camera roll clockwise?", "roll_clockwise.has_roll_clockwise"),
    "roll_counterclockwise": ("Does the camera roll counterclockwise?", "roll_counterclockwise.has_roll_counterclockwise"),
}

QUESTIONS: dict[str, Question] = {
    p.id: Question(p.split_name.replace("_", " "), _TEXTS[p.id][0], f"{_MOVEMENT}.{_TEXTS[p.id][1]}") for p in PRIMITIVES if p.id in _TEXTS
} | {
    "static": Question(
        "Static", "Is the camera completely still without any motion or shaking?", "cam_motion.steadiness_and_movement.fixed_camera"
    )
}
