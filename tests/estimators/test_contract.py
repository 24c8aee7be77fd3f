"""Every estimator of the table keeps the contract of estimators/base.py."""

from __future__ import annotations

import numpy as np
import pytest
from rendered_frames import frames

from sfmcam.config import config_dir, read_toml
from sfmcam.estimators.registry import ESTIMATORS, EXTERNAL, frame_config, load_estimator, parse_spec, run_config

NAMES = sorted(set(ESTIMATORS) - {EXTERNAL})
SPECS = [f"{name}:{preset}" for name in NAMES for preset in read_toml(config_dir() / "estimators" / f"{name}.toml")]


@pytest.mark.parametrize("spec", SPECS)
def test_every_preset_builds(spec):
    parsed = parse_spec(spec)
    estimator = load_estimator(parsed, run_config({}))
    assert estimator.name == parsed.name
    assert frame_config(parsed, {}).max_frames >= 2


@pytest.mark.parametrize("name", NAMES)
def test_one_row_per_frame_and_nothing_invented(name, tmp_path):
    given = frames("truck")
    found = load_estimator(parse_spec(name), run_config({})).estimate(given, workspace=tmp_path)
    assert found.status.is_success == (found.trajectory is not None)
    if found.trajectory is not None:
        np.testing.assert_array_equal(found.trajectory.timestamps_s, given.timestamps_s)
        assert found.trajectory.image_size_px == given.size_px
        assert np.isnan(found.trajectory.cam_from_world[~found.trajectory.valid]).all()
        assert np.isnan(found.trajectory.focal_px[~found.trajectory.valid]).all()
