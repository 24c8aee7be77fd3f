"""The bundle adjustment: its steps are those of dense linear algebra, its minima real ones, and it holds up on windows that say nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from made_windows import ODD, is_finite, observations, seen_by, short_lived, true_state
from scipy.linalg import block_diag
from scipy.optimize import least_squares

from sfmcam.estimators.vo import kernels
from sfmcam.estimators.vo.bundle import ROBUST_SIGMAS, TURN_SIGMA, Adjuster, Freedom, Noise, Observations, Priors, State, bridged, mirrored
from sfmcam.estimators.vo.descent_kernels import FIRST_DAMPING, HOLD
from sfmcam.estimators.vo.starts import flat_start
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Float

NOISE = Noise(0.002, 2.0)
PRIORS = Priors(log_focal=-0.5)
MODELS = pytest.mark.parametrize("freedom", list(Freedom), ids=lambda f: f.name.lower())


def _free(freedom: Freedom, keys: int) -> Float:
    """Return (7 K, F): what each free number of the cameras moves, the shared focal length last."""
    keep = np.zeros((keys, 7), bool)
    keep[1:, :3], keep[1:, 3:6], keep[:, 6] = freedom.turns, freedom.moves, freedom.zooms
    shared = np.tile(np.eye(7)[6], keys)[:, None]
    return np.eye(7 * keys)[:, keep.ravel()] if freedom.zooms else np.hstack([np.eye(7 * keys)[:, keep.ravel()], shared])


def _prior_rows(freedom: Freedom, state: State, priors: Priors) -> tuple[Float, Float]:
    """Return rows (R, 7 K + P) of the priors' derivatives by cameras and inverse depths, and (R,) residuals, whose squares are the cost."""
    keys, points = len(state.rotation), len(state.rho)
    focal = np.kron(np.eye(keys), np.eye(7)[6])  # (K, 7 K)
    rows, off = [focal.mean(axis=0, keepdims=True) / priors.log_focal_sigma], state.log_focal - priors.log_focal
    rest = [np.array([off.mean()]) / priors.log_focal_sigma]
    if freedom.zooms:
        rows += [np.diff(focal, axis=0) / priors.zoom_step_sigma, np.diff(focal, 2, axis=0) / priors.zoom_change_sigma]
        rest += [np.diff(off) / priors.zoom_step_sigma, np.diff(off, 2) / priors.zoom_change_sigma]
    if freedom.moves:
        rows.append(np.kron(np.eye(keys), np.eye(7)[3:6]) / priors.translation_sigma)
        rest.append(state.translation.ravel() / priors.translation_sigma)
    cameras = np.hstack([np.vstack(rows), np.zeros((sum(len(r) for r in rows), points))])
    depths = np.hstack([np.zeros((points, 7 * keys)), np.eye(points) / priors.rho_sigma])
    return np.vstack([cameras, depths]), np.concatenate([*rest, (state.rho - 1) / priors.rho_sigma])


def _dense(freedom: Freedom, seen: Observations, state: State, noise: Noise = NOISE) -> tuple[Float, Float]:
    """Return the full information (F + 3 P) and gradient of a window, robust weights held, by dense algebra."""
    keys, points = seen.num_keys, seen.num_points
    j, r, w = np.zeros((2 * len(seen.key), 7 * keys + 3 * points)), np.zeros(2 * len(seen.key)), np.zeros(2 * len(seen.key))
    for m, (p, k) in enumerate(zip(seen.point, seen.key, strict=True)):
        d = tuple(state.direction[p])
        where = (state.rotation[k], state.translation[k], float(np.exp(state.log_focal[k])), d, float(state.rho[p]))
        x, y, by_camera, by_point = kernels.jacobians(*where, kernels.tangent_plane(d))
        two = slice(2 * m, 2 * m + 2)
        j[two, 7 * k : 7 * k + 7], j[two, 7 * keys + 3 * p : 7 * keys + 3 * p + 3] = by_camera, by_point
        r[two] = np.array([x, y]) - seen.xy[m]
        scale2 = (ROBUST_SIGMAS * noise.sigma) ** 2
        w[two] = seen.weight[m] * (scale2 / (scale2 + r[two] @ r[two])) ** 2 / (noise.sigma**2 * noise.correlation)
    rows, rest = _prior_rows(freedom, state, PRIORS)
    wide = np.zeros((len(rows), 7 * keys + 3 * points))
    wide[:, : 7 * keys], wide[:, 7 * keys + 2 :: 3] = rows[:, : 7 * keys], rows[:, 7 * keys :]
    free = block_diag(_free(freedom, keys), np.eye(3 * points))
    h, g = j.T @ (w[:, None] * j) + wide.T @ wide, j.T @ (w * r) + wide.T @ rest
    return free.T @ h @ free, free.T @ g


