"""Who moves in a random clip, and where in the picture."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from sfmcam.datasets.synthetic.chance import Chance, log_uniform
from sfmcam.datasets.synthetic.scenes.actors import ActorSpec
from sfmcam.datasets.synthetic.scenes.movers import MoverKind


class Cast(StrEnum):
    """Which part movers play."""

    NONE = "none"
    CROSSING = "crossing"
    FOLLOWED = "followed"
    NEAR = "near"
    WITH = "with"
    AGAINST = "against"
    CROWD = "crowd"
    FILLING = "filling"


COUNTS = {Cast.NONE: 26, Cast.CROSSING: 3, Cast.FOLLOWED: 3, Cast.NEAR: 3, Cast.WITH: 1, Cast.AGAINST: 1, Cast.CROWD: 3, Cast.FILLING: 3}
DECK = tuple(cast for cast, count in COUNTS.items() for _ in range(count))


def cast_movers(chance: Chance, rng: np.random.Generator) -> tuple[ActorSpec, ...]:
    """Return the movers of a clip; about a third of all clips have any."""
    cast = chance.deal("cast", DECK)
    if cast is Cast.NONE:
        return ()
    if cast is Cast.CROWD:
        return tuple(_passer_by(rng, share=(0.02, 0.08)) for _ in range(int(rng.integers(2, 5))))
    if cast is Cast.CROSSING:
        return (_passer_by(rng, share=(0.05, 0.35)),)
    if cast is Cast.FILLING:
        x = float(rng.uniform(-0.2, 0.2))
        share, x_to = float(rng.uniform(0.28, 0.5)), x + float(rng.uniform(-0.25, 0.25))
        return (ActorSpec(MoverKind.VAN, share, x, x_to, float(rng.choice([0.0, 0.6, 1.0, 1.0])), log_uniform(rng, 0.85, 1.2)),)
    x = float(rng.uniform(-0.45, 0.45))
    if cast is Cast.NEAR:
        return (ActorSpec(_kind(rng), float(rng.uniform(0.3, 0.7)), x, x + float(rng.uniform(-0.5, 0.5)), _follows(rng), _approach(rng)),)
    follows = {Cast.FOLLOWED: 1.0, Cast.WITH: float(rng.uniform(0.4, 0.9)), Cast.AGAINST: -float(rng.uniform(0.2, 0.7))}[cast]
    return (ActorSpec(_kind(rng), log_uniform(rng, 0.08, 0.5), x, x + float(rng.uniform(-0.3, 0.3)), follows, _approach(rng)),)


def _passer_by(rng: np.random.Generator, *, share: tuple[float, float]) -> ActorSpec:
    """Return somebody who crosses the picture, from near one edge to near the other, or part of the way."""
    side = float(rng.choice([-1.0, 1.0]))
    begin, end = side * float(rng.uniform(0.4, 1.2)), -side * float(rng.uniform(0.1, 1.2))
    return ActorSpec(_kind(rng), log_uniform(rng, *share), begin, end, 0.0, _approach(rng))


def _kind(rng: np.random.Generator) -> MoverKind:
    return MoverKind.WALKER if rng.random() < 0.75 else MoverKind.VAN


def _follows(rng: np.random.Generator) -> float:
    return float(rng.choice([0.0, 0.6, 1.0]))


def _approach(rng: np.random.Generator) -> float:
    return log_uniform(rng, 0.65, 1.6) if rng.random() < 0.5 else 1.0
