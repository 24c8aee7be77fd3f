"""The pipeline in this process: every failure is a status, every shot has its folder and is on disk before the next begins."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_estimator import ENTRY, FakeEstimator, panning
from small_video import write_video

from sfmcam import pipeline
from sfmcam.config import FrameConfig, RunConfig
from sfmcam.errors import InputError, MissingDependencyError, VideoError
from sfmcam.jobs import ClipJob, Method
from sfmcam.motion.primitive import PRIMITIVE_BY_ID
from sfmcam.results import SCORINGS, Checkpoint
from sfmcam.types import Estimate, Frames, Int, Status
from sfmcam.video.source import Shot

METHOD = Method("fake", ENTRY, {"pan_deg": 2.0}, FrameConfig(shots="single"), RunConfig())


@pytest.fixture
def job(tmp_path: Path) -> ClipJob:
    (tmp_path / "scratch").mkdir()
    return ClipJob("walk", write_video(tmp_path / "walk.mp4"), METHOD, tmp_path / "out", tmp_path / "scratch")


def shot(index: int, *, start_s: float, num_frames: int, name: str = "walk.mp4") -> Shot:
    times_s = start_s + np.arange(num_frames) / 6
    images = np.zeros((num_frames, 96, 128, 3), dtype=np.uint8)
    return Shot(index, start_s, start_s + num_frames / 6, Frames(images, times_s, 6.0, (256, 192), Path(name), "00ff"))


def use_shots(monkeypatch: pytest.MonkeyPatch, *shots: Shot) -> None:
    monkeypatch.setattr(pipeline, "load_shots", lambda source, config: list(shots))


def test_one_shot_gives_scores_sentence_and_files(job: ClipJob) -> None:
    result = pipeline.process_clip(job)
    assert result.status is Status.OK
    assert result.main_shot is not None
    assert result.main_shot.files == ("trajectory.tum", "trajectory.npz", "motion.json", "scores.json")
    assert "pans right" in result.main_shot.sentence
    for scoring in SCORINGS:
        scores = result.scores(scoring)
        assert scores is not None
        assert scores.keys() == PRIMITIVE_BY_ID.keys()
        assert scores["pan_right"] > (0.9 if scoring == "probability" else 0) > scores["pan_left"]
    written = json.loads((job.folder / "motion.json").read_text())
    assert (written["status"], written["sentence"]) == ("ok", result.main_shot.sentence)
    assert written["motion"]["dofs"]["pan_deg"]["net"] == pytest.approx(14.0, abs=0.5)
    assert result.num_frames == 8
    assert result.digest
    assert result.seconds.total >= result.seconds.estimate > 0


def test_shots_are_results_of_their_own(job: ClipJob, monkeypatch: pytest.MonkeyPatch) -> None:
    use_shots(monkeypatch, shot(0, start_s=0.0, num_frames=6), shot(1, start_s=1.0, num_frames=12), shot(2, start_s=3.0, num_frames=1))
    result = pipeline.process_clip(job)
    assert [s.status for s in result.shots] == [Status.OK, Status.OK, Status.TOO_FEW_FRAMES]
    assert result.main_shot is result.shots[1]
    assert result.shots[1].files[0] == "shot_02/trajectory.tum"
    assert json.loads((job.folder / "shot_03" / "motion.json").read_text())["status"] == "too_few_frames"
    assert not (job.folder / "motion.json").exists()


def test_every_finished_shot_is_on_disk_before_the_next_begins(job: ClipJob, monkeypatch: pytest.MonkeyPatch) -> None:
    use_shots(monkeypatch, shot(0, start_s=0.0, num_frames=6), shot(1, start_s=1.0, num_frames=12))
    seen: list[Checkpoint | None] = []
    estimate = FakeEstimator.estimate

    def spy(self: FakeEstimator, frames: Frames, *, workspace: Path) -> Estimate:
        seen.append(Checkpoint.from_json(json.loads(job.checkpoint.read_text())) if job.checkpoint.exists() else None)
        return estimate(self, frames, workspace=workspace)

    monkeypatch.setattr(FakeEstimator, "estimate", spy)
    result = pipeline.process_clip(job)
    assert seen[0] is None
    assert seen[1] is not None
    assert seen[1].result.shots == result.shots[:1]
    assert seen[1].pending == ((1, 1.0, 3.0),)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (VideoError("walk.mp4 is empty"), Status.UNREADABLE_VIDEO, "walk.mp4 is empty"),
        (MemoryError("no 64 MiB"), Status.OUT_OF_MEMORY, "no 64 MiB"),
        (MissingDependencyError("torch is not installed"), Status.INTERNAL_ERROR, "torch is not installed"),
        (ZeroDivisionError("division by zero"), Status.INTERNAL_ERROR, "ZeroDivisionError: division by zero"),
    ],
)
def test_every_exception_is_a_status(job: ClipJob, monkeypatch: pytest.MonkeyPatch, error: Exception, status: Status, message: str) -> None:
    def fail(source: Path, config: FrameConfig) -> list[Shot]:
        raise error

    monkeypatch.setattr(pipeline, "load_shots", fail)
    result = pipeline.process_clip(job)
    assert (result.status, result.message, result.shots) == (status, message, ())
    assert json.loads((job.folder / "motion.json").read_text())["status"] == status.value


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (MemoryError("no 64 MiB"), Status.OUT_OF_MEMORY, "no 64 MiB"),
        (MemoryError(), Status.OUT_OF_MEMORY, "an allocation failed"),
        (RuntimeError("no such map"), Status.INTERNAL_ERROR, "RuntimeError: no such map"),
        (MissingDependencyError("torch is not installed"), Status.INTERNAL_ERROR, "torch is not installed"),
    ],
    ids=str,
)
def test_an_exception_in_one_shot_costs_that_shot_alone(
    job: ClipJob,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: Status,
    message: str,
) -> None:
    use_shots(monkeypatch, *(shot(i, start_s=2.0 * i, num_frames=6) for i in range(3)))
    estimate = FakeEstimator.estimate

    def fail_in_the_second(self: FakeEstimator, frames: Frames, *, workspace: Path) -> Estimate:
        if frames.timestamps_s[0] == 2.0:
            raise error
        return estimate(self, frames, workspace=workspace)

    monkeypatch.setattr(FakeEstimator, "estimate", fail_in_the_second)
    result = pipeline.process_clip(job)
    assert [s.status for s in result.shots] == [Status.OK, status, Status.OK]
    assert (result.shots[1].message, result.shots[1].num_frames, result.status) == (message, 6, Status.OK)
    assert json.loads((job.folder / "shot_02" / "motion.json").read_text())["status"] == status.value
    assert (job.folder / "shot_01" / "trajectory.tum").is_file()
    assert not (job.folder / "motion.json").exists()
    is_logged = any(record.exc_info for record in caplog.records)
    assert is_logged is not isinstance(error, MissingDependencyError)


@pytest.mark.parametrize("error", [MemoryError("no 64 MiB"), RuntimeError("no canvas"), MissingDependencyError("no matplotlib")], ids=str)
def test_an_exception_in_the_pictures_costs_the_pictures_alone(job: ClipJob, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(solved: object, *, title: str) -> None:
        raise error

    monkeypatch.setattr(pipeline, "_draw", fail)
    result = pipeline.process_clip(replace(job, draw=True))
    assert result.status is Status.OK
    (problem,) = result.problems
    assert problem.startswith("Not every picture was drawn: ")
    assert str(error) in problem
    assert json.loads((job.folder / "motion.json").read_text())["status"] == "ok"


def test_an_exception_between_two_shots_leaves_the_first(job: ClipJob, monkeypatch: pytest.MonkeyPatch) -> None:
    use_shots(monkeypatch, shot(0, start_s=0.0, num_frames=6), shot(1, start_s=2.0, num_frames=6))
    write = pipeline.write_text

    def fill_the_disk(path: Path, text: str) -> None:
        if path.exists():
            raise InputError(f"cannot write {path}: no space left on device")
        write(path, text)

    monkeypatch.setattr(pipeline, "write_text", fill_the_disk)
    result = pipeline.process_clip(job)
    assert [s.status for s in result.shots] == [Status.OK, Status.INTERNAL_ERROR]
    assert "no space left" in result.shots[1].message
    assert (job.folder / "shot_01" / "trajectory.tum").is_file()


@pytest.mark.parametrize("num_frames", [2, 3])
def test_two_equal_pictures_are_refused_before_any_estimator_and_a_longer_frozen_shot_is_not(
    job: ClipJob, monkeypatch: pytest.MonkeyPatch, num_frames: int
) -> None:
    use_shots(monkeypatch, shot(0, start_s=0.0, num_frames=num_frames))
    result = pipeline.process_clip(job)
    asked = (job.scratch / "shot_01" / "touched").exists()
    if num_frames == 2:
        assert (result.status, result.message) == (Status.TOO_FEW_FRAMES, "the two frames are the same picture")
        assert not asked
    else:
        assert (result.status, asked) == (Status.OK, True)


RNG = np.random.default_rng(0)
TEXTURE = np.kron(RNG.integers(20, 236, (12, 16, 3)), np.ones((8, 8, 1), dtype=np.int64))


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        (TEXTURE, TEXTURE + RNG.integers(-1, 2, TEXTURE.shape), Status.TOO_FEW_FRAMES),  # as a coder leaves one picture given twice
        (TEXTURE, np.roll(TEXTURE, 1, axis=1), Status.OK),
        (RNG.integers(0, 4, TEXTURE.shape), RNG.integers(0, 4, TEXTURE.shape), Status.OK),  # darkness: little but noise, and that is new
    ],
    ids=["coded twice", "moved by a pixel", "dark noise"],
)
def test_two_pictures_that_differ_by_more_than_coding_are_a_shot(
    job: ClipJob, monkeypatch: pytest.MonkeyPatch, first: Int, second: Int, status: Status
) -> None:
    pair = shot(0, start_s=0.0, num_frames=2)
    pair.frames.images[:] = first, second
    use_shots(monkeypatch, pair)
    assert pipeline.process_clip(job).status is status


def test_a_path_of_one_pose_is_no_motion(job: ClipJob, monkeypatch: pytest.MonkeyPatch) -> None:
    def lonely(self: FakeEstimator, frames: Frames, *, workspace: Path) -> Estimate:
        path = panning(frames, pan_deg=2.0)
        return Estimate(Status.OK, replace(path, valid=np.arange(len(frames)) == 0))

    monkeypatch.setattr(FakeEstimator, "estimate", lonely)
    result = pipeline.process_clip(job)
    assert (result.status, result.scores("depth")) == (Status.TOO_FEW_REGISTERED, None)
    assert not (job.folder / "trajectory.tum").exists()


def test_decode_problems_are_passed_on(job: ClipJob, monkeypatch: pytest.MonkeyPatch) -> None:
    part = shot(0, start_s=0.0, num_frames=6)
    use_shots(monkeypatch, replace(part, frames=replace(part.frames, problems=("3 packets could not be decoded",))))
    assert pipeline.process_clip(job).problems == ("3 packets could not be decoded",)
    assert json.loads((job.folder / "motion.json").read_text())["problems"] == ["3 packets could not be decoded"]
