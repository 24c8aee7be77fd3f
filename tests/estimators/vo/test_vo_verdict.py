"""What `vo` says of a solved shot: still, turning, or moving, and what it hands on; and the failures on the way there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from sfmcam.config import RunConfig
from sfmcam.estimators.vo import Vo
from sfmcam.estimators.vo import estimator as room
from sfmcam.estimators.vo.bundle import Freedom
from sfmcam.estimators.vo.estimator import corner_motion_px
from sfmcam.estimators.vo.fill import FilledPath
from sfmcam.estimators.vo.options import VoOptions
from sfmcam.estimators.vo.shot import SolvedShot
from sfmcam.estimators.vo.windows import WindowPath
from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Estimate, Float, Frames, PointTracks, Status

NUM_FRAMES, NUM_TRACKS, SIZE_PX = 6, 12, (384, 216)
SHARE = np.linspace(0, 1, NUM_FRAMES)


@dataclass(frozen=True)
class Motion:
    """A camera that does a thing evenly over the shot; `sigma` is the noise of each coordinate of its last position."""

    pan_rad: float = 0.0
    roll_rad: float = 0.0
    right: float = 0.0
    zoom: float = 0.0
    sigma: float = 0.01


def solved_shot(motion: Motion, valid: int = NUM_FRAMES) -> SolvedShot:
    """Return what `solve_shot` would."""
    rotation = rotation_from_vector(np.outer(SHARE, [0, motion.pan_rad, motion.roll_rad])).transpose(0, 2, 1)
    poses = rigid_from_parts(rotation, -np.einsum("kij,kj->ki", rotation, np.outer(SHARE, [motion.right, 0, 0])))
    log_focal = np.log(0.7) + motion.zoom * SHARE
    sigma = np.outer(SHARE, [1e-3, 2e-3, 1e-3, *[motion.sigma] * 3, 5e-3])
    direction = np.tile([0.0, 0.0, 1.0], (NUM_TRACKS, 1))
    rho = np.where(np.arange(NUM_TRACKS) < 2, 0.0, 0.5)
    static = np.where(np.arange(NUM_TRACKS) < 4, 0.1, 0.9)
    path = WindowPath(np.arange(NUM_FRAMES), poses, log_focal, sigma, np.arange(NUM_TRACKS), direction, rho, static)
    good = np.arange(NUM_FRAMES) < valid
    depth = np.where(np.arange(NUM_FRAMES) == 1, 0.0, 1.5)
    filled = FilledPath(poses, log_focal, good, depth, np.full(NUM_FRAMES, 0.4), static)
    hedged = replace(filled, log_focal=log_focal + 0.1 * SHARE)
    return SolvedShot(filled, hedged, path, path, dict.fromkeys(Freedom, 1 / 6), 0.25)


def some_tracks(alive: int = NUM_TRACKS) -> PointTracks:
    """Tracks that stand still: what they show is not asked for."""
    frame, track = np.repeat(np.arange(NUM_FRAMES), alive), np.tile(np.arange(alive), NUM_FRAMES)
    xy = np.column_stack([20.0 * track + 5, np.full(len(track), 50.0)])
    return PointTracks(frame, track, xy, SIZE_PX, np.full(alive, np.nan))


def some_frames(count: int = NUM_FRAMES, channels: int = 0) -> Frames:
    """Grey or coloured frames, each column of pixels as bright as its number."""
    row = np.arange(SIZE_PX[0], dtype=np.uint8)
    images = np.tile(row, (count, SIZE_PX[1], 1))
    images = np.stack([images // 2] * channels, axis=-1) if channels else images
    return Frames(images, np.arange(count) / 12.0, 12.0, SIZE_PX, Path("made-by-the-test"), "0" * 64)


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Return the estimate that `vo` makes of a solved shot."""

    def estimate(solved: SolvedShot | None, *, tracks: PointTracks | None = None, frames: Frames | None = None) -> Estimate:
        monkeypatch.setattr(room, "track_points", lambda *_: some_tracks() if tracks is None else tracks)
        monkeypatch.setattr(room, "fit_windows", lambda *_: None if solved is None else [])
        monkeypatch.setattr(room, "solve_shot", lambda *_: solved)
        return Vo(VoOptions(), RunConfig()).estimate(some_frames() if frames is None else frames, workspace=tmp_path)

    return estimate


