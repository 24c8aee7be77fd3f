"""A bench that is stopped half way, as a program of its own: killed, it leaves no process and loses no result; Ctrl-C says how to go on."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from fake_cli import ENVIRONMENT, TESTS
from label_folder import make_label_folder
from small_video import write_video

NAMES = tuple(f"slow{i}" for i in range(16))  # enough that a busy machine cannot end the run before it is stopped
PATIENCE_S = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    truth = {"Pan_Right": {f"{name}.mp4": name < "slow4" for name in NAMES}}
    make_label_folder(tmp_path / "set", truth, videos=())
    for name in NAMES:
        write_video(tmp_path / "set" / "videos" / f"{name}.mp4", num_frames=4)
    return tmp_path


def start(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(TESTS / "fake_cli.py"), "bench", "set", "-e", "fake", "-o", "run", "--jobs", "2"]
    environment = {**ENVIRONMENT, "TMPDIR": str(folder)}  # multiprocessing leaves its socket's folder there when it is killed
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,
    )


def hear_interrupts() -> None:
    """Undo what a shell does to a command in the background, which the tests may be: its children are deaf to SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def kept(folder: Path) -> dict[str, str]:
    """Clip id -> time at which it was kept, as the store has it."""
    store = folder / "run" / "runs.sqlite"
    if not store.is_file():
        return {}
    try:
        with sqlite3.connect(store) as db:
            found = dict(db.execute("SELECT clip, finished FROM runs").fetchall())
    except sqlite3.OperationalError:  # the run has not made its tables yet
        return {}
    db.close()
    return found


def wait_until_half_done(folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len(kept(folder)) < 3:
        assert time.monotonic() < deadline, "the run does not get on"
        time.sleep(0.02)


def stop(process: subprocess.Popen[str], number: signal.Signals) -> tuple[str, str]:
    """Send a signal to the run alone, and see that all it started is gone soon after."""
    started = psutil.Process(process.pid).children(recursive=True)
    assert len(started) >= 2
    process.send_signal(number)
    output = process.communicate(timeout=PATIENCE_S)
    _, alive = psutil.wait_procs(started, timeout=5)
    assert alive == []
    return output


def finish(folder: Path) -> None:
    process = start(folder)
    _, errors = process.communicate(timeout=2 * PATIENCE_S)
    assert process.returncode == 0, errors


def test_killed_it_goes_on_without_redoing_or_losing_a_clip(folder: Path) -> None:
    process = start(folder)
    wait_until_half_done(folder)
    stop(process, signal.SIGKILL)
    before = kept(folder)
    written = {name: (folder / "run" / "fake" / "clips" / name / "motion.json").stat().st_mtime_ns for name in before}
    assert 3 <= len(before) < len(NAMES)
    finish(folder)
    after = kept(folder)
    assert after.keys() == set(NAMES)
    assert {name: after[name] for name in before} == before
    assert {name: (folder / "run" / "fake" / "clips" / name / "motion.json").stat().st_mtime_ns for name in before} == written
    document = json.loads((folder / "run" / "fake" / "scores" / "classification_scores_Pan_Right.json").read_text())
    assert [row["error"] for row in document["scores"]] == [None] * len(NAMES)
    assert not (folder / "run" / ".scratch").exists()


def test_interrupted_it_says_how_to_go_on(folder: Path) -> None:
    process = start(folder)
    wait_until_half_done(folder)
    _, errors = stop(process, signal.SIGINT)
    assert process.returncode == 130
    assert "The same command goes on from there" in errors
    assert "Traceback" not in errors
    assert 3 <= len(kept(folder)) < len(NAMES)
    assert not any((folder / "run" / ".scratch").rglob("*"))
