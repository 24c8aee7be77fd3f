"""Running jobs on this machine, one fresh child process per clip.

pebble's `concurrent.process` gives each child a pipe of its own. Its ProcessPool, where all workers share one pipe and
its locks, was tried and left: a worker that dies after it has delivered its result breaks the pool, and with it every job that waits.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from pebble import ProcessExpired, concurrent

from sfmcam.batch.death import count_oom_kills, judge_death
from sfmcam.batch.worker import pid_file, run_in_child
from sfmcam.estimators.registry import modules_to_preload
from sfmcam.jobs import ClipJob
from sfmcam.results import ClipResult
from sfmcam.types import Status
from sfmcam.workspace import ClipFolder

MEMORY_SHARE = 0.9  # of the machine's memory, over all children
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class _Running:
    job: ClipJob
    started: float
    oom_kills: int


class LocalExecutor:
    """Runs jobs in child processes of this machine, `workers` at a time."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._context = multiprocessing.get_context("forkserver")

    def run(self, jobs: Sequence[ClipJob]) -> Generator[tuple[ClipJob, ClipResult], None, None]:
        """Yield every job with its result, in the order in which they end.

        Closing the iterator ends the children that are still at work; a Ctrl-C does so too.
        """
        modules = modules_to_preload(job.method.entry for job in jobs)
        self._context.set_forkserver_preload(["sfmcam.batch.preload", *modules])
        waiting, running = deque(jobs), dict[Future[ClipResult], _Running]()
        try:
            while waiting or running:
                while waiting and len(running) < self.workers:
                    with _interrupt_later():
                        job = waiting.popleft()
                        running[self._start(job)] = _Running(job, time.perf_counter(), count_oom_kills())
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    run = running.pop(future)
                    yield run.job, _finish(run, future)
        finally:
            _stop(running)

    def _start(self, job: ClipJob) -> Future[ClipResult]:
        shutil.rmtree(job.scratch, ignore_errors=True)
        job.scratch.mkdir(parents=True)
        ClipFolder(job.folder).make_empty()
        # pebble 5.2 reads `context`, though its signature says `mp_context`; one that it does not know is ignored, and the child forked
        settings: dict[str, Any] = {"context": self._context, "mp_context": self._context, "timeout": job.method.run.timeout_s}
        start = concurrent.process(name=f"sfmcam {job.method.slug} {job.clip_id}", daemon=False, **settings)
        future: Future[ClipResult] = start(run_in_child)(job)
        return future


def memory_limit_bytes(workers: int) -> int:
    """Return the data that each of `workers` children may hold: an equal share of most of the machine's (or container's) memory."""
    total = psutil.virtual_memory().total
    with contextlib.suppress(OSError, ValueError):  # no such file outside a container; "max" where it has no limit
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return int(MEMORY_SHARE * total / workers)


def _finish(run: _Running, future: Future[ClipResult]) -> ClipResult:
    """Return the result of a child that has ended, whichever way, and remove what it left behind."""
    job = run.job
    try:
        return future.result()
    except TimeoutError:
        return _dead(run, Status.TIMEOUT, message=f"ended after {job.method.run.timeout_s:g} s")
    except ProcessExpired as error:
        status, message = judge_death(error.exitcode, log=ClipFolder(job.folder).log, oom_kills_before=run.oom_kills)
        return _dead(run, status, message=message)
    except MemoryError as error:
        return _dead(run, Status.OUT_OF_MEMORY, message=str(error))
    except OSError as error:
        return _dead(run, Status.INTERNAL_ERROR, message=f"the child process could not set itself up: {error}")
    # whatever else a child raised costs its own clip and not the run; SystemExit among it, which would end this process
    except (Exception, SystemExit) as error:  # noqa: BLE001
        _log_traceback(job, error)
        return _dead(run, Status.INTERNAL_ERROR, message=f"{type(error).__name__}: {error}")
    finally:
        _end_group(job)
        shutil.rmtree(job.scratch, ignore_errors=True)


def _dead(run: _Running, status: Status, *, message: str) -> ClipResult:
    """Return what is known of a clip whose child died: the shots in its checkpoint, and the reason for the others."""
    from sfmcam.judgement import close_clip  # heavy, and most runs have no use for it

    result = close_clip(run.job, status=status, message=message)
    return replace(result, seconds=replace(result.seconds, total=time.perf_counter() - run.started))


def _log_traceback(job: ClipJob, error: BaseException) -> None:
    """Add to the clip's log where in its child `error` was raised, as pebble notes it on the exception."""
    text = getattr(error, "traceback", "") or "".join(traceback.format_exception(error))
    with contextlib.suppress(OSError), ClipFolder(job.folder).log.open("a", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text)


def _stop(running: dict[Future[ClipResult], _Running]) -> None:
    """End all children at once and wait until they are gone."""
    deadline = time.perf_counter() + STOP_SECONDS
    pending = set(running)
    while pending and time.perf_counter() < deadline:
        for future in pending:
            _end_group(running[future].job)  # again and again: one that has only just started may not have its group yet
        pending = wait(pending, timeout=POLL_SECONDS).not_done
    for run in running.values():
        shutil.rmtree(run.job.scratch, ignore_errors=True)


@contextlib.contextmanager
def _interrupt_later() -> Iterator[None]:
    """Hold back a Ctrl-C until the block is done: a child that was started but not entered in the books could not be ended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def _end_group(job: ClipJob) -> None:
    """Kill what is left of the child's process group: the child itself or programs that it started."""
    with contextlib.suppress(OSError, ValueError):  # it never led a group, or nothing of it is left
        os.killpg(int(pid_file(job.scratch).read_text(encoding="ascii")), signal.SIGKILL)
