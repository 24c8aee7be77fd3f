"""motion.png shows seven degrees of freedom over time, also where some are unknown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from viz_paths import arc, path

from sfmcam.motion.measure import measure
from sfmcam.viz.motion_plot import plot_motion_png

MOTIONS = {
    "arc": arc(),
    "all": path((10, 20, 5), (0.2, -0.1, 0.3), zoom=1.5, num_invalid=3),
    "static": path(),
    "no_focal": path((0, 9, 0), has_focal=False),
    "no_depth": path(move=(1, 0, 0), has_depth=False),
}


@pytest.mark.parametrize("name", MOTIONS)
def test_the_plot_has_its_size_and_its_lines(tmp_path: Path, name: str) -> None:
    plot_motion_png(tmp_path / "motion.png", measurement=measure(MOTIONS[name]), title="a $ title_ with \\ signs")
    with Image.open(tmp_path / "motion.png") as image:
        assert image.size == (1200, 840)
        pixels = np.asarray(image.convert("RGB")).astype(int)
    colored = np.ptp(pixels, axis=-1) > 60
    assert colored.sum() > 1500
