"""Rooms that people live and work in. The camera starts at the origin, 1.5 m above the floor, and looks along +z."""

from __future__ import annotations

import numpy as np

from sfmcam.datasets.synthetic.scene import Scene, Surface, horizontal
from sfmcam.datasets.synthetic.scenes.lighting import Light, with_light_pool
from sfmcam.datasets.synthetic.scenes.props import Prop, Studio, bookcase, carton_prop, crate_prop, paint_of, potted_plant, sofa, table
from sfmcam.datasets.synthetic.scenes.shell import WALL_GAINS, Shell, assemble, on_wall, pick
from sfmcam.datasets.synthetic.textures import indoor, materials
from sfmcam.datasets.synthetic.textures.patch import Color, Patch, Picture, to_uint8, varied


def room(rng: np.random.Generator) -> Scene:
    """Living room with sofa, bookcases, table, plants, window, door and paintings."""
    studio = Studio(rng, Light((-1.0, -1.2, -0.5), ambient=0.66, diffuse=0.42, color=(1.0, 0.97, 0.92)), 125)
    shell = Shell(-3.6, 3.6, -1.35, 1.5, -4.0, 5.0)
    tint = varied(pick(rng, [(0.74, 0.7, 0.6), (0.56, 0.63, 0.62), (0.7, 0.56, 0.48), (0.6, 0.62, 0.7)]), rng, 0.05)
    props = _room_props(studio)
    walls = {side: shell.wall(side, paint_of(rng, tint), studio, gain=gain) for side, gain in WALL_GAINS}
    boards: Color = varied((0.55, 0.38, 0.24), rng, 0.15)

    def floor(patch: Patch) -> Picture:
        wooden = materials.planks(patch, rng, boards)
        return with_light_pool(wooden, patch, (1.6, 3.2), radius_m=1.3, gain=0.35)

    hung = room_pictures(walls, rng, studio.texels_per_m)
    rug_patch = Patch(2.4, 1.7, studio.texels_per_m)
    colors = (varied((0.52, 0.2, 0.17), rng, 0.25), varied((0.82, 0.74, 0.58), rng, 0.1))
    rug = horizontal((-1.3, 1.49, 4.1), (2.4, 1.7), to_uint8(materials.fabric(rug_patch, rng, colors)))
    surfaces = [*walls.values(), shell.floor(floor, studio, props), shell.ceiling(paint_of(rng, (0.84, 0.83, 0.8)), studio), rug, *hung]
    return assemble(surfaces, props, mover_ground=(0.0, 1.5, 2.9))


def _room_props(studio: Studio) -> list[Prop]:
    rng = studio.rng
    side = float(rng.choice([-1, 1]))
    return [
        sofa(studio, (side * 1.3, 1.5, 4.3), 1.9, turn_deg=side * 8),
        bookcase(studio, (-side * 2.2, 1.5, 4.75), (1.5, 2.1, 0.35)),
        table(studio, (side * 0.5, 1.5, 3.0), (1.0, 0.45, 0.6), turn_deg=float(rng.uniform(-15, 15))),
        carton_prop(studio, (side * 0.6, 1.05, 3.0), (0.26, 0.2, 0.2), turn_deg=float(rng.uniform(0, 80))),
        potted_plant(studio, (-side * 1.0, 1.5, 4.5), float(rng.uniform(0.9, 1.3))),
        potted_plant(studio, (side * 2.9, 1.5, 2.6), float(rng.uniform(0.8, 1.2))),
        crate_prop(studio, (-side * 1.9, 1.5, 2.7), (0.55, 0.5, 0.5), turn_deg=float(rng.uniform(10, 70))),
        bookcase(studio, (side * 3.3, 1.5, 0.8), (1.6, 1.9, 0.35), turn_deg=side * 90),
    ]


