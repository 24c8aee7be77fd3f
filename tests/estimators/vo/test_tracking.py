"""Points follow what the picture shows, to a few hundredths of a pixel, and end where they cannot."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from rendered_frames import blank_frames, clip, frames, frames_of, noise_frames
from warped import SIZE_PX, errors_px, grey_frames, picture, similarity, warped_frames

from sfmcam.estimators.vo.features import NOISE_SLOPE_VARIANCE, Surface
from sfmcam.estimators.vo.tracking import TrackingOptions, track_points
from sfmcam.types import Float, PointTracks

OPTIONS = TrackingOptions()


def bent(k: int) -> Float:
    """A homography with perspective, as a pan over a wide field of view has it."""
    return np.array([[1, 0, 2.0 * k], [0.0002 * k, 1 + 0.0005 * k, 0], [0.00001 * k, 0, 1.0]])


WARPS = {
    "shift": lambda k: similarity(shift=(3.3 * k, -1.7 * k)),
    "slow shift": lambda k: similarity(shift=(0.13 * k, 0.07 * k)),
    "zoom in": lambda k: similarity(1.012**k),
    "zoom out": lambda k: similarity(0.985**k),
    "roll": lambda k: similarity(roll_deg=1.5 * k),
    "perspective": bent,
}


def alive(tracks: PointTracks, frame: int) -> set[int]:
    return set(tracks.track[tracks.frame == frame].tolist())


def first_of_each(tracks: PointTracks) -> np.ndarray:
    return np.unique(tracks.track, return_index=True)[1]


@pytest.mark.parametrize("name", WARPS)
def test_points_move_as_the_homography_says(name: str) -> None:
    tracks = track_points(warped_frames(WARPS[name], 12), OPTIONS)
    error = errors_px(tracks, WARPS[name])
    assert len(tracks) > 150
    assert np.median(error) < 0.03
    assert np.quantile(error, 0.99) < 0.1


@pytest.mark.parametrize("name", ["shift", "roll", "zoom in"])
def test_sensor_noise_costs_hundredths(name: str) -> None:
    error = errors_px(track_points(warped_frames(WARPS[name], 12, noise=4.0), OPTIONS), WARPS[name])
    assert np.median(error) < 0.1
    assert np.quantile(error, 0.95) < 0.2


def test_errors_do_not_add_up_over_thirty_frames() -> None:
    def warp(k: int) -> Float:
        return similarity(roll_deg=0.7 * k, shift=(0.8 * k, 0))

    tracks = track_points(warped_frames(warp, 31, noise=1.5), OPTIONS)
    lasting = np.isin(tracks.track, list(alive(tracks, 0) & alive(tracks, 30)))
    error = errors_px(tracks, warp)
    late = tracks.frame[np.setdiff1d(np.arange(len(tracks.frame)), first_of_each(tracks))] == 30
    assert lasting.any()
    assert np.median(error[late]) < 0.08


@pytest.mark.parametrize("jump_px", [25.0, 60.0])
def test_large_jumps_are_followed(jump_px: float) -> None:
    def warp(k: int) -> Float:
        return similarity(shift=(jump_px * k, 0.3 * jump_px * k))

    tracks = track_points(warped_frames(warp, 3), OPTIONS)
    assert len(alive(tracks, 0) & alive(tracks, 1)) > 60
    assert np.median(errors_px(tracks, warp)) < 0.05


@pytest.mark.parametrize("name", ["pan", "zoom", "truck", "dolly", "roll"])
def test_points_of_rendered_scenes_agree_with_poses_and_depth(name: str) -> None:
    truth, tracks = clip(name), track_points(frames(name), OPTIONS)
    start = first_of_each(tracks)[tracks.track]
    here, born = tracks.xy_px[start], tracks.frame[start]
    rows, columns = (here[:, 1] / 4).astype(int), (here[:, 0] / 4).astype(int)
    window = [truth.depth[born, np.clip(rows + i, 0, 44), np.clip(columns + j, 0, 79)] for i in (-1, 0, 1) for j in (-1, 0, 1)]
    near, far = np.min(window, axis=0), np.max(window, axis=0)
    center, focal = np.array([160, 90]), truth.focal_px
    rays = np.column_stack([(here - center) / focal[born, None], np.ones(len(here))]) * truth.depth[born, rows, columns, None]
    world = np.linalg.inv(truth.cam_from_world)[born] @ np.column_stack([rays, np.ones(len(rays))])[..., None]
    seen = (truth.cam_from_world[tracks.frame] @ world)[:, :3, 0]
    error = np.linalg.norm(seen[:, :2] / seen[:, 2:] * focal[tracks.frame, None] + center - tracks.xy_px, axis=1)
    later = (tracks.frame > born) & (far < 1.1 * near)
    assert later.sum() > 100
    assert np.median(error[later]) < 0.25  # the depth of a quarter-size cell is off by more than the track


def test_a_still_noisy_clip_stays_still() -> None:
    tracks = track_points(frames("still"), OPTIONS)
    drift = np.linalg.norm(tracks.xy_px - tracks.xy_px[first_of_each(tracks)[tracks.track]], axis=1)
    later = tracks.frame > tracks.frame[first_of_each(tracks)[tracks.track]]
    assert len(tracks) > 100
    assert np.median(drift[later]) < 0.05
    assert len(alive(tracks, 0) & alive(tracks, 7)) > 0.9 * len(alive(tracks, 0))


@pytest.mark.parametrize("levels", [(1.0, 0.55), (1.0, 1.3, 0.8, 1.15, 0.7)], ids=["jump", "flicker"])
def test_changes_of_brightness_cost_nothing(levels: tuple[float, ...]) -> None:
    warp = WARPS["shift"]
    steady = [picture(warp(k), noise=1.0) * 0.7 for k in range(10)]
    unsteady = [
        p * levels[min(k * len(levels) // 10, len(levels) - 1) if len(levels) == 2 else k % len(levels)] for k, p in enumerate(steady)
    ]
    tracks, reference = track_points(grey_frames(unsteady), OPTIONS), track_points(grey_frames(steady), OPTIONS)
    assert len(alive(tracks, 0) & alive(tracks, 9)) > 0.8 * len(alive(reference, 0) & alive(reference, 9))
    assert np.median(errors_px(tracks, warp)) < 0.08


def test_dim_pictures_of_low_contrast_have_tracks() -> None:
    warp = WARPS["shift"]
    tracks = track_points(grey_frames([20 + 0.2 * (picture(warp(k)) - 128) for k in range(8)]), OPTIONS)
    assert len(tracks) > 50
    assert np.median(errors_px(tracks, warp)) < 0.15


def test_a_blurred_frame_does_not_end_the_tracks() -> None:
    warp = WARPS["slow shift"]
    pictures = [picture(warp(k), noise=1.0) for k in range(9)]
    pictures[4] = cv2.blur(pictures[4], (7, 1))
    tracks = track_points(grey_frames(pictures), OPTIONS)
    assert len(alive(tracks, 3) & alive(tracks, 5)) > 0.7 * len(alive(tracks, 3))


@pytest.mark.parametrize("level", [0.0, 255.0], ids=["black", "white"])
def test_a_frame_that_shows_nothing_is_bridged(level: float) -> None:
    warp = WARPS["shift"]
    pictures = [picture(warp(k)) for k in range(9)]
    pictures[4] = np.full_like(pictures[4], level)
    tracks = track_points(grey_frames(pictures), OPTIONS)
    assert not alive(tracks, 4)
    assert len(alive(tracks, 3) & alive(tracks, 5)) > 0.7 * len(alive(tracks, 3))
    assert np.median(errors_px(tracks, warp)) < 0.05


def test_nothing_is_bridged_over_a_cut() -> None:
    before, after = ([picture(WARPS["slow shift"](k), seed=seed) for k in range(6)] for seed in (1, 2))
    tracks = track_points(grey_frames(before + after), OPTIONS)
    crossing = set.union(*(alive(tracks, k) for k in range(6))) & set.union(*(alive(tracks, k) for k in range(6, 12)))
    assert len(crossing) <= 3
    assert len(alive(tracks, 7) & alive(tracks, 11)) > 100


def test_blank_frames_give_no_tracks() -> None:
    tracks = track_points(blank_frames(), OPTIONS)
    assert len(tracks) == 0
    assert tracks.xy_px.shape == (0, 2)


def test_sensor_noise_alone_gives_hardly_any_tracks() -> None:
    rng = np.random.default_rng(3)
    tracks = track_points(grey_frames([128 + 3 * rng.standard_normal((144, 256)) for _ in range(6)]), OPTIONS)
    assert len(tracks) < 10


def test_frames_that_have_nothing_in_common_give_hardly_any_tracks() -> None:
    assert len(track_points(noise_frames(6), OPTIONS)) < 20


def test_two_frames_are_enough() -> None:
    tracks = track_points(warped_frames(WARPS["shift"], 2), OPTIONS)
    assert alive(tracks, 0) == alive(tracks, 1)
    assert len(tracks) > 100


@pytest.mark.parametrize("size_px", [(1, 1), (8, 6), (16, 12), (64, 9), (9, 64), (33, 31)])
def test_tiny_frames_are_no_error(size_px: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (3, size_px[1], size_px[0]), np.uint8)
    assert track_points(frames_of(images), OPTIONS).size_px == size_px


def test_one_frame_gives_no_tracks() -> None:
    assert len(track_points(frames_of(frames("pan").images[:1]), OPTIONS)) == 0


def test_same_frames_same_tracks_with_any_number_of_threads() -> None:
    threads, found = cv2.getNumThreads(), []
    try:
        for number in (1, 2, 2):
            cv2.setNumThreads(number)
            found.append(track_points(frames("truck"), OPTIONS))
    finally:
        cv2.setNumThreads(threads)
    assert all(np.array_equal(found[0].xy_px, other.xy_px) and np.array_equal(found[0].track, other.track) for other in found[1:])


def test_colour_is_tracked_by_its_luma() -> None:
    colour = frames("pan")
    grey = frames_of(np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in colour.images]))
    assert np.array_equal(track_points(colour, OPTIONS).xy_px, track_points(grey, OPTIONS).xy_px)


@pytest.mark.parametrize("name", ["pan", "dolly", "shaky"])
def test_tracks_are_well_formed(name: str) -> None:
    tracks = track_points(frames(name), OPTIONS)
    seen = np.bincount(tracks.track)
    assert len(seen) == len(tracks)
    assert (seen >= 2).all()
    assert len(np.unique(np.column_stack([tracks.frame, tracks.track]), axis=0)) == len(tracks.frame)
    assert (tracks.xy_px > 0).all()
    assert (tracks.xy_px < np.array(tracks.size_px)).all()
    assert np.isnan(tracks.static_probability).all()


def test_points_are_spread_and_about_as_many_as_asked_for() -> None:
    for wanted in (120, 360):
        tracks = track_points(warped_frames(WARPS["slow shift"], 3), TrackingOptions(max_points=wanted))
        points = tracks.xy_px[tracks.frame == 0]
        assert 0.6 * wanted < len(points) < 1.6 * wanted
        cells = np.histogram2d(points[:, 0], points[:, 1], bins=(6, 4), range=((0, SIZE_PX[0]), (0, SIZE_PX[1])))[0]
        assert cells.min() >= 1


def test_noise_constants_follow_from_the_smoothing() -> None:
    surface = Surface.of(np.clip(np.rint(128 + 10 * np.random.default_rng(0).standard_normal((512, 512))), 0, 255).astype(np.uint8))
    assert surface.noise() == pytest.approx(10, rel=0.08)  # the smoothest fifth of the tiles, hence a little low
    assert surface.slopes[0].var() == pytest.approx(100 * NOISE_SLOPE_VARIANCE, rel=0.05)
