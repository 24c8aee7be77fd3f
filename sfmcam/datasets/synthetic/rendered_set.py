"""Sets of rendered clips on disk: what is there and up to date is kept, the rest is rendered, labels and manifest come last."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sfmcam.datasets.synthetic.clip import render_clip
from sfmcam.datasets.synthetic.labels import Thresholds
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.datasets.synthetic.writer import (
    ManifestEntry,
    clip_files,
    depth_file,
    make_folders,
    write_clip,
    write_label_files,
    write_manifest,
)
from sfmcam.errors import InputError, SfmcamError
from sfmcam.motion.primitive import PRIMITIVES

GENERATOR_VERSION = "3"  # raise it with any change of scenes, renderer, labels or files; a new key of the manifest alone needs none
MAX_WORKERS = 4

Progress = Callable[[int, int], None]


def ensure_set(
    folder: Path,
    specs: Sequence[ClipSpec],
    *,
    with_depth: bool = False,
    drawn_from: dict[str, str | int] | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Path:
    """Make sure that the clips of `specs` lie in `folder`, and nothing else does, and return `folder`.

    Clips that are there and up to date are kept, so an interrupted run is taken up where it stopped, and a complete set costs nothing.

    Args:
        folder: where the set belongs; made if need be.
        specs: the recipes, in the order of the manifest.
        with_depth: whether depth and mover masks are kept too.
        drawn_from: where the recipes come from, for generator.json: split and seed of a random set.
        progress: called with (clips done, clips in all) at the start and after each clip.
        workers: processes that render; by default one per processor, at most 4. With 1, everything happens in this process.

    Raises:
        InputError: `folder` cannot be written.
        SfmcamError: a rendering process died.
    """
    tell = progress or (lambda done, total: None)
    done = {spec.id: entry for spec in specs if (entry := _finished(folder, spec, with_depth=with_depth)) is not None}
    waiting = [spec for spec in specs if spec.id not in done]
    if not waiting and _is_sealed(folder, specs):
        tell(len(specs), len(specs))
        return folder
    make_folders(folder)
    (folder / "generator.json").unlink(missing_ok=True)
    tell(len(done), len(specs))
    for entry in _render_all(
        partial(_render_one, folder, with_depth=with_depth), waiting, workers or min(os.cpu_count() or 1, MAX_WORKERS)
    ):
        done[entry["id"]] = entry
        tell(len(done), len(specs))
    _remove_strangers(folder, {spec.id for spec in specs})
    entries = [done[spec.id] for spec in specs]
    write_label_files(folder, entries)
    write_manifest(folder, entries, version=_set_digest(specs), thresholds=Thresholds(), drawn_from=drawn_from or {})
    return folder


def clip_digest(spec: ClipSpec) -> str:
    """Return a short name of recipe and generator: a clip with the same one need not be rendered again."""
    return hashlib.sha256(f"{GENERATOR_VERSION} {Thresholds()} {spec.recipe()}".encode()).hexdigest()[:16]


def _set_digest(specs: Sequence[ClipSpec]) -> str:
    joined = hashlib.sha256(" ".join(clip_digest(spec) for spec in specs).encode()).hexdigest()[:16]
    return f"{GENERATOR_VERSION}-{joined}"


def _finished(folder: Path, spec: ClipSpec, *, with_depth: bool) -> ManifestEntry | None:
    """Return the manifest's line of a clip that is complete and up to date, else None."""
    try:
        entry: ManifestEntry = json.loads((folder / "clips" / f"{spec.id}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # not there, or not readable: rendered again
    files = (*clip_files(folder, spec.id), *([depth_file(folder, spec.id)] if with_depth else []))
    current = isinstance(entry, dict) and entry.get("digest") == clip_digest(spec)
    return entry if current and all(path.is_file() for path in files) else None


def _is_sealed(folder: Path, specs: Sequence[ClipSpec]) -> bool:
    """Return whether labels and manifest were written for exactly these clips."""
    try:
        seal = json.loads((folder / "generator.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    files = [folder / "manifest.json", *(folder / "binary_classification" / f"{p.split_name}.jsonl" for p in PRIMITIVES)]
    return isinstance(seal, dict) and seal.get("version") == _set_digest(specs) and all(path.is_file() for path in files)


def _render_all(render: Callable[[ClipSpec], ManifestEntry], specs: Sequence[ClipSpec], workers: int) -> Iterator[ManifestEntry]:
    if workers <= 1 or len(specs) <= 1:
        yield from map(render, specs)
        return
    try:
        with _pool(min(workers, len(specs))) as pool:
            for future in as_completed([pool.submit(render, spec) for spec in specs]):
                yield future.result()
    except BrokenProcessPool as error:
        raise SfmcamError("a process that rendered clips died (out of memory?); run it again, the clips that are done are kept") from error


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of fresh processes that stops at the first error instead of rendering the rest."""
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_use_one_thread)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _use_one_thread() -> None:
    import cv2

    cv2.setNumThreads(1)  # the processes share the machine already


def _render_one(folder: Path, spec: ClipSpec, *, with_depth: bool) -> ManifestEntry:
    return write_clip(folder, render_clip(spec), digest=clip_digest(spec), with_depth=with_depth)


def _remove_strangers(folder: Path, ids: set[str]) -> None:
    """Delete what an older version of the set left behind: clips that have an entry but are no longer part of it."""
    try:
        for entry in (folder / "clips").glob("*.json"):
            if entry.stem not in ids:
                for path in (*clip_files(folder, entry.stem), depth_file(folder, entry.stem)):
                    path.unlink(missing_ok=True)
                entry.unlink()
    except OSError as error:
        raise InputError(f"cannot clean up {folder}: {(error.strerror or str(error)).lower()}") from error
