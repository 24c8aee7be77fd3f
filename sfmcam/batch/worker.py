"""The child process of one clip: its own session, log file, limits and temporary folder, then the pipeline."""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path

from sfmcam.jobs import ClipJob
from sfmcam.results import ClipResult
from sfmcam.workspace import ClipFolder

PR_SET_PDEATHSIG = 1  # linux/prctl.h
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def run_in_child(job: ClipJob) -> ClipResult:
    """Run one job in this process, which must be a fresh one: its streams, signals and limits are taken over."""
    lead_own_group(job.scratch)
    redirect_output(ClipFolder(job.folder).log)
    limit_threads(job.method.run.threads)
    limit_memory(job.memory_bytes)
    os.environ["TMPDIR"] = tempfile.tempdir = str(job.scratch)
    from sfmcam.pipeline import process_clip  # heavy, and the parent, which only names this function, has no use for it

    result = process_clip(job)
    # glog has taken the signal over, and pebble sends it as soon as it has the result: that is no crash to log
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return result


def lead_own_group(scratch: Path) -> None:
    """Make this process easy to end: at once on TERM, with all that it starts, and with its parent.

    The default action replaces a Python handler, which would wait for the end of a native call that may never come.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setsid()
    pid_file(scratch).write_text(str(os.getpid()), encoding="ascii")
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        sys.exit(1)  # it died before the line above could tie this process to it


def pid_file(scratch: Path) -> Path:
    """Where the child of a job writes its process id, which is also the id of its group."""
    return scratch / "pid"


def redirect_output(log: Path) -> None:
    """Send everything that this process prints, native code included, to `log`, with a stack if it dies of a fault."""
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (1, 2):
        os.dup2(target, stream)
    os.close(target)
    os.environ["GLOG_logtostderr"] = "1"  # noqa: SIM112  (glog spells it so; without it, it leaves files in /tmp)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr, force=True)
    faulthandler.enable()


def limit_threads(threads: int) -> None:
    """Hold the libraries that bring thread pools of their own to `threads`."""
    import cv2

    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    cv2.setNumThreads(threads)


def limit_memory(memory_bytes: int | None) -> None:
    """Let allocation fail beyond `memory_bytes` of data, which names the reason, where the kernel would kill some process.

    No core file is written when a native library aborts.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_bytes is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)  # a hard limit cannot be raised
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
