"""Real child processes: every way of ending becomes that clip's status, with the others done and nothing left behind."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from small_video import write_video

from sfmcam.batch.local import LocalExecutor, _finish, _Running, memory_limit_bytes
from sfmcam.config import FrameConfig, RunConfig
from sfmcam.errors import InputError
from sfmcam.jobs import ClipJob, Method
from sfmcam.results import ClipResult
from sfmcam.types import Status

ENVIRONMENT_ROOT = Path(__file__).resolve().parents[2]
METHOD = Method("fake", "fake_estimator:FakeEstimator", {"pan_deg": 2.0}, FrameConfig(shots="single"), RunConfig(timeout_s=2.0))
ENDS = {
    "ok": (Status.OK, "all is well"),
    "fail": (Status.TOO_FEW_MATCHES, "3 of 10 pairs matched"),
    "raise": (Status.INTERNAL_ERROR, "RuntimeError: a bug in the estimator"),
    "hang": (Status.TIMEOUT, "ended after 2 s"),
    "abort": (Status.CRASHED, "SIGABRT; its last words: F0101 check failed: 0 < 1"),
    "kill": (Status.CRASHED, "SIGKILL"),
    "exit": (Status.CRASHED, "exit code 3"),
    "memory": (Status.OUT_OF_MEMORY, "Unable to allocate"),
    "orphan": (Status.OK, "all is well"),
}


def make_job(root: Path, name: str, *, method: Method = METHOD) -> ClipJob:
    video = root / f"{name}.mp4"
    if not video.exists():
        write_video(video)
    return ClipJob(name, video, method, root / "out" / name, root / "scratch" / name, memory_bytes=400 << 20)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, ClipResult]]:
    root = tmp_path_factory.mktemp("local")
    jobs = [make_job(root, name) for name in ENDS]
    return root, {job.clip_id: result for job, result in LocalExecutor(2).run(jobs)}


@pytest.mark.parametrize("name", ENDS)
def test_every_end_has_its_status(ended: tuple[Path, dict[str, ClipResult]], name: str) -> None:
    status, message = ENDS[name]
    result = ended[1][name]
    assert result.status is status
    assert message in result.message
    assert result.seconds.total > 0


@pytest.mark.parametrize("name", ENDS)
def test_every_end_writes_its_status_and_log(ended: tuple[Path, dict[str, ClipResult]], name: str) -> None:
    folder = ended[0] / "out" / name
    assert json.loads((folder / "motion.json").read_text())["status"] == ENDS[name][0].value
    assert (folder / "run.log").is_file()
    assert (folder / "trajectory.tum").is_file() is ENDS[name][0].is_success


def test_the_traceback_of_a_bug_is_in_the_log(ended: tuple[Path, dict[str, ClipResult]]) -> None:
    assert "in _raise" in (ended[0] / "out" / "raise" / "run.log").read_text()


def test_nothing_is_left_behind(ended: tuple[Path, dict[str, ClipResult]]) -> None:
    assert list((ended[0] / "scratch").iterdir()) == []
    assert [p for p in multiprocessing.active_children() if p.name.startswith("sfmcam")] == []
    assert not _programs_started_by_the_fake()


def test_memory_is_the_childs_own(tmp_path: Path) -> None:
    """A forked child would start with this process's peak."""
    ballast = np.ones(50 << 20)
    ((_, result),) = LocalExecutor(1).run([make_job(tmp_path, "ok")])
    assert result.peak_mb is not None
    assert 30 < result.peak_mb < ballast.nbytes >> 20


def test_children_are_not_forked_from_this_process(tmp_path: Path) -> None:
    """A fork would copy this process's threads' locks; pebble silently forks where it does not know how the context is named."""
    ((_, result),) = LocalExecutor(1).run([make_job(tmp_path, "whoami")])
    assert result.main_shot is not None
    assert result.main_shot.diagnostics["parent_pid"] not in (0, psutil.Process().pid)


