"""Bars, captions and logos are told from the picture; what merely stands still is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from rendered_frames import blank_frames, clip, frames, frames_of
from warped import SIZE_PX, picture, similarity

from sfmcam.estimators.vo.overlay import is_overlay, letterbox
from sfmcam.estimators.vo.tracking import TrackingOptions, track_points
from sfmcam.types import Bool, Float, PointTracks, UInt8

WIDTH, HEIGHT = SIZE_PX
CAPTION = np.zeros((HEIGHT, WIDTH), np.uint8)
cv2.putText(CAPTION, "Meanwhile, at sea", (40, 130), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 2, cv2.LINE_AA)
cv2.putText(CAPTION, "TV", (225, 22), cv2.FONT_HERSHEY_DUPLEX, 0.6, 255, 1, cv2.LINE_AA)


def moving_pictures(count: int = 8) -> list[Float]:
    return [picture(similarity(shift=(2.5 * k, 0.8 * k))) for k in range(count)]


def barred(pictures: list[Float], bars: tuple[int, int, int, int], level: int = 0) -> UInt8:
    left, top, right, bottom = bars
    images = np.clip(np.rint(np.stack(pictures)), 30, 255).astype(np.uint8)
    out = np.full_like(images, level)
    inside = (slice(None), slice(top, HEIGHT - bottom), slice(left, WIDTH - right))
    out[inside] = images[inside]
    return out


def captioned(images: UInt8) -> UInt8:
    share = CAPTION[None] / 255
    return np.rint(images * (1 - share) + 235 * share).astype(np.uint8)


def on_caption(tracks: PointTracks) -> Bool:
    """Which observations lie on the letters or right beside them."""
    near = cv2.dilate(CAPTION, np.ones((3, 3))) > 60
    return near[tracks.xy_px[:, 1].astype(int), tracks.xy_px[:, 0].astype(int)]


@pytest.mark.parametrize(
    "bars",
    [(0, 0, 0, 0), (0, 18, 0, 18), (0, 17, 0, 20), (40, 0, 40, 0), (20, 10, 21, 9)],
    ids=["none", "wide", "uneven", "tall", "all round"],
)
@pytest.mark.parametrize("level", [0, 16])
def test_bars_are_measured_to_the_pixel(bars: tuple[int, int, int, int], level: int) -> None:
    left, top, right, bottom = bars
    assert letterbox(frames_of(barred(moving_pictures(4), bars, level))) == (left, top, WIDTH - right, HEIGHT - bottom)


def test_a_caption_inside_a_bar_belongs_to_the_bar() -> None:
    images = barred(moving_pictures(4), (0, 26, 0, 26))
    for image in images:
        cv2.putText(image, "Subtitle", (90, 138), cv2.FONT_HERSHEY_SIMPLEX, 0.35, 230, 1, cv2.LINE_AA)
    assert letterbox(frames_of(images)) == (0, 26, WIDTH, HEIGHT - 26)


@pytest.mark.parametrize("bars", [(0, 30, 0, 0), (0, 60, 0, 60), (WIDTH, 0, 0, 0)], ids=["night sky", "a slit", "all black"])
def test_dark_scenes_have_no_bars(bars: tuple[int, int, int, int]) -> None:
    images = barred(moving_pictures(4), bars)
    assert letterbox(frames_of(images)) == (0, 0, WIDTH, HEIGHT)


def test_bars_are_found_in_colour_and_in_grey_alike() -> None:
    grey = barred(moving_pictures(3), (0, 12, 0, 12))
    assert letterbox(frames_of(np.repeat(grey[..., None], 3, axis=3))) == letterbox(frames_of(grey))


def test_blank_frames_have_no_bars() -> None:
    assert letterbox(blank_frames()) == (0, 0, 320, 180)


def test_no_point_lies_on_a_bar_or_at_its_edge() -> None:
    tracks = track_points(frames_of(barred(moving_pictures(), (0, 24, 0, 24))), TrackingOptions())
    assert len(tracks) > 80
    assert tracks.xy_px[:, 1].min() > 24 + 8
    assert tracks.xy_px[:, 1].max() < HEIGHT - 24 - 8


def test_no_track_is_left_on_captions_and_logos() -> None:
    plain = track_points(frames_of(barred(moving_pictures(), (0, 0, 0, 0))), TrackingOptions())
    tracks = track_points(frames_of(captioned(barred(moving_pictures(), (0, 0, 0, 0)))), TrackingOptions())
    extent = np.array([np.ptp(tracks.xy_px[tracks.track == t], axis=0).max() for t in range(len(tracks))])
    long = np.bincount(tracks.track) >= 4
    assert (extent[long] > 1).all()
    assert len(tracks) > 0.7 * len(plain)


def test_a_caption_over_a_still_picture_stays() -> None:
    images = captioned(barred([picture(np.eye(3), noise=1.0)] * 8, (0, 0, 0, 0)))
    tracks = track_points(frames_of(images), TrackingOptions())
    assert on_caption(tracks).any()


def paths(start: Float, motion: Float, num_frames: int = 13, noise_px: float = 0.03) -> PointTracks:
    """Tracks from `start` (T, 2) that move by `motion` (T, 2) in all, evenly, all seen in all frames."""
    share = np.linspace(0, 1, num_frames)[:, None, None]
    xy = start + share * motion + noise_px * np.random.default_rng(1).standard_normal((num_frames, *start.shape))
    frame, track = np.divmod(np.arange(num_frames * len(start)), len(start))
    return PointTracks(frame, track, xy.reshape(-1, 2), SIZE_PX, np.full(len(start), np.nan))


def grid_points(step: int = 12) -> Float:
    y, x = np.mgrid[step // 2 : HEIGHT : step, step // 2 : WIDTH : step]
    return np.column_stack([x.ravel(), y.ravel()]).astype(float)


LOGO = np.array([[230.0, 12], [236, 14], [242, 12], [248, 15], [60, 130], [72, 131], [84, 130], [96, 129]])


def scene_motion(name: str, points: Float) -> Float:
    """Motion of scene points, some of which stand still for good reasons."""
    from_center = points - np.array(SIZE_PX) / 2
    still = np.zeros_like(points)
    sway = np.random.default_rng(2).uniform(0.2, 1.0, (len(points), 1))
    motions = {
        "pan": still + np.array([30.0, 3.0]),
        "zoom": 0.3 * from_center,
        "dolly in a corridor": 0.4 * from_center * np.linalg.norm(from_center, axis=1, keepdims=True) / 128,
        "truck over a plain": np.column_stack([np.maximum(points[:, 1] - 60, 0) * 0.4, 0 * points[:, 1]]),
        "truck through a forest": sway * (40, 0) * (points[:, 1:] > 50),
        "roll": from_center[:, ::-1] * (-0.2, 0.2),
        "still": still,
        "actor before a still wall": (np.abs(from_center[:, :1]) < 80) * np.array([25.0, 4]),
        "crowd before a still wall": (np.abs(from_center[:, :1]) < 110) * sway * (25.0, 4),
    }
    return np.asarray(motions[name], float)


SCENES = ["pan", "zoom", "dolly in a corridor", "truck over a plain", "truck through a forest", "roll"]
QUIET_SCENES = ["still", "actor before a still wall", "crowd before a still wall"]


@pytest.mark.parametrize("name", SCENES + QUIET_SCENES)
def test_scene_points_that_stand_still_are_no_overlay(name: str) -> None:
    points = grid_points()
    assert not is_overlay(paths(points, scene_motion(name, points))).any()


@pytest.mark.parametrize("name", ["pan", "zoom", "roll", "dolly in a corridor"])
def test_still_points_against_the_flow_are_overlay(name: str) -> None:
    points = grid_points()
    motion = np.concatenate([scene_motion(name, points), np.zeros_like(LOGO)])
    found = is_overlay(paths(np.concatenate([points, LOGO]), motion))
    assert found[-len(LOGO) :].all()
    assert not found[: -len(LOGO)].any()


def test_no_tracks_no_overlay() -> None:
    empty = PointTracks(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 2)), SIZE_PX, np.empty(0))
    assert is_overlay(empty).shape == (0,)


@pytest.mark.parametrize("name", ["pan", "zoom", "truck", "dolly", "roll", "still", "shaky"])
def test_rendered_scenes_lose_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sfmcam.estimators.vo.tracking.is_overlay", lambda tracks: np.zeros(len(tracks), bool))
    tracks = track_points(frames(name), TrackingOptions())
    assert not is_overlay(tracks).any()
    assert letterbox(frames_of(clip(name).frames)) == (0, 0, 320, 180)
