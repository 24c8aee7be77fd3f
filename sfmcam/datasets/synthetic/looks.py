"""How a random clip looks: where it plays, through which lens, how long, in what light, and what is done to the picture afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sfmcam.datasets.synthetic.camera_path import NUM_DOFS, Curve, picture_motion_px
from sfmcam.datasets.synthetic.chance import Chance, log_uniform, weighted
from sfmcam.datasets.synthetic.finish import PLAIN, Finish, Lettering
from sfmcam.datasets.synthetic.lens import STRONGEST_BARREL, STRONGEST_CUSHION
from sfmcam.motion.primitive import Dof
from sfmcam.types import Float

LOW_TEXTURE_SCENES = ("bare_room", "snowfield")
SCENE_DECK = tuple(
    scene
    for scene, count in {
        "room": 4,
        "corridor": 3,
        "storehouse": 3,
        "gallery": 3,
        "exhibition": 3,
        "table_top": 3,
        "street": 4,
        "garden": 3,
        "poster_wall": 2,
        "landscape": 3,
        "village": 4,
        "thicket": 3,
        "bare_room": 3,
        "snowfield": 2,
    }.items()
    for _ in range(count)
)
LIGHT_DECK = ("dark",) + ("bright",) * 9
OPTICS_DECK = ("distorted",) * 3 + ("rolling",) * 2 + ("plain",) * 20
BARS_DECK = ("bars",) + ("open",) * 10
LETTERING_DECK = (Lettering.CAPTION, Lettering.WATERMARK, *(Lettering.NONE,) * 18)
LENGTH_DECK = ("long",) + ("short",) * 19

LONG_SIDES_PX = ((320, 4.0), (384, 3.0), (448, 1.5), (512, 1.0), (640, 0.5))
ASPECTS = ((16 / 9, 5.0), (4 / 3, 1.5), (2.39, 0.8), (1.0, 0.6), (9 / 16, 1.6), (3 / 4, 0.5))
FRAME_RATES = (
    (24.0, 3.0),
    (25.0, 1.5),
    (30.0, 2.5),
    (12.0, 1.0),
    (15.0, 1.0),
    (8.0, 0.6),
    (10.0, 0.7),
    (6.0, 0.5),
    (50.0, 0.4),
    (60.0, 0.6),
)
SHORT_S, LONG_S = (0.5, 10.0), (10.0, 30.0)  # seconds
LONG_RATES = ((6.0, 1.0), (8.0, 1.0), (10.0, 1.0), (12.0, 1.0), (15.0, 0.7), (24.0, 0.3))
FASTEST = 0.05  # picture widths per frame, on average: beyond, nobody sees what happens
FEWEST_FRAMES, MOST_FRAMES = 8, 150
MOST_PIXELS = 14e6  # of all frames of a clip that is not long, so that large pictures come with fewer frames


@dataclass(frozen=True)
class Format:
    """Size, field of view and timing of a clip."""

    size_px: tuple[int, int]
    hfov_deg: float
    fps: float
    seconds: float


@dataclass(frozen=True)
class Exposure:
    """Light, sensor and encoding of a clip; the fields are those of `ClipSpec`."""

    exposure: float
    noise: float
    shutter: float
    crf: int


def choose_format(chance: Chance, rng: np.random.Generator, curves: tuple[Curve, ...]) -> Format:
    """Return a format in which the camera's motion is neither cut off by the field of view's limits nor too fast to follow."""
    size = _size(rng)
    dofs = sum((curve.dofs(np.linspace(0, 1, 65)) for curve in curves), np.zeros((65, NUM_DOFS)))
    hfov_deg = _hfov_deg(rng, size, dofs)
    focal_px = size[0] / 2 / np.tan(np.radians(hfov_deg) / 2) * np.exp(dofs[:, Dof.ZOOM].max())
    needed = int(np.ceil(picture_motion_px(dofs, float(focal_px), size) / size[0] / FASTEST))
    if chance.deal("length", LENGTH_DECK) == "long":
        fps, seconds = weighted(rng, LONG_RATES), log_uniform(rng, *LONG_S)
        return Format(size, hfov_deg, fps, min(max(seconds, needed / fps), 360 / fps if fps > 12 else LONG_S[1]))
    fps = weighted(rng, FRAME_RATES)
    most = min(MOST_FRAMES, int(MOST_PIXELS / (size[0] * size[1])))
    frames = np.clip(log_uniform(rng, *SHORT_S) * fps, max(FEWEST_FRAMES, min(needed, most)), most)
    return Format(size, hfov_deg, fps, round(float(frames)) / fps)


def choose_exposure(chance: Chance, rng: np.random.Generator) -> Exposure:
    """Return light, noise, motion blur and compression."""
    shutter = float(rng.uniform(0.2, 0.95)) if rng.random() < 0.35 else 0.0
    crf = int(rng.integers(18, 35))
    if chance.deal("light", LIGHT_DECK) == "dark":
        return Exposure(log_uniform(rng, 0.14, 0.38), float(rng.uniform(3, 9)), shutter, crf)
    return Exposure(float(rng.uniform(0.7, 1.1)), log_uniform(rng, 0.4, 3.5), shutter, crf)


def choose_finish(chance: Chance, rng: np.random.Generator) -> Finish:
    """Return what lens, sensor and edit do to the picture; mostly nothing."""
    optics = chance.deal("optics", OPTICS_DECK)
    barrel = rng.random() < 0.7
    strength = rng.uniform(0.25, 1) * (STRONGEST_BARREL if barrel else STRONGEST_CUSHION)
    return Finish(
        distortion=float(strength) if optics == "distorted" else PLAIN.distortion,
        readout=float(rng.uniform(0.3, 0.9)) if optics == "rolling" else PLAIN.readout,
        bars=float(rng.uniform(0.12, 0.3) * (1 if rng.random() < 0.8 else -1)) if chance.deal("bars", BARS_DECK) == "bars" else PLAIN.bars,
        lettering=chance.deal("lettering", LETTERING_DECK),
    )


def _size(rng: np.random.Generator) -> tuple[int, int]:
    """Return a picture's (width, height), both multiples of eight."""
    long_side, aspect = weighted(rng, LONG_SIDES_PX), weighted(rng, ASPECTS)
    short_side = 8 * round(long_side * min(aspect, 1 / aspect) / 8)
    return (long_side, short_side) if aspect >= 1 else (short_side, long_side)


def _hfov_deg(rng: np.random.Generator, size_px: tuple[int, int], dofs: Float) -> float:
    """Return the horizontal field of view at the start; drawn for the longer side, at the middle of a zoom."""
    low, high = weighted(rng, (((25, 38), 0.2), ((38, 75), 0.6), ((75, 110), 0.2)))
    middle = np.tan(np.radians(log_uniform(rng, low, high)) / 2) * size_px[0] / max(size_px)
    zoom_range = (dofs[:, Dof.ZOOM].max() + dofs[:, Dof.ZOOM].min()) / 2
    widest = np.tan(np.radians(55)) * size_px[0] / max(size_px) * np.exp(min(dofs[:, Dof.ZOOM].min(), 0.0))
    return float(np.degrees(2 * np.arctan(min(middle * np.exp(zoom_range), widest))))
