"""A large run of `sfmcam bench` and score files beside it, all made up: what report_scale.py writes a page on."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from length_clips import encode

from sfmcam.batch.store import RunStore, hash_names
from sfmcam.datasets.folder import load_folder
from sfmcam.datasets.labelled_set import LabelledSet
from sfmcam.datasets.questions import QUESTIONS
from sfmcam.evaluation.bench_report import make_report, write_report
from sfmcam.evaluation.benchmark import BenchPlan, write_scores
from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.io.json_file import finite
from sfmcam.io.own_npz import write_npz
from sfmcam.io.score_file import ClipScores, MethodLabel, write_score_files
from sfmcam.jobs import Method, plan_method
from sfmcam.motion.measure import measure
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.results import SCORINGS, ClipResult, Seconds, ShotResult, failed_clip
from sfmcam.types import CameraTrajectory, Evidence, Status
from sfmcam.workspace import BenchFolder

GEOMETRIC = ("vo", "glomap", "colmap", "glomap:default")  # with a path of every clip that they solve
FRAMES, FPS = 48, 12
SIZE_PX = (320, 180)
SHARE_YES, SHARE_UNLABELLED, SHARE_FAILED = 0.12, 0.1, 0.06
SUBSETS = ("movers", "low_light", "shaky", "long")
PATHS = 24  # different ones; the clips share them


@dataclass(frozen=True)
class MadeRun:
    """Where it lies: the run, and the score files of the other methods."""

    run: Path
    against: Path


def make_run(root: Path, *, clips: int, methods: int, seed: int = 0) -> MadeRun:
    """Write a set of `clips` tiny videos, a run of the methods GEOMETRIC on it, and score files of others up to `methods` in all."""
    rng = np.random.default_rng(seed)
    labelled_set = _make_set(root / "made", rng, clips)
    truth = {(row.video, split): row.label for split, rows in labelled_set.rows.items() for row in rows}
    planned = tuple(plan_method(name, frames={}, run={}) for name in GEOMETRIC[:methods])
    _run(BenchPlan(labelled_set, planned, BenchFolder(root / "run")), rng, truth)
    for number in range(methods - len(planned)):
        said = {
            Path(video).stem: ClipScores(Status.OK, _scores(rng, video, truth, noise=0.8 + 0.4 * number)) for video in labelled_set.videos
        }
        label = MethodLabel(f"model-{number + 1}", method_type="vqascore")
        write_score_files(root / "against" / label.model_name, labelled_set=labelled_set, results=said, method=label)
    return MadeRun(root / "run", root / "against")


def _make_set(root: Path, rng: np.random.Generator, clips: int) -> LabelledSet:
    names = [f"clip_{number:05d}" for number in range(clips)]
    (root / "binary_classification").mkdir(parents=True)
    (root / "videos").mkdir()
    for primitive in PRIMITIVES:
        words = QUESTIONS[primitive.id]
        answers = [(name, rng.random() < SHARE_YES) for name in names if rng.random() > SHARE_UNLABELLED]
        rows = [
            {
                "image": f"{name}.mp4",
                "question": words.question,
                "label": "Yes" if yes else "No",
                "task": words.task,
                "label_name": words.label_name,
            }
            for name, yes in answers
        ]
        path = root / "binary_classification" / f"{primitive.split_name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    noise = rng.integers(0, 255, (SIZE_PX[1] // 20, SIZE_PX[0] // 20 + FRAMES, 3), np.uint8).repeat(20, 0).repeat(20, 1)
    pictures = np.stack([noise[:, 4 * k : 4 * k + SIZE_PX[0]] for k in range(FRAMES)])
    first = encode(root / "videos" / f"{names[0]}.mp4", pictures, fps=FPS)
    for name in names[1:]:
        os.link(first, root / "videos" / f"{name}.mp4")
    entries = [{"id": name, "kind": "made up", "subsets": [s for s in SUBSETS if rng.random() < 0.25]} for name in names]
    (root / "manifest.json").write_text(json.dumps(entries), encoding="utf-8")
    return load_folder(root)


def _run(plan: BenchPlan, rng: np.random.Generator, truth: dict[tuple[str, str], bool]) -> None:
    shapes = [_trajectory(rng) for _ in range(PATHS)]
    motions = [finite(measure(shape).to_json()) for shape in shapes]
    plan.folder.root.mkdir(parents=True)
    results: dict[str, dict[str, ClipResult]] = {}
    with RunStore(plan.folder.store) as store:
        store.claim_dataset(plan.labelled_set.name, hash_names(plan.labelled_set.videos))
        for number, method in enumerate(plan.methods):
            store.claim(method)
            results[method.slug] = {}
            for clip in plan.labelled_set.clips:
                shape = int(rng.integers(PATHS))
                scores = None if rng.random() < SHARE_FAILED * number else _scores(rng, clip.path.name, truth, noise=0.5 + 0.3 * number)
                result = _result(plan, method, clip.id, scores=scores, trajectory=shapes[shape], motion=motions[shape])
                results[method.slug][clip.id] = result
                store.put(method.slug, result, source_hash="")
    for method in plan.methods:
        write_scores(plan, method, results=results[method.slug])
    write_report(make_report(plan, results, scoring=SCORINGS[0], command="made up"))


def _result(
    plan: BenchPlan, method: Method, clip: str, *, scores: dict[str, float] | None, trajectory: CameraTrajectory, motion: dict
) -> ClipResult:
    source = str(plan.labelled_set.root / "videos" / f"{clip}.mp4")
    if scores is None:
        return failed_clip(clip, source, status=Status.TOO_FEW_MATCHES, message="made up")
    path = plan.folder.clip(method.slug, clip).shot(0, num_shots=1).trajectory
    path.parent.mkdir(parents=True)
    write_npz(path, trajectory)
    shot = ShotResult(
        *(0, 0.0, FRAMES / FPS, Status.OK),
        num_frames=FRAMES,
        num_posed=FRAMES,
        scores=dict.fromkeys(SCORINGS, scores),
        sentence="The camera does something that was made up.",
        motion=motion,
    )
    return ClipResult(clip, source, shots=(shot,), seconds=Seconds(total=1.0), peak_mb=100.0)


def _trajectory(rng: np.random.Generator) -> CameraTrajectory:
    from scipy.spatial.transform import Rotation

    angles = np.cumsum(rng.normal(0, 0.01, (FRAMES, 3)), axis=0)
    rotations = Rotation.from_rotvec(angles - angles[0]).as_matrix()
    centers = np.cumsum(rng.normal(0, 0.02, (FRAMES, 3)), axis=0)
    return CameraTrajectory(
        timestamps_s=np.arange(FRAMES) / FPS,
        cam_from_world=rigid_from_parts(rotations, -(rotations @ (centers - centers[0])[:, :, None])[:, :, 0]),
        focal_px=np.full(FRAMES, 300.0),
        valid=np.ones(FRAMES, bool),
        median_depth=np.full(FRAMES, 2.0),
        image_size_px=SIZE_PX,
        evidence=Evidence(translation_sigma=0.01),
    )


def _scores(rng: np.random.Generator, video: str, truth: dict[tuple[str, str], bool], *, noise: float) -> dict[str, float]:
    """Return a probability per primitive that knows the truth as well as `noise` lets it."""
    odds = {p.id: (2.0 if truth.get((video, p.split_name)) else -2.0) + 2.0 * noise * rng.normal() for p in PRIMITIVES}
    return {name: float(1 / (1 + np.exp(-value))) for name, value in odds.items()}
