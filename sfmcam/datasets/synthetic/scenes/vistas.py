"""Sets of extreme depth: a village seen from the air, and leaves close to the lens in front of open country."""

from __future__ import annotations

import numpy as np

from sfmcam.datasets.synthetic.scene import Scene, Surface, horizontal, vertical
from sfmcam.datasets.synthetic.scenes.lighting import Footprint, Light, with_shadows
from sfmcam.datasets.synthetic.scenes.props import Painter, Prop, Studio, crossed, standing
from sfmcam.datasets.synthetic.scenes.shell import assemble, pick
from sfmcam.datasets.synthetic.scenes.sky import sky_box
from sfmcam.datasets.synthetic.textures import cutouts, materials, outdoor
from sfmcam.datasets.synthetic.textures.patch import Color, Patch, Picture, fbm, mixed, ramp, tinted, to_uint8, varied, with_alpha
from sfmcam.types import UInt8

FLIGHT_M = 34.0  # height of the camera above the village
KNEE_M = 1.1  # height of the camera in the thicket
HAZE: Color = (0.76, 0.82, 0.88)


def village(rng: np.random.Generator) -> Scene:
    """Houses, trees, roads and fields from the air."""
    side = float(rng.choice([-1.0, 1.0]))
    studio = Studio(rng, Light((0.9 * side, -1.3, -0.4), ambient=0.58, diffuse=0.5), 9)
    props = [*_houses(studio), *_scattered_trees(studio)]
    surfaces = []
    for level, (half, far, near, density) in enumerate(((900.0, 1400.0, 400.0, 0.7), (100.0, 160.0, 40.0, 6.5))):
        patch, corner = Patch(2 * half, far + near, density), (-half, FLIGHT_M - 0.06 * level, far)
        ground = _with_roads(_fields(patch, rng), patch, corner)
        if level == 0:
            distance = np.clip((far - patch.meters()[1]) / far, 0, 1)
            surfaces.append(
                horizontal(corner, (2 * half, far + near), to_uint8(mixed(ground, HAZE, np.broadcast_to(0.55 * distance, patch.shape))))
            )
        else:
            ground = with_shadows(ground, patch, corner, footprints=(p.footprint for p in props), light=studio.light)
            surfaces.append(horizontal(corner, (2 * half, far + near), with_alpha(ground, _soft_rim(patch))))
    surfaces += _hills(rng, ground_y=FLIGHT_M, rings=((420.0, 45.0, 0.4), (800.0, 130.0, 0.65)))
    return assemble([*surfaces, *sky_box(rng)], props, mover_ground=(0.0, FLIGHT_M, 50.0), pitch_deg=-24)


def thicket(rng: np.random.Generator) -> Scene:
    """Bushes, tufts and stones from arm's length on, a meadow and hills behind them."""
    studio = Studio(rng, Light((-0.7, -1.2, -0.5), ambient=0.6, diffuse=0.5, color=(1.0, 0.98, 0.93)), 160)
    leaves = [_near_texture(studio, kind) for kind in ("bush", "bush", "tufts", "boulder")]
    props = [*_undergrowth(studio, leaves), *_trunks(studio)]
    surfaces = []
    for level, (half, far, near, density) in enumerate(((420.0, 800.0, 40.0, 1.2), (10.0, 16.0, 6.0, 60.0))):
        patch, corner = Patch(2 * half, far + near, density), (-half, KNEE_M - 0.006 * level, far)
        meadow = mixed(materials.grass(patch, rng, dry=0.4), materials.soil(patch, rng), _soil_share(patch, rng))
        if level == 0:
            distance = np.clip((far - patch.meters()[1]) / far, 0, 1)
            meadow = mixed(meadow, HAZE, np.broadcast_to(0.45 * distance, patch.shape))
            surfaces.append(horizontal(corner, (2 * half, far + near), to_uint8(meadow)))
        else:
            meadow = with_shadows(meadow, patch, corner, footprints=(p.footprint for p in props), light=studio.light)
            surfaces.append(horizontal(corner, (2 * half, far + near), with_alpha(meadow, _soft_rim(patch))))
    surfaces += _hills(rng, ground_y=KNEE_M, rings=((70.0, 13.0, 0.1), (260.0, 60.0, 0.45)))
    return assemble([*surfaces, *sky_box(rng)], props, mover_ground=(0.0, KNEE_M, 2.6), pitch_deg=-5)


