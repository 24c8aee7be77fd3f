"""Rendered clips on disk, in CameraBench's layout.

videos/<id>.mp4                     H.264
poses/<id>.tum                      camera-to-world, OpenCV axes, times of the frames
intrinsics/<id>.txt                 fx fy cx cy of each frame
depth/<id>.npz                      on request: depth and mover masks of every frame at a quarter of the size
clips/<id>.json                     the clip's line of the manifest; written last, so a clip that has one is complete
binary_classification/<Task>.jsonl  one line per clip that is sure
manifest.json                       all clips with their labels, yes, no or unsure
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from sfmcam.datasets.questions import QUESTIONS
from sfmcam.datasets.synthetic.clip import RenderedClip
from sfmcam.datasets.synthetic.labels import Thresholds, Truth, label_clip
from sfmcam.datasets.synthetic.subsets import subsets_of
from sfmcam.errors import InputError
from sfmcam.io.atomic import replacing
from sfmcam.io.json_file import write_json
from sfmcam.io.tum import write_tum
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.types import UInt8

FOLDERS = ("videos", "poses", "intrinsics", "depth", "clips", "binary_classification")
DOMINATES = 0.25  # share of the picture, averaged over the clip, from which movers dominate it

# mbtree reads past pictures whose size is no multiple of 16, so that the same frames gave different files from run to run (measured)
ENCODER = {"preset": "veryfast", "threads": "1", "x264-params": "mbtree=0"}

ManifestEntry = dict[str, Any]


def make_folders(folder: Path) -> None:
    """Make the folders of the layout.

    Raises:
        InputError: the system refuses.
    """
    try:
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {(error.strerror or str(error)).lower()}") from error


def clip_files(folder: Path, clip_id: str) -> tuple[Path, ...]:
    """Return the files of a clip that are there whatever was requested, but for its entry: video, poses, intrinsics."""
    return folder / "videos" / f"{clip_id}.mp4", folder / "poses" / f"{clip_id}.tum", folder / "intrinsics" / f"{clip_id}.txt"


def depth_file(folder: Path, clip_id: str) -> Path:
    """Return where a clip's depth and mover masks belong."""
    return folder / "depth" / f"{clip_id}.npz"


def write_clip(folder: Path, clip: RenderedClip, *, digest: str = "", with_depth: bool = False) -> ManifestEntry:
    """Write the files of one clip into a layout made by `make_folders`, and return its line of the manifest.

    Args:
        folder: root of the layout.
        clip: the clip.
        digest: name of recipe and generator, kept in the entry to tell whether the clip is up to date.
        with_depth: whether to write depth and mover masks too.

    Raises:
        InputError: a file cannot be written.
    """
    name = clip.spec.id
    video, poses, intrinsics = clip_files(folder, name)
    write_video(video, clip.frames, fps=clip.spec.fps, crf=clip.spec.crf)
    write_tum(poses, clip.trajectory())
    _write_intrinsics(intrinsics, clip)
    if with_depth:
        write_depth(depth_file(folder, name), clip)
    entry = manifest_entry(clip, label_clip(clip)) | {"digest": digest}
    write_json(folder / "clips" / f"{name}.json", entry)
    return entry


def write_video(path: Path, frames: UInt8, *, fps: float, crf: int) -> None:
    """Encode frames (N, H, W, 3) as H.264 in 4:2:0; H and W even. The same frames give the same file.

    Raises:
        InputError: the file cannot be written.
    """
    rate = Fraction(fps).limit_denominator(1001)
    with replacing(path) as part, av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate, options=ENCODER | {"crf": str(crf)})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for index, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_depth(path: Path, clip: RenderedClip) -> None:
    """Write `depth` (N, h, w) float16 in metres, NaN for the sky, and `mover` (N, h, w) bool, both as `RenderedClip` has them.

    Raises:
        InputError: the file cannot be written.
    """
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, depth=clip.depth.astype(np.float16), mover=clip.mover_masks)


def manifest_entry(clip: RenderedClip, truth: Truth) -> ManifestEntry:
    """Return what the manifest says of a clip."""
    spec, mover_share = clip.spec, float(clip.mover_masks.mean())
    return {
        "id": spec.id,
        "fps": spec.fps,
        "n_frames": len(clip.frames),
        "width": spec.size_px[0],
        "height": spec.size_px[1],
        "has_gt_poses": True,
        "dynamic_scene": "yes" if spec.movers else "no",
        "moving_subject_dominates": "yes" if mover_share >= DOMINATES else "no",
        "steadiness": truth.steadiness,
        "speed": truth.speed,
        "kind": "rendered",
        "label_basis": "true camera path",
        "scene": spec.scene,
        "hfov_deg": round(spec.hfov_deg, 3),
        "shutter": round(spec.shutter, 3),
        "exposure": round(spec.exposure, 3),
        "noise": round(spec.noise, 3),
        "crf": spec.crf,
        "shake_deg": round(float(np.degrees(spec.shake.rotation_rad)), 4) if spec.shake else 0.0,
        "seed": spec.seed,
        "mover_share": round(mover_share, 4),
        "median_depth_m": round(float(np.median(clip.median_depth)), 4),
        "picture_motion_px": round(truth.picture_motion_px, 3),
        "video": f"{spec.id}.mp4",
        "source": "rendered by sfmcam.datasets.synthetic",
        "subsets": [str(subset) for subset in subsets_of(spec, truth)],
        "finish": asdict(spec.finish),
        "labels": {primitive.id: str(truth.labels[primitive.id]) for primitive in PRIMITIVES},
    }


def write_label_files(folder: Path, entries: Sequence[ManifestEntry]) -> None:
    """Write one label file per task; clips that are unsure are left out of it.

    Raises:
        InputError: a file cannot be written.
    """
    for primitive in PRIMITIVES:
        question = QUESTIONS[primitive.id]
        lines = []
        for entry in entries:
            answer = entry["labels"][primitive.id]
            if answer == "unsure":
                continue
            row = {"image": entry["video"], "question": question.question, "label": answer.capitalize(), "task": question.task}
            lines.append(json.dumps(row | {"label_name": question.label_name}))
        with replacing(folder / "binary_classification" / f"{primitive.split_name}.jsonl") as part:
            part.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def write_manifest(
    folder: Path, entries: Sequence[ManifestEntry], *, version: str, thresholds: Thresholds, drawn_from: dict[str, str | int]
) -> None:
    """Write manifest.json, the list of clips, and generator.json, which says how they were made.

    Raises:
        InputError: a file cannot be written.
    """
    write_json(folder / "manifest.json", list(entries))
    made = {"version": version, "thresholds": thresholds.as_dict(), "clips": len(entries), "drawn_from": drawn_from}
    write_json(folder / "generator.json", made)


def _write_intrinsics(path: Path, clip: RenderedClip) -> None:
    width, height = clip.spec.size_px
    lines = [f"{focal!r} {focal!r} {width / 2} {height / 2}" for focal in clip.focal_px.tolist()]
    with replacing(path) as part:
        part.write_text("\n".join(["# per frame: fx fy cx cy (pixels of the clip)", *lines]) + "\n", encoding="utf-8")