def _moved(state: State, cameras: Float, points: Float) -> State:
    """Apply steps (K, 7) and (P, 3), none of them large."""
    turn = rotation_from_vector(cameras[:, :3])
    tangent = np.array([kernels.tangent_plane(tuple(d)) for d in state.direction])
    direction = state.direction + np.einsum("pi,pij->pj", points[:, :2], tangent)
    length = np.linalg.norm(direction, axis=1)
    return State(
        turn @ state.rotation,
        np.einsum("kij,kj->ki", turn, state.translation) + cameras[:, 3:6],
        state.log_focal + cameras[:, 6],
        direction / length[:, None],
        (state.rho + points[:, 2]) / length,
    )


def _numbers(state: State) -> Float:
    return np.concatenate([v.ravel() for v in (state.rotation, state.translation, state.log_focal, state.direction, state.rho)])


def _near(rng: np.random.Generator, truth: State, freedom: Freedom, *, by: float) -> State:
    """Return a state a little off the truth, in what the model leaves free, and otherwise within the model."""
    cameras = (_free(freedom, len(truth.rotation)) @ rng.normal(0, by, _free(freedom, len(truth.rotation)).shape[1])).reshape(-1, 7)
    return _moved(truth, np.asarray(cameras, np.float64), rng.normal(0, by, (len(truth.rho), 3)))


def _truth(rng: np.random.Generator, freedom: Freedom, *, keys: int = 6, points: int = 15) -> State:
    turn, move, zoom = (0.1 * freedom.turns, 0.3 * freedom.moves, 0.2 * freedom.zooms)
    return true_state(rng, keys=keys, points=points, turn=turn, move=move, zoom=zoom)


@MODELS
@pytest.mark.parametrize("whole", [True, False])
def test_a_step_is_that_of_dense_algebra(freedom: Freedom, whole: bool) -> None:
    rng = np.random.default_rng(5)
    truth = _truth(rng, freedom)
    seen = seen_by(truth, rng=rng, noise=0.001, seen=None if whole else short_lived(rng, keys=6, points=15, length=4))
    start = _near(rng, truth, freedom, by=2e-3)
    h, g = _dense(freedom, seen, start)
    step = np.linalg.solve(h + FIRST_DAMPING * np.diag(np.diag(h)) + HOLD * np.eye(len(h)), -g)
    cut = len(h) - 45
    expected = _moved(start, (_free(freedom, 6) @ step[:cut]).reshape(6, 7), np.asarray(step[cut:], np.float64).reshape(15, 3))
    found = Adjuster(seen, PRIORS).solve(freedom, start, NOISE, iterations=1)
    assert found.cost < Adjuster(seen, PRIORS).cost(freedom, start, NOISE).cost
    assert np.allclose(_numbers(found.state), _numbers(expected), atol=1e-9)


