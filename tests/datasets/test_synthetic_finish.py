"""Lens, sensor and edit: a bent picture undistorts to the pinhole one, rows have their own times, bars and letters stay put."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from sfmcam.datasets.synthetic.camera_path import pan
from sfmcam.datasets.synthetic.finish import PLAIN, Edit, Finish, Lettering
from sfmcam.datasets.synthetic.lens import STRONGEST_BARREL, STRONGEST_CUSHION, Lens, distorted, undistorted
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.datasets.synthetic.stage import Stage, build_stage
from sfmcam.geometry.projection import intrinsics
from sfmcam.types import UInt8

SIZE = (192, 108)
COEFFICIENTS = (STRONGEST_BARREL, -0.04, 0.06, STRONGEST_CUSHION)


@pytest.fixture(scope="module")
def plain() -> Stage:
    return build_stage(ClipSpec("finish", "gallery", 3, (pan(10),), size_px=SIZE, noise=0.0, fps=5.0, seconds=1.0))


def finished(stage: Stage, **changes: float | str) -> Stage:
    return build_stage(replace(stage.spec, finish=Finish(**changes)))


def picture(stage: Stage, time_s: float) -> UInt8:
    return stage.frame(time_s, np.random.default_rng(0))


@pytest.mark.parametrize("k", COEFFICIENTS)
def test_undistorting_undoes_distorting_up_to_the_corners(k: float) -> None:
    positions = np.random.default_rng(0).uniform(-0.75, 0.75, (500, 2))
    assert distorted(undistorted(positions, k), k) == pytest.approx(positions, abs=1e-9)
    assert undistorted(np.zeros((1, 2)), k) == pytest.approx(np.zeros((1, 2)))


@pytest.mark.parametrize("k", COEFFICIENTS)
def test_opencv_undistorts_a_bent_picture_to_the_pinhole_one(plain: Stage, k: float) -> None:
    """OpenCV's own model, with k1 = k (f / half diagonal)^2, must lead back to what the same camera sees without a lens."""
    bent, straight = picture(finished(plain, distortion=k), 0.4), picture(plain, 0.4)
    focal = plain.view(0.4).focal_px
    k1 = k * (focal / (np.hypot(*SIZE) / 2)) ** 2
    center_from_corner = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1.0]])  # OpenCV counts from the first pixel's centre
    matrix = center_from_corner @ intrinsics(focal, SIZE)
    again = cv2.undistort(bent, matrix, np.array([k1, 0, 0, 0]))
    inner = (slice(12, -12), slice(12, -12))
    error = np.abs(again.astype(float) - straight)[inner].mean()
    assert error < 3.5
    assert error < 0.35 * np.abs(bent.astype(float) - straight)[inner].mean()


def test_depth_below_a_lens_is_that_of_the_ray_that_is_seen(plain: Stage) -> None:
    bent = finished(plain, distortion=STRONGEST_BARREL)
    assert bent.lens is not None
    columns, rows = bent.cells
    seen = bent.lens.sources(bent.cells)[rows // 2, 2]
    full = bent.renderer.depth(bent.view(0.0))
    assert bent.depth(0.0)[rows // 2, 2] == full[int(seen[1]), int(seen[0])]
    straight = plain.depth(0.0)
    assert bent.depth(0.0)[rows // 2, columns // 2] == pytest.approx(straight[rows // 2, columns // 2], rel=0.01)


def test_rows_of_a_rolling_shutter_are_those_of_their_own_times(plain: Stage) -> None:
    readout = 0.8
    rolled, middle_s, height = picture(finished(plain, readout=readout), 0.4), 0.4, SIZE[1]
    own, middle = [], []
    for row in (3, height // 4, height // 2, 3 * height // 4, height - 4):
        at_s = middle_s + ((row + 0.5) / height - 0.5) * readout / plain.spec.fps
        line = rolled[row].astype(float)
        own.append(np.abs(line - picture(plain, at_s)[row]).mean())
        middle.append(np.abs(line - picture(plain, middle_s)[row]).mean())
    assert max(own) < 3
    assert own[2] == pytest.approx(middle[2], abs=0.5)
    assert all(middle[k] > 2.5 * own[k] for k in (0, -1))


def test_a_rolling_shutter_before_a_still_camera_changes_nothing(plain: Stage) -> None:
    still = build_stage(replace(plain.spec, curves=()))
    assert np.array_equal(picture(still, 0.2), picture(finished(still, readout=0.9), 0.2))


def test_bars_are_black_and_hide_depth_and_the_rest_is_untouched(plain: Stage) -> None:
    for bars, axis in ((0.25, 0), (-0.25, 1)):
        boxed = finished(plain, bars=bars)
        shown, open_picture = picture(boxed, 0.2), picture(plain, 0.2)
        side = round(0.125 * SIZE[1 - axis])
        shown, open_picture = np.moveaxis(shown, axis, 0), np.moveaxis(open_picture, axis, 0)
        assert not shown[:side].any()
        assert not shown[-side:].any()
        assert np.array_equal(shown[side:-side], open_picture[side:-side])
        known = np.moveaxis(np.isfinite(boxed.depth(0.2)), axis, 0)
        assert not known[: side // 4].any()
        assert known[side // 4 + 1 : -side // 4 - 1].all()


def test_lettering_stays_where_it_is_and_a_caption_changes_half_way() -> None:
    grey = np.full((108, 192, 3), 90, np.uint8)
    caption, mark = Edit(Finish(lettering=Lettering.CAPTION), SIZE, 5), Edit(Finish(lettering=Lettering.WATERMARK), SIZE, 5)
    assert (caption.over(grey, 0.1) != 90).any()
    assert np.array_equal(caption.over(grey, 0.1), caption.over(grey, 0.4))
    assert not np.array_equal(caption.over(grey, 0.1), caption.over(grey, 0.9))
    assert np.array_equal(mark.over(grey, 0.1), mark.over(grey, 0.9))
    assert (caption.over(grey, 0.1)[:54] == 90).all()


def test_without_a_finish_the_picture_is_left_alone() -> None:
    grey = np.full((108, 192, 3), 90, np.uint8)
    assert Edit(PLAIN, SIZE, 5).over(grey, 0.5) is grey


def test_the_drawn_picture_covers_the_bent_one() -> None:
    for k in COEFFICIENTS:
        lens = Lens(SIZE, k)
        sources = lens.sources(SIZE)
        assert sources.min() >= 0
        assert (sources.max(axis=(0, 1)) <= lens.drawn_size_px).all()


def test_distortion_and_rolling_shutter_together_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be drawn together"):
        Finish(distortion=-0.05, readout=0.5)
