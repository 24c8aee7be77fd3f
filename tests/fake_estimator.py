"""An estimator for tests: what it does is decided by the name of the clip, so that every way of ending can be provoked in a real child."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sfmcam.config import Model, RunConfig
from sfmcam.types import CameraTrajectory, Estimate, Evidence, Frames, PointCloud, PointTracks, Status

ENTRY = "fake_estimator:FakeEstimator"


class FakeOptions(Model):
    """Options of the fake."""

    pan_deg: float = 2.0


class FakeEstimator:
    """Pans right by two degrees per frame, unless the clip's name asks for something else."""

    name = "fake"
    Options = FakeOptions

    def __init__(self, options: FakeOptions, run: RunConfig) -> None:
        self._options = options
        self._run = run

    def estimate(self, frames: Frames, *, workspace: Path) -> Estimate:
        """Do what the clip's name says."""
        (workspace / "touched").write_text("scratch", encoding="utf-8")
        for word, act in ACTS.items():
            if frames.source.stem.startswith(word):
                act()
        if frames.source.stem.startswith("fail"):
            return Estimate(Status.TOO_FEW_MATCHES, message="3 of 10 pairs matched")
        if "second-aborts" in frames.source.stem and frames.timestamps_s[0] > 1:
            _abort()
        trajectory = panning(frames, pan_deg=self._options.pan_deg)
        tracks = tracks_of(frames) if frames.source.stem.startswith("tracked") else None
        return Estimate(Status.OK, trajectory, "all is well", _points(), tracks, diagnostics={"parent_pid": os.getppid()})


def panning(frames: Frames, *, pan_deg: float) -> CameraTrajectory:
    """Return a camera that pans right by `pan_deg` per frame."""
    n = len(frames)
    angles = np.radians(pan_deg) * np.arange(n)
    poses = np.tile(np.eye(4), (n, 1, 1))
    poses[:, 0, 0] = poses[:, 2, 2] = np.cos(angles)
    poses[:, 0, 2], poses[:, 2, 0] = -np.sin(angles), np.sin(angles)
    return CameraTrajectory(
        frames.timestamps_s,
        poses,
        np.full(n, float(frames.size_px[0])),
        np.ones(n, dtype=bool),
        np.full(n, 5.0),
        image_size_px=frames.size_px,
        evidence=Evidence(parallax_px=1.5),
    )


def tracks_of(frames: Frames) -> PointTracks:
    """Return 30 tracks through every frame that slide to the left, the first five of them on something that moves."""
    rng = np.random.default_rng(0)
    n, start_px = len(frames), rng.uniform((20, 5), np.array(frames.size_px) - 5, (30, 2))
    xy_px = start_px - np.arange(n)[:, None, None] * np.array([2.0, 0.0])
    static_probability = np.where(np.arange(30) < 5, 0.1, 0.95)
    return PointTracks(np.repeat(np.arange(n), 30), np.tile(np.arange(30), n), xy_px.reshape(-1, 2), frames.size_px, static_probability)


def _points() -> PointCloud:
    rng = np.random.default_rng(0)
    return PointCloud(rng.normal(loc=(0.0, 0.0, 5.0), size=(50, 3)), rng.integers(0, 255, (50, 3)).astype(np.uint8))


def _raise() -> None:
    raise RuntimeError("a bug in the estimator")


def _hang() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)


def _abort() -> None:
    sys.stderr.write("F0101 check failed: 0 < 1\n")
    sys.stderr.flush()
    os.abort()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _leave_a_program_running() -> None:
    """Start a program that outlives this process unless its whole group is ended."""
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "601.25"])


def _eat_memory() -> None:
    hoard = []
    while True:
        hoard.append(np.empty(1 << 23))  # not touched, so that only a limit is reached and never the machine's memory


ACTS: dict[str, Callable[[], object]] = {
    "raise": _raise,
    "hang": _hang,
    "abort": _abort,
    "kill": _kill,
    "orphan": _leave_a_program_running,
    "memory": _eat_memory,
    "exit": lambda: os._exit(3),
    "slow": lambda: time.sleep(0.5),
}
