"""What `vo` says of a solved shot: still, turning, or moving, and what it hands on; and the failures on the way there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from sfmcam.config import RunConfig
from sfmcam.estimators.vo import Vo
from sfmcam.estimators.vo import estimator as room
from sfmcam.estimators.vo.bundle import Freedom
from sfmcam.estimators.vo.fill import FilledPath
from sfmcam.estimators.vo.options import VoOptions
from sfmcam.estimators.vo.shot import FilledHypothesis, SolvedShot
from sfmcam.estimators.vo.verdict import corner_motion_px
from sfmcam.estimators.vo.windows import WindowPath
from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import Estimate, Float, Frames, PointTracks, Status

NUM_FRAMES, NUM_TRACKS, SIZE_PX = 6, 12, (384, 216)
SHARE = np.linspace(0, 1, NUM_FRAMES)
UNTURNED, UNMOVED = np.eye(3), np.eye(4)


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
    hypotheses = (FilledHypothesis(0.25, path, filled), FilledHypothesis(0.75, replace(path, sigma=2 * sigma), hedged))
    return SolvedShot(filled, hedged, hypotheses, path, path, dict.fromkeys(Freedom, 1 / 6), 0.25)


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
        monkeypatch.setattr(room, "fit_windows", lambda *_, **__: None if solved is None else [])
        monkeypatch.setattr(room, "solve_shot", lambda *_, **__: solved)
        return Vo(VoOptions(), RunConfig()).estimate(some_frames() if frames is None else frames, workspace=tmp_path)

    return estimate


@pytest.mark.parametrize(
    ("motion", "status"),
    [
        (Motion(), Status.STILL),
        (Motion(right=1e-3), Status.STILL),  # 0.27 px on a wall at one scene depth
        (Motion(pan_rad=5e-4), Status.STILL),  # 0.2 px
        (Motion(zoom=5e-4), Status.STILL),
        (Motion(pan_rad=0.1), Status.ROTATION_ONLY),
        (Motion(roll_rad=0.02), Status.ROTATION_ONLY),
        (Motion(zoom=0.2), Status.ROTATION_ONLY),
        (Motion(right=0.01), Status.ROTATION_ONLY),  # 2.7 px are not still, and the bound is 0.038
        (Motion(zoom=-0.2, right=0.03), Status.ROTATION_ONLY),
        (Motion(pan_rad=0.1, right=0.3, sigma=0.2), Status.ROTATION_ONLY),  # the bound is 0.74
        (Motion(right=0.007, sigma=0), Status.ROTATION_ONLY),  # the bound is never below 1.96 * 0.004
        (Motion(right=0.009, sigma=0), Status.OK),
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


def test_a_keyframe_that_knows_little_silences_no_other(say) -> None:
    """Each keyframe is held against its own bound: the last one's is 0.37, the one before it has gone 0.24 with a bound of 0.03."""
    solved = solved_shot(Motion(right=0.3))
    sigma = solved.keyframes.sigma.copy()
    sigma[-1, 3:6] = 0.1
    unsure = replace(solved.keyframes, sigma=sigma)
    found = say(replace(solved, keyframes=unsure, points=unsure))
    assert found.status is Status.OK
    assert found.message.startswith("translation 0.240 scene depths")


def test_there_and_back_is_a_translation(say) -> None:
    """The last keyframe is where the first was, but those between were not."""
    solved = solved_shot(Motion())
    poses = solved.points.cam_from_world.copy()
    poses[:, 0, 3] = -0.3 * np.sin(np.pi * SHARE)
    away = replace(solved.keyframes, cam_from_world=poses)
    assert say(replace(solved, keyframes=away, points=away)).status is Status.OK


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
    assert [h.weight for h in found.hypotheses] == [0.25, 0.75]
    np.testing.assert_allclose(found.hypotheses[1].trajectory.focal_px[:5], found.hedged.focal_px[:5])
    assert found.hypotheses[1].trajectory.evidence.log_focal_sigma == pytest.approx(1e-2)
    evidence = path.evidence
    told = (evidence.rotation_sigma_rad, evidence.translation_sigma, evidence.log_focal_sigma)
    assert told == pytest.approx((2e-3, np.hypot(1.9 * 0.01, 0.004), 5e-3))  # what a position's spread is widened to: `vo.verdict`
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


def _corner(
    size_px: tuple[int, int], *, rotation: Float = UNTURNED, center: Sequence[float] = (0, 0, 0), zoom: float = 0, first: Float = UNMOVED
) -> float:
    """Return the corner motion from a camera of focal length 1 at `first` (4, 4) to a second one, which is given relative to it."""
    second = rigid_from_parts(rotation, -rotation @ np.array(center, float))
    poses, none = np.stack([first, second @ first]), np.zeros(0)
    path = WindowPath(np.arange(2), poses, np.array([0.0, zoom]), np.zeros((2, 7)), none.astype(int), np.zeros((0, 3)), none, none)
    return corner_motion_px(path, size_px)


@pytest.mark.parametrize("size_px", [(384, 216), (216, 384), (300, 300)])
def test_corner_motion_is_what_geometry_says(size_px: tuple[int, int]) -> None:
    half_diagonal = np.hypot(*size_px) / 2
    roll = rotation_from_vector(np.array([0.0, 0.0, 0.02]))
    assert _corner(size_px) == 0
    assert _corner(size_px, zoom=np.log(1.1)) == pytest.approx(0.1 * half_diagonal)
    assert _corner(size_px, rotation=roll) == pytest.approx(2 * np.sin(0.01) * half_diagonal, rel=1e-6)
    pan = _corner(size_px, rotation=rotation_from_vector(np.array([0.0, 0.001, 0.0])))
    x, y = np.array(size_px) / max(size_px) / 2  # of a corner at the focal length 1: it moves by (1 + x^2, x y) per radian
    assert pan == pytest.approx(0.001 * max(size_px) * np.hypot(1 + x**2, x * y), rel=2e-3)


@pytest.mark.parametrize("size_px", [(384, 216), (216, 384), (300, 300)])
def test_a_translation_moves_the_corners_as_on_a_wall_at_one_scene_depth(size_px: tuple[int, int]) -> None:
    half_diagonal = np.hypot(*size_px) / 2
    assert _corner(size_px, center=(0.03, -0.04, 0)) == pytest.approx(0.05 * max(size_px))
    assert _corner(size_px, center=(0, 0, 0.2)) == pytest.approx(0.25 * half_diagonal)  # 1 / (1 - 0.2) as large
    assert _corner(size_px, center=(0, 0, 0.2), zoom=np.log(0.8)) == pytest.approx(0, abs=1e-9)  # a wall hides a dolly zoom
    assert np.isfinite(_corner(size_px, center=(0, 0, 1.5)))  # through the wall


def test_corner_motion_does_not_depend_on_where_the_world_is() -> None:
    first = rigid_from_parts(rotation_from_vector(np.array([0.3, -1.0, 0.2])), np.array([1.0, 2.0, -3.0]))
    motion = {"rotation": rotation_from_vector(np.array([0.01, 0.02, -0.03])), "center": (0.1, 0.0, 0.05), "zoom": 0.1}
    assert _corner(SIZE_PX, **motion, first=first) == pytest.approx(_corner(SIZE_PX, **motion))