@MODELS
def test_a_minimum_is_one_for_scipy_too(freedom: Freedom) -> None:
    """The residuals whose squares sum to the cost, minimised from where the descent ended, lead nowhere lower."""
    rng = np.random.default_rng(7)
    truth = _truth(rng, freedom, keys=5, points=9)
    seen = seen_by(truth, rng=rng, noise=0.002)
    adjuster = Adjuster(seen, PRIORS)
    found = adjuster.solve(freedom, _near(rng, truth, freedom, by=5e-3), NOISE, iterations=200, tolerance=1e-13)
    columns, scale2 = _free(freedom, 5), (ROBUST_SIGMAS * NOISE.sigma) ** 2

    def residuals(numbers: Float) -> Float:
        state = _moved(found.state, (columns @ numbers[:-27]).reshape(5, 7), numbers[-27:].reshape(9, 3))
        in_camera = np.einsum("mij,mj->mi", state.rotation[seen.key], state.direction[seen.point])
        in_camera += state.rho[seen.point, None] * state.translation[seen.key]
        error = np.exp(state.log_focal)[seen.key, None] * in_camera[:, :2] / in_camera[:, 2:] - seen.xy
        trust = scale2 / (scale2 + (error**2).sum(axis=1)) / (NOISE.sigma**2 * NOISE.correlation)
        _, rest = _prior_rows(freedom, state, PRIORS)
        counted = rest if freedom.moves else rest[:-9]
        return np.concatenate([(np.sqrt(trust)[:, None] * error).ravel(), counted])

    at = np.zeros(columns.shape[1] + 27)
    assert (residuals(at) ** 2).sum() == pytest.approx(found.cost, rel=1e-9)
    assert 2 * least_squares(residuals, at, xtol=1e-12, ftol=1e-12, gtol=1e-12).cost > found.cost * (1 - 1e-5)


@MODELS
def test_what_a_model_holds_stays(freedom: Freedom) -> None:
    rng = np.random.default_rng(11)
    seen = seen_by(true_state(rng, keys=5, points=12), rng=rng, noise=0.001)
    start = flat_start(seen, np.tile(np.eye(3), (5, 1, 1)), np.full(5, -0.4))
    found = Adjuster(seen, PRIORS).solve(freedom, start, NOISE, iterations=6).state
    assert np.array_equal(found.rotation[0], np.eye(3))
    assert np.array_equal(found.translation[0], np.zeros(3))
    assert np.array_equal(found.rotation, start.rotation) != freedom.turns
    assert np.array_equal(found.translation, start.translation) != freedom.moves
    assert (np.ptp(found.log_focal) < 1e-12) != freedom.zooms


def test_an_exact_window_is_solved_exactly() -> None:
    rng = np.random.default_rng(2)
    truth = true_state(rng, keys=8, points=40)
    seen = seen_by(truth)
    weak = Priors(float(truth.log_focal.mean()), *([1e4] * 5))
    found = Adjuster(seen, weak).solve(Freedom.ALL, _near(rng, truth, Freedom.ALL, by=0.01), NOISE, iterations=60, tolerance=0)
    assert np.sqrt(found.squared.max()) < 1e-5
    assert np.allclose(found.state.log_focal, truth.log_focal, atol=1e-3)
    unit = np.median(truth.rho / found.state.rho)
    assert np.allclose(found.state.centers / unit, truth.centers, atol=1e-3)


@pytest.mark.parametrize(
    ("freedom", "change", "expected"),
    [
        (Freedom.STATIC, {}, 0.0),
        (Freedom.STATIC, {"log_focal": [-0.3] * 3}, (0.2 / 0.25) ** 2),
        (Freedom.ROTATION, {"translation": np.ones((3, 3)), "rho": np.full(2, 3.0)}, 0.0),
        (Freedom.TRANSLATION, {"translation": np.ones((3, 3))}, 9 / 2.0**2),
        (Freedom.ROTATION_TRANSLATION, {"rho": np.array([1.5, 0.0])}, 0.25 + 1.0),
        (Freedom.ALL, {"log_focal": [-0.6, -0.5, -0.4]}, 2 * (0.1 / 0.1) ** 2),
        (Freedom.ROTATION_ZOOM, {"log_focal": [-0.5, -0.4, -0.6]}, (0.01 + 0.04) / 0.1**2 + (0.3 / 0.03) ** 2),
    ],
)
def test_priors_cost_what_their_normal_distributions_say(freedom: Freedom, change: dict[str, Float], expected: float) -> None:
    state = State(np.tile(np.eye(3), (3, 1, 1)), np.zeros((3, 3)), np.full(3, -0.5), np.tile([0.0, 0, 1], (2, 1)), np.ones(2))
    state = replace(state, **{name: np.asarray(values, float) for name, values in change.items()})
    unweighted = replace(seen_by(state), weight=np.zeros(6))
    assert Adjuster(unweighted, PRIORS).cost(freedom, state, NOISE).cost == pytest.approx(expected)


