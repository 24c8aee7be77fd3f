"""A small made-up run with a real video, and score files of two language models beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from made_bench_run import DEPTH, MadeClip, make_run, make_set
from small_video import write_video

from sfmcam.datasets.folder import load_folder
from sfmcam.io.score_file import ClipScores, MethodLabel, write_score_files
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.types import Status

# names that a page must not take for markup, nor a link for a query
ODD = "a <b>&\"'#?%20 clip"
CLIPS = {
    "still": MadeClip(("Static",), entry=(("kind", "real"), ("subsets", ["pure"])), moved=0.01),
    "turns": MadeClip(("Pan_Left",), entry=(("kind", "real"),), moved=0.05),
    "failed": MadeClip(("Zoom_In", "Pan_Left"), entry=(("kind", "generated"), ("notes", "<script>alert(1)</script>")), moved=None),
    "travels": MadeClip(("Move_In",), unsure=("Tilt_Up",), entry=(("kind", "real"), ("median_depth_m", DEPTH)), moved=0.4, true_moved=0.5),
    ODD: MadeClip(("Tilt_Up", "Move_In"), entry=(("kind", "generated"), ("subsets", ["pure", "low_light"])), moved=0.3),
}
SECONDS = {"vo": 1.0, "glomap": 6.0}
SHOWN = "travels"  # the clip that has a video


def make(root: Path) -> Path:
    """Write `root`/set, `root`/run and `root`/against/{good,bad}; return `root`."""
    make_set(root / "set", CLIPS)
    write_video(root / "set" / "videos" / f"{SHOWN}.mp4")
    make_run(root / "run", root / "set", CLIPS, seconds=SECONDS)
    labelled_set = load_folder(root / "set")
    for name, noise in (("good", 0.2), ("bad", 3.0)):
        rng = np.random.default_rng(len(name))
        truth = {(row.video, split): row.label for split, rows in labelled_set.rows.items() for row in rows}
        said = {
            clip.id: ClipScores(
                Status.OK, {p.id: float(truth.get((clip.path.name, p.split_name), False) + noise * rng.normal()) for p in PRIMITIVES}
            )
            for clip in labelled_set.clips
        }
        said["turns"] = ClipScores(Status.TIMEOUT)
        write_score_files(
            root / "against" / name, labelled_set=labelled_set, results=said, method=MethodLabel(f"<i>{name}</i>", method_type="vlm")
        )
    return root


def make_stranger(root: Path) -> Path:
    """Write score files about clips of another set."""
    labelled_set = load_folder(make_set(root / "other", {"elsewhere": CLIPS["still"]}))
    said = {"elsewhere": ClipScores(Status.OK, {p.id: 0.5 for p in PRIMITIVES})}
    named = replace(labelled_set, name="other")
    write_score_files(root / "stranger", labelled_set=named, results=said, method=MethodLabel("stranger", method_type="vlm"))
    return root / "stranger"
