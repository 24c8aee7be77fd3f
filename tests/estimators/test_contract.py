"""Every estimator of the table keeps the contract of estimators/base.py."""

from __future__ import annotations

import numpy as np
import pytest
from rendered_frames import blank_frames, frames, frames_of, noise_frames

from sfmcam.config import config_dir, read_toml
from sfmcam.errors import SfmcamError
from sfmcam.estimators.registry import (
    ESTIMATORS,
    EXTERNAL,
    frame_config,
    load_estimator,
    load_options,
    parse_spec,
    require_ready,
    run_config,
)

NAMES = sorted(set(ESTIMATORS) - {EXTERNAL})
SPECS = [f"{name}:{preset}" for name in NAMES for preset in read_toml(config_dir() / "estimators" / f"{name}.toml")]
# with weights that are not in the repository; tests/estimators/colmap_learned runs them with stand-ins
WITH_WEIGHTS = [spec for spec in SPECS if getattr(load_options(parse_spec(spec)), "features", "sift") != "sift"]


def ready(spec):
    """The spec, or a skip where the machine lacks what it needs (PyTorch, weights of others)."""
    parsed = parse_spec(spec)
    try:
        require_ready(parsed.name, load_options(parsed))
    except SfmcamError as missing:
        pytest.skip(str(missing))
    return parsed


@pytest.mark.parametrize("spec", SPECS)
def test_every_preset_builds(spec):
    parsed = ready(spec)
    estimator = load_estimator(parsed, run_config({}))
    assert estimator.name == parsed.name
    assert frame_config(parsed, {}).max_frames >= 2


def estimate(spec, given, workspace):
    parsed = ready(spec)
    workspace.mkdir()
    return load_estimator(parsed, run_config({})).estimate(given, workspace=workspace)


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) if name == "glomap" else name for name in NAMES])
def test_it_repeats_itself_answers_for_every_frame_and_keeps_to_its_workspace(name, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    given = frames("truck")
    first, second = (estimate(name, given, tmp_path / run).trajectory for run in ("first", "second"))
    assert first is not None, "a trucking camera in a garden is no hard case"
    assert second is not None
    np.testing.assert_array_equal(first.cam_from_world, second.cam_from_world)
    np.testing.assert_array_equal(first.timestamps_s, given.timestamps_s)
    assert first.image_size_px == given.size_px
    assert np.isnan(first.cam_from_world[~first.valid]).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "here", "second"]
    assert not any((tmp_path / "here").iterdir())


@pytest.mark.parametrize("spec", [*WITH_WEIGHTS, *(spec for spec in SPECS if spec.startswith("megasam"))])
def test_weights_that_are_not_here_are_one_sentence(spec, tmp_path, monkeypatch):
    monkeypatch.setenv("SFMCAM_WEIGHTS", str(tmp_path / "none"))
    parsed = parse_spec(spec)
    with pytest.raises(SfmcamError, match=r"`sfmcam weights get |pip install 'sfmcam\[learned\]'"):
        require_ready(parsed.name, load_options(parsed))  # not through `ready`, which takes it for a reason to skip


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec not in WITH_WEIGHTS])
@pytest.mark.parametrize(
    "given", [blank_frames(), noise_frames(), frames_of(np.zeros((1, 90, 120, 3), np.uint8))], ids=["blank", "unrelated", "one frame"]
)
def test_what_cannot_be_solved_is_a_status_with_a_message(spec, given, tmp_path):
    found = estimate(spec, given, tmp_path / "work")
    assert not found.status.is_success
    assert found.message
