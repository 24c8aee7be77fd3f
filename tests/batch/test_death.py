"""The reason of a death: the signal's name and the last words of the log, and want of memory where either says so."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from sfmcam.batch.death import count_oom_kills, judge_death, last_words
from sfmcam.types import Status

FAULT = 'E1234 check failed\n\nFatal Python error: Aborted\n\nCurrent thread 0x00007f (most recent call first):\n  File "x.py", line 3\n'


@pytest.mark.parametrize(
    ("exit_code", "log", "status", "message"),
    [
        (-signal.SIGABRT, FAULT, Status.CRASHED, "ended by SIGABRT; its last words: E1234 check failed"),
        (-signal.SIGSEGV, "", Status.CRASHED, "ended by SIGSEGV"),
        (-signal.SIGKILL, "at work\n", Status.CRASHED, "ended by SIGKILL; its last words: at work"),
        (-70, "", Status.CRASHED, "ended by signal 70"),
        (3, "", Status.CRASHED, "exit code 3"),
        (None, "", Status.CRASHED, "ended without a result"),
        (-signal.SIGABRT, "terminate called\n  what():  std::bad_alloc\n", Status.OUT_OF_MEMORY, "bad_alloc"),
        (1, "Traceback\nMemoryError\n", Status.OUT_OF_MEMORY, "exit code 1"),
    ],
)
def test_death(tmp_path: Path, exit_code: int | None, log: str, status: Status, message: str) -> None:
    path = tmp_path / "run.log"
    path.write_text(log)
    judged, said = judge_death(exit_code, log=path, oom_kills_before=count_oom_kills())
    assert judged is status
    assert message in said
    assert "\n" not in said


def test_a_kill_for_want_of_memory_is_told_by_the_kernels_counter(tmp_path: Path) -> None:
    status, _ = judge_death(-signal.SIGKILL, log=tmp_path / "none.log", oom_kills_before=count_oom_kills() - 1)
    assert status is Status.OUT_OF_MEMORY


def test_last_words_of_a_long_log_are_its_end(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.write_bytes(b"\xff" * 200_000 + b"\none\ntwo\n\nthree\nfour\n")
    assert last_words(path) == "two | three | four"
