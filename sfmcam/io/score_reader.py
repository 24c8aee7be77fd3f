"""Reading what methods said, whoever wrote it: what kind of file it is, its content tells.

Score files in CameraBench's schema (`schema_scores`), files of answers, a letter per row (`answer_scores`), and plain tables
(`table_scores`). Several methods may lie side by side in one folder, and one method in several files.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from sfmcam.errors import ScoreFileError
from sfmcam.io.answer_scores import parse_answers
from sfmcam.io.paths import exists, files_below, is_file, is_folder
from sfmcam.io.schema_scores import parse_schema
from sfmcam.io.score_rows import MethodScores, ScoreFile, ScoreRow
from sfmcam.io.table_scores import COLUMNS, SUFFIXES, header_of, parse_table
from sfmcam.motion.primitive import PRIMITIVE_BY_SPLIT

__all__ = ["PATTERNS", "MethodScores", "ScoreRow", "read_score_dir", "read_scores"]

PATTERNS = ("classification_scores_*.json", "vqa_scores_*.json")  # the second is an older name of the same files
HEAD_BYTES = 1 << 16  # enough for the first row of an answer file, whatever its prompt
KINDS = (
    "an object with 'metadata' and 'scores' (CameraBench's schema), rows with 'problem_id' and 'output' (answers, a letter each), "
    f"or a table with the columns {', '.join(COLUMNS)}"
)


def read_scores(path: Path) -> tuple[MethodScores, ...]:
    """Read a folder of score files, or a single one of any kind.

    Raises:
        ScoreFileError: no file, one of an unknown kind, or one that is unreadable, malformed, or contradicts another.
    """
    if not is_file(path, refuse=ScoreFileError):
        return read_score_dir(path)
    return _methods(_read_file(path), path)


def read_score_dir(folder: Path) -> tuple[MethodScores, ...]:
    """Read all score files in `folder` and below, grouped by model and checkpoint, in the order of their names.

    Files of CameraBench's schema are known by their names, answers and tables by how they begin; everything else is passed over.

    Raises:
        ScoreFileError: no file, or one that is unreadable, malformed, or contradicts another.
    """
    if not is_folder(folder, refuse=ScoreFileError):
        there = exists(folder, refuse=ScoreFileError)
        raise ScoreFileError(f"{folder} is not a folder" if there else f"there is no folder {folder}")
    paths = [path for path in files_below(folder, refuse=ScoreFileError) if _is_score_file(path)]
    if not paths:
        raise ScoreFileError(
            f"{folder}: no score file ({PATTERNS[0]}) in it or below it, nor a file of answers, nor a table with the columns "
            f"{', '.join(COLUMNS)}"
        )
    return _methods([file for path in paths for file in _read_file(path)], folder)


def _methods(files: list[ScoreFile], asked_for: Path) -> tuple[MethodScores, ...]:
    groups: dict[tuple[str, str], list[ScoreFile]] = defaultdict(list)
    for file in files:
        groups[file.model, file.checkpoint].append(file)
    return tuple(_merge(group, asked_for) for _, group in sorted(groups.items()))


def _merge(files: list[ScoreFile], asked_for: Path) -> MethodScores:
    path_of: dict[str, Path] = {}
    rows: dict[str, dict[str, ScoreRow]] = {}
    for file in files:
        for split in file.rows:
            if split in path_of:
                raise ScoreFileError(f"{path_of[split]} and {file.path} both hold {split} of {file.model}; keep one of them")
            path_of[split] = file.path
        rows |= file.rows
    first = files[0]
    oddities = sum((file.oddities for file in files), Counter[str]())
    return MethodScores(
        name=f"{first.model} {Path(first.checkpoint).name}" if first.checkpoint else first.model,
        method_type=first.method_type,
        folder=asked_for,
        rows={split: rows[split] for split in PRIMITIVE_BY_SPLIT if split in rows},
        notes=tuple(f"{count} {'row' if count == 1 else 'rows'} {what}" for what, count in sorted(oddities.items())),
        model=first.model,
        scoring=first.scoring,
        source=first.path.parent,
    )


def _is_score_file(path: Path) -> bool:
    if any(path.match(pattern) for pattern in PATTERNS):
        return True
    if path.suffix.lower() in SUFFIXES:
        return header_of(_head(path).partition("\n")[0]) is not None
    return path.suffix.lower() in (".json", ".jsonl") and _begins_like_answers(_head(path))


def _begins_like_answers(head: str) -> bool:
    return all(f'"{key}"' in head for key in ("problem_id", "solution", "path"))


def _head(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES).decode("utf-8", errors="replace")
    except OSError as error:
        raise ScoreFileError(f"cannot read {path}: {error.strerror}") from error


def _read_file(path: Path) -> list[ScoreFile]:
    by_name = any(path.match(pattern) for pattern in PATTERNS)
    text = _text(path, kind="JSON" if by_name else "text")
    if not by_name and header_of(text.partition("\n")[0]) is not None:
        return parse_table(text, path)
    if by_name or text.lstrip()[:1] in ("{", "["):
        document = _document(text, path)
        if by_name or (isinstance(document, dict) and "scores" in document):
            return [parse_schema(document, path)]
        if isinstance(document, dict) and "problem_id" in document:
            document = [document]  # the only row of a file with a row per line
        rows = document.get("results") if isinstance(document, dict) else document
        if isinstance(rows, list) and rows and isinstance(rows[0], dict) and "problem_id" in rows[0]:
            return [parse_answers(document, path)]
    raise ScoreFileError(f"{path}: not a kind of score file that is known; expected {KINDS}")


def _text(path: Path, *, kind: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScoreFileError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ScoreFileError(f"{path}: not a {kind} file ({error})") from error


def _document(text: str, path: Path) -> Any:
    """Return the JSON value of a file; several values, one below the other, are a list."""
    try:
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            if not error.msg.startswith("Extra data"):
                raise
            return [json.loads(line) for line in text.split("\n") if line.strip()]  # an output may hold other ends of lines
    except (ValueError, RecursionError) as error:
        raise ScoreFileError(f"{path}: not a JSON file ({error})") from error
