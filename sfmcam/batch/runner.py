"""Running jobs with a store: what is kept is not done again, and what ends is kept at once."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

from sfmcam.batch.store import RunStore
from sfmcam.errors import InputError
from sfmcam.jobs import ClipJob
from sfmcam.results import ClipResult
from sfmcam.types import Status
from sfmcam.workspace import BenchFolder, make_folder

# the run failed, not the method: another time limit, machine or version may do better
RETRIED = frozenset({Status.TIMEOUT, Status.CRASHED, Status.OUT_OF_MEMORY, Status.INTERNAL_ERROR})

Report = Callable[[ClipJob, ClipResult], None]


class Executor(Protocol):
    """Runs jobs somewhere; closing the iterator stops what is still at work."""

    def run(self, jobs: Sequence[ClipJob]) -> Generator[tuple[ClipJob, ClipResult], None, None]:
        """Yield every job with its result, in the order in which they end."""
        ...


def pending_jobs(jobs: Sequence[ClipJob], store: RunStore, *, retry_failed: bool) -> list[ClipJob]:
    """Return the jobs without a kept result; with `retry_failed`, also those whose run died.

    Raises:
        InputError: a video is no longer the one that the kept result came from.
    """
    kept = {slug: store.results(slug) for slug in {job.method.slug for job in jobs}}
    pending = []
    for job in jobs:
        source_hash, result = kept[job.method.slug].get(job.clip_id, (job.source_hash, None))
        if source_hash != job.source_hash:
            raise InputError(f"{job.source} has changed since its results were kept; choose another --out, or add --overwrite")
        if result is None or (retry_failed and has_died(result)):
            pending.append(job)
    return pending


def run_jobs(jobs: Sequence[ClipJob], *, store: RunStore, executor: Executor, report: Report) -> None:
    """Run `jobs`, keeping and then reporting every result as it comes in."""
    with closing(executor.run(jobs)) as finished:
        for job, result in finished:
            store.put(job.method.slug, result, source_hash=job.source_hash)
            report(job, result)


def has_died(result: ClipResult) -> bool:
    """Whether the run of a clip, or of one of its shots, ended before the method had its say."""
    return result.status in RETRIED or any(shot.status in RETRIED for shot in result.shots)


@contextlib.contextmanager
def sole_writer(folder: BenchFolder) -> Iterator[None]:
    """Hold a run's folder for this process, made if needed, and clear what a killed run left in its scratch folder.

    Raises:
        InputError: it cannot be made or written, or another run holds it.
    """
    make_folder(folder.root)
    lock = _open_lock(folder.lock)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"another run is writing into {folder.root}; wait for it or choose another --out") from error
        shutil.rmtree(folder.scratch, ignore_errors=True)
        try:
            yield
        finally:
            shutil.rmtree(folder.scratch, ignore_errors=True)
    finally:
        os.close(lock)


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise InputError(f"cannot write {path}: {(error.strerror or str(error)).lower()}; choose another --out") from error
