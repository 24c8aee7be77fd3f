"""Movers placed by what the camera sees: they cross the picture, come near, or keep their place in it while the camera follows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.datasets.synthetic.camera_path import CameraPath
from sfmcam.datasets.synthetic.scene import Mover, MoverPath, Scene
from sfmcam.datasets.synthetic.scenes.movers import MoverKind, van_body, walker_bodies
from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.types import Float

# of a walker and of a van: height in metres, and the area of the outline in square metres
BODY_M = {MoverKind.WALKER: (1.75, 0.62), MoverKind.VAN: (2.0, 7.6)}
FARTHEST = 0.75  # of the scene's median depth: beyond, too much stands in front


@dataclass(frozen=True)
class ActorSpec:
    """A mover described by its part in the picture.

    Attributes:
        kind: what it is.
        share: of the picture that its outline would fill if it were all in view, 0 to 1, at the clip's start.
        x_from: where its middle is at the start, sideways, from -1 (left edge) to 1 (right edge).
        x_to: where it would be at the end.
        follows: how much of the camera's intended motion it takes along: 1 keeps its place in the picture, 0 goes its own way through the
            scene, negative goes against the camera.
        approach: its distance at the end over that at the start.
    """

    kind: MoverKind
    share: float
    x_from: float
    x_to: float
    follows: float = 0.0
    approach: float = 1.0


def build_actors(
    specs: tuple[ActorSpec, ...], scene: Scene, path: CameraPath, *, size_px: tuple[int, int], rng: np.random.Generator
) -> tuple[Mover, ...]:
    """Return the bodies of all actors, facing the camera as it stands at the clip's start."""
    movers: list[Mover] = []
    for spec in specs:
        ground = _way(spec, scene, path, size_px=size_px)
        if spec.kind is MoverKind.WALKER:
            movers += walker_bodies(rng, ground)
        else:
            movers.append(van_body(rng, ground, drives_right=spec.x_to >= spec.x_from))
    return tuple(movers)


def distance_and_scale(spec: ActorSpec, path: CameraPath, size_px: tuple[int, int]) -> tuple[float, float]:
    """Return how far from the camera an actor starts, in metres, and its size against a grown one, so that it fills its share.

    It has its natural size where that is near enough to be seen in front of the scene, and shrinks where it is not.
    """
    area = BODY_M[spec.kind][1]
    natural = path.focal_px * np.sqrt(area / (spec.share * size_px[0] * size_px[1]))
    distance = min(float(natural), FARTHEST * path.depth_m)
    return distance, distance / float(natural)


def _way(spec: ActorSpec, scene: Scene, path: CameraPath, *, size_px: tuple[int, int]) -> MoverPath:
    """Return the pose of the actor's feet, size included, at each time."""
    distance, scale = distance_and_scale(spec, path, size_px)
    half_width = size_px[0] / 2 / path.focal_px
    height = BODY_M[spec.kind][0] * scale
    first = path.intended_world_from_cam(0.0)

    def world_from_feet(time_s: float) -> Float:
        """Return the (4, 4) pose of the ground point that the actor stands on, at a time."""
        phase = time_s / path.duration_s
        away = distance * spec.approach**phase
        aside = (spec.x_from + (spec.x_to - spec.x_from) * phase) * half_width * away
        own, taken = (_placed(camera, aside, away) for camera in (first, path.intended_world_from_cam(time_s)))
        place = own + spec.follows * (taken - own)
        place[1] = _feet_y(first, scene, away=away, height=height)
        return rigid_from_parts(scale * _heading(first), place)

    return world_from_feet


def _placed(world_from_cam: Float, aside: float, away: float) -> Float:
    """Return a point (3,) in the world that lies level with the camera, `away` ahead of it and `aside` to its right."""
    return world_from_cam[:3, 3] + _heading(world_from_cam) @ np.array([aside, 0.0, away])


def _heading(world_from_cam: Float) -> Float:
    """Return the rotation (3, 3) of an upright body that faces as the camera does, tilt and roll left out."""
    yaw = np.arctan2(world_from_cam[0, 2], world_from_cam[2, 2])
    return np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])


def _feet_y(world_from_cam: Float, scene: Scene, *, away: float, height: float) -> float:
    """Return the height of the feet: on the ground, unless the camera then looks past the body; then the body hangs in its view."""
    center, ahead = world_from_cam[:3, 3], world_from_cam[:3, 2]
    axis_y = center[1] + away * ahead[1] / max(float(np.hypot(ahead[0], ahead[2])), 0.2)
    ground = float(scene.mover_ground[1])
    return ground if ground - height - 0.1 * away < axis_y < ground + 0.1 * away else float(axis_y) + height / 2
