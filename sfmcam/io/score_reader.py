"""Reading score files in CameraBench's schema, whoever wrote them.

Tolerated, and noted where it matters: NaN and Infinity (not JSON, but written by many), extra keys, a missing `error` or `sample_id`,
time stamps in file names, several methods side by side in one folder. Refused: what cannot be ranked or told apart.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfmcam.errors import ScoreFileError
from sfmcam.io.paths import exists, files_below, is_folder
from sfmcam.motion.primitive import PRIMITIVE_BY_SPLIT

PATTERNS = ("classification_scores_*.json", "vqa_scores_*.json")  # the second is an older name of the same files
NON_FINITE = "non_finite_score"
NO_SCORE = "no_score"


@dataclass(frozen=True)
class ScoreRow:
    """One row of a score file: `score` is finite exactly when `error` is None, else NaN."""

    video: str
    label: bool
    score: float
    error: str | None


@dataclass(frozen=True)
class MethodScores:
    """Everything one method has said.

    Attributes:
        name: model and, where there is one, the last part of its checkpoint.
        method_type: family, as the files say.
        folder: where the files are.
        rows: split -> video file name -> row.
        notes: sentences on what was odd in the files.
    """

    name: str
    method_type: str
    folder: Path
    rows: dict[str, dict[str, ScoreRow]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _ScoreFile:
    path: Path
    model: str
    checkpoint: str
    method_type: str
    split: str
    rows: dict[str, ScoreRow]
    oddities: Counter[str]


def read_score_dir(folder: Path) -> tuple[MethodScores, ...]:
    """Read all score files in `folder` and below, grouped by model and checkpoint, in the order of their names.

    Raises:
        ScoreFileError: no file, or one that is unreadable, malformed, or contradicts another.
    """
    if not is_folder(folder, refuse=ScoreFileError):
        there = exists(folder, refuse=ScoreFileError)
        raise ScoreFileError(f"{folder} is not a folder" if there else f"there is no folder {folder}")
    paths = [path for path in files_below(folder, refuse=ScoreFileError) if any(path.match(pattern) for pattern in PATTERNS)]
    if not paths:
        raise ScoreFileError(f"{folder}: no score file ({PATTERNS[0]}) in it or below it")
    groups: dict[tuple[str, str], list[_ScoreFile]] = defaultdict(list)
    for path in paths:
        file = _read_file(path)
        groups[file.model, file.checkpoint].append(file)
    return tuple(_merge(files, folder) for _, files in sorted(groups.items()))


def _merge(files: list[_ScoreFile], folder: Path) -> MethodScores:
    file_of: dict[str, _ScoreFile] = {}
    for file in files:
        if file.split in file_of:
            raise ScoreFileError(f"{file_of[file.split].path} and {file.path} both hold {file.split} of {file.model}; keep one of them")
        file_of[file.split] = file
    first = files[0]
    name = f"{first.model} {Path(first.checkpoint).name}" if first.checkpoint else first.model
    oddities = sum((file.oddities for file in files), Counter[str]())
    notes = tuple(f"{count} {'row' if count == 1 else 'rows'} {what}" for what, count in sorted(oddities.items()))
    rows = {split: file_of[split].rows for split in PRIMITIVE_BY_SPLIT if split in file_of}
    return MethodScores(name, first.method_type, folder, rows, notes)


def _read_file(path: Path) -> _ScoreFile:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScoreFileError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ScoreFileError(f"{path}: not a JSON file ({error})") from error
    if not isinstance(document, dict) or not isinstance(document.get("scores"), list):
        raise ScoreFileError(f"{path}: no list 'scores'; expected an object with the keys 'metadata' and 'scores'")
    metadata = document.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise ScoreFileError(f"{path}: 'metadata' is not an object")
    rows: dict[str, ScoreRow] = {}
    oddities: Counter[str] = Counter()
    for number, entry in enumerate(document["scores"], 1):
        row = _parse_row(entry, f"{path}, row {number}", oddities)
        if row.video in rows:
            raise ScoreFileError(f"{path}, row {number}: '{row.video}' has a score already in this file")
        rows[row.video] = row
    model, checkpoint, method_type = (str(metadata.get(key) or "") for key in ("model_name", "checkpoint", "method_type"))
    return _ScoreFile(path, model or path.parent.name, checkpoint, method_type, _split_of(metadata, path), rows, oddities)


def _split_of(metadata: dict[str, Any], path: Path) -> str:
    """Return the task: what the metadata says or, failing that, the task that the file name holds."""
    stated = str(metadata.get("split_name") or "").replace(" ", "_")
    if stated in PRIMITIVE_BY_SPLIT:
        return stated
    named = [split for split in PRIMITIVE_BY_SPLIT if f"_{split}_" in f"{stated or path.stem}_"]
    if len(named) != 1:
        raise ScoreFileError(f"{path}: neither metadata.split_name nor the file name says which of the 15 tasks it is, such as Move_In")
    return named[0]


def _parse_row(entry: Any, where: str, oddities: Counter[str]) -> ScoreRow:
    if not isinstance(entry, dict):
        raise ScoreFileError(f"{where}: not an object")
    video = Path(_text(entry, "video_path", where)).name
    answer = _text(entry, "ground_truth_label", where).strip().lower()
    if not video:
        raise ScoreFileError(f"{where}: 'video_path' names no file")
    if answer not in ("yes", "no"):
        raise ScoreFileError(f"{where}: ground_truth_label is '{entry['ground_truth_label']}', neither Yes nor No")
    if "error" not in entry:
        oddities["without the key 'error', taken as answered (CameraBench's own evaluator stops there)"] += 1
    error = entry.get("error")
    score = _score(entry, where)
    if error is None and math.isnan(score):
        error = NO_SCORE if entry["score"] is None else NON_FINITE
        oddities["without a finite score though 'error' is null, counted as failures"] += 1
    return ScoreRow(video, answer == "yes", math.nan if error is not None else score, None if error is None else str(error))


def _text(entry: dict[str, Any], key: str, where: str) -> str:
    if not isinstance(entry.get(key), str):
        raise ScoreFileError(f"{where}: the key '{key}' is {'not text' if key in entry else 'missing'}")
    text: str = entry[key]
    return text


def _score(entry: dict[str, Any], where: str) -> float:
    """Return the score, NaN for null and for what is not finite."""
    if "score" not in entry:
        raise ScoreFileError(f"{where}: the key 'score' is missing")
    value = entry["score"]
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScoreFileError(f"{where}: the score is {json.dumps(value)[:40]}, not a number")
    try:
        score = float(value)
    except OverflowError:
        return math.nan
    return score if math.isfinite(score) else math.nan