@pytest.mark.parametrize(
    ("motion", "status"),
    [
        (Motion(), Status.STILL),
        (Motion(right=0.01), Status.STILL),  # below its bound of 1.96 * sqrt(3) * 0.01
        (Motion(pan_rad=5e-4), Status.STILL),  # 0.2 px
        (Motion(zoom=5e-4), Status.STILL),
        (Motion(pan_rad=0.1), Status.ROTATION_ONLY),
        (Motion(roll_rad=0.02), Status.ROTATION_ONLY),
        (Motion(zoom=0.2), Status.ROTATION_ONLY),
        (Motion(zoom=-0.2, right=0.03), Status.ROTATION_ONLY),
        (Motion(pan_rad=0.1, right=0.3, sigma=0.2), Status.ROTATION_ONLY),  # the bound is 0.68
        (Motion(right=0.05), Status.OK),
        (Motion(pan_rad=0.1, right=0.3), Status.OK),
        (Motion(zoom=0.2, right=-0.3), Status.OK),
    ],
    ids=str,
)
def test_the_verdict_follows_the_bound_and_what_the_picture_does(say, motion: Motion, status: Status) -> None:
    found = say(solved_shot(motion))
    assert found.status is status, found.message
    assert "95 % bound of its error" in found.message
    assert ("the picture moves by" in found.message) is (status is Status.STILL)


def test_the_estimate_hands_on_what_was_solved(say) -> None:
    found = say(solved_shot(Motion(right=0.3, zoom=0.2), valid=5))
    path = found.trajectory
    assert path is not None
    assert path.valid.tolist() == [True] * 5 + [False]
    assert np.isnan(path.cam_from_world[5]).all()
    assert np.isnan(path.focal_px[5])
    np.testing.assert_allclose(path.focal_px[:5], 0.7 * 384 * np.exp(0.2 * SHARE[:5]))
    np.testing.assert_array_equal(np.isnan(path.median_depth), [False, True, False, False, False, True])  # no depth is no number
    assert path.image_size_px == SIZE_PX
    assert found.hedged is not None
    np.testing.assert_allclose(found.hedged.focal_px[:5], 0.7 * 384 * np.exp(0.3 * SHARE[:5]))
    assert found.hedged.evidence == path.evidence
    evidence = path.evidence
    assert (evidence.rotation_sigma_rad, evidence.translation_sigma, evidence.log_focal_sigma) == pytest.approx((2e-3, 0.01, 5e-3))
    assert evidence.reprojection_error_px == pytest.approx(0.4)
    assert {f"belief_{f.name.lower()}" for f in Freedom} < set(found.diagnostics)
    assert (found.diagnostics["keyframes"], found.diagnostics["points"], found.diagnostics["noise_px"]) == (6, NUM_TRACKS, 0.25)


@pytest.mark.parametrize(("channels", "color"), [(0, [85, 105]), (3, [42, 52])])
def test_points_are_static_at_a_finite_depth_and_coloured_from_the_picture(say, channels: int, color: list[int]) -> None:
    found = say(solved_shot(Motion(right=0.3)), frames=some_frames(channels=channels))
    assert found.points is not None
    np.testing.assert_allclose(found.points.points_in_world, np.tile([0, 0, 2.0], (NUM_TRACKS - 4, 1)))
    assert found.points.colors_rgb.dtype == np.uint8
    assert found.points.colors_rgb[:2].tolist() == [[c] * 3 for c in color]


def test_tracks_come_back_with_their_static_probability(say) -> None:
    found = say(solved_shot(Motion()))
    assert found.tracks is not None
    np.testing.assert_array_equal(found.tracks.static_probability, np.where(np.arange(NUM_TRACKS) < 4, 0.1, 0.9))


def test_few_points_few_matches_and_few_frames_are_statuses_with_a_message(say) -> None:
    few = say(solved_shot(Motion()), tracks=some_tracks(alive=5))
    unmatched, lost = say(None), say(solved_shot(Motion(), valid=1))
    single = say(solved_shot(Motion()), frames=some_frames(count=1))
    got = [few.status, unmatched.status, lost.status, single.status]
    assert got == [Status.TOO_FEW_FEATURES, Status.TOO_FEW_MATCHES, Status.TOO_FEW_MATCHES, Status.TOO_FEW_FRAMES]
    assert all(found.message and found.trajectory is None for found in (few, unmatched, lost, single))


def _corner(rotation: Float, zoom: float, size_px: tuple[int, int]) -> float:
    return corner_motion_px(np.stack([np.eye(3), rotation]), np.log([1.0, np.exp(zoom)]), size_px)


@pytest.mark.parametrize("size_px", [(384, 216), (216, 384), (300, 300)])
def test_corner_motion_is_what_geometry_says(size_px: tuple[int, int]) -> None:
    half_diagonal = np.hypot(*size_px) / 2
    roll = rotation_from_vector(np.array([0.0, 0.0, 0.02]))
    assert _corner(np.eye(3), 0.0, size_px) == 0
    assert _corner(np.eye(3), np.log(1.1), size_px) == pytest.approx(0.1 * half_diagonal)
    assert _corner(roll, 0.0, size_px) == pytest.approx(2 * np.sin(0.01) * half_diagonal, rel=1e-6)
    pan = _corner(rotation_from_vector(np.array([0.0, 0.001, 0.0])), 0.0, size_px)
    x, y = np.array(size_px) / max(size_px) / 2  # of a corner at the focal length 1: it moves by (1 + x^2, x y) per radian
    assert pan == pytest.approx(0.001 * max(size_px) * np.hypot(1 + x**2, x * y), rel=2e-3)
