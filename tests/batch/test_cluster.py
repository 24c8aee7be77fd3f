"""The Ray executor does what the local one does; without Ray it says so in one sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_video import write_video

from sfmcam.batch.cluster import RayExecutor
from sfmcam.config import FrameConfig, RunConfig
from sfmcam.errors import ConfigError, MissingDependencyError
from sfmcam.jobs import ClipJob, Method
from sfmcam.types import Status

RUN = RunConfig(timeout_s=2.0)
ENDS = {"ok": Status.OK, "fail": Status.TOO_FEW_MATCHES, "abort": Status.CRASHED, "hang": Status.TIMEOUT}


def make_jobs(root: Path, run: RunConfig = RUN) -> list[ClipJob]:
    method = Method("fake", "fake_estimator:FakeEstimator", {"pan_deg": 2.0}, FrameConfig(shots="single"), run)
    videos = {name: write_video(root / f"{name}.mp4") for name in ENDS}
    return [ClipJob(name, video, method, root / "out" / name, root / "scratch" / name) for name, video in videos.items()]


@pytest.fixture(scope="module")
def ray_on_this_machine() -> Iterator[None]:
    ray = pytest.importorskip("ray", reason="Ray is not installed (extra: cluster)")
    paths = {"PYTHONPATH": ":".join(p for p in sys.path if p)}
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": paths})
    yield
    ray.shutdown()


def test_without_ray_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'sfmcam\[cluster\]'"):
        RayExecutor(1)


@pytest.mark.usefixtures("ray_on_this_machine")
def test_every_end_has_its_status(tmp_path: Path) -> None:
    results = {job.clip_id: result for job, result in RayExecutor().run(make_jobs(tmp_path))}
    assert {name: result.status for name, result in results.items()} == ENDS
    assert "SIGABRT" in results["abort"].message
    assert results["ok"].source == str(tmp_path / "ok.mp4")
    assert (tmp_path / "out" / "ok" / "trajectory.tum").is_file()
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.usefixtures("ray_on_this_machine")
def test_more_processors_than_there_are_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="asks for 64 processors"):
        list(RayExecutor().run(make_jobs(tmp_path, RunConfig(threads=64))))
