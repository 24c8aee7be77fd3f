"""What the camera does in a random clip: one primitive, several at once or in turn, an arc, a crane, a dolly zoom, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from sfmcam.datasets.synthetic.camera_path import Arc, Curve, DollyZoom, Ease, Move, Shake
from sfmcam.datasets.synthetic.chance import Chance, log_uniform
from sfmcam.datasets.synthetic.labels import Thresholds
from sfmcam.motion.primitive import PRIMITIVES, ROTATION_DOFS, Dof, Primitive

DIRECTIONS = tuple(primitive for primitive in PRIMITIVES if primitive.dof is not None)
JUST_ABOVE = 1.12  # the smallest amounts, over the `yes` threshold
# per degree of freedom, the largest amount of a primitive: radians, scene depths, log focal
LARGEST = {
    Dof.TILT: float(np.radians(38)),
    Dof.PAN: float(np.radians(75)),
    Dof.ROLL: float(np.radians(60)),
    Dof.RIGHT: 0.7,
    Dof.DOWN: 0.5,
    Dof.IN: 0.6,
    Dof.ZOOM: 1.0,
}
SHAKY_ANYWAY = 0.25  # share of the clips with an intended motion that are hand-held
DRIFTING = 0.2  # share of the same with a small extra motion below the `no` threshold


class Kind(StrEnum):
    """Family of a camera's plot."""

    PURE = "pure"
    PAIR = "pair"
    TRIPLE = "triple"
    ARC = "arc"
    CRANE = "crane"
    DOLLY_ZOOM = "dolly_zoom"
    SEQUENCE = "sequence"
    BACK = "there_and_back"
    LOCKED = "locked_off"
    SHAKY = "shaky"


@dataclass(frozen=True)
class Plot:
    """A card of the deck: a kind, and which one of its kind."""

    kind: Kind
    number: int


def _deck() -> tuple[Plot, ...]:
    counts = {
        Kind.PURE: 28,
        Kind.PAIR: 14,
        Kind.TRIPLE: 5,
        Kind.ARC: 4,
        Kind.CRANE: 4,
        Kind.DOLLY_ZOOM: 4,
        Kind.SEQUENCE: 6,
        Kind.BACK: 2,
        Kind.LOCKED: 7,
        Kind.SHAKY: 6,
    }
    return tuple(Plot(kind, number) for kind, count in counts.items() for number in range(count))


DECK = _deck()  # 80 cards: every direction twice pure, twice in a pair, about once in a triple


@dataclass(frozen=True)
class CameraPlan:
    """A camera's plot worked out: name, curves and shake."""

    name: str
    curves: tuple[Curve, ...]
    shake: Shake | None


def plan_camera(chance: Chance, rng: np.random.Generator) -> CameraPlan:
    """Return what the camera does in a clip, drawing amounts and timing from `rng`."""
    plot = chance.deal("plot", DECK)
    name, curves = _curves(plot, chance, rng)
    if plot.kind is Kind.LOCKED:
        return CameraPlan(name, (), None)
    if plot.kind is Kind.SHAKY:
        return CameraPlan(name, (), _shake(rng, (0.04, 0.9), (0.0004, 0.015)))
    if rng.random() < DRIFTING:
        curves = (*curves, *_drift(curves, rng))
    return CameraPlan(name, curves, _shake(rng, (0.04, 0.5), (0.0004, 0.01)) if rng.random() < SHAKY_ANYWAY else None)


def _curves(plot: Plot, chance: Chance, rng: np.random.Generator) -> tuple[str, tuple[Curve, ...]]:
    side = (-1) ** plot.number
    if plot.kind is Kind.PURE:
        primitive = DIRECTIONS[plot.number % len(DIRECTIONS)]
        return primitive.id, (_move(primitive, rng, timing=_span(rng)),)
    if plot.kind in (Kind.PAIR, Kind.TRIPLE):
        chosen = _hand(plot, chance, size=2 if plot.kind is Kind.PAIR else 3)
        return str(plot.kind), tuple(_move(primitive, rng, timing=_span(rng), largest=0.7) for primitive in chosen)
    if plot.kind is Kind.SEQUENCE:
        return str(plot.kind), _sequence(_hand(plot, chance, size=2), rng)
    if plot.kind is Kind.BACK:
        return str(plot.kind), _there_and_back(_hand(plot, chance, size=1)[0], rng)
    if plot.kind is Kind.ARC:
        angle = np.radians(log_uniform(rng, 9, 48))
        return f"arc_{'right' if side > 0 else 'left'}", (Arc(float(side * angle), radius=float(rng.uniform(0.6, 1.3)), ease=_ease(rng)),)
    if plot.kind is Kind.CRANE:
        return f"crane_{'up' if side > 0 else 'down'}", _crane(side, rng, looks_back=plot.number < 2)
    if plot.kind is Kind.DOLLY_ZOOM:
        return f"dolly_zoom_{'in' if side > 0 else 'out'}", (_dolly_zoom(side, rng),)
    return str(plot.kind), ()