def _fields(patch: Patch, rng: np.random.Generator) -> Picture:
    """Return a patchwork of fields with furrows: strips whose colour changes from one to the next."""
    x, y = patch.meters()
    warp = 30 * (fbm(patch, rng, cell_m=160.0, octaves=2) - 0.5)
    column, row = ((x + warp) / 46.0).astype(np.intp), ((y + warp) / 34.0).astype(np.intp)
    kinds = rng.random((int(row.max()) + 2, int(column.max()) + 2)).astype(np.float32)
    crops: list[Color] = [(0.26, 0.34, 0.14), (0.42, 0.44, 0.2), (0.56, 0.48, 0.28), (0.3, 0.4, 0.2), (0.44, 0.36, 0.26)]
    tone = kinds[np.abs(row), np.abs(column)]
    furrow = 0.06 * np.sin((x * np.cos(9 * tone) + y * np.sin(9 * tone)) * 2 * np.pi / 2.2)
    return tinted(ramp(tone, crops), 0.75 + 0.4 * fbm(patch, rng, cell_m=12.0, octaves=7, gain=0.75) + furrow.astype(np.float32))


def _with_roads(ground: Picture, patch: Patch, corner: tuple[float, float, float]) -> Picture:
    """Return the ground with a road that winds away and one across it: the same curves in the world on every ground."""
    x, y = patch.meters()
    world_x, world_z = x + corner[0], corner[2] - y
    along = np.clip((3.2 - np.abs(world_x - 9 * np.sin(world_z / 38.0))) * 2, 0, 1)
    across = np.clip((2.6 - np.abs(world_z - 62 - 0.12 * world_x)) * 2, 0, 1)
    return mixed(ground, (0.47, 0.46, 0.45), np.maximum(along, across).astype(np.float32))


def _houses(studio: Studio) -> list[Prop]:
    """Return the houses of the village; a few fronts and roofs serve all of them."""
    rng = studio.rng
    fronts = [_front(studio, tint) for tint in ((0.8, 0.72, 0.58), (0.74, 0.7, 0.66), (0.66, 0.5, 0.42))]
    props = []
    for z in np.arange(26.0, 130.0, 16.0):
        for x in (-44.0, -27.0, -12.0, 13.0, 29.0, 46.0):
            if rng.random() < 0.62:
                size = (float(rng.uniform(7, 11)), float(rng.uniform(4.5, 8)), float(rng.uniform(7, 12)))
                place = (x + float(rng.uniform(-3, 3)) + 9 * float(np.sin(z / 38.0)), FLIGHT_M, z + float(rng.uniform(-3, 3)))
                side, roof = fronts[int(rng.integers(len(fronts)))]
                turn = float(rng.uniform(0, 90))
                walls = studio.painted_box(place, size, _fixed(side), top=_fixed(roof), turn_deg=turn)
                props.append(Prop(tuple(walls), Footprint.of_box(place, size, turn)))
    return props


def _front(studio: Studio, tint: Color) -> tuple[Picture, Picture]:
    rng, patch = studio.rng, Patch(9.0, 6.0, 18)
    front = outdoor.house_front(patch, rng, outdoor.whitewash(patch, rng, varied(tint, rng, 0.08)))
    tiles = varied(pick(rng, [(0.5, 0.26, 0.2), (0.36, 0.34, 0.35), (0.44, 0.3, 0.24)]), rng, 0.1)
    return front, materials.planks(Patch(9.0, 9.0, 14), rng, tiles, plank_m=0.5, length_m=2.0)


def _fixed(picture: Picture) -> Painter:
    """Return a painter that shows one picture whatever the size."""
    return lambda patch: picture


