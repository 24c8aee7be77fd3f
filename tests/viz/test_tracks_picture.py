"""tracks.png shows frames of the shot with static tracks in blue and moving ones in orange, where they are and where they came from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from track_samples import sliding_tracks

from sfmcam.errors import InputError
from sfmcam.types import Float, Frames, PointTracks, UInt8
from sfmcam.viz.moments import Moments, choose_frames, keep_moments
from sfmcam.viz.tracks_layout import MAX_HEIGHT_PX, MAX_WIDTH_PX, choose_count, lay_out
from sfmcam.viz.tracks_panel import MOVING_RGB, STATIC_RGB, UNJUDGED_RGB, Tails, paint_panel, tails_at, track_colors
from sfmcam.viz.tracks_picture import render_tracks_png

SIZES_PX = [(640, 360), (360, 640), (512, 512), (368, 480), (2000, 100), (100, 2000), (1, 1)]


def frames_of(num_frames: int, size_px: tuple[int, int], *, fps: float = 12.0, is_gray: bool = True) -> Frames:
    shape = (num_frames, size_px[1], size_px[0], *(() if is_gray else (3,)))
    images = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    return Frames(images, np.arange(num_frames) / fps, fps, size_px, Path("walk.mp4"), "00ff")


@pytest.mark.parametrize("size_px", SIZES_PX)
@pytest.mark.parametrize("num_frames", [1, 2, 3, 4, 5, 6, 7, 16, 300])
def test_four_or_six_different_frames_are_chosen_and_they_fill_the_picture(size_px: tuple[int, int], num_frames: int) -> None:
    chosen = choose_frames(np.arange(num_frames) / 24, size_px)
    assert len(set(chosen)) == len(chosen) == choose_count(num_frames, size_px)
    assert list(chosen) == sorted(chosen)
    assert chosen[-1] == num_frames - 1
    layout = lay_out(len(chosen), size_px)
    assert layout.columns * layout.rows == len(chosen)
    assert layout.size_px[0] <= MAX_WIDTH_PX
    assert layout.size_px[1] <= MAX_HEIGHT_PX
    for index in range(len(chosen)):
        right, bottom = np.add(layout.corner(index), layout.panel_px)
        assert (right, bottom) <= layout.size_px


def test_the_first_frame_shown_has_a_whole_tail_where_the_shot_is_long() -> None:
    assert choose_frames(np.arange(240) / 24, (640, 360))[0] == 12


def test_tails_hold_the_tracks_of_the_frame_and_nothing_of_others() -> None:
    """Track 0 ends before the frame, track 1 begins within the tail, track 2 lasts, track 3 begins later."""
    seen = [(0, 0), (0, 2), (1, 0), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2), (4, 3)]
    frame, track = np.array(seen).T
    xy_px = np.stack([10.0 * track + frame, track], axis=1).astype(float)
    tails = tails_at(PointTracks(frame, track, xy_px, (64, 48), np.ones(4)), 3, since=1)
    np.testing.assert_array_equal(tails.track, [1, 2])
    np.testing.assert_array_equal(tails.xy_px[..., 0], [[np.nan, 21], [12, 22], [13, 23]])


def test_a_frame_without_tracks_has_no_tails() -> None:
    tracks = PointTracks(np.array([0]), np.array([0]), np.ones((1, 2)), (64, 48), np.ones(1))
    assert tails_at(tracks, 3, since=1).xy_px.shape == (3, 0, 2)


def test_colors_run_from_orange_to_blue_and_are_grey_where_nobody_has_said() -> None:
    colors = track_colors(np.array([0.0, 0.5, 1.0, np.nan])).tolist()
    assert [tuple(color) for color in colors] == [MOVING_RGB, (170, 164, 126), STATIC_RGB, UNJUDGED_RGB]


def painted(tails: Tails, static_probability: Float, *, ground: UInt8 | None = None) -> UInt8:
    return paint_panel(ground, tails, static_probability, px_per_px=2.0, size_px=(200, 120))


@pytest.mark.parametrize(("probability", "color"), [(1.0, STATIC_RGB), (0.0, MOVING_RGB), (np.nan, UNJUDGED_RGB)])
def test_a_dot_lies_where_its_point_is_with_its_tail_behind(probability: float, color: tuple[int, int, int]) -> None:
    tails = Tails(np.array([0]), np.array([[[20.25, 30.25]], [[40.25, 30.25]], [[60.25, 30.25]]]))
    panel = painted(tails, np.array([probability]), ground=np.zeros((60, 100), np.uint8)).astype(int)
    np.testing.assert_allclose(panel[60, 120], color, atol=2)
    old, new = (np.linalg.norm(panel[60, x] - np.array(color)) for x in (60, 100))
    assert new < 80 < old < np.linalg.norm(panel[20, 60] - np.array(color))
    assert np.ptp(panel[:40]) == 0


def test_moving_tracks_lie_on_top() -> None:
    tails = Tails(np.arange(3), np.full((1, 3, 2), 30.25))
    for order in ([0.0, 1.0, np.nan], [np.nan, 1.0, 0.0], [1.0, 0.0, np.nan]):
        np.testing.assert_allclose(painted(tails, np.array(order))[60, 60], MOVING_RGB, atol=2)


@pytest.mark.parametrize("is_gray", [True, False])
@pytest.mark.parametrize("size_px", [(64, 36), (36, 64)])
@pytest.mark.parametrize("num_frames", [2, 16])
@pytest.mark.parametrize("probability", [np.linspace(0, 1, 40), np.full(40, np.nan)], ids=["judged", "unjudged"])
def test_it_draws_whatever_the_shape(tmp_path: Path, is_gray: bool, size_px: tuple[int, int], num_frames: int, probability: Float) -> None:
    frames = frames_of(num_frames, size_px, is_gray=is_gray)
    tracks = sliding_tracks(num_frames, size_px, static_probability=probability)
    render_tracks_png(tmp_path / "tracks.png", tracks=tracks, moments=keep_moments(frames), title="a $ title_ with \\ signs " * 9)
    with Image.open(tmp_path / "tracks.png") as image:
        assert image.size == lay_out(choose_count(num_frames, size_px), size_px).size_px
    assert [p.name for p in tmp_path.iterdir()] == ["tracks.png"]


def test_frames_that_are_gone_leave_a_dark_ground(tmp_path: Path) -> None:
    tracks = sliding_tracks(6, (64, 36), static_probability=np.ones(5))
    moments = Moments(np.arange(6) / 1.0, (1, 3, 5))  # at a frame per second the tail is one step
    render_tracks_png(tmp_path / "tracks.png", tracks=tracks, moments=moments, title="gone")
    with Image.open(tmp_path / "tracks.png") as image:
        pixels = np.asarray(image)
    x, y = lay_out(3, (64, 36)).corner(0)
    assert pixels[y + 2 : y + 200, x + 2 : x + 400].mean() < 80


def test_kept_pictures_do_not_hold_the_shot_in_memory() -> None:
    moments = keep_moments(frames_of(30, (64, 36)))
    assert len(moments.images) == 6
    assert all(image.base is None for image in moments.images)


@pytest.mark.parametrize("frames", [(), (0,)])
def test_nothing_to_draw_is_one_sentence(tmp_path: Path, frames: tuple[int, ...]) -> None:
    none = PointTracks(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 2)), (64, 48), np.zeros(0))
    tracks = none if frames else sliding_tracks(2, (64, 48), static_probability=np.ones(3))
    with pytest.raises(InputError, match="nothing to draw"):
        render_tracks_png(tmp_path / "tracks.png", tracks=tracks, moments=Moments(np.arange(2.0), frames), title="none")
