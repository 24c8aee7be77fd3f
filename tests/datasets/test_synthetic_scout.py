"""A scouted camera goes through nothing and sees the set all the way; actors play the part in the picture that was asked of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sfmcam.datasets.synthetic.camera_path import CameraPath, Ease, Move, Shake, dolly, pan, pedestal, truck
from sfmcam.datasets.synthetic.scene import Scene, quads, vertical
from sfmcam.datasets.synthetic.scenes.actors import ActorSpec, build_actors, distance_and_scale
from sfmcam.datasets.synthetic.scenes.movers import MoverKind
from sfmcam.datasets.synthetic.scout import CELLS, CLEARANCE, crossings, distances
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.datasets.synthetic.stage import Stage, build_stage
from sfmcam.geometry.projection import project
from sfmcam.geometry.rigid import camera_centers, transform_points
from sfmcam.types import Float

SIZE = (192, 108)
WALL = quads([vertical((-1, 1, 2), (2, 2), np.zeros((4, 4, 3), np.uint8))])  # x and y from -1 to 1, z = 2
WALKER, VAN = MoverKind.WALKER, MoverKind.VAN


def test_distances_from_a_rectangle_by_hand() -> None:
    points = np.array([[0, 0, 0], [0, 0, 2], [2, 0, 2], [2, 2, 3], [0.5, -0.5, 5]], float)
    assert distances(points, WALL)[:, 0] == pytest.approx([2, 0, 1, np.sqrt(3), 3])


@pytest.mark.parametrize(
    ("way", "passes"),
    [([[0, 0, 0], [0, 0, 4]], True), ([[0, 0, 0], [0, 0, 1.9]], False), ([[3, 0, 0], [3, 0, 4]], False), ([[0, 0, 1], [1, 0, 1]], False)],
)
def test_what_passes_through_a_rectangle_by_hand(way: list, passes: bool) -> None:
    assert crossings(np.array(way, float), WALL).tolist() == [[passes]]


def scouted(*curves: Move, scene: str = "bare_room", seed: int = 4, **changes: object) -> Stage:
    return build_stage(ClipSpec("scout", scene, seed, curves, size_px=SIZE, fps=6.0, seconds=1.5, scouted=True, **changes))


@pytest.mark.parametrize(
    "curves", [(pedestal(-0.45),), (pedestal(0.45),), (dolly(0.6),), (dolly(-0.7),), (truck(0.7), pan(40)), (truck(-0.7),)]
)
def test_a_scouted_camera_keeps_clear_of_the_walls_and_sees_no_hole(curves: tuple[Move, ...]) -> None:
    """In a room 2.8 m high, from the scene's own start, the first four of these would end in the floor, the ceiling or a wall."""
    stage = scouted(*curves)
    path, times = stage.path, np.linspace(0, stage.path.duration_s, 25)
    rectangles = stage.renderer._quads
    centers = camera_centers(path.cam_from_world(times))
    assert distances(centers, rectangles).min() > CLEARANCE * path.depth_m - 1e-9
    assert not crossings(centers, rectangles).any()
    assert all(stage.renderer.hole_share(stage.view(float(t)), CELLS) == 0 for t in times[::6])


def test_a_scouted_path_is_the_same_each_time_and_differs_between_seeds() -> None:
    first, again, other = scouted(dolly(0.3)), scouted(dolly(0.3)), scouted(dolly(0.3), seed=5)
    assert np.array_equal(first.path.world_from_start, again.path.world_from_start)
    assert not np.allclose(first.path.world_from_start, other.path.world_from_start)


def test_one_scene_depth_is_what_the_first_frame_shows() -> None:
    stage = scouted(truck(0.2))
    assert stage.path.depth_m == pytest.approx(float(np.nanmedian(stage.depth(0.0))), rel=0.1)


