"""A finished run of `sfmcam bench`, as far as `sfmcam calibrate` reads it, made of simulated clips without any video."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from motion.simulated_paths import Noise, random_clip

from sfmcam.io.feature_document import features_document
from sfmcam.io.score_file import FILE_PREFIX
from sfmcam.motion.features import weighed_features
from sfmcam.motion.measure import measure
from sfmcam.motion.measurement import MotionMeasurement
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.motion.score import score_primitives
from sfmcam.motion.steadiness import measure_steadiness
from sfmcam.workspace import BenchFolder

NOISE = Noise(translation=0.01, rotation_rad=0.004, log_focal=0.01, leak=0.1)


def make_run(root: Path, slugs: tuple[str, ...] = ("vo",), *, clips: int = 150, dataset: str = "made", seed: int = 0) -> Path:
    """Write results.json, score files and every clip's scores; the last clip failed, and the one before has two shots."""
    run = BenchFolder(root)
    for slug in slugs:
        rng = np.random.default_rng(seed)
        made = [random_clip(rng, NOISE) for _ in range(clips)]
        for number, (trajectory, _) in enumerate(made[:-1]):
            path = run.clip(slug, f"clip{number:03d}").shot(0, num_shots=1).scores
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(_scores(measure(trajectory))))
        _write_scores(run.scores(slug, "depth"), slug, [labels for _, labels in made])
    methods = [{"slug": slug, "configuration_hash": "abc", "clips": _clips(clips)} for slug in slugs]
    run.results_json.write_text(json.dumps({"dataset": {"name": dataset}, "methods": methods}))
    return root


def _scores(measurement: MotionMeasurement) -> dict:
    features = weighed_features([measurement], [1.0], measure_steadiness(measurement), alone=True)
    return {"depth": score_primitives(measurement), "features": features_document(features)}


def _clips(count: int) -> dict[str, dict]:
    clips = {f"clip{k:03d}": {"shots": 1, "scores": {"depth": {"static": 0.0}}} for k in range(count)}
    clips[f"clip{count - 2:03d}"]["shots"] = 2
    clips[f"clip{count - 1:03d}"]["scores"] = {"depth": None}
    return clips


def _write_scores(folder: Path, slug: str, labels: list[set[str]]) -> None:
    folder.mkdir(parents=True)
    for primitive in PRIMITIVES:
        rows = [
            {
                "sample_id": f"clip{k:03d}",
                "video_path": f"clip{k:03d}.mp4",
                "question": "?",
                "ground_truth_label": "Yes" if primitive.id in said else "No",
                "method": slug,
                "score": 0.0,
                "error": None,
            }
            for k, said in enumerate(labels)
            if (k + len(primitive.id)) % 7  # nobody was sure of the others
        ]
        document = {"metadata": {"model_name": slug, "split_name": primitive.split_name}, "scores": rows}
        (folder / f"{FILE_PREFIX}{primitive.split_name}.json").write_text(json.dumps(document))
