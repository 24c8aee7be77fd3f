"""The other background of a window: what the first fit took for movers may be the scene, and the first background a mover.

A mover that fills the picture and has the better texture wins the robust fit. Whether it did is not to be seen from the fit alone (it is
a question of where movers stand in pictures: `support`), so both are fitted and `belief` weighs them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sfmcam.estimators.vo.bundle import Freedom, Observations, Priors, Solution, State
from sfmcam.estimators.vo.select import Candidate, candidates, trust_of_points
from sfmcam.estimators.vo.solve import Fits, fit_models, fit_simple_models
from sfmcam.estimators.vo.starts import flat_start
from sfmcam.estimators.vo.support import belonging, held_share
from sfmcam.types import Bool

OUTSIDE = 0.35  # robust weight of a point's residuals, below which the first background does not hold it
MIN_POINTS = 20
MIN_RATIO = 0.35  # of what is outside to what the first background holds, as shares of the picture: less is a mover, or tracks that slipped
MIN_HELD = 0.5  # of what is outside, that the second must hold: else it has no motion of its own, or the fit fell back into the first
LEAST_HELD = 0.12  # the same of a camera that moves without turning, found quickly: less never came to MIN_HELD, on 300 clips
ITERATIONS = 12


def swapped_background(seen: Observations, first: Candidate, fits: Fits, priors: Priors, *, threads: int = 1) -> Fits | None:
    """Fit all models to what the first background does not hold; None where that is too little to be a background.

    Args:
        seen: the observations of the window.
        first: the freest model of the first background.
        fits: how it was found; its noise is kept, so that the two compare.
        priors: of the models.
        threads: changes no result.

    Returns:
        Solutions over all points, those of the first background as outliers.
    """
    outside = first.static < OUTSIDE
    weight = seen.weight[seen.point_start[:-1]]
    if outside.sum() < MIN_POINTS or weight[outside].sum() < MIN_RATIO * held_share(seen, first.static) * weight.sum():
        return None
    others = seen.of_points(outside)
    simple = fit_simple_models(others, priors, threads=threads)
    moved = trust_of_points(others, simple[Freedom.TRANSLATION].squared, fits.noise)
    if np.average(belonging(moved), weights=weight[outside]) < LEAST_HELD:
        return None
    part, adjuster = fit_models(others, priors, simple=simple, threads=threads), fits.adjuster

    def over_all(found: dict[Freedom, Solution]) -> dict[Freedom, Solution]:
        return {f: adjuster.solve(f, _over_all(seen, outside, s.state), fits.noise, iterations=ITERATIONS) for f, s in found.items()}

    freest = over_all({Freedom.ALL: part.best[Freedom.ALL]})
    held = belonging(candidates(adjuster, freest, fits.noise)[Freedom.ALL].static)
    if np.average(held[outside], weights=weight[outside]) < MIN_HELD:
        return None
    rest: dict[Freedom, Solution] = {f: solution for f, solution in part.best.items() if f is not Freedom.ALL}
    return Fits(adjuster, fits.noise, over_all(rest) | freest, over_all(part.flipped))


def _over_all(seen: Observations, known: Bool, state: State) -> State:
    """Return the state of some points with the others added, in the middle of its depths, where the cameras see them on average."""
    flat = flat_start(seen, state.rotation, state.log_focal)
    direction, rho = flat.direction.copy(), np.full(seen.num_points, float(np.median(state.rho)))
    direction[known], rho[known] = state.direction, state.rho
    return replace(state, direction=direction, rho=rho)
