"""A run over a labelled set: every method on every clip, then score files, tables and pose errors, none with a clip missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sfmcam import __version__
from sfmcam.batch.local import memory_limit_bytes
from sfmcam.batch.runner import RETRIED, Executor, pending_jobs, run_jobs
from sfmcam.batch.store import RunStore, configuration_hash, hash_names, hash_source
from sfmcam.datasets.labelled_set import LabelledSet
from sfmcam.io.score_file import ClipScores, MethodLabel, write_score_files
from sfmcam.jobs import ClipJob, Method
from sfmcam.results import SCORINGS, ClipResult
from sfmcam.workspace import BenchFolder


@dataclass(frozen=True)
class BenchPlan:
    """What to run.

    Attributes:
        labelled_set: clips and labels, of the whole set or of a part of it.
        methods: in the order of the tables.
        folder: where everything goes.
        workers: child processes at a time on this machine; they share its memory.
        overwrite: forget what is kept of these methods.
        retry_failed: run again where the run, not the method, failed.
        whole_set: what `labelled_set` is a part of; None where it is the whole.
    """

    labelled_set: LabelledSet
    methods: tuple[Method, ...]
    folder: BenchFolder
    workers: int = 1
    overwrite: bool = False
    retry_failed: bool = False
    whole_set: LabelledSet | None = None


@dataclass(frozen=True)
class Progress:
    """How far a run is: `total` jobs, of which `kept` were done before it; then one call per job that ends."""

    begin: Callable[[int, int], None] = field(default=lambda total, kept: None)
    advance: Callable[[ClipJob, ClipResult], None] = field(default=lambda job, result: None)


Results = dict[str, dict[str, ClipResult]]  # method slug -> clip id -> result, clips in the set's order


def run_benchmark(plan: BenchPlan, *, executor: Executor, progress: Progress) -> Results:
    """Run what is not kept yet, and write the score files of every method under both scorings.

    The caller holds `sole_writer(plan.folder)`, until what it makes of the results is written too.

    Raises:
        InputError: the folder cannot be used, or holds results of another configuration, data set or video.
    """
    with RunStore(plan.folder.store) as store:
        whole_set = plan.whole_set or plan.labelled_set
        replacing = [method.slug for method in plan.methods] if plan.overwrite else []
        store.claim_dataset(whole_set.name, hash_names(whole_set.videos), replacing=replacing)
        for method in plan.methods:
            if plan.overwrite:
                store.forget(method.slug)
            store.claim(method)
        jobs = make_jobs(plan)
        pending = pending_jobs(jobs, store, retry_failed=plan.retry_failed)
        progress.begin(len(jobs), len(jobs) - len(pending))
        run_jobs(pending, store=store, executor=executor, report=progress.advance)
        results = _collect(plan, store)
        for method in plan.methods:
            write_scores(plan, method, results=results[method.slug])
    return results


def describe_dead_methods(results: Results) -> str:
    """Return a sentence on the methods none of whose runs got as far as a verdict of the method's own; empty where there are none."""
    dead = [slug for slug, clips in results.items() if clips and all(result.status in RETRIED for result in clips.values())]
    if not dead:
        return ""
    counts = Counter(result.status for slug in dead for result in results[slug].values())
    how = ", ".join(f"{count} {status.value}" for status, count in sorted(counts.items()))
    return f"not a single run of {' and '.join(dead)} came to an end of its own ({how})"


def make_jobs(plan: BenchPlan) -> list[ClipJob]:
    """Return every (clip, method), clip by clip, so that a run that is stopped has the same clips of every method."""
    memory_bytes = memory_limit_bytes(plan.workers)
    hashes = {clip.id: hash_source(clip.path) for clip in plan.labelled_set.clips}
    return [
        ClipJob(
            clip_id=clip.id,
            source=clip.path,
            method=method,
            folder=plan.folder.clip(method.slug, clip.id).root,
            scratch=plan.folder.scratch / method.slug / clip.id,
            memory_bytes=memory_bytes,
            source_hash=hashes[clip.id],
        )
        for clip in plan.labelled_set.clips
        for method in plan.methods
    ]


def write_scores(plan: BenchPlan, method: Method, *, results: dict[str, ClipResult]) -> None:
    """Write the score files of one method, one folder per scoring."""
    extra: dict[str, Any] = {"sfmcam_version": __version__, "configuration": configuration_hash(method), "seed": method.run.seed}
    for scoring in SCORINGS:
        write_score_files(
            plan.folder.scores(method.slug, scoring),
            labelled_set=plan.labelled_set,
            results={clip_id: ClipScores(result.status, result.scores(scoring) or {}) for clip_id, result in results.items()},
            method=method_label(method.slug, scoring),
            extra={**extra, "scoring": scoring},
        )


def method_label(slug: str, scoring: str) -> MethodLabel:
    """Return how a method is named in score files: another scoring than sfmcam's own makes it another method."""
    return MethodLabel(slug, checkpoint="" if scoring == SCORINGS[0] else f"{scoring}-scoring")


def _collect(plan: BenchPlan, store: RunStore) -> Results:
    kept = {method.slug: store.results(method.slug) for method in plan.methods}
    return {slug: {clip.id: of_slug[clip.id][1] for clip in plan.labelled_set.clips} for slug, of_slug in kept.items()}
