"""Outdoor sets: street, garden, landscape, a wall with posters. The camera starts at the origin, 1.6 m above the ground."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sfmcam.datasets.synthetic.scene import Scene, Surface, horizontal, vertical
from sfmcam.datasets.synthetic.scenes.lighting import Footprint, Light, with_dark_edges, with_shadows
from sfmcam.datasets.synthetic.scenes.props import Painter, Place, Prop, Studio, crossed, standing, van
from sfmcam.datasets.synthetic.scenes.shell import assemble, pick
from sfmcam.datasets.synthetic.scenes.sky import sky_box
from sfmcam.datasets.synthetic.textures import cutouts, materials, outdoor
from sfmcam.datasets.synthetic.textures.patch import Color, Patch, Picture, fbm, mixed, to_uint8, varied, with_alpha
from sfmcam.types import UInt8

GROUND_Y = 1.6

CutoutPainter = Callable[[Patch, np.random.Generator], UInt8]


def street(rng: np.random.Generator) -> Scene:
    """Street between rows of houses, with pavements, trees, lamp posts and parked vans."""
    studio = Studio(rng, _sun(rng), 70)
    props = [*_street_trees(studio), *_parked_vans(studio)]
    road = Patch(7.0, 56.0, 34)
    left_far = (-3.5, GROUND_Y, 48.0)
    asphalt = _with_road_marks(materials.asphalt(road, rng), road)
    surfaces = [
        horizontal(left_far, (7.0, 56.0), to_uint8(with_shadows(asphalt, road, left_far, footprints=_feet(props), light=studio.light)))
    ]
    for side, x in (("left", -6.5), ("right", 3.5)):
        surfaces += _pavement(studio, props, x, kerb_at=3.0 if side == "left" else 0.0)
        surfaces += _row_of_houses(studio, x=-6.5 if side == "left" else 6.5, faces_right=side == "left")
    end = Patch(30.0, 12.0, 26)
    front = outdoor.house_front(end, rng, outdoor.whitewash(end, rng, varied((0.72, 0.66, 0.55), rng, 0.1)))
    surfaces.append(vertical((-15.0, GROUND_Y, 47.5), (30.0, 12.0), to_uint8(studio.light.lit(front, np.array([0, 0, -1.0])))))
    return assemble([*surfaces, *sky_box(rng)], props, mover_ground=(-0.5, GROUND_Y, 6.0), pitch_deg=0)


def garden(rng: np.random.Generator) -> Scene:
    """Lawn with trees, bushes and flower pots close to the camera, enclosed by a brick wall and a fence."""
    studio = Studio(rng, _sun(rng), 110)
    props: list[Prop] = []
    for x, z in ((-2.4, 4.6), (2.7, 5.4), (0.6, 7.0), (-4.4, 6.8), (4.6, 7.4), (-6.5, 5.0), (6.8, 4.4)):
        make, (w, h) = (cutouts.tree, (2.6, 3.6)) if rng.random() < 0.5 else (cutouts.bush, (1.5, 1.2))
        props.append(_plant(studio, make, (x + float(rng.uniform(-0.4, 0.4)), GROUND_Y, z), size_m=(w, h)))
    for x, z in ((-1.5, 2.7), (1.8, 2.9), (-3.4, 3.0), (3.7, 3.2)):
        props.append(_plant(studio, cutouts.bush, (x, GROUND_Y, z + float(rng.uniform(-0.3, 0.3))), size_m=(1.0, 0.85)))
    lawn, left_far = Patch(20.0, 14.0, 75), (-10.0, GROUND_Y, 9.5)
    ground = mixed(materials.grass(lawn, rng), materials.soil(lawn, rng), _path_share(lawn, rng))
    surfaces = [
        horizontal(left_far, (20.0, 14.0), to_uint8(with_shadows(ground, lawn, left_far, footprints=_feet(props), light=studio.light)))
    ]
    brick = varied(pick(rng, [(0.6, 0.36, 0.28), (0.66, 0.6, 0.5)]), rng, 0.08)
    surfaces += _enclosure(studio, lambda patch: materials.bricks(patch, rng, brick), height_m=2.6)
    surfaces += [_tufts(studio, float(x), float(z)) for x, z in zip(rng.uniform(-7, 7, 10), rng.uniform(3, 8.5, 10), strict=True)]
    beyond = Patch(44.0, 7.0, 22)
    for turn, corner in ((0.0, (-22.0, GROUND_Y, 17.0)), (90.0, (19.0, GROUND_Y, 22.0)), (270.0, (-19.0, GROUND_Y, -22.0))):
        surfaces.append(vertical(corner, (44.0, 7.0), _tree_line(beyond, rng), turn_deg=turn))
    return assemble([*surfaces, *sky_box(rng)], props, mover_ground=(0.0, GROUND_Y, 3.9), pitch_deg=-4)


def poster_wall(rng: np.random.Generator) -> Scene:
    """Flat outdoor wall covered with posters, filling most of the view."""
    light = _sun(rng)
    studio = Studio(rng, light, 130)
    wall = Patch(15.0, 4.6, 130)
    base = (
        materials.bricks(wall, rng, varied((0.58, 0.36, 0.28), rng, 0.1))
        if rng.random() < 0.5
        else materials.concrete(wall, rng, (0.62, 0.6, 0.56))
    )
    pasted = outdoor.wall_with_posters(wall, rng, with_dark_edges(base, wall, reach_m=0.25), count=34)
    surfaces = [vertical((-7.5, GROUND_Y, 3.8), (15.0, 4.6), to_uint8(light.lit(pasted, np.array([0, 0, -1.0]))))]
    pavement, left_far = Patch(15.0, 8.0, 90), (-7.5, GROUND_Y, 3.8)
    surfaces.append(horizontal(left_far, (15.0, 8.0), to_uint8(materials.concrete(pavement, rng, (0.55, 0.54, 0.52)) * np.float32(0.9))))
    square = materials.asphalt(Patch(160.0, 100.0, 6), rng)
    surfaces.append(horizontal((-80.0, GROUND_Y + 0.02, 60.0), (160.0, 100.0), to_uint8(square)))
    posts = [_plant(studio, cutouts.lamp_post, (x, GROUND_Y, 3.2), size_m=(0.5, 3.9)) for x in (-3.9, 4.2)]
    return assemble([*surfaces, *sky_box(rng)], posts, mover_ground=(0.0, GROUND_Y, 2.6), pitch_deg=0)


def _sun(rng: np.random.Generator) -> Light:
    """Return a random time of day: white noon, warm evening, or a dull day."""
    side = float(rng.choice([-1.0, 1.0]))
    noon = Light((0.5 * side, -1.4, -0.6), ambient=0.55, diffuse=0.6)
    evening = Light((1.2 * side, -0.8, -0.7), ambient=0.46, diffuse=0.66, color=(1.0, 0.93, 0.8))
    dull = Light((0.2 * side, -1.0, -0.2), ambient=0.72, diffuse=0.25, color=(0.94, 0.97, 1.0))
    return (noon, evening, dull)[int(rng.integers(3))]


def _feet(props: list[Prop]) -> list[Footprint]:
    return [prop.footprint for prop in props]


def _plant(studio: Studio, make: CutoutPainter, place: Place, *, size_m: tuple[float, float]) -> Prop:
    texture = make(Patch(*size_m, studio.texels_per_m), studio.rng)
    return crossed(place, size_m, texture, turn_deg=float(studio.rng.uniform(0, 90)))


def _tufts(studio: Studio, x: float, z: float) -> Surface:
    texture = cutouts.tufts(Patch(1.4, 0.35, studio.texels_per_m), studio.rng)
    return standing((x, GROUND_Y, z), (1.4, 0.35), texture, turn_deg=float(studio.rng.uniform(-25, 25)))


def _with_road_marks(road: Picture, patch: Patch) -> Picture:
    x, y = patch.meters()
    center = (np.abs(x - patch.width_m / 2) < 0.07) & ((y % 4.0) < 2.2)
    edge = np.minimum(np.abs(x - 0.35), np.abs(x - patch.width_m + 0.35)) < 0.05
    worn = 0.85 * np.clip(road.mean(axis=2) * 2.6, 0, 1)
    return mixed(road, (0.88, 0.87, 0.82), (center | edge).astype(np.float32) * worn)


def _pavement(studio: Studio, props: list[Prop], x: float, *, kerb_at: float) -> list[Surface]:
    """Return a pavement 3 m wide, 14 cm above the road, and its kerb."""
    patch, left_far = Patch(3.0, 56.0, 34), (x, GROUND_Y - 0.14, 48.0)
    slabs = materials.concrete(patch, studio.rng, (0.6, 0.58, 0.55), slab_m=0.75)
    top = horizontal(left_far, (3.0, 56.0), to_uint8(with_shadows(slabs, patch, left_far, footprints=_feet(props), light=studio.light)))
    stone = to_uint8(materials.concrete(Patch(56.0, 0.14, 34), studio.rng, (0.5, 0.49, 0.47), slab_m=1.0))
    turn, z = (90.0, 48.0) if kerb_at == 0.0 else (270.0, -8.0)
    return [top, vertical((x + kerb_at, GROUND_Y, z), (56.0, 0.14), stone, turn_deg=turn)]


def _row_of_houses(studio: Studio, *, x: float, faces_right: bool) -> list[Surface]:
    """Return the fronts of a row of houses of different heights and materials, with their side walls."""
    rng, surfaces, z = studio.rng, [], -8.0
    normal = np.array([1.0 if faces_right else -1.0, 0, 0])
    while z < 47:
        width, height = float(rng.uniform(7, 11)), float(rng.uniform(7.5, 13))
        patch = Patch(width, height, 55 if z < 16 else 30)
        front = to_uint8(studio.light.lit(outdoor.house_front(patch, rng, _house_wall(patch, rng)), normal))
        corner, turn = ((x, GROUND_Y, z), 270.0) if faces_right else ((x, GROUND_Y, z + width), 90.0)
        surfaces.append(vertical(corner, (width, height), front, turn_deg=turn))
        side = Patch(8.0, height, 20)
        gable = to_uint8(studio.light.lit(outdoor.whitewash(side, rng, (0.56, 0.52, 0.47)), np.array([0, 0, -1.0])))
        surfaces.append(vertical((x - 8.0 if faces_right else x, GROUND_Y, z), (8.0, height), gable))
        z += width
    return surfaces


def _house_wall(patch: Patch, rng: np.random.Generator) -> Picture:
    if rng.random() < 0.45:
        return materials.bricks(patch, rng, varied(pick(rng, [(0.58, 0.33, 0.26), (0.66, 0.58, 0.46)]), rng, 0.1))
    colors: list[Color] = [(0.8, 0.72, 0.56), (0.68, 0.72, 0.7), (0.78, 0.6, 0.5), (0.82, 0.8, 0.74), (0.6, 0.66, 0.72)]
    return outdoor.whitewash(patch, rng, varied(pick(rng, colors), rng, 0.06))


def _street_trees(studio: Studio) -> list[Prop]:
    rng, ground, props = studio.rng, GROUND_Y - 0.14, []
    for z in (6.5, 14.0, 22.0, 31.0):
        for x in (-4.3, 4.3):
            where = (x, ground, z + float(rng.uniform(-1.2, 1.2)))
            make, size = (cutouts.tree, (3.4, 4.6)) if rng.random() < 0.6 else (cutouts.lamp_post, (0.55, 4.2))
            props.append(_plant(studio, make, where, size_m=size))
    return props


def _parked_vans(studio: Studio) -> list[Prop]:
    rng, props = studio.rng, []
    for x, z in ((2.45, 8.5), (-2.45, 13.0), (2.45, 19.0)):
        color = varied(pick(rng, [(0.82, 0.8, 0.76), (0.3, 0.4, 0.5), (0.62, 0.2, 0.17)]), rng, 0.1)
        place = (x, GROUND_Y, z + float(rng.uniform(-1, 1)))
        props.append(van(studio, place, color, turn_deg=90.0 if x > 0 else -90.0))
    return props


def _path_share(patch: Patch, rng: np.random.Generator) -> Picture:
    """Return where a trodden path runs through a lawn, away from the camera."""
    x, y = patch.meters()
    middle = patch.width_m / 2 + 0.8 * np.sin(y / 2.2 + rng.uniform(0, 6))
    ragged = 0.7 * (fbm(patch, rng, cell_m=0.5) - 0.5)
    return np.clip((0.65 - np.abs(x - middle) + ragged) * 6, 0, 1).astype(np.float32)


def _enclosure(studio: Studio, wall: Painter, *, height_m: float) -> list[Surface]:
    """Return a wall behind the lawn and wooden fences on both sides."""
    patch = Patch(20.0, height_m, 75)
    back = studio.light.lit(with_dark_edges(wall(patch), patch, reach_m=0.3), np.array([0, 0, -1.0]))
    surfaces = [vertical((-10.0, GROUND_Y, 9.5), (20.0, height_m), to_uint8(back))]
    fence = Patch(1.8, 14.0, 60)
    boards = np.rot90(materials.planks(fence, studio.rng, (0.5, 0.38, 0.26), plank_m=0.12, length_m=9.0))
    for x, z, turn, normal in ((-10.0, -4.5, 270.0, 1.0), (10.0, 9.5, 90.0, -1.0)):
        lit = to_uint8(studio.light.lit(np.ascontiguousarray(boards), np.array([normal, 0, 0])))
        surfaces.append(vertical((x, GROUND_Y, z), (14.0, 1.8), lit, turn_deg=turn))
    return surfaces


def _tree_line(patch: Patch, rng: np.random.Generator) -> UInt8:
    """Return the tops of trees beyond a wall, cut out."""
    _, y = patch.meters()
    crowns = fbm(patch, rng, cell_m=3.0, octaves=6, gain=0.6)
    alpha = np.clip(((y / patch.height_m) + 0.9 * (crowns - 0.5) - 0.3) * 25, 0, 1).astype(np.float32)
    leaves = materials.grass(patch, rng, dry=0.1) * np.float32(0.8)
    return with_alpha(mixed(leaves, (0.7, 0.77, 0.82), np.full(patch.shape, 0.2, np.float32)), alpha)
