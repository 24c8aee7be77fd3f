"""What is printed of a shot: a motion that is likely is named even where status or path deny it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from motion.simulated_paths import build, motion
from rich.console import Console

from sfmcam.cli.summary import summarise
from sfmcam.judgement import judge_estimate
from sfmcam.motion.primitive import Dof
from sfmcam.results import ClipResult
from sfmcam.types import Estimate, Evidence, Hypothesis, Status

SURE = Evidence(rotation_sigma_rad=0.001, translation_sigma=0.003, log_focal_sigma=0.003)


def printed(share: float, status: Status) -> str:
    """Of a camera that trucks left with a weight of `share`, and rests otherwise."""
    moved, rests = build(motion({Dof.RIGHT: -0.3}), evidence=SURE), build(np.zeros((25, 7)), evidence=SURE)
    hypotheses = (Hypothesis(share, moved), Hypothesis(1 - share, rests))
    return _printed(Estimate(status, moved, hedged=moved, hypotheses=hypotheses))


def _printed(estimate: Estimate) -> str:
    shot = judge_estimate(estimate, start_s=0.0, end_s=2.0, num_frames=25, estimator="vo")
    console = Console(width=160, record=True, file=None)
    with console.capture() as told:
        console.print(summarise(ClipResult("clip", "clip.mp4", shots=(shot,)), folder=Path("out"), scoring="probability"))
    return told.get()


def test_a_likely_translation_is_named_beside_the_bound() -> None:
    assert "within the bound of its error: move_left (" in printed(0.95, Status.ROTATION_ONLY)


@pytest.mark.parametrize(("share", "status"), [(0.1, Status.ROTATION_ONLY), (0.95, Status.OK)])
def test_an_unlikely_one_or_one_that_stands_out_is_not(share: float, status: Status) -> None:
    assert "within the bound" not in printed(share, status)


def test_a_likely_motion_against_the_path_is_named() -> None:
    """Poses are of one solution, which may not be the one that weighs most: a dolly zoom the other way round."""
    one, other = (build(motion({Dof.IN: way, Dof.ZOOM: -way}), evidence=SURE) for way in (0.4, -0.4))
    estimate = Estimate(Status.OK, one, hedged=one, hypotheses=(Hypothesis(0.2, one), Hypothesis(0.8, other)))
    told = " ".join(_printed(estimate).split())
    assert "The other way round explains the pictures about as well:" in told
    contrary = told.split("about as well:")[1].split(".")[0]
    assert "move_out (" in contrary
    assert "zoom_in (" in contrary
    assert "move_in" not in contrary


def test_there_and_back_is_no_contradiction() -> None:
    path = motion({Dof.PAN: 0.3})
    path[13:] = path[12] - (path[13:] - path[12])
    shaken = build(path, evidence=SURE)
    assert "other way round" not in _printed(Estimate(Status.OK, shaken, hedged=shaken, hypotheses=(Hypothesis(1.0, shaken),)))