def test_one_far_outlier_costs_its_bound_and_moves_nothing() -> None:
    rng = np.random.default_rng(4)
    truth = true_state(rng, keys=5, points=30)
    seen = seen_by(truth)
    spoiled = replace(seen, xy=np.where(np.arange(len(seen.key))[:, None] == 17, seen.xy + 0.4, seen.xy))
    clean, dirty = (Adjuster(s, PRIORS).solve(Freedom.ALL, truth, NOISE, iterations=20) for s in (seen, spoiled))
    bound = ROBUST_SIGMAS**2 / NOISE.correlation
    assert dirty.cost - clean.cost == pytest.approx(bound, rel=0.05)
    assert np.allclose(dirty.state.rotation, clean.state.rotation, atol=1e-4)


@MODELS
def test_uncertainty_is_that_of_the_dense_inverse(freedom: Freedom) -> None:
    rng = np.random.default_rng(9)
    truth = _truth(rng, freedom)
    seen = seen_by(truth, rng=rng, noise=0.002, seen=short_lived(rng, keys=6, points=15, length=5))
    h, _ = _dense(freedom, seen, truth)
    columns = _free(freedom, 6)
    weak = np.tile([1 / TURN_SIGMA**2] * 3 + [0] * 4, 6)
    h[: columns.shape[1], : columns.shape[1]] += columns.T @ np.diag(weak) @ columns
    covariance = columns @ np.linalg.inv(h)[: columns.shape[1], : columns.shape[1]] @ columns.T
    found = Adjuster(seen, PRIORS).sigma(freedom, truth, NOISE)
    assert np.allclose(found, np.sqrt(np.diag(covariance)).reshape(6, 7), rtol=1e-5, atol=1e-12)


def test_uncertainty_covers_the_errors() -> None:
    """Over many windows with that noise, errors over stated deviations scatter with about 1."""
    rng = np.random.default_rng(13)
    truth = true_state(rng, keys=6, points=40)
    priors = Priors(log_focal=float(truth.log_focal.mean()))
    off = []
    for _ in range(30):
        adjuster = Adjuster(seen_by(truth, rng=rng, noise=0.001), priors)
        found = adjuster.solve(Freedom.ROTATION_ZOOM, truth, Noise(0.001), iterations=10).state
        off.append((found.log_focal - truth.log_focal) / adjuster.sigma(Freedom.ROTATION_ZOOM, found, Noise(0.001))[:, 6])
    assert 0.3 < np.std(off) < 2


def test_threads_find_what_one_finds() -> None:
    rng = np.random.default_rng(6)
    truth = true_state(rng, keys=8, points=60)
    adjuster = Adjuster(seen_by(truth, rng=rng, noise=0.002), PRIORS)
    starts = [_near(rng, truth, Freedom.ALL, by=0.02) for _ in range(6)]
    alone = [adjuster.solve(Freedom.ALL, s, NOISE, iterations=6).cost for s in starts]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda s: adjuster.solve(Freedom.ALL, s, NOISE, iterations=6).cost, starts))
    assert together == alone