def _scattered_trees(studio: Studio) -> list[Prop]:
    rng = studio.rng
    sizes = ((cutouts.tree, (6.5, 8.0)), (cutouts.conifer, (4.5, 9.0)), (cutouts.tree, (5.0, 6.0)))
    kinds = [(make(Patch(*size, 20), rng), size) for make, size in sizes]
    props = []
    for x, z in zip(rng.uniform(-75, 75, 34), rng.uniform(18, 150, 34), strict=True):
        texture, size = kinds[int(rng.integers(len(kinds)))]
        props.append(crossed((float(x), FLIGHT_M, float(z)), size, texture, turn_deg=float(rng.uniform(0, 90))))
    return props


def _soft_rim(patch: Patch) -> Picture:
    x, y = patch.meters()
    rim = np.minimum(np.minimum(x, patch.width_m - x), np.minimum(y, patch.height_m - y)) / patch.width_m
    return np.clip(rim * 25, 0, 1).astype(np.float32)


def _hills(rng: np.random.Generator, *, ground_y: float, rings: tuple[tuple[float, float, float], ...]) -> list[Surface]:
    """Return hills on three sides; a ring is its distance, its height, and its share of haze."""
    greens: tuple[Color, Color] = ((0.16, 0.22, 0.12), (0.46, 0.5, 0.3))
    surfaces = []
    for distance, height, haze in rings:
        patch = Patch(2 * distance, height, 800 / distance)
        for turn in (0.0, 90.0, 270.0):
            angle = np.radians(turn)
            outward, along = np.array([np.sin(angle), 0, np.cos(angle)]), np.array([np.cos(angle), 0, -np.sin(angle)])
            texture = cutouts.ridge(patch, rng, colors=greens, haze=(HAZE, haze), roughness_m=height / 25)
            corner = distance * (outward - along)
            surfaces.append(vertical((float(corner[0]), ground_y + 0.2, float(corner[2])), (2 * distance, height), texture, turn_deg=turn))
    return surfaces


def _soil_share(patch: Patch, rng: np.random.Generator) -> Picture:
    return np.clip((fbm(patch, rng, cell_m=4.0) - 0.55) * 6, 0, 1).astype(np.float32)


def _near_texture(studio: Studio, kind: str) -> tuple[UInt8, tuple[float, float]]:
    painters = {"bush": (cutouts.bush, (0.9, 0.75)), "tufts": (cutouts.tufts, (0.8, 0.35)), "boulder": (cutouts.boulder, (0.6, 0.35))}
    paint, size = painters[kind]
    return paint(Patch(*size, 300), studio.rng), size


def _undergrowth(studio: Studio, leaves: list[tuple[UInt8, tuple[float, float]]]) -> list[Prop]:
    """Return plants that leave a lane free in front of the camera and grow up to its height beside it."""
    rng, props = studio.rng, []
    for z in np.arange(0.7, 6.0, 0.28):
        for side in (-1.0, 1.0):
            texture, (w, h) = leaves[int(rng.integers(len(leaves)))]
            scale = float(rng.uniform(0.7, 1.5))
            x = side * float(rng.uniform(0.35, 0.5 + 0.7 * z))
            place, size = (x, KNEE_M + 0.02, float(z)), (w * scale, h * scale)
            upright = standing(place, size, texture, turn_deg=float(rng.uniform(-30, 30)))
            props.append(Prop((upright,), Footprint.of_box(place, (0.6 * size[0], size[1], 0.15))))
    return props


def _trunks(studio: Studio) -> list[Prop]:
    rng, props = studio.rng, []
    texture = cutouts.tree(Patch(3.2, 4.4, 90), rng)
    for x, z in ((-2.6, 3.4), (2.9, 4.4), (-4.5, 7.0), (5.0, 8.5), (0.8, 11.0)):
        place = (x + float(rng.uniform(-0.5, 0.5)), KNEE_M, z + float(rng.uniform(-0.5, 0.5)))
        props.append(crossed(place, (3.2, 4.4), texture, turn_deg=float(rng.uniform(0, 90))))
    return props