def test_closing_ends_the_children_at_once(tmp_path: Path) -> None:
    slow = replace(METHOD, run=RunConfig(timeout_s=60.0))
    jobs = [make_job(tmp_path, "ok"), make_job(tmp_path, "hang1", method=slow), make_job(tmp_path, "hang2", method=slow)]
    finished = LocalExecutor(2).run(jobs)
    next(finished)
    begin = time.perf_counter()
    finished.close()
    assert time.perf_counter() - begin < 5
    assert list((tmp_path / "scratch").iterdir()) == []
    assert [p for p in multiprocessing.active_children() if p.name.startswith("sfmcam")] == []


def test_an_interrupt_while_a_child_is_started_ends_that_child_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = LocalExecutor._start

    def start_and_interrupt(self: LocalExecutor, job: ClipJob) -> Future[ClipResult]:
        future = start(self, job)
        os.kill(os.getpid(), signal.SIGINT)
        return future

    monkeypatch.setattr(LocalExecutor, "_start", start_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        list(LocalExecutor(1).run([make_job(tmp_path, "hang")]))
    assert [p for p in multiprocessing.active_children() if p.name.startswith("sfmcam")] == []
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_shot_that_was_done_survives_the_death_of_the_next(tmp_path: Path) -> None:
    auto = replace(METHOD, frames=FrameConfig(shots="auto"))
    video = write_video(tmp_path / "second-aborts.mp4", num_frames=36, cut_at=12)
    ((_, result),) = LocalExecutor(1).run([replace(make_job(tmp_path, "second-aborts", method=auto), source=video)])
    assert [shot.status for shot in result.shots] == [Status.OK, Status.CRASHED]
    assert result.status is Status.OK
    assert json.loads((tmp_path / "out" / "second-aborts" / "shot_02" / "motion.json").read_text())["status"] == "crashed"


def test_an_exception_while_a_child_sets_itself_up_costs_its_clip_alone(tmp_path: Path) -> None:
    broken = replace(make_job(tmp_path, "broken"), memory_bytes="plenty")
    results = {job.clip_id: result for job, result in LocalExecutor(1).run([broken, make_job(tmp_path, "ok")])}
    assert {name: result.status for name, result in results.items()} == {"broken": Status.INTERNAL_ERROR, "ok": Status.OK}
    assert "TypeError" in results["broken"].message
    assert "in limit_memory" in (tmp_path / "out" / "broken" / "run.log").read_text()
    assert json.loads((tmp_path / "out" / "broken" / "motion.json").read_text())["status"] == "internal_error"


@pytest.mark.parametrize("error", [ValueError("not allowed to raise maximum limit"), InputError("cannot write x"), SystemExit(1)], ids=repr)
def test_whatever_a_child_raises_is_its_clips_internal_error(tmp_path: Path, error: BaseException) -> None:
    job = make_job(tmp_path, "odd")
    (job.folder / "motion.json").mkdir(parents=True)  # and that not even its status can be written stops nothing
    future: Future[ClipResult] = Future()
    future.set_exception(error)
    result = _finish(_Running(job, time.perf_counter(), 0), future)
    assert (result.status, result.message) == (Status.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
    assert "motion.json" in result.problems[-1]
    assert str(error) in (job.folder / "run.log").read_text()


@pytest.mark.parametrize(("hard_mib", "asked_mib", "got_mib"), [(2000, 4000, 2000), (4000, 2000, 2000), (None, 2000, 2000)])
def test_a_lower_hard_limit_of_memory_holds(hard_mib: int | None, asked_mib: int, got_mib: int) -> None:
    hard = "resource.RLIM_INFINITY" if hard_mib is None else hard_mib << 20
    code = f"""
import resource
from sfmcam.batch.worker import limit_memory
if {hard_mib is not None}:
    resource.setrlimit(resource.RLIMIT_DATA, ({hard}, {hard}))
limit_memory({asked_mib << 20})
print(resource.getrlimit(resource.RLIMIT_DATA)[0] >> 20)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ENVIRONMENT_ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == str(got_mib), done.stderr


def test_memory_is_shared_out_between_workers() -> None:
    assert memory_limit_bytes(4) == pytest.approx(memory_limit_bytes(1) / 4, rel=0.01)


def _programs_started_by_the_fake() -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "601.25"]]
