"""What speaks for a motion model, and how much it is then believed: symmetries, unambiguous clips, and the file of coefficients."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from track_clips import TrackClip, clip

from sfmcam.errors import ConfigError
from sfmcam.estimators.vo import belief as belief_module
from sfmcam.estimators.vo.belief import FEATURES, Belief, belief_document, model_features, path_widths, shipped_belief
from sfmcam.estimators.vo.bundle import Freedom, Observations, State
from sfmcam.estimators.vo.options import VoOptions
from sfmcam.estimators.vo.shot import FittedWindow, fit_windows
from sfmcam.types import Float

MIRROR = np.diag([-1.0, 1.0, 1.0])


def window_of(given: TrackClip) -> FittedWindow:
    fitted = fit_windows(given.tracks, given.timestamps_s, VoOptions())
    assert fitted is not None
    return fitted[0]


@pytest.fixture(scope="module")
def truck() -> FittedWindow:
    return window_of(clip("truck"))


def test_every_model_has_every_feature(truck: FittedWindow) -> None:
    features = truck.features()
    assert features.shape == (len(Freedom), len(FEATURES))
    assert np.isfinite(features).all()
    np.testing.assert_array_equal(features[:, -len(Freedom) :], np.eye(len(Freedom)))


def test_weights_are_a_distribution(truck: FittedWindow) -> None:
    weights = shipped_belief().weights(truck.features())
    assert list(weights) == list(Freedom)
    assert sum(weights.values()) == pytest.approx(1)
    assert min(weights.values()) >= 0


def _mirrored(window: FittedWindow) -> Float:
    """The features of the same window seen in a mirror, every model's solution mirrored with it."""
    seen = window.window.seen
    other = Observations(seen.point_start, seen.key, seen.xy * [-1, 1], seen.weight, seen.num_keys)
    states = {
        f: State(
            MIRROR @ c.state.rotation @ MIRROR, c.state.translation @ MIRROR, c.state.log_focal, c.state.direction @ MIRROR, c.state.rho
        )
        for f, c in window.found.items()
    }
    return model_features(other, states, {f: c.squared for f, c in window.found.items()}, window.noise)


def test_a_mirror_changes_nothing(truck: FittedWindow) -> None:
    np.testing.assert_allclose(_mirrored(truck), truck.features(), atol=1e-9)


def test_a_smaller_error_speaks_for_a_model(truck: FittedWindow) -> None:
    states = {f: c.state for f, c in truck.found.items()}
    squared = {f: c.squared for f, c in truck.found.items()}
    better = squared | {Freedom.ROTATION: squared[Freedom.ROTATION] * 0.25}
    plain, other = (model_features(truck.window.seen, states, s, truck.noise) for s in (squared, better))
    row, misfits = list(Freedom).index(Freedom.ROTATION), slice(0, 4)
    assert (other[row, misfits] > plain[row, misfits]).all()


def test_path_widths_are_those_of_the_degrees_of_freedom() -> None:
    share = np.linspace(0, 1, 5)
    one = np.tile(np.eye(3), (5, 1, 1))
    state = State(one, np.outer(share, [-0.2, 0, 0]), np.log(0.7) + 0.1 * share, np.zeros((0, 3)), np.zeros(0))
    path = path_widths(state)
    focal = np.exp((np.log(0.7) + 0.1 * share).mean())
    np.testing.assert_allclose(path[-1], [0, 0, 0, 0.2 * focal, 0, 0, 0.05], atol=1e-12)


@pytest.mark.parametrize(
    ("name", "does"),
    [("truck", "moves"), ("pedestal", "moves"), ("pan", "rests in place"), ("zoom", "zooms"), ("static", "rests in place")],
)
def test_a_clear_motion_is_believed(name: str, does: str) -> None:
    weights = shipped_belief().weights(window_of(clip(name)).features())
    share = {
        "moves": sum(w for f, w in weights.items() if f.moves),
        "zooms": sum(w for f, w in weights.items() if f.zooms),
        "rests in place": sum(w for f, w in weights.items() if not f.moves),
    }[does]
    assert share > 0.6, weights


def test_the_document_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Belief(np.arange(len(FEATURES), dtype=float), {"clips": 3})
    (tmp_path / belief_module.SHIPPED).write_text(json.dumps(belief_document(plain)))
    monkeypatch.setattr(belief_module, "config_dir", lambda: tmp_path)
    shipped_belief.cache_clear()
    try:
        found = shipped_belief()
    finally:
        shipped_belief.cache_clear()
    np.testing.assert_array_equal(found.coefficients, plain.coefficients)
    assert found.provenance == {"clips": 3}


@pytest.mark.parametrize("spoil", ["", "{}", '{"format": 1, "coefficients": {"misfit_0": 1}, "provenance": {}}', '{"format": 2}', None])
def test_a_spoiled_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: str | None) -> None:
    if spoil is not None:
        (tmp_path / belief_module.SHIPPED).write_text(spoil)
    monkeypatch.setattr(belief_module, "config_dir", lambda: tmp_path)
    shipped_belief.cache_clear()
    with pytest.raises(ConfigError, match=r"cannot use the coefficients .*vo_belief.json"):
        shipped_belief()


def test_coefficients_must_be_whole() -> None:
    with pytest.raises(ValueError, match="finite"):
        Belief(np.zeros(3), {})
