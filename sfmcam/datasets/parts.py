"""The parts of a labelled set that are worth rating apart: by what its manifest says of the clips, and by CameraBench's other questions.

A set in CameraBench's layout may have `manifest.json`, a list of clips with an `id` and any of `kind`, `dynamic_scene`, `mover_share`,
`moving_subject_dominates`, `steadiness`, `speed` and `subsets`; or CameraBench's `vqa_and_retrieval/` beside its label files, whose pairs
of videos tell a static scene from a dynamic one, a tracking shot from none, and so on, for the videos that they name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfmcam.datasets.labelled_set import LabelledSet
from sfmcam.errors import LabelError
from sfmcam.io.paths import is_file

MANIFEST = "manifest.json"
QUESTIONS_FOLDER = "vqa_and_retrieval"
MOVER_LEAST, MOVER_MOST = 0.08, 0.60  # share of the picture, averaged over the clip
_WORDS: dict[str, tuple[str, dict[str, str]]] = {  # key of the manifest -> group, and what its values are called
    "kind": ("kind", {}),
    "dynamic_scene": ("scene", {"yes": "dynamic scene", "no": "static scene"}),
    "moving_subject_dominates": ("mover", {"yes": "mover dominates", "no": "mover does not dominate"}),
    "steadiness": ("camera", {"static": "locked off"}),
    "speed": ("speed", {}),
}
QUESTIONS = {  # file -> group, name of the videos that it holds for, name of those that it does not
    "scene_dynamics/is_scene_static_or_not": ("scene", "static scene", "dynamic scene"),
    "tracking_shot/is_tracking": ("mover", "tracking shot", "no tracking shot"),
    "motion_and_steadiness/is_the_camera_stable_or_shaky": ("camera", "very stable", "shaky"),
    "motion_speed/is_camera_movement_slow_or_fast": ("speed", "slow", "fast"),
    "motion_speed/has_motion_blur_or_not": ("speed", "motion blur", "no motion blur"),
}


@dataclass(frozen=True)
class Part:
    """Some videos of a labelled set.

    Attributes:
        group: what it is told by: kind, scene, mover, camera, speed, subset.
        name: for people.
        videos: file names.
    """

    group: str
    name: str
    videos: frozenset[str]


@dataclass(frozen=True)
class Parts:
    """All of a set, and where they are from; no part where the set says nothing about its clips."""

    parts: tuple[Part, ...] = ()
    source: str = ""


def parts_of(labelled_set: LabelledSet) -> Parts:
    """Return the parts that the files of the set tell apart, those without a labelled video left out.

    Raises:
        LabelError: such a file is there and cannot be read.
    """
    manifest = labelled_set.root / MANIFEST
    if is_file(manifest, refuse=LabelError):
        found, source = _by_manifest(labelled_set, _read_manifest(manifest)), f"{MANIFEST} of {labelled_set.name}"
    else:
        found, source = _by_questions(labelled_set), f"{QUESTIONS_FOLDER} of {labelled_set.name}, which tells it of some videos only"
    parts = tuple(part for part in found if part.videos)
    return Parts(parts, source) if parts else Parts()


def _read_manifest(path: Path) -> dict[str, dict[str, Any]]:
    try:
        entries = {entry["id"]: entry for entry in json.loads(path.read_text(encoding="utf-8"))}
        for entry in entries.values():
            entry["subsets"] = list(entry.get("subsets") or ())
            if "mover_share" in entry:
                entry["mover_share"] = float(entry["mover_share"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise LabelError(f"{path} is no list of clips with an 'id' each ({type(error).__name__}: {error})") from error
    return entries


def _by_manifest(labelled_set: LabelledSet, manifest: dict[str, dict[str, Any]]) -> Iterator[Part]:
    entry_of = {video: manifest[Path(video).stem] for video in labelled_set.videos if Path(video).stem in manifest}
    for key, (group, words) in _WORDS.items():
        if key == "moving_subject_dominates" and any("mover_share" in entry for entry in entry_of.values()):
            yield from _by_share(entry_of)
            continue
        values = dict.fromkeys(str(entry[key]) for entry in entry_of.values() if key in entry)
        for value in values if len(values) > 1 else ():
            yield Part(group, words.get(value, value), frozenset(v for v, entry in entry_of.items() if str(entry.get(key)) == value))
    for name in dict.fromkeys(name for entry in entry_of.values() for name in entry["subsets"]):
        yield Part("subset", str(name).replace("_", " "), frozenset(v for v, e in entry_of.items() if name in e["subsets"]))


def _by_share(entry_of: dict[str, dict[str, Any]]) -> Iterator[Part]:
    shares = {video: entry["mover_share"] for video, entry in entry_of.items() if "mover_share" in entry}
    yield Part("mover", "no mover", frozenset(v for v, share in shares.items() if share == 0))
    yield Part("mover", "mover below 8 %", frozenset(v for v, share in shares.items() if 0 < share < MOVER_LEAST))
    yield Part("mover", "mover 8-60 %", frozenset(v for v, share in shares.items() if MOVER_LEAST <= share <= MOVER_MOST))
    yield Part("mover", "mover above 60 %", frozenset(v for v, share in shares.items() if share > MOVER_MOST))


def _by_questions(labelled_set: LabelledSet) -> Iterator[Part]:
    videos = frozenset(labelled_set.videos)
    for name, (group, holds, does_not) in QUESTIONS.items():
        path = labelled_set.root / QUESTIONS_FOLDER / f"{name}.jsonl"
        if not is_file(path, refuse=LabelError):
            continue
        pairs = read_pairs(path)
        yield Part(group, holds, videos & {positive for positive, _ in pairs})
        yield Part(group, does_not, videos & {negative for _, negative in pairs})


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """Return (video that the question holds for, video that it does not) of each line of a file of CameraBench's other questions.

    Raises:
        LabelError: it cannot be read.
    """
    pairs = []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                row = json.loads(line)
                pairs.append((Path(row["pos_video"]).name, Path(row["neg_video"]).name))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LabelError(f"{path} has no line with 'pos_video' and 'neg_video' each ({type(error).__name__}: {error})") from error
    return pairs
