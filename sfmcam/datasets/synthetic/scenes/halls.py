"""Indoor sets with a special depth: a hall of crates, a nearly flat wall of paintings, things close to the camera on a table."""

from __future__ import annotations

import numpy as np

from sfmcam.datasets.synthetic.scene import Scene, horizontal
from sfmcam.datasets.synthetic.scenes.interiors import room_pictures
from sfmcam.datasets.synthetic.scenes.lighting import Light, with_shadows
from sfmcam.datasets.synthetic.scenes.props import Prop, Studio, bookcase, carton_prop, crate_prop, paint_of, potted_plant
from sfmcam.datasets.synthetic.scenes.shell import WALL_GAINS, Shell, assemble, on_wall, pick
from sfmcam.datasets.synthetic.textures import indoor, materials
from sfmcam.datasets.synthetic.textures.patch import Patch, to_uint8, varied
from sfmcam.datasets.synthetic.textures.photographs import photograph


def storehouse(rng: np.random.Generator) -> Scene:
    """Hall with stacked crates and cartons on a concrete floor."""
    studio = Studio(rng, Light((0.7, -1.0, -0.6), ambient=0.5, diffuse=0.6, color=(1.0, 0.96, 0.88)), 95)
    shell = Shell(-6.0, 6.0, -3.0, 1.6, -4.5, 9.0)
    props: list[Prop] = []
    for x, z in (
        (-2.6, 3.6),
        (-1.5, 5.6),
        (0.2, 6.6),
        (1.9, 4.9),
        (3.0, 3.4),
        (-4.2, 5.0),
        (4.6, 6.0),
        (1.2, 3.2),
        (-3.6, 2.4),
        (-0.6, 4.2),
    ):
        place = (x + float(rng.uniform(-0.25, 0.25)), 1.6, z + float(rng.uniform(-0.25, 0.25)))
        make, side = (crate_prop, rng.uniform(0.7, 1.1)) if rng.random() < 0.6 else (carton_prop, rng.uniform(0.5, 0.7))
        props.append(make(studio, place, (float(side), float(side), float(side)), turn_deg=float(rng.uniform(0, 90))))
        if rng.random() < 0.6:
            small = float(side * rng.uniform(0.5, 0.8))
            props.append(carton_prop(studio, (place[0], 1.6 - float(side), place[2]), (small,) * 3, turn_deg=float(rng.uniform(0, 90))))
    brick = varied(pick(rng, [(0.56, 0.34, 0.27), (0.62, 0.58, 0.52)]), rng, 0.08)
    walls = [shell.wall(side, lambda patch: materials.bricks(patch, rng, brick), studio, gain=gain * 0.9) for side, gain in WALL_GAINS]
    floor = shell.floor(lambda patch: materials.concrete(patch, rng, (0.56, 0.55, 0.52)), studio, props)
    roof = shell.ceiling(lambda patch: materials.planks(patch, rng, (0.3, 0.25, 0.2), plank_m=0.3) * np.float32(0.8), studio)
    return assemble([*walls, floor, roof], props, mover_ground=(0.0, 1.6, 3.0))


def gallery(rng: np.random.Generator) -> Scene:
    """A wall of paintings seen face on: nearly flat, with a strip of floor."""
    studio = Studio(rng, Light((0.0, -1.0, -1.0), ambient=0.62, diffuse=0.45), 150)
    shell = Shell(-5.0, 5.0, -1.7, 1.5, -3.0, 3.4)
    tint = varied(pick(rng, [(0.46, 0.2, 0.18), (0.3, 0.38, 0.34), (0.62, 0.6, 0.56)]), rng, 0.08)
    walls = {side: shell.wall(side, paint_of(rng, tint), studio, gain=gain) for side, gain in WALL_GAINS}
    hung = []
    for left in np.arange(0.5, 8.8, 1.55):
        for bottom in (0.55, 1.75):
            patch = Patch(float(rng.uniform(0.8, 1.3)), float(rng.uniform(0.7, 1.05)), studio.texels_per_m)
            paint = indoor.painting if rng.random() < 0.75 else indoor.poster
            jitter = float(rng.uniform(0, 0.2))
            hung.append(on_wall(walls["far"], paint(patch, rng), left_m=float(left) + jitter, bottom_m=bottom + jitter / 2, patch=patch))
    oak = varied((0.5, 0.36, 0.22), rng, 0.1)
    floor = shell.floor(lambda patch: materials.planks(patch, rng, oak), studio, [])
    roof = shell.ceiling(paint_of(rng, (0.8, 0.8, 0.78)), studio)
    return assemble([*walls.values(), floor, roof, *hung], [], mover_ground=(0.0, 1.5, 2.4))


