"""Motions in picture widths, and when two paths are one."""

from __future__ import annotations

import numpy as np
import pytest

from sfmcam.estimators.vo.bundle import State
from sfmcam.estimators.vo.widths import are_alike, path_widths, picture_of

SHARE = np.linspace(0, 1, 5)


def going(x: float, y: float, z: float, *, zoom: float = 0.0) -> State:
    still = np.tile(np.eye(3), (5, 1, 1))
    return State(still, -np.outer(SHARE, [x, y, z]), np.log(0.7) + zoom * SHARE, np.zeros((0, 3)), np.zeros(0))


def test_path_widths_are_those_of_the_degrees_of_freedom() -> None:
    path = path_widths(going(0.2, 0, 0, zoom=0.1))
    focal = np.exp((np.log(0.7) + 0.1 * SHARE).mean())
    np.testing.assert_allclose(path[-1], [0, 0, 0, 0.2 * focal, 0, 0, 0.05], atol=1e-12)


def test_the_picture_of_a_dolly_zoom_stays() -> None:
    picture = picture_of(path_widths(going(0, 0, 0.2, zoom=-0.2)))
    np.testing.assert_allclose(picture, 0, atol=1e-12)


@pytest.mark.parametrize(("other", "alike"), [((0.2, 0, 0), True), ((0.23, 0.01, 0), True), ((-0.2, 0, 0), False), ((0.2, 0, 0.3), False)])
def test_paths_are_alike_up_to_what_a_descent_leaves(other: tuple[float, float, float], *, alike: bool) -> None:
    one, second = path_widths(going(0.2, 0, 0)), path_widths(going(*other))
    assert are_alike(one, second) is alike
    assert are_alike(second, one) is alike


def test_paths_that_hardly_move_are_alike() -> None:
    assert are_alike(path_widths(going(0.001, 0, 0)), path_widths(going(-0.001, 0, 0)))
