"""Why a child process ended without a result, from its exit code, its log and the kernel's counters."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from sfmcam.types import Status

LAST_LINES = 3
LAST_CHARACTERS = 400
LOG_TAIL_BYTES = 64 * 1024
NO_MEMORY = re.compile(r"bad_alloc|MemoryError|[Cc]annot allocate memory|std::length_error")
PYTHON_STACK = re.compile(r"^Fatal Python error: |^(Current thread|Thread) 0x|^Stack \(most recent call first\)|^Extension modules: ")
OOM_COUNTERS = (Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events"))  # of the machine; of the container


def judge_death(exit_code: int | None, *, log: Path, oom_kills_before: int) -> tuple[Status, str]:
    """Return status and message for a child that ended by itself.

    Args:
        exit_code: as multiprocessing gives it: minus the signal's number for a death by signal.
        log: what the child printed.
        oom_kills_before: `count_oom_kills` when it was started.
    """
    words = last_words(log)
    said = f"; its last words: {words}" if words else ""
    how = _how(exit_code)
    if NO_MEMORY.search(words):
        return Status.OUT_OF_MEMORY, f"{how}{said}"
    if exit_code == -signal.SIGKILL and count_oom_kills() > oom_kills_before:
        return Status.OUT_OF_MEMORY, "the system ended it for want of memory"
    return Status.CRASHED, f"{how}{said}"


def last_words(log: Path) -> str:
    """Return the last lines printed before the stack that Python adds to a fault, as one line."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - LOG_TAIL_BYTES))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    lines: list[str] = []
    for line in text.splitlines():
        if PYTHON_STACK.search(line):
            break
        if line.strip():
            lines.append(line.strip())
    return " | ".join(lines[-LAST_LINES:])[-LAST_CHARACTERS:]


def count_oom_kills() -> int:
    """Return how many processes the kernel has ended for want of memory since it started; 0 where it does not say."""
    total = 0
    for counter in OOM_COUNTERS:
        try:
            text = counter.read_text(encoding="ascii")
        except OSError:
            continue
        total += sum(int(number) for number in re.findall(r"^oom_kill (\d+)$", text, flags=re.MULTILINE))
    return total


def _how(exit_code: int | None) -> str:
    if exit_code is None:
        return "the process ended without a result"
    if exit_code >= 0:
        return f"the process ended with exit code {exit_code}"
    try:
        return f"the process was ended by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"the process was ended by signal {-exit_code}"