@pytest.mark.parametrize("points", [6, 40])
@pytest.mark.parametrize("keys", [2, 3, 4, 9, 24])
@pytest.mark.parametrize("kind", ODD)
def test_odd_windows_are_solved_without_a_warning(kind: str, keys: int, points: int) -> None:
    seen = ODD[kind](np.random.default_rng(keys), points, keys)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        start = flat_start(seen, np.tile(np.eye(3), (keys, 1, 1)), np.full(keys, -0.4))
        adjuster = Adjuster(seen, PRIORS)
        for freedom in Freedom:
            before = adjuster.cost(freedom, start, NOISE)
            found = adjuster.solve(freedom, start, NOISE, iterations=15)
            assert is_finite(found.state)
            assert found.cost <= before.cost + 1e-9
            assert found.cost == pytest.approx(adjuster.cost(freedom, found.state, NOISE).cost)
            sigma = adjuster.sigma(freedom, found.state, NOISE)
            assert (np.isfinite(sigma) & (sigma >= 0)).all()


def test_a_keyframe_that_sees_nothing_lies_between_its_neighbours() -> None:
    rng = np.random.default_rng(8)
    truth = true_state(rng, keys=9, points=40, turn=0.1, move=0.5)
    seen = np.ones((40, 9), bool)
    seen[:, [0, 4, 8]] = False
    found = Adjuster(seen_by(truth, seen=seen), PRIORS).solve(Freedom.ALL, truth, NOISE, iterations=20).state
    assert np.allclose(found.centers[4], (found.centers[3] + found.centers[5]) / 2)
    assert np.allclose(found.rotation[4] @ found.rotation[3].T, found.rotation[5] @ found.rotation[4].T)
    assert np.allclose(found.centers[[0, 8]], found.centers[[1, 7]])
    assert np.allclose(found.rotation[[0, 8]], found.rotation[[1, 7]])


def test_bridging_leaves_the_known_keyframes_alone() -> None:
    truth = true_state(np.random.default_rng(1), keys=7, points=8)
    found = bridged(truth, np.array([0, 1, 4, 6]))
    assert np.array_equal(found.rotation[[0, 1, 4, 6]], truth.rotation[[0, 1, 4, 6]])
    assert np.array_equal(found.translation[[0, 1, 4, 6]], truth.translation[[0, 1, 4, 6]])
    assert np.allclose(found.centers[2], truth.centers[1] + (truth.centers[4] - truth.centers[1]) / 3)


def test_the_mirror_image_of_a_mirror_image_is_the_state() -> None:
    truth = true_state(np.random.default_rng(1), keys=7, points=50)
    again = mirrored(mirrored(truth))
    assert np.allclose(again.translation, truth.translation)
    assert np.allclose(again.rho, truth.rho)


def test_a_mirror_image_looks_alike_near_the_axis_at_little_parallax() -> None:
    truth = true_state(np.random.default_rng(3), keys=5, points=200, turn=0.0, move=0.0, zoom=0.0)
    near = truth.direction[:, 2] > 0.97
    still = replace(truth, direction=truth.direction[near], rho=truth.rho[near])
    ahead = replace(still, translation=np.outer(np.linspace(0, 1, 5), [0, 0, -0.02]))
    was, moved, mirror = (seen_by(s).xy for s in (still, ahead, mirrored(ahead, zooms=True)))
    assert np.abs(mirror - moved).max() < 0.15 * np.abs(moved - was).max()


def test_observations_in_any_memory_layout_give_the_same() -> None:
    truth = true_state(np.random.default_rng(1), keys=4, points=8)
    plain = seen_by(truth)
    odd = Observations(plain.point_start.astype(np.int32), plain.key.astype(np.int32), np.asfortranarray(plain.xy), plain.weight[::-1], 4)
    first, second = (Adjuster(s, PRIORS).solve(Freedom.ALL, truth, NOISE, iterations=3) for s in (plain, odd))
    assert first.cost == second.cost


def test_rows_know_their_points() -> None:
    seen = observations(np.zeros((3, 4, 2)), np.array([[1, 1, 0, 0], [0, 1, 1, 1], [1, 0, 0, 1]], bool))
    assert seen.num_points == 3
    assert seen.point.tolist() == [0, 0, 1, 1, 1, 2, 2]
