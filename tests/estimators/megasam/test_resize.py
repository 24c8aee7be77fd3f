"""The tracker's size is the published one, and positions and focal lengths come back from it unchanged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from shared_data import SHARED, needs_shared

from sfmcam.errors import InputError
from sfmcam.estimators.megasam.resize import (
    WorkingSize,
    grid_from_source,
    nearest_map,
    resize_map,
    resize_picture,
    source_focal_px,
    source_from_grid,
    tracker_intrinsics,
    working_size,
)

SIZES = st.tuples(st.integers(16, 4096), st.integers(16, 4096)).filter(lambda s: max(s) <= 20 * min(s))
FIXTURE = "parity_prep_graph.npz"


@pytest.mark.parametrize(
    ("source", "resized", "cropped"),
    [  # width, height; by hand: factor sqrt(384 * 512 / (w h)), whole pixels, multiples of 8
        ((512, 384), (512, 384), (512, 384)),
        ((320, 240), (512, 384), (512, 384)),
        ((854, 480), (591, 332), (584, 328)),
        ((1080, 1920), (332, 591), (328, 584)),
        ((3840, 2160), (591, 332), (584, 328)),
        ((512, 512), (443, 443), (440, 440)),
    ],
)
def test_sizes(source: tuple[int, int], resized: tuple[int, int], cropped: tuple[int, int]) -> None:
    assert working_size(source) == WorkingSize(source, resized, cropped)


@pytest.mark.shared
@needs_shared("megasam", FIXTURE)
def test_size_rule_is_that_of_the_released_code() -> None:
    assert SHARED is not None
    for h0, w0, h1, w1, height, width in np.load(SHARED / "megasam" / FIXTURE)["size_rule"]:
        assert working_size((w0, h0)) == WorkingSize((w0, h0), (w1, h1), (width, height))


@pytest.mark.shared
@needs_shared("megasam", FIXTURE)
@pytest.mark.parametrize("case", ["down", "up"])
def test_pictures_and_intrinsics_are_those_of_the_released_code(case: str) -> None:
    assert SHARED is not None
    with np.load(SHARED / "megasam" / FIXTURE) as npz:
        given_bgr, expected = npz[f"{case}.image_bgr_u8"], npz[f"{case}.out_image_bgr_u8"]
        focal, intrinsics = npz[f"{case}.K_full"][0, 0], npz[f"{case}.out_intrinsics"]
    size = working_size((given_bgr.shape[2], given_bgr.shape[1]))
    ours = np.stack([resize_picture(picture, size) for picture in given_bgr]).transpose(0, 3, 1, 2)
    assert_allclose(ours.astype(int), expected.astype(int), atol=1)
    assert_allclose(tracker_intrinsics(np.full(2, focal), size) * 8, intrinsics, rtol=1e-9)


@given(SIZES, st.booleans())
def test_every_size_can_be_tracked(source: tuple[int, int], centred: bool) -> None:
    size = working_size(source, centred=centred)
    assert all(side % 8 == 0 and side >= 128 for side in size.cropped_px)
    assert all(o >= 0 and o + c <= r for o, c, r in zip(size.offset_px, size.cropped_px, size.resized_px, strict=True))
    assert size.grid == (size.cropped_px[1] // 8, size.cropped_px[0] // 8)


@given(SIZES, st.booleans(), st.floats(50, 5000), st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_there_and_back_is_where_one_was(source: tuple[int, int], centred: bool, focal: float, at: tuple[float, float]) -> None:
    size = working_size(source, centred=centred)
    xy = np.array(at) * source
    assert_allclose(source_from_grid(grid_from_source(xy, size), size), xy, atol=1e-9 * max(source))
    assert_allclose(source_focal_px(tracker_intrinsics(focal, size), size), focal, rtol=1e-12)


@pytest.mark.parametrize("centred", [False, True])
def test_a_point_is_seen_at_the_same_place_by_both_cameras(centred: bool) -> None:
    size = working_size((854, 480), centred=centred)
    focal, point = 700.0, np.array([0.31, -0.22, 1.7])
    in_source = focal * point[:2] / point[2] + np.array(size.source_px) / 2
    fx, fy, cx, cy = tracker_intrinsics(focal, size, half_pixel=True)
    assert_allclose(grid_from_source(in_source, size), [fx * point[0] / point[2] + cx, fy * point[1] / point[2] + cy], atol=1e-9)


def test_a_spot_lands_where_grid_from_source_says() -> None:
    picture = np.zeros((480, 854), np.uint8)
    picture[200:206, 400:406] = 255
    size = working_size((854, 480), centred=True)
    seen = resize_picture(picture, size).astype(float)
    rows, columns = np.indices(seen.shape)
    centre = np.array([(columns * seen).sum(), (rows * seen).sum()]) / seen.sum()
    assert_allclose(grid_from_source(np.array([403.0, 203.0]), size) * 8, centre, atol=0.05)


def test_maps_are_resized_without_mixing() -> None:
    values = np.arange(12.0).reshape(3, 4)
    assert_allclose(nearest_map(values, (6, 8)), values.repeat(2, 0).repeat(2, 1))
    size = WorkingSize((4, 3), (8, 6), (4, 4), (2, 1))
    assert_allclose(resize_map(values, size), nearest_map(values, (6, 8))[1:5, 2:6])


@pytest.mark.parametrize("source", [(0, 100), (2000, 20)])
def test_what_cannot_be_tracked_is_refused(source: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="too long and narrow"):
        working_size(source)
