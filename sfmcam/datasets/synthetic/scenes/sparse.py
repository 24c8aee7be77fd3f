"""Sets with little to hold on to: an empty white room, a field of snow in haze."""

from __future__ import annotations

import numpy as np

from sfmcam.datasets.synthetic.scene import Scene, Surface, horizontal, vertical
from sfmcam.datasets.synthetic.scenes.lighting import Light, with_light_pool
from sfmcam.datasets.synthetic.scenes.props import Painter, Prop, Studio, carton_prop, crossed, potted_plant, table
from sfmcam.datasets.synthetic.scenes.shell import WALL_GAINS, Shell, assemble, on_wall, pick
from sfmcam.datasets.synthetic.scenes.sky import FAR_M, HORIZON_M
from sfmcam.datasets.synthetic.textures import cutouts, indoor
from sfmcam.datasets.synthetic.textures.patch import Color, Patch, Picture, fbm, flat, grain, mixed, tinted, to_uint8, varied, with_alpha

GROUND_Y = 1.6


def bare_room(rng: np.random.Generator) -> Scene:
    """Empty room with smooth walls, a door, a window, and one or two things on the floor."""
    studio = Studio(rng, Light((-0.6, -1.2, -0.5), ambient=0.7, diffuse=0.32), 110)
    shell = Shell(-3.2, 3.2, -1.3, 1.5, -3.5, 4.6)
    tint = varied(pick(rng, [(0.82, 0.81, 0.78), (0.7, 0.74, 0.76), (0.78, 0.74, 0.66)]), rng, 0.04)
    walls = {side: shell.wall(side, _smooth(rng, tint), studio, gain=gain) for side, gain in WALL_GAINS}
    door, glass = Patch(0.95, 2.05, studio.texels_per_m), Patch(1.3, 1.2, studio.texels_per_m)
    hung = [
        on_wall(walls["far"], indoor.door(door, rng, (0.7, 0.68, 0.62)), left_m=float(rng.uniform(0.5, 4.5)), bottom_m=0.0, patch=door),
        on_wall(walls["left"], indoor.window(glass, rng), left_m=4.4, bottom_m=1.0, patch=glass),
        on_wall(walls["right"], indoor.window(glass, rng), left_m=1.2, bottom_m=1.0, patch=glass),
    ]
    props: list[Prop] = [potted_plant(studio, (float(rng.choice([-2.6, 2.6])), 1.5, 3.9), 1.0)]
    place = (float(rng.uniform(-1.2, 1.2)), 1.5, float(rng.uniform(3.0, 3.9)))
    if rng.random() < 0.5:
        props.append(carton_prop(studio, place, (0.5, 0.42, 0.45), turn_deg=float(rng.uniform(0, 80))))
    else:
        props.append(table(studio, place, (1.1, 0.7, 0.6), turn_deg=float(rng.uniform(-30, 30))))
    bare = _smooth(rng, varied((0.62, 0.6, 0.57), rng, 0.08))

    def lit_floor(patch: Patch) -> Picture:
        return with_light_pool(bare(patch), patch, (2.0, 3.5), radius_m=1.4, gain=0.25)

    surfaces = [*walls.values(), shell.floor(lit_floor, studio, props), shell.ceiling(_smooth(rng, (0.86, 0.86, 0.85)), studio), *hung]
    return assemble(surfaces, props, mover_ground=(0.0, 1.5, 2.8))


def snowfield(rng: np.random.Generator) -> Scene:
    """Snow under an overcast sky, a few bare trees and stones, wooded hills fading into the haze."""
    studio = Studio(rng, Light((0.3, -1.3, -0.3), ambient=0.75, diffuse=0.25), 60)
    snow: Color = varied((0.86, 0.88, 0.91), rng, 0.02)
    surfaces = []
    for level, (half, far, near, density) in enumerate(((400.0, 600.0, 60.0, 1.5), (24.0, 36.0, 12.0, 36.0))):
        patch = Patch(2 * half, far + near, density)
        drift = 1 + 0.1 * (fbm(patch, rng, cell_m=9.0, stretch=2.5) - 0.5) + 0.1 * (fbm(patch, rng, cell_m=0.8) - 0.5)
        field = tinted(flat(patch, snow), drift + grain(patch, rng, 0.006))
        texture = to_uint8(field) if level == 0 else with_alpha(field, _faded_rim(patch, rng))
        surfaces.append(horizontal((-half, GROUND_Y - 0.01 * level, far), (2 * half, far + near), texture))
    props = [_bare_thing(studio, x, z) for x, z in ((-5.0, 9.0), (4.5, 12.0), (9.0, 20.0), (-12.0, 24.0), (1.5, 32.0), (-2.4, 5.5))]
    return assemble([*surfaces, *_hazy_hills(rng), *_overcast(rng)], props, mover_ground=(0.0, GROUND_Y, 5.0), pitch_deg=-4)


