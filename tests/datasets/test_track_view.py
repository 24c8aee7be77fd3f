"""Lines of sight meet the nearest surface at its exact depth and place; lens and pixels go back and forth."""

from __future__ import annotations

import numpy as np
import pytest

from sfmcam.datasets.synthetic.track_scene import PATCHES, Reach, build_surfaces
from sfmcam.datasets.synthetic.track_spec import SceneKind
from sfmcam.datasets.synthetic.track_view import Optics, View, grid_slopes
from sfmcam.datasets.synthetic.track_wander import wander

WALL = np.array([[20.0, 0, -10], [0, 20, -10], [0, 0, 4]])  # columns right, down, corner: a wall of 20 x 20 at depth 4
PANE = np.array([[2.0, 0, -1], [0, 2, -1], [0, 0, 2]])  # 2 x 2 at depth 2


def view_of(*quads: np.ndarray, oval: bool = False) -> View:
    is_oval = np.zeros(len(quads), bool)
    is_oval[-1] = oval
    return View.of(np.stack(quads)[None], np.eye(4)[None], is_oval)


def test_the_nearer_surface_hides_the_farther_one() -> None:
    sights = view_of(WALL, PANE).look(0, np.array([[0.0, 0.0], [0.49, 0.49], [0.51, 0.0], [9.0, 0.0]]))
    np.testing.assert_array_equal(sights.surface[:3], [1, 1, 0])
    np.testing.assert_allclose(sights.inverse_depth, [0.5, 0.5, 0.25, 0.0])
    np.testing.assert_allclose(sights.uv[:3], [[0.5, 0.5], [0.99, 0.99], [(0.51 * 4 + 10) / 20, 0.5]])


def test_an_oval_has_no_corners() -> None:
    slopes = np.array([[0.0, 0.0], [0.45, 0.45], [0.49, 0.0]])
    np.testing.assert_array_equal(view_of(WALL, PANE, oval=True).look(0, slopes).surface, [1, 0, 1])


def test_what_lies_behind_or_edge_on_is_not_seen() -> None:
    behind, edge_on = PANE.copy(), np.array([[0.0, 0, 0], [0, 2, -1], [2, 0, 1]])
    behind[2, 2] = -2
    assert view_of(behind).nearest(0, np.zeros((1, 2)))[0] == 0
    assert view_of(edge_on).nearest(0, np.zeros((1, 2)))[0] == 0


def test_all_frames_at_once_give_what_each_gives() -> None:
    poses = np.repeat(np.eye(4)[None], 3, axis=0)
    poses[:, 2, 3] = [0, -0.5, -1]
    view = View.of(np.stack([WALL, PANE])[None], poses, np.zeros(2, bool))
    slopes, ratio = grid_slopes((384, 216), 300, (6, 4)), np.array([1.0, 1.5, 2.0])
    expected = [view.nearest(frame, slopes / ratio[frame]) for frame in range(3)]
    np.testing.assert_allclose(view.nearest_in_all(slopes, ratio), expected)


@pytest.mark.parametrize("distortion", [-0.15, 0.0, 0.1])
def test_pixels_and_slopes_go_back_and_forth(distortion: float) -> None:
    optics = Optics((384, 216), np.array([300.0, 450.0]), np.array([195.0, 106.0]), distortion)
    pixels = np.random.default_rng(0).uniform(0, (384, 216), (50, 2))
    for frame in (0, 1):
        np.testing.assert_allclose(optics.pixels(optics.slopes(pixels, frame), frame), pixels, atol=1e-6)


def test_where_the_lens_folds_over_nothing_is_seen() -> None:
    optics = Optics((384, 216), np.array([300.0]), np.array([192.0, 108.0]), -0.15)
    pixels = optics.pixels(np.array([[0.0, 0.0], [2.0, 0.0]]), 0)
    np.testing.assert_array_equal(optics.contains(pixels, 0.0), [True, False])
    assert np.isnan(pixels[1]).all()


@pytest.mark.parametrize("kind", list(SceneKind))
def test_scenes_leave_the_way_free_and_show_something_ahead(kind: SceneKind) -> None:
    slope = np.array([0.67, 0.38])
    for seed in range(20):
        reach = Reach(np.array([-0.4, -0.3, -0.2]), np.array([0.4, 0.3, 0.5]), slope)
        surfaces = build_surfaces(kind, reach, np.random.default_rng(seed))
        quads = np.stack([surfaces.right, surfaces.down, surfaces.corner], axis=-1)[None]
        view = View.of(quads, np.eye(4)[None], np.zeros(len(surfaces), bool))
        inverse = view.nearest(0, grid_slopes((384, 216), 288, (8, 6)))
        assert (inverse > 0).mean() > 0.3
        assert 0.05 < np.median(1 / inverse[inverse > 0]) < 50
        assert surfaces.patches.shape == (len(surfaces), PATCHES, PATCHES)
        assert (surfaces.stand_out(np.random.default_rng(0), 100) <= 1).all()


def test_wandering_curves_have_unit_size_and_keep_their_pace() -> None:
    times = np.linspace(0, 2, 41)
    curves = wander(times, 1.0, 4000, np.random.default_rng(3))
    assert (curves**2).mean() == pytest.approx(1, abs=0.05)
    correlation = (curves[0] * curves[[2, 20, 40]]).mean(axis=1)
    np.testing.assert_allclose(correlation, np.exp(-(np.array([0.1, 1.0, 2.0]) ** 2) / 2), atol=0.06)
