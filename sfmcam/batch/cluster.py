"""Running jobs on the machines of a Ray cluster, or on this one as if it were a cluster.

Every machine runs its clips through its own LocalExecutor, so that limits, logs and the isolation of a clip are the same
everywhere. All machines need sfmcam installed, and the videos and OUT under the same paths (a shared file system).
"""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sfmcam.batch.local import LocalExecutor, memory_limit_bytes
from sfmcam.errors import ConfigError, MissingDependencyError
from sfmcam.jobs import ClipJob
from sfmcam.results import ClipResult, failed_clip
from sfmcam.types import Status

MAX_RETRIES = 3  # of a clip whose machine went away; a death of the clip's own child is a result, and is not retried
ADDRESS_VARIABLE = "RAY_ADDRESS"


class RayExecutor:
    """Runs jobs as Ray tasks, `workers` at a time, or as many as the cluster has processors for."""

    def __init__(self, workers: int | None = None) -> None:
        """Join the cluster that RAY_ADDRESS names, or start one on this machine.

        Raises:
            MissingDependencyError: Ray is not installed.
            ConfigError: the cluster does not answer.
        """
        try:
            import ray
        except ImportError as error:
            raise MissingDependencyError(
                "--executor ray needs Ray, which is not installed; install it with: pip install 'sfmcam[cluster]'"
            ) from error
        self._ray: Any = ray
        self._workers = workers
        if not ray.is_initialized():
            self._join(os.environ.get(ADDRESS_VARIABLE) or "local")

    def run(self, jobs: Sequence[ClipJob]) -> Generator[tuple[ClipJob, ClipResult], None, None]:
        """Yield every job with its result, in the order in which they end; closing the iterator stops what is at work.

        Raises:
            ConfigError: no machine of the cluster has as many processors as one clip asks for.
        """
        ray = self._ray
        waiting, running = deque(jobs), dict[Any, ClipJob]()
        try:
            while waiting or running:
                while waiting and len(running) < self._slots(jobs):
                    job = waiting.popleft()
                    task = ray.remote(num_cpus=job.method.run.threads, max_retries=MAX_RETRIES)(run_on_a_machine)
                    running[task.remote(_with_absolute_paths(job))] = job
                (reference, *_), _ = ray.wait(list(running))
                job = running.pop(reference)
                yield job, self._result(job, reference)
        finally:
            self._stop(running)

    def _join(self, address: str) -> None:
        try:
            self._ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, RuntimeError, TimeoutError, ValueError) as error:
            raise ConfigError(f"the Ray cluster at {address} ({ADDRESS_VARIABLE}) does not answer: {error}") from error

    def _slots(self, jobs: Sequence[ClipJob]) -> int:
        threads = max(job.method.run.threads for job in jobs)
        largest = max((node["Resources"].get("CPU", 0) for node in self._ray.nodes() if node["Alive"]), default=0)
        if largest < threads:
            raise ConfigError(f"one clip asks for {threads} processors, and no machine of the Ray cluster has more than {largest:g}")
        return self._workers or max(1, int(self._ray.cluster_resources().get("CPU", 1) // threads))

    def _result(self, job: ClipJob, reference: Any) -> ClipResult:
        try:
            result: ClipResult = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            message = f"the task ended without a result, {MAX_RETRIES} times over: {str(error).splitlines()[0]}"
            return failed_clip(job.clip_id, str(job.source), status=Status.CRASHED, message=message)
        return replace(result, source=str(job.source))

    def _stop(self, running: dict[Any, ClipJob]) -> None:
        for reference, job in running.items():
            self._ray.cancel(reference, force=True)  # its children are tied to it and end with it
            shutil.rmtree(job.scratch, ignore_errors=True)


def run_on_a_machine(job: ClipJob) -> ClipResult:
    """Run one job in a child process of the machine that this is called on."""
    share = max(1, (os.cpu_count() or 1) // job.method.run.threads)
    ((_, result),) = LocalExecutor(1).run([replace(job, memory_bytes=memory_limit_bytes(share))])
    return result


def _with_absolute_paths(job: ClipJob) -> ClipJob:
    return replace(job, source=_absolute(job.source), folder=_absolute(job.folder), scratch=_absolute(job.scratch))


def _absolute(path: Path) -> Path:
    return Path.cwd() / path