def _smooth(rng: np.random.Generator, color: Color) -> Painter:
    """Return a painter of an even wall: broad, faint mottling and a trace of grain."""

    def paint(patch: Patch) -> Picture:
        tone = 1 + 0.08 * (fbm(patch, rng, cell_m=1.4) - 0.5) + 0.03 * (fbm(patch, rng, cell_m=0.1, octaves=2) - 0.5)
        return tinted(flat(patch, color), tone + grain(patch, rng, 0.004))

    return paint


def _faded_rim(patch: Patch, rng: np.random.Generator) -> Picture:
    x, y = patch.meters()
    rim = np.minimum(np.minimum(x, patch.width_m - x), np.minimum(y, patch.height_m - y)) / patch.width_m
    return np.clip((rim - 0.1 * fbm(patch, rng, cell_m=patch.width_m / 10, octaves=6, gain=0.8)) * 40, 0, 1).astype(np.float32)


def _bare_thing(studio: Studio, x: float, z: float) -> Prop:
    rng = studio.rng
    place = (x + float(rng.uniform(-1, 1)), GROUND_Y, z + float(rng.uniform(-1, 1)))
    kind = rng.random()
    if kind < 0.5:
        size = float(rng.uniform(3.0, 5.0))
        return crossed(place, (0.55 * size, size), cutouts.conifer(Patch(0.55 * size, size, studio.texels_per_m), rng), turn_deg=20)
    if kind < 0.75:
        return crossed(place, (0.5, 3.6), cutouts.lamp_post(Patch(0.5, 3.6, studio.texels_per_m), rng), turn_deg=10)
    return crossed(place, (1.1, 0.6), cutouts.boulder(Patch(1.1, 0.6, 120), rng), turn_deg=float(rng.uniform(0, 90)))


def _hazy_hills(rng: np.random.Generator) -> list[Surface]:
    haze, surfaces = (0.82, 0.84, 0.87), []
    for distance, height, share in ((120.0, 16.0, 0.45), (300.0, 60.0, 0.7)):
        patch = Patch(2 * distance, height, 900 / distance)
        for turn in (0.0, 90.0, 270.0):
            colors: tuple[Color, Color] = ((0.25, 0.28, 0.28), (0.6, 0.63, 0.66))
            texture = cutouts.ridge(patch, rng, colors=colors, haze=(haze, share), roughness_m=height / 20)
            angle = np.radians(turn)
            outward, along = np.array([np.sin(angle), 0, np.cos(angle)]), np.array([np.cos(angle), 0, -np.sin(angle)])
            corner = distance * (outward - along)
            surfaces.append(vertical((float(corner[0]), GROUND_Y + 0.2, float(corner[2])), (2 * distance, height), texture, turn_deg=turn))
    return surfaces


def _overcast(rng: np.random.Generator) -> list[Surface]:
    """Return a sky of one pale tone with hardly a cloud in it, on five sides."""
    patch = Patch(2 * FAR_M, FAR_M, 0.2)
    _, y = patch.meters()
    tone = 0.93 - 0.08 * np.broadcast_to(y / FAR_M, patch.shape) + 0.05 * (fbm(patch, rng, cell_m=FAR_M / 2, stretch=2.0) - 0.5)
    texture = to_uint8(mixed(flat(patch, (0.0, 0.0, 0.0)), (0.93, 0.95, 0.98), tone.astype(np.float32)))
    surfaces = []
    for turn in np.radians([-90, 0, 90, 180]):
        along, outward = np.array([np.cos(turn), 0, -np.sin(turn)]), np.array([np.sin(turn), 0, np.cos(turn)])
        corner = FAR_M * (outward - along) + np.array([0, HORIZON_M - FAR_M, 0])
        surfaces.append(Surface(corner, along * 2 * FAR_M, np.array([0, FAR_M, 0.0]), texture, is_backdrop=True))
    corner = np.array([-FAR_M, HORIZON_M - FAR_M, -FAR_M])
    surfaces.append(Surface(corner, np.array([2 * FAR_M, 0, 0.0]), np.array([0, 0, 2 * FAR_M]), texture, is_backdrop=True))
    return surfaces
