"""The 15 primitives: the degree of freedom each one is about, its sign, its opposite and its CameraBench name.

Signs hold for `cam0_from_cam1`, the later camera seen from the earlier one (docs/conventions.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Dof(IntEnum):
    """Order of the seven degrees of freedom in every (..., 7) array of this package."""

    TILT = 0  # rotation about +x, radians, positive up
    PAN = 1  # rotation about +y, radians, positive right
    ROLL = 2  # rotation about +z, radians, positive clockwise as the operator turns the camera
    RIGHT = 3  # translation along +x, scene depths, positive right
    DOWN = 4  # translation along +y, scene depths, positive DOWN
    IN = 5  # translation along +z, scene depths, positive forward
    ZOOM = 6  # log focal ratio, positive zooming in


ROTATION_DOFS = (Dof.TILT, Dof.PAN, Dof.ROLL)
TRANSLATION_DOFS = (Dof.RIGHT, Dof.DOWN, Dof.IN)


class Group(StrEnum):
    """Family of a primitive."""

    ROTATION = "rotation"
    TRANSLATION = "translation"
    INTRINSIC = "intrinsic"
    STATIC = "static"


@dataclass(frozen=True)
class Primitive:
    """One row of the table. `dof` and `sign` are None and 0 for `static`, which is the absence of all the others."""

    id: str
    group: Group
    dof: Dof | None
    sign: int
    opposite: str | None
    split_name: str  # CameraBench's file stem
    words: str  # verb phrase for a sentence about the camera


PRIMITIVES: tuple[Primitive, ...] = (
    Primitive("move_in", Group.TRANSLATION, Dof.IN, +1, "move_out", "Move_In", "moves in"),
    Primitive("move_out", Group.TRANSLATION, Dof.IN, -1, "move_in", "Move_Out", "moves out"),
    Primitive("move_up", Group.TRANSLATION, Dof.DOWN, -1, "move_down", "Move_Up", "moves up"),
    Primitive("move_down", Group.TRANSLATION, Dof.DOWN, +1, "move_up", "Move_Down", "moves down"),
    Primitive("move_right", Group.TRANSLATION, Dof.RIGHT, +1, "move_left", "Move_Right", "moves right"),
    Primitive("move_left", Group.TRANSLATION, Dof.RIGHT, -1, "move_right", "Move_Left", "moves left"),
    Primitive("zoom_in", Group.INTRINSIC, Dof.ZOOM, +1, "zoom_out", "Zoom_In", "zooms in"),
    Primitive("zoom_out", Group.INTRINSIC, Dof.ZOOM, -1, "zoom_in", "Zoom_Out", "zooms out"),
    Primitive("pan_right", Group.ROTATION, Dof.PAN, +1, "pan_left", "Pan_Right", "pans right"),
    Primitive("pan_left", Group.ROTATION, Dof.PAN, -1, "pan_right", "Pan_Left", "pans left"),
    Primitive("tilt_up", Group.ROTATION, Dof.TILT, +1, "tilt_down", "Tilt_Up", "tilts up"),
    Primitive("tilt_down", Group.ROTATION, Dof.TILT, -1, "tilt_up", "Tilt_Down", "tilts down"),
    Primitive("roll_clockwise", Group.ROTATION, Dof.ROLL, +1, "roll_counterclockwise", "Roll_Clockwise", "rolls clockwise"),
    Primitive("roll_counterclockwise", Group.ROTATION, Dof.ROLL, -1, "roll_clockwise", "Roll_Counterclockwise", "rolls counterclockwise"),
    Primitive("static", Group.STATIC, None, 0, None, "Static", "holds still"),
)

PRIMITIVE_BY_ID = {p.id: p for p in PRIMITIVES}
PRIMITIVE_BY_SPLIT = {p.split_name: p for p in PRIMITIVES}
