"""Things that move by themselves: people who walk, a van that drives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np

from sfmcam.datasets.synthetic.camera_path import CameraPath
from sfmcam.datasets.synthetic.scene import Mover, MoverPath, Scene, Surface
from sfmcam.datasets.synthetic.scenes.lighting import Light
from sfmcam.datasets.synthetic.scenes.props import Studio, van
from sfmcam.datasets.synthetic.textures.brush import INKS
from sfmcam.datasets.synthetic.textures.cutouts import blob_shadow, limb, torso
from sfmcam.datasets.synthetic.textures.patch import Patch, varied
from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Float, UInt8

SWING_RAD = 0.42  # of a leg, to either side
STEP_M = 0.75
DENSITY = 200.0  # texels per metre of a person


class MoverKind(StrEnum):
    """What moves."""

    WALKER = "walker"
    VAN = "van"


@dataclass(frozen=True)
class MoverSpec:
    """One mover.

    Attributes:
        kind: what it is.
        start_m: where it is at the clip's start, sideways and away from the camera, from the scene's `mover_ground`.
        velocity_m_per_s: its velocity in world x and z.
        follows_camera: True where it also copies the camera's intended way along the ground, so that it keeps its place in the picture.
    """

    kind: MoverKind
    start_m: tuple[float, float] = (0.0, 0.0)
    velocity_m_per_s: tuple[float, float] = (0.0, 0.0)
    follows_camera: bool = False


def build_movers(specs: tuple[MoverSpec, ...], scene: Scene, path: CameraPath, *, rng: np.random.Generator) -> tuple[Mover, ...]:
    """Return the bodies of all movers; a person has several, since the limbs swing."""
    movers: list[Mover] = []
    for spec in specs:
        ground = _ground_path(spec, scene, path)
        drives_right = bool(ground(path.duration_s)[0, 3] >= ground(0.0)[0, 3])
        movers += walker_bodies(rng, ground) if spec.kind is MoverKind.WALKER else [van_body(rng, ground, drives_right=drives_right)]
    return tuple(movers)


def _ground_path(spec: MoverSpec, scene: Scene, path: CameraPath) -> MoverPath:
    """Return where the mover's feet are at each time."""
    start = scene.mover_ground + np.array([spec.start_m[0], 0.0, spec.start_m[1]])
    velocity = np.array([spec.velocity_m_per_s[0], 0.0, spec.velocity_m_per_s[1]])

    def world_from_ground(time_s: float) -> Float:
        place = start + velocity * time_s
        if spec.follows_camera:
            place = place + path.intended_travel_m(time_s) * np.array([1.0, 0.0, 1.0])
        return rigid_from_parts(np.eye(3), place)

    return world_from_ground


def walker_bodies(rng: np.random.Generator, ground: MoverPath) -> list[Mover]:
    """Return torso, arms, legs and shadow of a person 1.75 m tall."""
    ground = lru_cache(maxsize=1)(ground)  # all parts ask for the same moment
    coat, trousers = varied(INKS[int(rng.integers(len(INKS)))], rng, 0.1), varied((0.22, 0.25, 0.33), rng, 0.35)
    skin, shoe = varied((0.76, 0.58, 0.46), rng, 0.14), varied((0.16, 0.13, 0.11), rng, 0.3)
    leg = limb(Patch(0.2, 0.9, DENSITY), rng, trousers, end=shoe)
    arm = limb(Patch(0.14, 0.66, DENSITY), rng, coat, end=skin)
    body = torso(Patch(0.54, 0.95, DENSITY), rng, coat, skin=skin)
    shadow = Surface(np.array([-0.45, -0.01, 0.22]), np.array([0.9, 0, 0]), np.array([0, 0, -0.44]), blob_shadow(Patch(0.9, 0.44, 60)))
    parts = [Mover((_hanging(body, (0.54, 0.95), ahead_m=0.0),), _hinged(ground, (0.0, -1.75), 0.0))]
    for side in (-1.0, 1.0):
        parts.append(Mover((_hanging(leg, (0.2, 0.9), ahead_m=0.02 * side),), _hinged(ground, (0.09 * side, -0.9), side * SWING_RAD)))
        parts.append(
            Mover((_hanging(arm, (0.14, 0.66), ahead_m=0.03 * side),), _hinged(ground, (0.21 * side, -1.42), -0.8 * side * SWING_RAD))
        )
    return [*parts, Mover((shadow,), ground)]


def _hanging(texture: UInt8, size_m: tuple[float, float], *, ahead_m: float) -> Surface:
    """Return a card that hangs from its hinge at the origin, a little nearer to the camera by `ahead_m`."""
    width_m, height_m = size_m
    return Surface(np.array([-width_m / 2, 0, -ahead_m]), np.array([width_m, 0, 0]), np.array([0, height_m, 0.0]), texture)


def _hinged(ground: MoverPath, hinge_m: tuple[float, float], swing_rad: float) -> MoverPath:
    """Return the pose of a limb that swings in step with the way its owner has gone; `hinge_m` is its x and y above the feet."""
    start = ground(0.0)[:3, 3]

    def world_from_limb(time_s: float) -> Float:
        world_from_body = ground(time_s)
        gone = world_from_body[0, 3] - start[0] + abs(world_from_body[2, 3] - start[2])
        angle = swing_rad * np.sin(np.pi * gone / STEP_M + 0.6)
        limb_pose = rigid_from_parts(rotation_from_vector(np.array([0.0, 0.0, angle])), np.array([*hinge_m, 0.0]))
        return world_from_body @ limb_pose

    return world_from_limb


def van_body(rng: np.random.Generator, ground: MoverPath, *, drives_right: bool) -> Mover:
    """Return a delivery van, 4.2 m long."""
    color = varied(INKS[int(rng.integers(len(INKS)))], rng, 0.1)
    body = van(Studio(rng, Light((0.3, -1.0, -0.6)), 100), (0.0, 0.0, 0.0), color, drives_right=drives_right)
    return Mover(body.surfaces, ground)
