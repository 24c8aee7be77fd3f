"""The compiled derivatives are those of the projection, and small linear algebra agrees with numpy's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_windows import seen_by, true_state

from sfmcam.estimators.vo import dense_kernels, kernels
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Float

STEP = 1e-6


def _position(numbers: Float, rotation: Float, translation: Float, direction: Float, tangent: Float, rho: float) -> Float:
    """Return the picture position after a change of ten parameters: turn, move, log focal (0.7 before), tangent, rho."""
    turn = rotation_from_vector(numbers[:3])
    d = direction + numbers[7] * tangent[0] + numbers[8] * tangent[1]
    x = turn @ rotation @ d + (rho + numbers[9]) * (turn @ translation + numbers[3:6])
    return np.asarray(0.7 * np.exp(numbers[6]) * x[:2] / x[2])


@pytest.mark.parametrize("seed", range(8))
def test_derivatives_are_those_of_the_projection(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rotation, translation = rotation_from_vector(rng.normal(0, 0.15, 3)), rng.normal(0, 0.1, 3)
    direction = rng.normal(0, 0.3, 3) + np.array([0, 0, 1])
    direction /= np.linalg.norm(direction)
    rho = float(rng.uniform(0.3, 1.5))
    tangent = kernels.tangent_plane(tuple(direction))
    x, y, by_camera, by_point = kernels.jacobians(rotation, translation, 0.7, tuple(direction), rho, tangent)
    at = (rotation, translation, direction, np.array(tangent), rho)
    assert np.allclose([x, y], _position(np.zeros(10), *at))
    steps = STEP * np.eye(10)
    numeric = np.stack([(_position(s, *at) - _position(-s, *at)) / (2 * STEP) for s in steps], axis=1)
    assert np.allclose(np.hstack([by_camera, by_point]), numeric, atol=1e-7)


@pytest.mark.parametrize("direction", [(0, 0, 1), (1, 0, 0), (0, -1, 0), (0.3, 0.2, 0.9327379), (0.0, 0.6, 0.8), (0, 0, -1)])
def test_tangent_plane_is_square_to_the_direction(direction: tuple[float, float, float]) -> None:
    d = np.array(direction, float) / np.linalg.norm(direction)
    axes = np.vstack([kernels.tangent_plane(tuple(d)), d])
    assert np.allclose(axes @ axes.T, np.eye(3))


@pytest.mark.parametrize("angle", [0, 1e-9, 1e-5, 9.9e-5, 1.1e-4, 0.01, 0.5, 3.0])
def test_rotation_rows_are_the_exponential(angle: float) -> None:
    vector = angle * np.array([2, -1, 2]) / 3
    assert np.allclose(kernels.rotation_rows(*vector), rotation_from_vector(vector), atol=1e-15)


def test_a_point_behind_the_camera_has_a_finite_position() -> None:
    a, b, z = kernels.project(np.eye(3), np.zeros(3), (0.6, 0.0, -0.8), 1.0)
    assert z == kernels.MIN_DEPTH
    assert np.isfinite([a, b]).all()


def test_normal_equations_are_the_weighted_sums_of_the_derivatives() -> None:
    rng = np.random.default_rng(3)
    truth = true_state(rng, keys=4, points=7)
    seen = seen_by(truth, rng=rng, noise=0.01)
    pose = kernels.Pose(truth.rotation, truth.translation, truth.log_focal, truth.direction, truth.rho)
    weight = rng.uniform(0.2, 1, len(seen.key))
    rows = kernels.Rows(seen.point_start, seen.key, seen.xy, weight)
    normal = kernels.Normal(*(np.full(s, np.nan) for s in ((4, 7, 7), (4, 7), (7, 3, 3), (7, 3), (28, 7, 3), (7, 2, 3))))
    kernels.linearise(rows, pose, 0.02**2, 5.0, normal)
    h, g = np.zeros((4 * 7 + 7 * 3, 4 * 7 + 7 * 3)), np.zeros(4 * 7 + 7 * 3)
    for m, (p, k) in enumerate(zip(seen.point, seen.key, strict=True)):
        tangent = kernels.tangent_plane(tuple(truth.direction[p]))
        where = (truth.rotation[k], truth.translation[k], float(np.exp(truth.log_focal[k])), tuple(truth.direction[p]), float(truth.rho[p]))
        x, y, by_camera, by_point = kernels.jacobians(*where, tangent)
        row = np.zeros((2, len(g)))
        row[:, 7 * k : 7 * k + 7], row[:, 28 + 3 * p : 31 + 3 * p] = by_camera, by_point
        error = np.array([x, y]) - seen.xy[m]
        trust = 5.0 * weight[m] * (0.02**2 / (0.02**2 + error @ error)) ** 2
        h += trust * row.T @ row
        g += trust * row.T @ error
    assert np.allclose(normal.g_cam.ravel(), g[:28])
    assert np.allclose(normal.g_point.ravel(), g[28:])
    for k in range(4):
        assert np.allclose(np.tril(normal.h_cam[k]), np.tril(h[7 * k : 7 * k + 7, 7 * k : 7 * k + 7]))
    for m, (p, k) in enumerate(zip(seen.point, seen.key, strict=True)):
        assert np.allclose(normal.h_cross[m], h[7 * k : 7 * k + 7, 28 + 3 * p : 31 + 3 * p])
        assert np.allclose(np.tril(normal.h_point[p]), np.tril(h[28 + 3 * p : 31 + 3 * p, 28 + 3 * p : 31 + 3 * p]))


@pytest.mark.parametrize("size", [1, 2, 5, 33])
def test_equations_solved_as_by_numpy(size: int) -> None:
    rng = np.random.default_rng(size)
    root = rng.normal(0, 1, (size, size + 3))
    h, b = root @ root.T, rng.normal(0, 1, size)
    factor = np.pad(h, (0, 1))
    solution = b.copy()
    assert dense_kernels.factorise(factor, size)
    dense_kernels.solve_factorised(factor, solution)
    assert np.allclose(np.tril(factor[:size, :size]), np.linalg.cholesky(h))
    assert np.allclose(solution, np.linalg.solve(h, b))


@pytest.mark.parametrize("h", [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [[np.nan, 0], [0, 1]], [[0.0, 0.0], [0.0, 1.0]]])
def test_equations_without_one_solution_are_refused(h: list[list[float]]) -> None:
    assert not dense_kernels.factorise(np.array(h, float), 2)


@pytest.mark.parametrize(("size", "low"), [(1, 0), (4, 3), (7, 0), (7, 2)])
def test_outer_products_subtracted_below_the_diagonal(size: int, low: int) -> None:
    rng = np.random.default_rng(size)
    half = np.zeros((6, size + 1))
    half[:, :size] = rng.normal(0, 1, (6, size))
    before = rng.normal(0, 1, (low + size + 1, low + size + 1))
    after, expected = before.copy(), before.copy()
    dense_kernels.subtract_outer(half, size, low, after)
    expected[low : low + size, low : low + size] -= half[:, :size].T @ half[:, :size]
    assert np.allclose(np.tril(after), np.tril(expected))


@pytest.mark.parametrize("writable", [False, True])
def test_kernels_work_where_nothing_can_be_kept(tmp_path: Path, writable: bool) -> None:
    """A read-only installation without a home: machine code is made anew each time, and is kept where it can be."""
    shutil.copy(kernels.__file__, tmp_path / "copied_kernels.py")
    if not writable:
        (tmp_path / "__pycache__").write_text("a file where numba would make a folder")
    program = "import copied_kernels as c; print(c.COMPILED['cache'], c.clip(3.0, 1.0))"
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(__file__).parents[3]}", "HOME": os.devnull}
    environment |= {"XDG_CACHE_HOME": os.devnull, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split() == [str(writable), "1.0"]
