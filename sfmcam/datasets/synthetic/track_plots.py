"""What the camera does in a random track clip: a deck in which what is easily confused is frequent, and amounts down to next to none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sfmcam.datasets.synthetic.camera_path import Arc, Curve, DollyZoom, Ease, Move, Shake
from sfmcam.datasets.synthetic.chance import log_uniform
from sfmcam.datasets.synthetic.labels import Thresholds
from sfmcam.datasets.synthetic.plots import DIRECTIONS, LARGEST, CameraPlan
from sfmcam.motion.primitive import ROTATION_DOFS, Dof, Primitive

CONFUSED = {"zoom_dolly": (Dof.ZOOM, Dof.IN), "pan_truck": (Dof.PAN, Dof.RIGHT), "tilt_pedestal": (Dof.TILT, Dof.DOWN)}
SIGNS = ((1, 1), (1, -1), (-1, 1), (-1, -1))
SMALLEST = 0.5  # the least amount, over the `no` threshold
LEAN = 0.7  # below 1, large amounts are somewhat more frequent than log-uniform ones, so that about 70 % are seen as motion
SHAKY_ANYWAY, DRIFTING = 0.3, 0.2  # shares of the clips
SHAKE_ROTATION_DEG, SHAKE_TRANSLATION = (0.01, 1.0), (0.0002, 0.02)

Card = tuple[str, int]  # a plot, and which one of its kind


def _deck() -> tuple[Card, ...]:
    counts = {
        "pure": 3 * len(DIRECTIONS),
        "zoom_dolly": 12,
        "pan_truck": 12,
        "tilt_pedestal": 12,
        "with_roll": 12,
        "pair": 12,
        "triple": 12,
        "arc": 6,
        "crane": 4,
        "dolly_zoom": 6,
        "sequence": 8,
        "there_and_back": 6,
        "locked_off": 10,
        "shaky": 10,
    }
    return tuple((plot, number) for plot, count in counts.items() for number in range(count))


TRACK_DECK = _deck()


def plan_track_camera(card: Card, rng: np.random.Generator) -> CameraPlan:
    """Return name, curves and shake of a card, drawing amounts and timing from `rng`."""
    plot, number = card
    if plot == "locked_off":
        return CameraPlan(plot, (), None)
    curves = _curves(plot, number, rng)
    if rng.random() < DRIFTING:
        curves = (*curves, *_drift(curves, rng))
    is_shaky = plot == "shaky" or rng.random() < SHAKY_ANYWAY
    return CameraPlan(plot, curves, _shake(rng) if is_shaky else None)


def _curves(plot: str, number: int, rng: np.random.Generator) -> tuple[Curve, ...]:
    side = 1 if number % 2 == 0 else -1
    if plot == "pure":
        return (_move(DIRECTIONS[number % len(DIRECTIONS)], rng, _span(rng)),)
    if plot in CONFUSED:
        both = [_primitive(dof, sign) for dof, sign in zip(CONFUSED[plot], SIGNS[number % 4], strict=True)]
        return _together(both, rng)
    if plot == "with_roll":
        return _together([_primitive(Dof.ROLL, side), _different(rng, 1, without=Dof.ROLL)[0]], rng)
    if plot in ("pair", "triple"):
        return _together(_different(rng, 2 if plot == "pair" else 3), rng)
    if plot == "sequence":
        return _sequence(_different(rng, 2), rng)
    if plot == "there_and_back":
        return _there_and_back(_different(rng, 1)[0], rng)
    return _rigged(plot, side, rng)


def _rigged(plot: str, side: int, rng: np.random.Generator) -> tuple[Curve, ...]:
    """Return what needs two degrees of freedom to keep in step."""
    if plot == "arc":
        return (Arc(side * float(np.radians(log_uniform(rng, 2, 60))), radius=float(rng.uniform(0.5, 1.4)), ease=_ease(rng)),)
    if plot == "crane":
        ease, looks_back = _ease(rng), rng.random() < 0.6
        angle = float(np.radians(log_uniform(rng, 1, 28))) * (-side if looks_back else side)
        return Move(Dof.DOWN, -side * log_uniform(rng, 0.03, 0.5), ease=ease), Move(Dof.TILT, angle, ease=ease)
    if plot == "dolly_zoom":
        subject = float(rng.uniform(0.7, 1.5))
        amount = log_uniform(rng, 0.04, 0.5 * subject) if side > 0 else -log_uniform(rng, 0.04, 0.8 * subject)
        return (DollyZoom(amount, subject, _ease(rng)),)
    return ()


def _primitive(dof: Dof, sign: int) -> Primitive:
    return next(p for p in DIRECTIONS if p.dof is dof and p.sign == sign)


def _different(rng: np.random.Generator, size: int, *, without: Dof | None = None) -> list[Primitive]:
    """Return primitives of `size` different degrees of freedom."""
    chosen = rng.choice([dof for dof in Dof if dof is not without], size, replace=False)
    return [_primitive(Dof(int(dof)), 1 if rng.random() < 0.5 else -1) for dof in chosen]


def _together(primitives: Sequence[Primitive], rng: np.random.Generator) -> tuple[Curve, ...]:
    """Return moves at the same time, mostly with the same timing: that is when they are hard to tell apart."""
    same = _span(rng) if rng.random() < 0.7 else None
    return tuple(_move(p, rng, same or _span(rng), largest=0.8) for p in primitives)


def _sequence(primitives: Sequence[Primitive], rng: np.random.Generator) -> tuple[Curve, ...]:
    turn, pause = float(rng.uniform(0.35, 0.6)), float(rng.uniform(0, 0.1))
    first, second = primitives
    return _move(first, rng, (0.0, turn), largest=0.8), _move(second, rng, (turn + pause, 1.0), largest=0.8)


def _there_and_back(primitive: Primitive, rng: np.random.Generator) -> tuple[Curve, ...]:
    assert primitive.dof is not None
    turn = float(rng.uniform(0.35, 0.6))
    there = _move(primitive, rng, (0.0, turn), largest=0.7)
    return there, Move(primitive.dof, -there.amount * float(rng.uniform(0.6, 1.2)), turn, 1.0, _ease(rng))


def _move(primitive: Primitive, rng: np.random.Generator, timing: tuple[float, float], largest: float = 1.0) -> Move:
    assert primitive.dof is not None
    low, high = SMALLEST * Thresholds().bounds(primitive.dof)[0], LARGEST[primitive.dof] * largest
    amount = low * (high / low) ** (rng.random() ** LEAN)
    return Move(primitive.dof, primitive.sign * amount, *timing, ease=_ease(rng))


def _span(rng: np.random.Generator) -> tuple[float, float]:
    """Return begin and end of a move, as shares of the clip's time: mostly all of it."""
    return (0.0, 1.0) if rng.random() < 0.6 else (float(rng.uniform(0, 0.3)), float(rng.uniform(0.7, 1)))


def _ease(rng: np.random.Generator) -> Ease:
    return list(Ease)[int(rng.integers(len(Ease)))]


def _shake(rng: np.random.Generator) -> Shake:
    rotation_rad = float(np.radians(log_uniform(rng, *SHAKE_ROTATION_DEG)))
    return Shake(rotation_rad, log_uniform(rng, *SHAKE_TRANSLATION), int(rng.integers(2**32)))


def _drift(curves: tuple[Curve, ...], rng: np.random.Generator) -> tuple[Move, ...]:
    """Return a motion that nobody meant, too small to count, of a degree of freedom that does nothing otherwise."""
    busy = np.any([np.ptp(curve.dofs(np.linspace(0, 1, 9)), axis=0) > 0 for curve in curves] or [np.zeros(len(Dof), bool)], axis=0)
    idle = [dof for dof in Dof if not busy[dof] and dof is not Dof.ZOOM]
    if not idle:
        return ()
    dof = idle[int(rng.integers(len(idle)))]
    most = Thresholds().bounds(dof)[0] * (0.9 if dof in ROTATION_DOFS else 0.7)
    return (Move(dof, float(rng.uniform(-1, 1) * most), ease=Ease.LINEAR),)
