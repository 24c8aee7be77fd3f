"""A finished run of `sfmcam bench` over a made-up labelled set: real result files, no video that anybody decodes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from label_folder import make_label_folder

from sfmcam.batch.store import RunStore, hash_names
from sfmcam.datasets.folder import load_folder
from sfmcam.evaluation.bench_report import make_report, write_report
from sfmcam.evaluation.benchmark import BenchPlan, write_scores
from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.io.own_npz import write_npz
from sfmcam.io.tum import write_tum
from sfmcam.jobs import plan_method
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.results import SCORINGS, ClipResult, Seconds, ShotResult, failed_clip
from sfmcam.types import CameraTrajectory, Evidence, Status
from sfmcam.workspace import BenchFolder

FRAMES = 5
DEPTH = 2.0  # of every scene, in the unit of its path


@dataclass(frozen=True)
class MadeClip:
    """A clip and what the method `vo` says of it.

    Attributes:
        yes: split names that hold.
        unsure: split names that have no label.
        entry: its line of the manifest, besides the id.
        moved: how far `vo` lets the camera travel, in scene depths; None: it failed.
        sigma: the `translation_sigma` it states.
        true_moved: how far the camera truly travels, in scene depths; None: no path is known.
    """

    yes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    entry: tuple[tuple[str, Any], ...] = ()
    moved: float | None = 0.0
    sigma: float = 0.01
    true_moved: float | None = None


def travelling(moved: float, *, sigma: float) -> CameraTrajectory:
    """Return a path whose last camera centre lies `moved` scene depths from the first."""
    centers = np.zeros((FRAMES, 3))
    centers[:, 0] = np.linspace(0, moved * DEPTH, FRAMES)
    return CameraTrajectory(
        np.arange(FRAMES) / 10,
        rigid_from_parts(np.tile(np.eye(3), (FRAMES, 1, 1)), -centers),
        np.full(FRAMES, 500.0),
        np.ones(FRAMES, bool),
        np.full(FRAMES, DEPTH),
        image_size_px=(640, 360),
        evidence=Evidence(translation_sigma=sigma),
    )


def make_set(root: Path, clips: dict[str, MadeClip]) -> Path:
    """Write labels, manifest and true paths."""
    truth = {
        p.split_name: {f"{name}.mp4": p.split_name in clip.yes for name, clip in clips.items() if p.split_name not in clip.unsure}
        for p in PRIMITIVES
    }
    make_label_folder(root, truth)
    (root / "poses").mkdir()
    for name, clip in clips.items():
        if clip.true_moved is not None:
            write_tum(root / "poses" / f"{name}.tum", travelling(clip.true_moved, sigma=0.0))
    (root / "manifest.json").write_text(json.dumps([{"id": name} | dict(clip.entry) for name, clip in clips.items()]))
    return root


def make_run(root: Path, labels: Path, clips: dict[str, MadeClip], *, seconds: dict[str, float]) -> Path:
    """Write a run of the methods that `seconds` names (name -> seconds per clip); their scores are the truth, so that every AP is 1."""
    methods = tuple(plan_method(name, frames={}, run={}) for name in seconds)
    plan = BenchPlan(load_folder(labels), methods, BenchFolder(root))
    root.mkdir()
    results: dict[str, dict[str, ClipResult]] = {}
    with RunStore(plan.folder.store) as store:
        store.claim_dataset("made", hash_names(plan.labelled_set.videos))
        for method, total in zip(methods, seconds.values(), strict=True):
            store.claim(method)
            results[method.slug] = {name: _result(plan, method.slug, name, clip, total) for name, clip in clips.items()}
            for result in results[method.slug].values():
                store.put(method.slug, result, source_hash="")
            write_scores(plan, method, results=results[method.slug])
    write_report(make_report(plan, results, scoring=SCORINGS[0], command="sfmcam bench /some/where/made -e vo -o /some/where/run"))
    return root


def _result(plan: BenchPlan, slug: str, name: str, clip: MadeClip, total: float) -> ClipResult:
    source = str(plan.labelled_set.root / "videos" / f"{name}.mp4")
    if clip.moved is None:
        return failed_clip(name, source, status=Status.TIMEOUT, message="too slow")
    path = plan.folder.clip(slug, name).shot(0, num_shots=1).trajectory
    path.parent.mkdir(parents=True)
    write_npz(path, travelling(clip.moved, sigma=clip.sigma))
    scores = {p.id: float(p.split_name in clip.yes) for p in PRIMITIVES}
    shot = ShotResult(0, 0.0, 1.0, Status.OK, num_frames=FRAMES, num_posed=FRAMES, scores=dict.fromkeys(SCORINGS, scores))
    return ClipResult(name, source, shots=(shot,), seconds=Seconds(estimate=total / 2, total=total), peak_mb=100.0)
