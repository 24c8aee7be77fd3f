"""The other background of a window: what the first fit took for movers may be the scene, and the first background a mover.

A mover that fills the picture and has the better texture wins the robust fit. Whether it did is not to be seen from the fit alone (it is
a question of where movers stand in pictures: `support`), so both are fitted and `belief` weighs them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sfmcam.estimators.vo.bundle import Freedom, Observations, Priors, State
from sfmcam.estimators.vo.select import Candidate, candidates
from sfmcam.estimators.vo.solve import Fits, fit_models
from sfmcam.estimators.vo.starts import flat_start
from sfmcam.estimators.vo.support import held_share
from sfmcam.types import Bool

OUTSIDE = 0.35  # robust weight of a point's residuals, below which the first background does not hold it
MIN_POINTS, MIN_SHARE = 20, 0.15  # of what is outside: fewer are no background
MIN_RATIO = 0.5  # of what the second holds to what the first does: less is a mover, or tracks that slipped
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
    if outside.sum() < MIN_POINTS or weight[outside].sum() < MIN_SHARE * weight.sum():
        return None
    part = fit_models(seen.of_points(outside), priors, threads=threads)
    adjuster = fits.adjuster
    best, flipped = (
        {
            f: adjuster.solve(f, _over_all(seen, outside, solution.state), fits.noise, iterations=ITERATIONS)
            for f, solution in solutions.items()
        }
        for solutions in (part.best, part.flipped)
    )
    found = Fits(adjuster, fits.noise, best, flipped)
    second = candidates(adjuster, {Freedom.ALL: best[Freedom.ALL]}, fits.noise)[Freedom.ALL]
    return found if held_share(seen, second.static) >= MIN_RATIO * held_share(seen, first.static) else None


def _over_all(seen: Observations, known: Bool, state: State) -> State:
    """Return the state of some points with the others added, in the middle of its depths, where the cameras see them on average."""
    flat = flat_start(seen, state.rotation, state.log_focal)
    direction, rho = flat.direction.copy(), np.full(seen.num_points, float(np.median(state.rho)))
    direction[known], rho[known] = state.direction, state.rho
    return replace(state, direction=direction, rho=rho)