def _hand(plot: Plot, chance: Chance, *, size: int) -> tuple[Primitive, ...]:
    """Return `size` primitives of different degrees of freedom; within a run of clips each is used about equally often."""
    rng = chance.block_generator(f"hand of {plot.kind}", len(DECK))
    while True:
        piles = np.stack([rng.permutation(len(DIRECTIONS)) for _ in range(size)], axis=1)
        if all(len({DIRECTIONS[k].dof for k in row}) == size for row in piles):
            return tuple(DIRECTIONS[k] for k in piles[plot.number % len(piles)])


def _move(primitive: Primitive, rng: np.random.Generator, *, timing: tuple[float, float], largest: float = 1.0) -> Move:
    """Return a primitive by an amount from just above its threshold to `largest` of the most, log-uniformly."""
    assert primitive.dof is not None
    low = JUST_ABOVE * Thresholds().bounds(primitive.dof)[1]
    amount = log_uniform(rng, low, LARGEST[primitive.dof] * largest)
    return Move(primitive.dof, primitive.sign * amount, *timing, ease=_ease(rng))


def _span(rng: np.random.Generator) -> tuple[float, float]:
    """Return begin and end of a move, as shares of the clip's time: mostly all of it."""
    return (0.0, 1.0) if rng.random() < 0.6 else (float(rng.uniform(0, 0.3)), float(rng.uniform(0.7, 1)))


def _ease(rng: np.random.Generator) -> Ease:
    return list(Ease)[int(rng.integers(len(Ease)))]


def _sequence(primitives: tuple[Primitive, ...], rng: np.random.Generator) -> tuple[Curve, ...]:
    turn, pause = float(rng.uniform(0.35, 0.6)), float(rng.uniform(0, 0.1))
    first, second = primitives
    return _move(first, rng, timing=(0.0, turn), largest=0.8), _move(second, rng, timing=(turn + pause, 1.0), largest=0.8)


def _there_and_back(primitive: Primitive, rng: np.random.Generator) -> tuple[Curve, ...]:
    assert primitive.dof is not None
    turn = float(rng.uniform(0.35, 0.6))
    there = _move(primitive, rng, timing=(0.0, turn), largest=0.7)
    return there, Move(primitive.dof, -there.amount * float(rng.uniform(0.6, 1.2)), turn, 1.0, _ease(rng))


def _crane(side: int, rng: np.random.Generator, *, looks_back: bool) -> tuple[Curve, ...]:
    """Return a rise or a fall with a tilt: mostly towards what was looked at before, sometimes the other way."""
    ease, height, angle = _ease(rng), log_uniform(rng, 0.12, 0.45), np.radians(log_uniform(rng, 5, 24))
    return Move(Dof.DOWN, -side * height, ease=ease), Move(Dof.TILT, float((-side if looks_back else side) * angle), ease=ease)


def _dolly_zoom(side: int, rng: np.random.Generator) -> DollyZoom:
    subject = float(rng.uniform(0.8, 1.4))
    amount = log_uniform(rng, 0.12, 0.5 * subject) if side > 0 else -log_uniform(rng, 0.12, 0.8 * subject)
    return DollyZoom(amount, subject, _ease(rng))


def _shake(rng: np.random.Generator, rotation_deg: tuple[float, float], translation: tuple[float, float]) -> Shake:
    seed = int(rng.integers(2**32))
    return Shake(float(np.radians(log_uniform(rng, *rotation_deg))), log_uniform(rng, *translation), seed)


def _drift(curves: tuple[Curve, ...], rng: np.random.Generator) -> tuple[Move, ...]:
    """Return a motion that the operator did not mean, too small to count, of a degree of freedom that does nothing otherwise."""
    busy = np.any([np.ptp(curve.dofs(np.linspace(0, 1, 9)), axis=0) > 0 for curve in curves], axis=0)
    idle = [dof for dof in Dof if not busy[dof] and dof is not Dof.ZOOM]
    if not idle:
        return ()
    dof = idle[int(rng.integers(len(idle)))]
    most = Thresholds().bounds(dof)[0] * (0.8 if dof in ROTATION_DOFS else 0.6)
    return (Move(dof, float(rng.uniform(-1, 1) * most), ease=Ease.LINEAR),)
