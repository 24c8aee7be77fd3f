"""Every motion model fitted to one window, each from the starts that it needs."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from sfmcam.estimators.vo.bundle import Adjuster, Freedom, Noise, Observations, Priors, Solution, State, in_depths, mirrored
from sfmcam.estimators.vo.chain import chain_rotations
from sfmcam.estimators.vo.shape import ground_correlation
from sfmcam.estimators.vo.starts import flat_start, grown_start, moving_start
from sfmcam.estimators.vo.widths import are_alike, path_widths
from sfmcam.types import Float

FINE_SIGMA = 0.0009  # of a track, in long sides, before its own noise is known
COARSE = 2.7  # times that, while the way is still far
CORRELATION = 3.0  # a track's errors come from its template and last: this many observations are worth one
NOISE_OVER_MEDIAN = 1.27  # sigma from the median residual of the best model, some of the noise having gone into its parameters
NOISE_RANGE = (0.0003, 0.0022)  # of sigma, in long sides
SHORT_LIVED = 0.5  # mean share of the keyframes that a point is seen in, below which a path is also grown
GROUND_BONUS = 60.0  # in units of the cost, for a correlation of 1
DOLLY = 0.4  # scene depths of the dolly zooms that are tried
KEPT = 2  # minima with different paths that go on to the finer scale


@dataclass(frozen=True)
class Fits:
    """What came out.

    Attributes:
        adjuster: of the window.
        noise: of the observations, from the residuals of the best model.
        best: the best minimum of every model at that noise.
        flipped: the best minimum with another path, of the models that travel and turn, where there is one: most often the other way.
    """

    adjuster: Adjuster
    noise: Noise
    best: dict[Freedom, Solution]
    flipped: dict[Freedom, Solution]


def fit_simple_models(seen: Observations, priors: Priors, *, threads: int = 1) -> dict[Freedom, Solution]:
    """Fit the models that do not turn and move at once, coarsely: the first, quick step of `fit_models`."""
    with ThreadPoolExecutor(threads) as pool:
        return _Solver(Adjuster(seen, priors), priors, pool).turning()


def fit_models(seen: Observations, priors: Priors, *, simple: dict[Freedom, Solution] | None = None, threads: int = 1) -> Fits:
    """Fit all models of `Freedom`; the descents from independent starts share `threads`, whose number changes no result.

    What `fit_simple_models` returned can be handed in as `simple`.
    """
    with ThreadPoolExecutor(threads) as pool:
        solver = _Solver(Adjuster(seen, priors), priors, pool)
        return _fit_models(solver, solver.turning() if simple is None else simple)


def _fit_models(solver: _Solver, turning: dict[Freedom, Solution]) -> Fits:
    moving = solver.refined(Freedom.ROTATION_TRANSLATION, solver.moving(turning))
    everything = solver.refined(Freedom.ALL, solver.everything(turning, moving))
    residual = float(np.median(np.sqrt(everything[0].squared)))
    noise = Noise(float(np.clip(NOISE_OVER_MEDIAN * residual, *NOISE_RANGE)), CORRELATION)
    turned = solver.pool.map(lambda item: solver.adjuster.solve(item[0], item[1].state, noise, iterations=8), turning.items())
    moved = solver.minima(Freedom.ROTATION_TRANSLATION, (*moving, everything[0]), noise)
    free = solver.minima(Freedom.ALL, (*everything, moved[0]), noise)
    travelling = {Freedom.ROTATION_TRANSLATION: moved, Freedom.ALL: free}
    best = dict(zip(turning, turned, strict=True)) | {f: found[0] for f, found in travelling.items()}
    return Fits(solver.adjuster, noise, best, {f: found[1] for f, found in travelling.items() if len(found) > 1})


@dataclass(frozen=True)
class _Solver:
    adjuster: Adjuster
    priors: Priors
    pool: ThreadPoolExecutor

    @property
    def coarse(self) -> Noise:
        return Noise(COARSE * FINE_SIGMA, CORRELATION)

    @property
    def fine(self) -> Noise:
        return Noise(FINE_SIGMA, CORRELATION)

    def turning(self) -> dict[Freedom, Solution]:
        """Fit the models that start from the chain, and the one that only moves."""
        seen, focal = self.adjuster.seen, self.priors.log_focal
        rotation, zoom = chain_rotations(seen, float(np.exp(focal)))
        level = np.full(seen.num_keys, focal)
        still = flat_start(seen, np.tile(np.eye(3), (seen.num_keys, 1, 1)), level)
        starts = {
            Freedom.STATIC: (still, 3),
            Freedom.ROTATION: (flat_start(seen, rotation, level), 8),
            Freedom.ROTATION_ZOOM: (flat_start(seen, rotation, level + zoom - zoom.mean()), 8),
        }
        found = dict(zip(starts, self.pool.map(self._solve_coarsely, starts, *zip(*starts.values(), strict=True)), strict=True))
        start = moving_start(seen, found[Freedom.ROTATION_ZOOM].state, focal)
        return {**found, Freedom.TRANSLATION: self._solve_coarsely(Freedom.TRANSLATION, start, 10)}

    def moving(self, turning: dict[Freedom, Solution]) -> list[Solution]:
        """Fit rotation and translation from all starts."""
        freedom = Freedom.ROTATION_TRANSLATION
        starts = [turning[Freedom.ROTATION].state, turning[Freedom.TRANSLATION].state]
        if self._is_short_lived():
            starts.append(grown_start(self.adjuster.seen, self.priors, turning[Freedom.ROTATION].state, freedom=freedom, noise=self.fine))
        found = self._solve_all(freedom, starts)
        return [*found, self._solve_coarsely(freedom, mirrored(_best(found).state), 10)]

    def everything(self, turning: dict[Freedom, Solution], moving: list[Solution]) -> list[Solution]:
        """Fit the whole model from the two kinds of simpler ones."""
        zooming = turning[Freedom.ROTATION_ZOOM].state
        found = self._solve_all(Freedom.ALL, [_dollied(zooming, DOLLY), _dollied(zooming, -DOLLY), *(s.state for s in moving)])
        best = _best(found).state
        return [*found, *self._solve_all(Freedom.ALL, [mirrored(best), mirrored(best, zooms=True)])]

    def refined(self, freedom: Freedom, found: Iterable[Solution]) -> list[Solution]:
        """Take the best few on to the finer scale, best first."""
        fine = self.pool.map(lambda s: self.adjuster.solve(freedom, s.state, self.fine, iterations=10), _distinct(found))
        return sorted(fine, key=_rank)

    def minima(self, freedom: Freedom, starts: Iterable[Solution], noise: Noise) -> list[Solution]:
        """Descend from some solutions at the noise of the tracks, and return the few best minima that differ."""
        return _distinct(self.pool.map(lambda s: self.adjuster.solve(freedom, _entering(freedom, s.state), noise, iterations=12), starts))

    def _solve_all(self, freedom: Freedom, starts: Iterable[State]) -> list[Solution]:
        return list(self.pool.map(lambda s: self._solve_coarsely(freedom, _entering(freedom, s), 10), starts))

    def _solve_coarsely(self, freedom: Freedom, start: State, iterations: int) -> Solution:
        return self.adjuster.solve(freedom, start, self.coarse, iterations=iterations)

    def _is_short_lived(self) -> bool:
        seen = self.adjuster.seen
        return len(seen.key) < SHORT_LIVED * seen.num_points * seen.num_keys


def _entering(freedom: Freedom, state: State) -> State:
    """Fit a state to a model with one focal length."""
    return state if freedom.zooms else replace(state, log_focal=np.full_like(state.log_focal, state.log_focal.mean()))


def _dollied(state: State, way: float) -> State:
    """Let a turning, zooming camera go `way` scene depths ahead, evenly, and zoom out as much: what it shows hardly changes.

    From a camera that does not move, the descent finds one of the two dolly zooms by chance; from here it finds the one it starts in.
    """
    ahead = way * np.linspace(0, 1, len(state.rotation))
    centers = np.column_stack([np.zeros((len(ahead), 2)), ahead])
    return replace(state, translation=-np.einsum("kij,kj->ki", state.rotation, centers), log_focal=state.log_focal + np.log1p(-ahead))


def _best(found: Iterable[Solution]) -> Solution:
    return min(found, key=_rank)


def _distinct(found: Iterable[Solution]) -> list[Solution]:
    """Return the best few solutions whose paths differ, best first."""
    kept: list[tuple[Solution, Float]] = []
    for solution in sorted(found, key=_rank):
        path = path_widths(in_depths(solution.state)[0])
        if len(kept) < KEPT and not any(are_alike(path, other) for _, other in kept):
            kept.append((solution, path))
    return [solution for solution, _ in kept]


def _rank(found: Solution) -> float:
    return found.cost - GROUND_BONUS * ground_correlation(found.state)