def test_an_anchored_path_has_the_pose_at_its_moment() -> None:
    path = CameraPath((pan(30), dolly(0.4)), None, 2.0, np.eye(4), 3.0, 100.0)
    anchor = np.eye(4)
    anchor[:3, 3] = 1, 2, 3
    moved = path.anchored(anchor, 0.7)
    assert moved.intended_world_from_cam(1.4) == pytest.approx(anchor, abs=1e-12)
    assert moved.intended_dofs(np.array([2.0])) == pytest.approx(path.intended_dofs(np.array([2.0])))


GROUND = Scene((), np.eye(4), np.array([0.0, 1.5, 3.0]))


def path_of(*curves: Move, shake: Shake | None = None) -> CameraPath:
    linear = tuple(replace(curve, ease=Ease.LINEAR) for curve in curves)
    return CameraPath(linear, shake, 2.0, np.eye(4), 8.0, 150.0)


def in_picture(spec: ActorSpec, path: CameraPath, time_s: float) -> Float:
    """Horizontal position of the middle of an actor's feet, -1 to 1, and its distance along the optical axis."""
    movers = build_actors((spec,), GROUND, path, size_px=SIZE, rng=np.random.default_rng(0))
    feet = movers[-1].world_from_mover(time_s)[:3, 3]
    cam_from_world = path.cam_from_world(np.array([time_s]))[0]
    in_cam = transform_points(cam_from_world, feet[None])
    x = project(in_cam, 150.0, SIZE)[0, 0]
    return np.array([x / (SIZE[0] / 2) - 1, in_cam[0, 2]])


@pytest.mark.parametrize("curve", [pan(30), truck(0.4), dolly(0.3)])
def test_a_followed_actor_keeps_its_place_in_the_picture(curve: Move) -> None:
    spec, path = ActorSpec(WALKER, 0.2, -0.3, -0.3, follows=1.0), path_of(curve)
    seen = np.array([in_picture(spec, path, t) for t in (0.0, 1.0, 2.0)])
    assert seen[:, 0] == pytest.approx(-0.3, abs=1e-6)
    assert np.ptp(seen[:, 1]) == pytest.approx(0, abs=1e-6)


def test_a_crossing_actor_walks_from_one_side_to_the_other_and_one_that_goes_against_the_camera_outruns_it() -> None:
    still = path_of()
    assert [in_picture(ActorSpec(VAN, 0.2, -0.9, 0.9), still, t)[0] for t in (0.0, 1.0, 2.0)] == pytest.approx([-0.9, 0, 0.9], abs=1e-6)
    sideways = path_of(truck(0.3))
    drift = {follows: in_picture(ActorSpec(WALKER, 0.2, 0.0, 0.0, follows), sideways, 2.0)[0] for follows in (-0.5, 0.0, 0.5, 1.0)}
    assert drift[-0.5] < drift[0.0] < drift[0.5] < drift[1.0] == pytest.approx(0, abs=1e-6)


def test_an_actor_comes_as_near_as_it_is_told() -> None:
    spec = ActorSpec(WALKER, 0.2, 0.0, 0.0, approach=0.5)
    assert in_picture(spec, path_of(), 2.0)[1] == pytest.approx(0.5 * in_picture(spec, path_of(), 0.0)[1])


@pytest.mark.parametrize("kind", MoverKind)
@pytest.mark.parametrize("share", [0.08, 0.3])
def test_an_actor_fills_its_share_of_the_picture(kind: MoverKind, share: float) -> None:
    stage = scouted(seed=6, movers=(ActorSpec(kind, share, 0.0, 0.0),))
    seen = stage.renderer.mover_mask(stage.view(0.0)).mean()
    assert 0.4 * share < seen < 1.6 * share  # legs and head may be cut off; a van's front is nearer than its middle
    distance, scale = distance_and_scale(ActorSpec(kind, share, 0, 0), stage.path, SIZE)
    assert distance <= 0.75 * stage.path.depth_m
    assert 0 < scale <= 1
