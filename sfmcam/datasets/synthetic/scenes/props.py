"""Furniture and other things: groups of rectangles with the footprint that casts their shadow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sfmcam.datasets.synthetic.scene import BoxTextures, Surface, box
from sfmcam.datasets.synthetic.scenes.lighting import Footprint, Light
from sfmcam.datasets.synthetic.textures.cutouts import bush
from sfmcam.datasets.synthetic.textures.indoor import bookshelf, carton, crate
from sfmcam.datasets.synthetic.textures.materials import fabric, plaster
from sfmcam.datasets.synthetic.textures.outdoor import van_front, van_side
from sfmcam.datasets.synthetic.textures.patch import Color, Patch, Picture, fbm, flat, tinted, to_uint8, varied
from sfmcam.types import UInt8

Place = tuple[float, float, float]  # where a thing stands: x, y of the ground, z
Size = tuple[float, float, float]  # width, height, depth
Painter = Callable[[Patch], Picture]


@dataclass(frozen=True)
class Prop:
    """A thing: what is drawn, and what shades the floor."""

    surfaces: tuple[Surface, ...]
    footprint: Footprint


@dataclass(frozen=True)
class Studio:
    """What every prop of one scene shares: randomness, light and resolution."""

    rng: np.random.Generator
    light: Light
    texels_per_m: float

    def painted_box(
        self, place: Place, size: Size, side: Painter, *, ends: Painter | None = None, top: Painter | None = None, turn_deg: float = 0.0
    ) -> list[Surface]:
        """Return a box lit by direction: front and back share a painting by `side`, left and right one by `ends`."""
        w, h, d = size
        wide, deep = side(Patch(w, h, self.texels_per_m)), (ends or side)(Patch(d, h, self.texels_per_m))
        lid = (top or side)(Patch(w, d, self.texels_per_m))
        turn = np.radians(turn_deg)
        front, right = np.array([-np.sin(turn), 0, -np.cos(turn)]), np.array([np.cos(turn), 0, -np.sin(turn)])
        faces = ((wide, front), (deep, right), (wide, -front), (deep, -right))
        first, second, third, fourth = (to_uint8(self.light.lit(picture, normal)) for picture, normal in faces)
        textures = BoxTextures((first, second, third, fourth), to_uint8(self.light.lit(lid, np.array([0.0, -1.0, 0.0]))))
        return box(place, size, textures, turn_deg=turn_deg)

    def prop(self, place: Place, size: Size, side: Painter, *, turn_deg: float = 0.0) -> Prop:
        """Return a box painted alike on all sides as a prop."""
        surfaces = self.painted_box(place, size, side, turn_deg=turn_deg)
        return Prop(tuple(surfaces), Footprint.of_box(place, size, turn_deg))


def wood(rng: np.random.Generator, color: Color) -> Painter:
    """Return a painter of plain wood without joints, as furniture is made of."""

    def paint(patch: Patch) -> Picture:
        rings = fbm(patch, rng, cell_m=0.06, octaves=4, stretch=12.0)
        return tinted(flat(patch, color), 0.75 + 0.25 * np.sin(30 * rings) * 0.5 + 0.5 * rings)

    return paint


def paint_of(rng: np.random.Generator, color: Color) -> Painter:
    """Return a painter of a plain painted surface."""
    return lambda patch: plaster(patch, rng, color)


def crate_prop(studio: Studio, place: Place, size: Size, *, turn_deg: float = 0.0) -> Prop:
    """Wooden transport crate."""
    color = varied((0.62, 0.47, 0.3), studio.rng, 0.12)
    return studio.prop(place, size, lambda patch: crate(patch, studio.rng, color), turn_deg=turn_deg)


def carton_prop(studio: Studio, place: Place, size: Size, *, turn_deg: float = 0.0) -> Prop:
    """Cardboard box."""
    return studio.prop(place, size, lambda patch: carton(patch, studio.rng), turn_deg=turn_deg)


def bookcase(studio: Studio, place: Place, size: Size, *, turn_deg: float = 0.0) -> Prop:
    """Bookcase with its books to the front."""
    color = varied((0.42, 0.28, 0.17), studio.rng, 0.15)
    plain = wood(studio.rng, color)
    body = studio.painted_box(place, size, plain, turn_deg=turn_deg)
    front = bookshelf(Patch(size[0], size[1], studio.texels_per_m), studio.rng, color)
    face = body[0]
    normal = np.cross(face.right, face.down)
    lit = to_uint8(studio.light.lit(front, -normal / np.linalg.norm(normal)))
    body[0] = replace(face, texture=lit)
    return Prop(tuple(body), Footprint.of_box(place, size, turn_deg))


def table(studio: Studio, place: Place, size: Size, *, turn_deg: float = 0.0) -> Prop:
    """Table: a top on four legs."""
    x, ground, z = place
    w, h, d = size
    grain = wood(studio.rng, varied((0.55, 0.38, 0.22), studio.rng, 0.2))
    thick, leg = 0.05, 0.06
    surfaces = studio.painted_box((x, ground - h + thick, z), (w, thick, d), grain, turn_deg=turn_deg)
    for corner in Footprint.of_box(place, (w - 2 * leg, h, d - 2 * leg), turn_deg).corners:
        surfaces += studio.painted_box((corner[0], ground, corner[1]), (leg, h - thick, leg), grain, turn_deg=turn_deg)
    return Prop(tuple(surfaces), Footprint.of_box(place, size, turn_deg))


def sofa(studio: Studio, place: Place, width_m: float, *, turn_deg: float = 0.0) -> Prop:
    """Sofa: seat, back and arms in patterned cloth."""
    colors = (varied((0.3, 0.36, 0.42), studio.rng, 0.3), varied((0.7, 0.64, 0.52), studio.rng, 0.2))

    def cloth(patch: Patch) -> Picture:
        return fabric(patch, studio.rng, colors)

    turn = np.radians(turn_deg)
    back, side = np.array([np.sin(turn), 0, np.cos(turn)]), np.array([np.cos(turn), 0, -np.sin(turn)])
    parts = [((0.0, 0.0), (width_m, 0.42, 0.9)), ((0.37, 0.0), (width_m, 0.85, 0.2))]
    parts += [((0.0, sign * (width_m / 2 - 0.1)), (0.2, 0.62, 0.92)) for sign in (-1, 1)]
    surfaces: list[Surface] = []
    for (behind, beside), size in parts:
        x, y, z = np.asarray(place) + behind * back + beside * side
        surfaces += studio.painted_box((float(x), float(y), float(z)), size, cloth, turn_deg=turn_deg)
    return Prop(tuple(surfaces), Footprint.of_box(place, (width_m, 0.85, 0.95), turn_deg))


def van(studio: Studio, place: Place, color: Color, *, turn_deg: float = 0.0, drives_right: bool = False) -> Prop:
    """Delivery van, 4.2 m long, heading for its own -x, or for +x if it `drives_right`."""

    def side(patch: Patch) -> Picture:
        painted = van_side(patch, studio.rng, color)
        return np.ascontiguousarray(painted[:, ::-1]) if drives_right else painted

    def end(patch: Patch) -> Picture:
        return van_front(patch, studio.rng, color)

    size = (4.2, 2.0, 1.8)
    body = studio.painted_box(place, size, side, ends=end, top=paint_of(studio.rng, color), turn_deg=turn_deg)
    return Prop(tuple(body), Footprint.of_box(place, size, turn_deg))


def crossed(place: Place, size_m: tuple[float, float], texture: UInt8, *, turn_deg: float = 0.0) -> Prop:
    """Stand a cut-out, `size_m` (width, height), up twice, at right angles, so that it has body from every side."""
    width_m, height_m = size_m
    surfaces = [standing(place, size_m, texture, turn_deg=turn_deg + angle) for angle in (0.0, 90.0)]
    size = (0.35 * width_m, 0.7 * height_m, 0.35 * width_m)
    return Prop(tuple(surfaces), Footprint.of_box(place, size, turn_deg))


def standing(place: Place, size_m: tuple[float, float], texture: UInt8, *, turn_deg: float = 0.0) -> Surface:
    """Stand one cut-out, `size_m` (width, height), up, centred at `place`, facing -z when `turn_deg` is 0."""
    (width_m, height_m), turn = size_m, np.radians(turn_deg)
    along = np.array([np.cos(turn), 0.0, -np.sin(turn)])
    return Surface(np.asarray(place) - along * width_m / 2 - [0, height_m, 0], along * width_m, np.array([0.0, height_m, 0.0]), texture)


def potted_plant(studio: Studio, place: Place, height_m: float) -> Prop:
    """Plant in a square pot."""
    x, ground, z = place
    pot_height, width = 0.32 * height_m, 0.38 * height_m
    pot = studio.painted_box(place, (width, pot_height, width), paint_of(studio.rng, varied((0.6, 0.36, 0.26), studio.rng, 0.25)))
    leaves = bush(Patch(0.9 * height_m, 0.75 * height_m, studio.texels_per_m), studio.rng)
    turn = float(studio.rng.uniform(0, 90))
    crown = crossed((x, ground - 0.9 * pot_height, z), (0.9 * height_m, 0.75 * height_m), leaves, turn_deg=turn)
    return Prop((*pot, *crown.surfaces), Footprint.of_box(place, (0.6 * height_m, height_m, 0.6 * height_m)))
