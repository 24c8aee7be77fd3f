"""Score files in CameraBench's schema, as t2v_metrics and sfmcam write them: one JSON file per task.

Tolerated, and noted where it matters: NaN and Infinity (not JSON, but written by many), extra keys, a missing `error` or `sample_id`,
time stamps in file names. Refused: what cannot be ranked or told apart.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from sfmcam.errors import ScoreFileError
from sfmcam.io.score_rows import NO_SCORE_NOTE, ScoreFile, ScoreRow, scored_row, split_named, truth_of, video_name
from sfmcam.motion.primitive import PRIMITIVE_BY_SPLIT

KEYS = ("video_path", "ground_truth_label", "score")


def parse_schema(document: Any, path: Path) -> ScoreFile:
    """Read one score file.

    Raises:
        ScoreFileError: naming the file and, where there is one, the row that does not fit.
    """
    if not isinstance(document, dict) or not isinstance(document.get("scores"), list):
        raise ScoreFileError(f"{path}: no list 'scores'; expected an object with the keys 'metadata' and 'scores'")
    metadata = document.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise ScoreFileError(f"{path}: 'metadata' is not an object")
    model, checkpoint, method_type, scoring = (_words(metadata, key) for key in ("model_name", "checkpoint", "method_type", "scoring"))
    split = _split_of(metadata, path)
    file = ScoreFile(path, model or path.parent.name, checkpoint, method_type, scoring, rows={split: {}})
    for number, entry in enumerate(document["scores"], 1):
        where = f"{path}, row {number}"
        file.add(split, _parse_row(entry, where, file), where)
    return file


def _words(metadata: dict[str, Any], key: str) -> str:
    return str(metadata.get(key) or "")


def _split_of(metadata: dict[str, Any], path: Path) -> str:
    """Return the task: what the metadata says or, failing that, the task that the file name holds."""
    stated = str(metadata.get("split_name") or "").replace(" ", "_")
    if named := split_named(stated):
        return named
    held = [split for split in PRIMITIVE_BY_SPLIT if f"_{split}_" in f"{stated or path.stem}_"]
    if len(held) != 1:
        raise ScoreFileError(f"{path}: neither metadata.split_name nor the file name says which of the 15 tasks it is, such as Move_In")
    return held[0]


def _parse_row(entry: Any, where: str, file: ScoreFile) -> ScoreRow:
    if not isinstance(entry, dict):
        raise ScoreFileError(f"{where}: not an object; expected one with the keys {', '.join(KEYS)} and error")
    video = video_name(_text(entry, "video_path", where), where, key="video_path")
    label = truth_of(_text(entry, "ground_truth_label", where))
    if label is None:
        raise ScoreFileError(f"{where}: ground_truth_label is '{entry['ground_truth_label']}', neither Yes nor No")
    if "error" not in entry:
        file.oddities["without the key 'error', taken as answered (CameraBench's own evaluator stops there)"] += 1
    error, score = entry.get("error"), _score(entry, where)
    if error is not None:
        return ScoreRow(video, label, math.nan, str(error))
    row = scored_row(video, label, score, missing=entry["score"] is None)
    if row.error:
        file.oddities[NO_SCORE_NOTE] += 1
    return row


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
        return float(value)
    except OverflowError:
        return math.nan