def room_pictures(walls: dict[str, Surface], rng: np.random.Generator, texels_per_m: float) -> list[Surface]:
    """Hang windows, a door, paintings and posters."""
    door_patch, glass = Patch(0.95, 2.05, texels_per_m), Patch(1.5, 1.35, texels_per_m)
    hung = [
        on_wall(walls["right"], indoor.door(door_patch, rng, (0.62, 0.58, 0.5)), left_m=1.0, bottom_m=0.0, patch=door_patch),
        on_wall(walls["left"], indoor.window(glass, rng), left_m=5.2, bottom_m=0.9, patch=glass),
        on_wall(walls["left"], indoor.window(glass, rng), left_m=2.0, bottom_m=0.9, patch=glass),
    ]
    for side, left in (("far", 1.1), ("far", 2.9), ("far", 4.6), ("right", 2.6), ("left", 7.4), ("near", 1.5), ("near", 4.0)):
        patch = Patch(float(rng.uniform(0.7, 1.2)), float(rng.uniform(0.55, 0.9)), texels_per_m)
        paint = indoor.painting if rng.random() < 0.7 else indoor.poster
        hung.append(on_wall(walls[side], paint(patch, rng), left_m=left, bottom_m=float(rng.uniform(1.35, 1.65)), patch=patch))
    return hung


def corridor(rng: np.random.Generator) -> Scene:
    """Long corridor with doors, posters, plants and a window at its end."""
    studio = Studio(rng, Light((0.2, -1.0, -0.6), ambient=0.68, diffuse=0.35, color=(0.97, 1.0, 0.98)), 120)
    shell = Shell(-1.5, 1.5, -1.2, 1.5, -4.0, 15.0)
    tint = varied(pick(rng, [(0.7, 0.72, 0.66), (0.66, 0.7, 0.74), (0.76, 0.68, 0.58)]), rng, 0.05)
    props = [
        potted_plant(studio, (float(s) * 1.15, 1.5, float(z)), 1.0)
        for s, z in zip((-1, 1, -1), rng.uniform((3, 6, 9), (4, 8, 12)), strict=True)
    ]
    props += [
        carton_prop(studio, (float(s) * 1.1, 1.5, float(z)), (0.5, 0.4, 0.45), turn_deg=float(z) * 9) for s, z in ((1, 4.4), (-1, 7.0))
    ]
    walls = {side: shell.wall(side, paint_of(rng, tint), studio, gain=gain) for side, gain in WALL_GAINS}
    stone = (varied((0.72, 0.7, 0.64), rng, 0.05), varied((0.42, 0.44, 0.44), rng, 0.1))

    def lamps(patch: Patch) -> Picture:
        picture = materials.ceiling(patch, rng)
        for along in np.arange(1.2, patch.height_m, 2.4):
            picture = with_light_pool(picture, patch, (patch.width_m / 2, float(along)), radius_m=0.4, gain=0.8)
        return picture

    hung = _corridor_pictures(walls, rng, studio.texels_per_m)
    floor = shell.floor(lambda patch: materials.tiles(patch, rng, stone), studio, props)
    return assemble([*walls.values(), floor, shell.ceiling(lamps, studio), *hung], props, mover_ground=(0.0, 1.5, 4.5))


def _corridor_pictures(walls: dict[str, Surface], rng: np.random.Generator, texels_per_m: float) -> list[Surface]:
    hung, leaf, glass = [], Patch(1.0, 2.1, texels_per_m), Patch(1.8, 1.5, texels_per_m)
    color = varied((0.42, 0.3, 0.2), rng, 0.3)
    hung.append(on_wall(walls["far"], indoor.window(glass, rng, bars=3), left_m=0.6, bottom_m=0.8, patch=glass))
    for side in ("left", "right"):
        for index, left in enumerate(np.arange(0.8, 17.5, 2.3) + rng.uniform(0, 0.5)):
            if index % 2 == (side == "left"):
                hung.append(on_wall(walls[side], indoor.door(leaf, rng, color), left_m=float(left), bottom_m=0.0, patch=leaf))
                continue
            sheet = Patch(float(rng.uniform(0.6, 1.0)), float(rng.uniform(0.7, 1.1)), texels_per_m)
            hung.append(on_wall(walls[side], indoor.poster(sheet, rng), left_m=float(left), bottom_m=1.1, patch=sheet))
    return hung
