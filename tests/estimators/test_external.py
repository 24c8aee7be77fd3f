"""`external:FOLDER`: finds the clip's file, lays its poses onto the frames without inventing any, and says why when it cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from trajectory_samples import random_poses, trajectory_of

from sfmcam.config import RunConfig
from sfmcam.errors import ConfigError, TrajectoryFileError
from sfmcam.estimators.external import External, ExternalOptions, at_frames, estimate_from_file, find_file
from sfmcam.estimators.registry import EstimatorSpec, frame_config, load_estimator, load_options, parse_spec
from sfmcam.io.trajectory_file import write_npz, write_tum
from sfmcam.types import Evidence, Frames, Scale, Status

RUN = RunConfig()


def frames_of(timestamps_s: list[float], *, source_fps: float = 10.0) -> Frames:
    times = np.array(timestamps_s, float)
    images = np.zeros((len(times), 8, 8, 3), np.uint8)
    return Frames(images, times, source_fps, (8, 8), Path("videos/clip.v1.mp4"), "digest")


def run(folder: Path, frames: Frames, **options: Any) -> Any:
    return External(ExternalOptions(folder=folder, **options), RUN).estimate(frames, workspace=folder)


def test_a_folder_is_given_after_the_colon(tmp_path: Path) -> None:
    (tmp_path / "run1").mkdir()
    spec = parse_spec(f"external:{tmp_path / 'run1'}")
    assert spec == EstimatorSpec("external", "tuned", tmp_path / "run1")
    assert spec.slug == "external-run1"
    estimator = load_estimator(spec, RUN)
    assert estimator.name == "external"
    assert frame_config(spec, {}).max_frames > 1000


def test_a_relative_folder_means_the_same_in_another_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run1").mkdir()
    monkeypatch.chdir(tmp_path)
    assert parse_spec("external:run1").folder == tmp_path / "run1"
    assert parse_spec("external:run1/").slug == "external-run1"


@pytest.mark.parametrize(
    ("text", "message"), [("external", "needs the folder"), ("external:", "needs the folder"), ("external:x", "no folder x")]
)
def test_a_missing_folder_is_told(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_spec(text)


def test_options_cross_into_a_child_as_plain_values_and_change_with_the_files(tmp_path: Path) -> None:
    spec = EstimatorSpec("external", "tuned", tmp_path)
    before = load_options(spec).model_dump(mode="json")
    assert before == load_options(spec).model_dump(mode="json")
    assert ExternalOptions.model_validate(before).model_dump(mode="json") == before
    write_tum(tmp_path / "clip.tum", trajectory_of(random_poses(2)))
    assert load_options(spec).model_dump(mode="json") != before
    assert ExternalOptions.model_validate(before).model_dump(mode="json") == before, "a child keeps what it was given"


@pytest.mark.parametrize(
    "place",
    [
        "clip.npz",
        "clip.tum",
        "clip.txt",
        "clip/trajectory.npz",
        "pose/clip.npz",
        "clip_droid.npz",
        "clip/sparse/0/images.txt",
        "clip/images.bin",
    ],
)
def test_the_file_is_found_where_tools_put_it(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    assert find_file(tmp_path, "clip") == (path.parent if path.stem == "images" else path)
    assert find_file(tmp_path, "other") is None


def test_poses_land_on_the_frames_nearest_in_time(tmp_path: Path) -> None:
    poses = random_poses(4)
    write_tum(tmp_path / "clip.v1.tum", trajectory_of(poses, fps=5.0))
    estimate = run(tmp_path, frames_of([0.01, 0.21, 0.41, 0.9]))
    assert estimate.status is Status.OK
    assert estimate.trajectory.valid.tolist() == [True, True, True, False]
    np.testing.assert_allclose(estimate.trajectory.cam_from_world[:3], poses[:3], atol=1e-9)
    assert np.isnan(estimate.trajectory.cam_from_world[3]).all()
    assert estimate.trajectory.timestamps_s.tolist() == [0.01, 0.21, 0.41, 0.9]


def test_no_pose_serves_two_frames() -> None:
    """Poses at 5 Hz under frames at 10 Hz: every second frame has none, instead of a camera that halts."""
    laid = at_frames(trajectory_of(random_poses(5), fps=5.0), np.arange(10) / 10)
    assert laid.valid.tolist() == [True, False] * 5


def test_frames_that_are_sparser_than_the_poses_all_get_one() -> None:
    laid = at_frames(trajectory_of(random_poses(20), fps=30.0), np.arange(5) / 8)
    assert laid.valid.all()


def test_all_that_is_known_is_carried_along_and_unknown_frames_stay_unknown() -> None:
    trajectory = trajectory_of(
        np.concatenate([random_poses(2), np.full((1, 4, 4), np.nan)]),
        valid=np.array([True, True, False]),
        focal_px=np.array([10, 11, 12.0]),
        median_depth=np.array([1, np.nan, 3]),
        scale=Scale.METRIC,
        image_size_px=(64, 48),
        evidence=Evidence(parallax_px=2.0),
    )
    laid = at_frames(trajectory, trajectory.timestamps_s)
    np.testing.assert_array_equal(laid.focal_px, [10, 11, np.nan])
    np.testing.assert_array_equal(laid.median_depth, [1, np.nan, np.nan])
    assert (laid.scale, laid.image_size_px, laid.evidence.parallax_px) == (Scale.METRIC, (64, 48), 2.0)
    assert laid.valid.tolist() == [True, True, False]


@pytest.mark.parametrize(("fps", "valid"), [(None, [True, True, True, False]), (5.0, [True, False, True, False])])
def test_a_file_without_times_has_one_pose_per_video_frame_unless_a_rate_is_given(
    tmp_path: Path, fps: float | None, valid: list[bool]
) -> None:
    np.savetxt(tmp_path / "clip.v1.txt", np.tile(np.eye(4)[:3].ravel(), (3, 1)))
    frames = frames_of([0, 0.1, 0.2, 0.3], source_fps=10.0)
    assert run(tmp_path, frames, fps=fps).trajectory.valid.tolist() == valid


def test_a_missing_file_is_a_status(tmp_path: Path) -> None:
    estimate = run(tmp_path, frames_of([0, 1]))
    assert estimate.status is Status.MISSING_TRAJECTORY
    assert "clip.v1" in estimate.message
    assert estimate.status.meaning


def test_an_image_folder_keeps_its_name_in_full(tmp_path: Path) -> None:
    (tmp_path / "scene.v2").mkdir()
    write_tum(tmp_path / "scene.v2.tum", trajectory_of(random_poses(3), fps=10.0))
    write_tum(tmp_path / "scene.tum", trajectory_of(random_poses(3), timestamps_s=100.0 + np.arange(3)))
    frames = replace(frames_of([0, 0.1, 0.2]), source=tmp_path / "scene.v2")
    assert run(tmp_path, frames).status is Status.OK


@pytest.mark.parametrize("fps", ["inf", "nan"])
def test_a_rate_that_is_not_finite_is_refused(tmp_path: Path, fps: str) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        ExternalOptions(folder=tmp_path, fps=float(fps))


@pytest.mark.parametrize("name", ["clip.v1.tum", "clip.v1.npz", "clip.v1/readme"])
def test_a_file_that_cannot_be_read_is_a_status(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("hello", encoding="utf-8")
    estimate = run(tmp_path, frames_of([0, 1]))
    assert estimate.status is Status.UNREADABLE_TRAJECTORY
    assert "clip.v1" in estimate.message


def test_times_that_miss_the_video_are_a_status_that_shows_both_spans(tmp_path: Path) -> None:
    write_tum(tmp_path / "clip.v1.tum", trajectory_of(random_poses(3), timestamps_s=1305031098.0 + np.arange(3)))
    estimate = run(tmp_path, frames_of([0, 1, 2]))
    assert estimate.status is Status.TOO_FEW_REGISTERED
    assert "1305031098.000 to 1305031100.000 s" in estimate.message
    assert "0.000 to 2.000 s" in estimate.message


def test_a_single_file_is_an_estimate_as_it_stands(tmp_path: Path) -> None:
    trajectory = trajectory_of(random_poses(3))
    write_npz(tmp_path / "a.npz", trajectory)
    estimate = estimate_from_file(tmp_path / "a.npz", "sfmcam")
    assert estimate.status is Status.OK
    assert estimate.trajectory is not None
    np.testing.assert_array_equal(estimate.trajectory.cam_from_world, trajectory.cam_from_world)
    with pytest.raises(TrajectoryFileError):
        estimate_from_file(tmp_path / "b.npz", "sfmcam")
