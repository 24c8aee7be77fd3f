"""Open country: meadow, trees, rocks, hills fading into haze. The camera starts at the origin, 1.7 m above the ground."""

from __future__ import annotations

import numpy as np

from sfmcam.datasets.synthetic.scene import Scene, Surface, horizontal, vertical
from sfmcam.datasets.synthetic.scenes.lighting import Footprint, Light, with_shadows
from sfmcam.datasets.synthetic.scenes.props import Prop, Studio, crossed, standing, wood
from sfmcam.datasets.synthetic.scenes.shell import assemble
from sfmcam.datasets.synthetic.scenes.sky import sky_box
from sfmcam.datasets.synthetic.textures import cutouts, materials
from sfmcam.datasets.synthetic.textures.patch import Color, Patch, Picture, fbm, mixed, to_uint8, with_alpha

GROUND_Y = 1.7
HAZE: Color = (0.76, 0.82, 0.88)


def landscape(rng: np.random.Generator) -> Scene:
    """Meadow with a path, a fence, trees and rocks in front of four lines of hills."""
    side = float(rng.choice([-1.0, 1.0]))
    studio = Studio(rng, Light((0.9 * side, -1.2, -0.5), ambient=0.6, diffuse=0.5, color=(1.0, 0.98, 0.93)), 75)
    props = [*_trees(studio), *_rocks(studio), *_fence(studio)]
    surfaces = [*_ground(studio, props), *_hills(rng), *_tufts(studio)]
    return assemble([*surfaces, *sky_box(rng)], props, mover_ground=(0.0, GROUND_Y, 7.0), pitch_deg=-6)


def _ground(studio: Studio, props: list[Prop]) -> list[Surface]:
    """Return three nested meadows, finer ones a little above coarser ones, the finer ones fading out at their rims."""
    rng, surfaces = studio.rng, []
    for level, (half, far, near, density) in enumerate(((420.0, 800.0, 40.0, 1.2), (45.0, 70.0, 16.0, 12.0), (12.0, 20.0, 8.0, 52.0))):
        patch, corner = Patch(2 * half, far + near, density), (-half, GROUND_Y - 0.004 * level, far)
        meadow = mixed(materials.grass(patch, rng, dry=0.35), materials.soil(patch, rng), _path(patch, corner))
        meadow = with_shadows(meadow, patch, corner, footprints=_near_feet(props, half), light=studio.light)
        if level == 0:
            distance = np.clip((far - patch.meters()[1]) / far, 0, 1)
            meadow = mixed(meadow, HAZE, np.broadcast_to(0.45 * distance, patch.shape))
            surfaces.append(horizontal(corner, (patch.width_m, patch.height_m), to_uint8(meadow)))
        else:
            surfaces.append(horizontal(corner, (patch.width_m, patch.height_m), with_alpha(meadow, _ragged_rim(patch, rng))))
    return surfaces


def _near_feet(props: list[Prop], half_m: float) -> list[Footprint]:
    return [p.footprint for p in props] if half_m < 100 else []


def _path(patch: Patch, corner: tuple[float, float, float]) -> Picture:
    """Return where the path runs: the same curve in the world on every meadow."""
    x, y = patch.meters()
    world_x, world_z = x + corner[0], corner[2] - y
    middle = 0.5 + 1.6 * np.sin(world_z / 9.0) + 0.02 * world_z
    return np.clip((0.8 - np.abs(world_x - middle)) * 5, 0, 1).astype(np.float32)


def _ragged_rim(patch: Patch, rng: np.random.Generator) -> Picture:
    x, y = patch.meters()
    rim = np.minimum(np.minimum(x, patch.width_m - x), np.minimum(y, patch.height_m - y)) / patch.width_m
    return np.clip((rim - 0.12 * fbm(patch, rng, cell_m=patch.width_m / 12, octaves=6, gain=0.8)) * 60, 0, 1).astype(np.float32)


