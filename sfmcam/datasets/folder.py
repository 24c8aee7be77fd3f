"""A labelled set as a folder in CameraBench's layout.

videos/<clip>.mp4                        (any suffix; a folder of images counts as a video)
binary_classification/<Task>.jsonl       one line per label: image, question, label, task, label_name
poses/<clip>.tum, intrinsics/<clip>.txt  optional references
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sfmcam.datasets.labelled_set import Clip, LabelledSet, LabelRow
from sfmcam.errors import LabelError
from sfmcam.io.paths import clip_id as id_of
from sfmcam.io.paths import is_file, is_folder, list_folder
from sfmcam.motion.primitive import PRIMITIVES

LABELS_FOLDER = "binary_classification"
VIDEOS_FOLDER = "videos"
ROW_KEYS = ("image", "question", "label", "task", "label_name")
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".ogv", ".3gp"}
)
SPLITS = tuple(primitive.split_name for primitive in PRIMITIVES)


def data_root() -> Path:
    """Return the folder that holds the data sets known by name: SFMCAM_DATA, or `data` under the current folder."""
    return Path(os.environ.get("SFMCAM_DATA") or "data")


def load_folder(root: Path, *, name: str | None = None, allow_missing: bool = False) -> LabelledSet:
    """Read a labelled set.

    Args:
        root: the folder.
        name: name of the set; the folder's own without it.
        allow_missing: keep the rows of videos that are not there (see `LabelledSet.missing_videos`) instead of refusing the set.

    Raises:
        LabelError: naming the file and, where there is one, the line that does not fit.
    """
    if not is_folder(root, refuse=LabelError):
        raise LabelError(f"there is no folder {root}")
    rows = {path.stem: read_label_file(path) for path in _label_files(root / LABELS_FOLDER)}
    if not any(rows.values()):
        raise LabelError(f"{root / LABELS_FOLDER}: the label files are all empty")
    labelled_set = LabelledSet(name or root.resolve().name, root, _find_clips(root, rows), rows)
    if not allow_missing:
        _require_videos(labelled_set)
    return labelled_set


def read_label_file(path: Path) -> tuple[LabelRow, ...]:
    """Read `<Task>.jsonl`; the stem of the file is the task.

    Raises:
        LabelError: unreadable, malformed, a missing key, an answer other than Yes or No, or a video named twice.
    """
    first_line: dict[str, int] = {}
    rows = []
    for number, fields in _json_lines(path):
        row = _parse_row(fields, f"{path}, line {number}", split=path.stem)
        if row.video in first_line:
            raise LabelError(f"{path}, line {number}: '{row.video}' has a label already, on line {first_line[row.video]}")
        first_line[row.video] = number
        rows.append(row)
    return tuple(rows)


def _label_files(folder: Path) -> list[Path]:
    """Return the label files in the order of the table of primitives."""
    if not is_folder(folder, refuse=LabelError):
        raise LabelError(f"there is no folder {folder}; the labels are expected there, one <Task>.jsonl each, such as Move_In.jsonl")
    found = {path.stem: path for path in list_folder(folder, refuse=LabelError) if path.name.endswith(".jsonl")}
    for stem, path in found.items():
        if stem not in SPLITS:
            near = difflib.get_close_matches(stem, SPLITS, n=1)
            raise LabelError(f"{path}: '{stem}' is none of the 15 tasks" + (f"; did you mean {near[0]}.jsonl?" if near else ""))
    if not found:
        raise LabelError(f"{folder}: there is no label file; expected <Task>.jsonl, such as Move_In.jsonl")
    return [found[split] for split in SPLITS if split in found]


def _json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"cannot read the labels {path}: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise LabelError(f"{path}, line {number}: not a line of JSON ({error})") from error


def _parse_row(fields: Any, where: str, *, split: str) -> LabelRow:
    if not isinstance(fields, dict):
        raise LabelError(f"{where}: expected an object with the keys {', '.join(ROW_KEYS)}")
    for key in ROW_KEYS:
        if not isinstance(fields.get(key), str):
            raise LabelError(f"{where}: the key '{key}' is {'not text' if key in fields else 'missing'}")
    video = Path(fields["image"]).name
    answer = fields["label"].strip().lower()
    if not video:
        raise LabelError(f"{where}: 'image' names no file")
    if answer not in ("yes", "no"):
        raise LabelError(f"{where}: the label is '{fields['label']}'; it must be Yes or No (leave unsure clips out)")
    if fields["task"].strip().replace(" ", "_").lower() != split.lower():
        raise LabelError(f"{where}: the task is '{fields['task']}', which does not belong in {split}.jsonl")
    return LabelRow(video, fields["question"], answer == "yes", fields["task"], fields["label_name"])


def _find_clips(root: Path, rows: dict[str, tuple[LabelRow, ...]]) -> tuple[Clip, ...]:
    labelled = {row.video for task_rows in rows.values() for row in task_rows}
    path_of_id: dict[str, Path] = {}
    clips = []
    for path in _visible(root / VIDEOS_FOLDER):
        if path.name not in labelled and path.suffix.lower() not in VIDEO_SUFFIXES and not is_folder(path, refuse=LabelError):
            continue
        clip_id = id_of(path, refuse=LabelError)
        if clip_id in path_of_id:
            raise LabelError(
                f"{path.parent}: {path_of_id[clip_id].name} and {path.name} would both be clip '{clip_id}'; rename one of them"
            )
        path_of_id[clip_id] = path
        poses, intrinsics = root / "poses" / f"{clip_id}.tum", root / "intrinsics" / f"{clip_id}.txt"
        has_poses, has_intrinsics = is_file(poses, refuse=LabelError), is_file(intrinsics, refuse=LabelError)
        if path.name in labelled or has_poses:
            clips.append(Clip(clip_id, path, poses if has_poses else None, intrinsics if has_intrinsics else None))
    return tuple(clips)


def _visible(folder: Path) -> list[Path]:
    if not is_folder(folder, refuse=LabelError):
        return []
    return [path for path in list_folder(folder, refuse=LabelError) if not path.name.startswith(".")]


def _require_videos(labelled_set: LabelledSet) -> None:
    folder = labelled_set.root / VIDEOS_FOLDER
    if not is_folder(folder, refuse=LabelError):
        raise LabelError(f"there is no folder {folder} with the videos that the labels name")
    if missing := labelled_set.missing_videos:
        are = "video that is" if len(missing) == 1 else "videos that are"
        raise LabelError(f"{labelled_set.root}: the labels name {len(missing)} {are} not in {VIDEOS_FOLDER}/ (first: {missing[0]})")
