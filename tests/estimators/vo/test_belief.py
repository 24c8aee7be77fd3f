"""What speaks for a motion model, and how much it is then believed: symmetries, unambiguous clips, and the file of coefficients."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from track_clips import TrackClip, clip

from sfmcam.errors import ConfigError
from sfmcam.estimators.vo import belief as belief_module
from sfmcam.estimators.vo.belief import FEATURES, Belief, belief_document, reading_features, shipped_belief
from sfmcam.estimators.vo.bundle import Freedom, Observations, State
from sfmcam.estimators.vo.options import VoOptions
from sfmcam.estimators.vo.reading import Reading
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


def test_every_reading_has_every_feature(truck: FittedWindow) -> None:
    features = truck.features()
    assert set(features) >= {Reading(f) for f in Freedom}
    for reading, values in features.items():
        assert values.shape == (len(FEATURES),)
        assert np.isfinite(values).all()
        assert values[-len(Freedom) :].tolist() == [float(f is reading.freedom) for f in Freedom]


def test_weights_are_a_distribution(truck: FittedWindow) -> None:
    weights = shipped_belief().weights(truck.features())
    assert list(weights) == list(truck.found)
    assert sum(weights.values()) == pytest.approx(1)
    assert min(weights.values()) >= 0


def _mirrored(window: FittedWindow) -> dict[Reading, Float]:
    """The features of the same window seen in a mirror, the solution of every reading mirrored with it."""
    seen = window.window.seen
    other = Observations(seen.point_start, seen.key, seen.xy * [-1, 1], seen.weight, seen.num_keys)
    found = {
        r: replace(
            c,
            state=State(
                MIRROR @ c.state.rotation @ MIRROR, c.state.translation @ MIRROR, c.state.log_focal, c.state.direction @ MIRROR, c.state.rho
            ),
        )
        for r, c in window.found.items()
    }
    return reading_features(other, found, window.noise)


def test_a_mirror_changes_nothing(truck: FittedWindow) -> None:
    mirrored = _mirrored(truck)
    for reading, values in truck.features().items():
        np.testing.assert_allclose(mirrored[reading], values, atol=1e-9)


def test_a_smaller_error_speaks_for_a_reading(truck: FittedWindow) -> None:
    row = Reading(Freedom.ROTATION)
    better = truck.found | {row: replace(truck.found[row], squared=truck.found[row].squared * 0.25)}
    plain, other = (reading_features(truck.window.seen, found, truck.noise)[row] for found in (truck.found, better))
    assert (other[:4] > plain[:4]).all()


def test_one_motion_is_fewer_than_several(truck: FittedWindow) -> None:
    """A truck that also pans and climbs has more motions, and its largest is a smaller share of them."""
    row, many, main = Reading(Freedom.ROTATION_TRANSLATION), FEATURES.index("many_motions"), FEATURES.index("main_motion")
    state = truck.found[row].state
    share = np.linspace(0, 0.3, len(state.rotation))[:, None]
    busy = replace(truck.found[row], state=replace(state, translation=state.translation + share * [0, 1.0, 0.8]))
    plain, other = (reading_features(truck.window.seen, truck.found | {row: c}, truck.noise)[row] for c in (truck.found[row], busy))
    assert other[many] > plain[many]
    assert other[main] < plain[main]


@pytest.mark.parametrize(
    ("name", "does"),
    [("truck", "moves"), ("pedestal", "moves"), ("pan", "rests in place"), ("zoom", "zooms"), ("static", "rests in place")],
)
def test_a_clear_motion_is_believed(name: str, does: str) -> None:
    weights = shipped_belief().weights(window_of(clip(name)).features())
    share = {
        "moves": sum(w for r, w in weights.items() if r.freedom.moves),
        "zooms": sum(w for r, w in weights.items() if r.freedom.zooms),
        "rests in place": sum(w for r, w in weights.items() if not r.freedom.moves),
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