def _hills(rng: np.random.Generator) -> list[Surface]:
    """Return four rings of hills round the camera, each farther, higher and hazier."""
    greens: tuple[Color, Color] = ((0.14, 0.2, 0.09), (0.44, 0.5, 0.24))
    blues: tuple[Color, Color] = ((0.2, 0.25, 0.24), (0.5, 0.53, 0.46))
    surfaces = []
    for distance, height, colors, haze, density in (
        (75.0, 12.0, greens, 0.08, 10.0),
        (150.0, 30.0, greens, 0.25, 5.0),
        (320.0, 75.0, blues, 0.45, 2.4),
        (640.0, 170.0, blues, 0.65, 1.2),
    ):
        patch = Patch(2 * distance, height, density)
        for turn in (0.0, 90.0, 270.0):
            outward = np.array([np.sin(np.radians(turn)), 0, np.cos(np.radians(turn))])
            along = np.array([np.cos(np.radians(turn)), 0, -np.sin(np.radians(turn))])
            corner = outward * distance - along * distance
            texture = cutouts.ridge(patch, rng, colors=colors, haze=(HAZE, haze), roughness_m=height / 25)
            surfaces.append(vertical((float(corner[0]), GROUND_Y + 0.2, float(corner[2])), (2 * distance, height), texture, turn_deg=turn))
    return surfaces


def _trees(studio: Studio) -> list[Prop]:
    rng, props = studio.rng, []
    for x, z in (
        (-4.5, 9.0),
        (5.2, 11.0),
        (-9.0, 14.0),
        (9.5, 17.0),
        (-3.0, 21.0),
        (3.6, 26.0),
        (-15.0, 22.0),
        (16.0, 25.0),
        (-8.0, 33.0),
        (9.0, 38.0),
        (-13.0, 5.0),
        (14.0, 6.0),
    ):
        place = (x + float(rng.uniform(-1, 1)), GROUND_Y, z + float(rng.uniform(-1.5, 1.5)))
        scale = float(rng.uniform(0.8, 1.3))
        make, (w, h) = (cutouts.conifer, (3.0, 5.6)) if rng.random() < 0.5 else (cutouts.tree, (4.2, 5.0))
        texture = make(Patch(w * scale, h * scale, studio.texels_per_m if z < 15 else 40), rng)
        props.append(crossed(place, (w * scale, h * scale), texture, turn_deg=float(rng.uniform(0, 90))))
    for x, z in ((-2.6, 6.0), (3.2, 6.8), (-6.4, 7.5), (7.6, 8.2), (1.8, 13.0)):
        place, size = (x, GROUND_Y, z + float(rng.uniform(-0.6, 0.6))), float(rng.uniform(0.8, 1.4))
        props.append(
            crossed(place, (size, 0.8 * size), cutouts.bush(Patch(size, 0.8 * size, 110), rng), turn_deg=float(rng.uniform(0, 90)))
        )
    return props


def _rocks(studio: Studio) -> list[Prop]:
    rng, props = studio.rng, []
    for x, z in ((-1.9, 4.6), (2.4, 5.2), (4.4, 8.0), (-5.0, 5.6), (-3.3, 9.6)):
        w, h, place = float(rng.uniform(0.6, 1.2)), float(rng.uniform(0.35, 0.6)), (x + float(rng.uniform(-0.3, 0.3)), GROUND_Y + 0.02, z)
        stone = standing(place, (w, h), cutouts.boulder(Patch(w, h, 150), rng), turn_deg=float(rng.uniform(-25, 25)))
        props.append(Prop((stone,), Footprint.of_box(place, (0.8 * w, h, 0.25))))
    return props


def _fence(studio: Studio) -> list[Prop]:
    """Return a wooden fence that runs across the meadow, with a gap where the path is."""
    grain = wood(studio.rng, (0.46, 0.38, 0.3))
    props = []
    for left, right in ((-15.0, -0.6), (3.0, 15.0)):
        for x in np.linspace(left, right, 7):
            props.append(studio.prop((float(x), GROUND_Y, 15.0), (0.14, 1.15, 0.14), grain))
        for height in (0.45, 0.9):
            props.append(studio.prop(((left + right) / 2, GROUND_Y - height, 14.92), (right - left, 0.1, 0.05), grain))
    return props


def _tufts(studio: Studio) -> list[Surface]:
    rng, surfaces = studio.rng, []
    for x, z in zip(rng.uniform(-7, 7, 18), rng.uniform(3.2, 13, 18), strict=True):
        texture = cutouts.tufts(Patch(1.2, 0.4, 120), rng)
        surfaces.append(standing((float(x), GROUND_Y, float(z)), (1.2, 0.4), texture, turn_deg=float(rng.uniform(-30, 30))))
    return surfaces