def exhibition(rng: np.random.Generator) -> Scene:
    """Hall hung with photographs; more of them on panels that stand in it near and far."""
    studio = Studio(rng, Light((0.3, -1.0, -0.7), ambient=0.68, diffuse=0.38), 110)
    shell = Shell(-4.5, 4.5, -2.2, 1.5, -4.0, 8.0)
    walls = {side: shell.wall(side, paint_of(rng, varied((0.66, 0.65, 0.62), rng, 0.08)), studio, gain=gain) for side, gain in WALL_GAINS}
    panels = [_panel(studio, x, z) for x, z in ((-1.5, 2.7), (1.2, 3.4), (-2.8, 4.2), (2.9, 4.9), (0.1, 5.4), (-1.7, 6.4), (1.9, 6.8))]
    hung = []
    for side, length in (("far", 9.0), ("left", 12.0), ("right", 12.0), ("near", 9.0)):
        for left in np.arange(0.4, length - 2.0, 2.2):
            sheet = Patch(float(rng.uniform(1.3, 1.9)), float(rng.uniform(1.1, 1.7)), studio.texels_per_m)
            bottom = float(rng.uniform(0.9, 1.4))
            hung.append(on_wall(walls[side], photograph(sheet, rng), left_m=float(left), bottom_m=bottom, patch=sheet))
    floor = shell.floor(lambda patch: materials.planks(patch, rng, varied((0.45, 0.36, 0.26), rng, 0.15)), studio, panels)
    roof = shell.ceiling(paint_of(rng, (0.8, 0.8, 0.78)), studio)
    return assemble([*walls.values(), floor, roof, *hung], panels, mover_ground=(0.0, 1.5, 3.0))


def _panel(studio: Studio, x: float, z: float) -> Prop:
    rng = studio.rng
    place = (x + float(rng.uniform(-0.3, 0.3)), 1.5, z + float(rng.uniform(-0.2, 0.2)))
    size = (float(rng.uniform(0.9, 1.5)), float(rng.uniform(1.1, 1.9)), 0.06)
    return studio.prop(place, size, lambda patch: photograph(patch, rng), turn_deg=float(rng.uniform(-35, 35)))


def table_top(rng: np.random.Generator) -> Scene:
    """Small things close to the camera on a table, a room behind."""
    studio = Studio(rng, Light((-0.8, -1.0, -0.5), ambient=0.6, diffuse=0.5, color=(1.0, 0.96, 0.9)), 420)
    props = [_small_thing(studio, float(x), float(z)) for x, z in zip(rng.uniform(-1.1, 1.1, 15), np.linspace(0.75, 2.0, 15), strict=True)]
    color = varied((0.5, 0.34, 0.2), rng, 0.15)
    boards = Patch(3.2, 2.4, 330)
    corner = (-1.6, 0.35, 2.3)
    picture = with_shadows(
        materials.planks(boards, rng, color, plank_m=0.2), boards, corner, footprints=(p.footprint for p in props), light=studio.light
    )
    shell = Shell(-3.0, 3.0, -1.6, 1.1, -3.0, 3.2)
    rough = Studio(rng, studio.light, 110)
    walls = {side: shell.wall(side, paint_of(rng, varied((0.6, 0.58, 0.52), rng, 0.1)), rough, gain=gain) for side, gain in WALL_GAINS}
    shelf = bookcase(Studio(rng, studio.light, 230), (float(rng.uniform(-0.8, 0.8)), 1.1, 3.0), (2.2, 2.2, 0.3))
    hung = room_pictures(walls, rng, 150)
    floor = shell.floor(lambda patch: materials.planks(patch, rng, (0.4, 0.3, 0.22)), rough, [])
    surfaces = [*walls.values(), floor, shell.ceiling(paint_of(rng, (0.8, 0.8, 0.78)), rough), *hung]
    surfaces.append(horizontal(corner, (3.2, 2.4), to_uint8(picture)))
    return assemble(surfaces, [*props, shelf], mover_ground=(0.0, 0.35, 0.9), pitch_deg=-10)


def _small_thing(studio: Studio, x: float, z: float) -> Prop:
    rng = studio.rng
    place, turn, kind = (x, 0.35, z), float(rng.uniform(0, 90)), rng.random()
    if kind < 0.25:
        return potted_plant(studio, place, float(rng.uniform(0.3, 0.45)))
    size = (float(rng.uniform(0.08, 0.28)), float(rng.uniform(0.05, 0.3)), float(rng.uniform(0.08, 0.2)))
    if kind < 0.5:
        return carton_prop(studio, place, size, turn_deg=turn)
    if kind < 0.75:
        return studio.prop(place, size, lambda patch: indoor.poster(patch, rng), turn_deg=turn)
    return crate_prop(studio, place, size, turn_deg=turn)
