"""The properties of `vo` from the picture on, on small rendered clips: mirrors, bars, resolution, black and white frames, no texture.

Tolerances are in scores (-0.5 to 1) and in the change from the first frame to the last (rad, scene depths, log focal), about twice what was
measured over these clips; the tracker sees other corners in a picture that was mirrored or scaled, hence more than for tracks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from rendered_frames import blank_frames, clip, frames_of
from track_clips import hedged_of, net, path_of, scores, swapped_scores

from sfmcam.config import RunConfig
from sfmcam.estimators.vo import Vo
from sfmcam.estimators.vo.options import VoOptions
from sfmcam.motion.primitive import Dof
from sfmcam.types import Estimate, Status, UInt8

CLIPS = ("pan", "truck", "zoom", "still")
FPS = 4.0


def estimate(images: UInt8, fps: float = FPS) -> Estimate:
    """Return what `vo` says; it writes nothing, so any folder will do."""
    return Vo(VoOptions(), RunConfig()).estimate(frames_of(np.ascontiguousarray(images), fps), workspace=Path())


@cache
def answer(name: str) -> Estimate:
    return estimate(clip(name).frames)


def enlarged(images: UInt8) -> UInt8:
    return np.stack([cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for image in images])


def letterboxed(images: UInt8) -> UInt8:
    return np.pad(images, ((0, 0), (34, 34), (0, 0), (0, 0)))


# measured: 0.001 and 0.003; 0.002 and 0.003; 0.008 and 0.053; 0.001 and 0.003; 0.014 and 0.037
CHANGES: dict[str, tuple[Callable[[UInt8], UInt8], tuple[Dof, ...], float, float]] = {
    "mirrored": (lambda images: images[:, :, ::-1], (Dof.PAN, Dof.ROLL, Dof.RIGHT), 0.01, 0.015),
    "upside down": (lambda images: images[:, ::-1], (Dof.TILT, Dof.ROLL, Dof.DOWN), 0.02, 0.02),
    "backwards": (lambda images: images[::-1], tuple(Dof), 0.03, 0.1),
    "letterboxed": (letterboxed, (), 0.01, 0.015),
    "enlarged": (enlarged, (), 0.03, 0.07),
}


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("change", sorted(CHANGES))
def test_mirrors_swap_opposites_and_bars_and_resolution_change_nothing(name: str, change: str) -> None:
    make, turned, score, moved = CHANGES[change]
    plain, found = answer(name), estimate(make(clip(name).frames))
    expected, got = swapped_scores(scores(hedged_of(plain)), turned), scores(hedged_of(found))
    sign = np.ones(len(Dof))
    sign[list(turned)] = -1
    assert max(abs(got[p] - expected[p]) for p in got if p != "static") < score
    for of in (hedged_of, path_of):
        assert np.abs(net(of(found)) - sign * net(of(plain))).max() < moved


@pytest.mark.parametrize(
    ("name", "status"), [("pan", Status.ROTATION_ONLY), ("truck", Status.OK), ("zoom", Status.ROTATION_ONLY), ("still", Status.STILL)]
)
def test_the_verdict_names_what_was_rendered(name: str, status: Status) -> None:
    assert estimate(clip(name).frames).status is status


@pytest.mark.parametrize("name", CLIPS)
def test_a_black_first_frame_has_no_pose_and_changes_no_path(name: str) -> None:
    """Measured: the net motion differs by 0.021."""
    images = clip(name).frames
    found = path_of(estimate(np.concatenate([np.zeros_like(images[:1]), images])))
    assert found.valid.tolist() == [False] + [True] * len(images)
    np.testing.assert_allclose(net(found), net(path_of(answer(name))), atol=0.05)


@pytest.mark.parametrize("name", CLIPS)
def test_one_white_frame_changes_no_path(name: str) -> None:
    """Measured: the net motion differs by 0.016."""
    flash = clip(name).frames.copy()
    flash[4] = 255
    np.testing.assert_allclose(net(path_of(estimate(flash))), net(path_of(answer(name))), atol=0.05)


@pytest.mark.parametrize("where", ["black first", "white fifth"])
@pytest.mark.parametrize("name", CLIPS)
def test_a_frame_without_picture_changes_no_verdict(name: str, where: str) -> None:
    images = clip(name).frames
    if where == "black first":
        images = np.concatenate([np.zeros_like(images[:1]), images])
    else:
        images = images.copy()
        images[4] = 255
    assert estimate(images).status is estimate(clip(name).frames).status


def _noise(sigma: float) -> UInt8:
    return np.clip(127 + np.random.default_rng(0).normal(0, sigma, (8, 180, 320, 3)), 0, 255).astype(np.uint8)


NOTHING_TO_SEE = {
    "blank": lambda: blank_frames(8).images,
    "black": lambda: np.zeros((8, 180, 320, 3), np.uint8),
    "dim noise": lambda: _noise(1.5),
    "snow": lambda: _noise(60),
    "shading": lambda: np.tile(np.linspace(0, 255, 320).astype(np.uint8)[None, None, :, None], (8, 180, 1, 3)),
    "one frame": lambda: clip("pan").frames[:1],
    "picture among blanks": lambda: np.concatenate([blank_frames(4).images, clip("pan").frames[:1], blank_frames(3).images]),
}


@pytest.mark.parametrize("name", sorted(NOTHING_TO_SEE))
def test_where_nothing_can_be_seen_that_is_said(name: str) -> None:
    found = estimate(NOTHING_TO_SEE[name]())
    assert not found.status.is_success
    assert found.message


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("name", CLIPS)
def test_the_first_few_frames_get_an_answer(name: str, count: int) -> None:
    found = estimate(clip(name).frames[:count])
    assert found.message
    assert found.trajectory is None or len(found.trajectory) == count
