"""What depths look like: the ground below, the middle farthest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sfmcam.estimators.vo.bundle import State
from sfmcam.estimators.vo.shape import depths_from_centre, ground_correlation


def scene(rho_of: str) -> State:
    """A grid of points whose inverse depth grows as said."""
    x, y = (v.ravel() for v in np.meshgrid(np.linspace(-0.5, 0.5, 9), np.linspace(-0.4, 0.4, 7)))
    rho = {"down": 1 + y, "outwards": 1 + np.hypot(x, y), "nowhere": np.ones_like(x)}[rho_of]
    rays = np.column_stack([x, y, np.ones_like(x)])
    still = np.tile(np.eye(3), (2, 1, 1))
    return State(still, np.zeros((2, 3)), np.zeros(2), rays / np.linalg.norm(rays, axis=1, keepdims=True), rho)


def test_a_floor_correlates_with_the_height_in_the_picture() -> None:
    assert ground_correlation(scene("down")) > 0.95
    assert abs(ground_correlation(scene("outwards"))) < 0.1


def test_a_corridor_is_farthest_in_the_middle() -> None:
    assert depths_from_centre(scene("outwards")) == pytest.approx(1, abs=0.01)
    assert abs(depths_from_centre(scene("down"))) < 0.1


@pytest.mark.parametrize("measure", [ground_correlation, depths_from_centre])
def test_the_mirror_image_in_depth_has_the_other_sign(measure) -> None:  # type: ignore[no-untyped-def]
    for kind in ("down", "outwards"):
        state = scene(kind)
        assert measure(replace(state, rho=2 - state.rho)) == pytest.approx(-measure(state), abs=1e-9)


@pytest.mark.parametrize("measure", [ground_correlation, depths_from_centre])
def test_a_wall_says_nothing(measure) -> None:  # type: ignore[no-untyped-def]
    assert abs(measure(scene("nowhere"))) < 1e-9
