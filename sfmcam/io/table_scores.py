"""Scores as a plain table: CSV with the columns video, task, score, and optionally label, error, method, in any order.

Comma, semicolon or tab between the cells. A row with an empty score (or nan, null, none, n/a) is a failure, and so is one with a text in
`error`; no row is dropped.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path

from sfmcam.errors import ScoreFileError
from sfmcam.io.score_rows import NO_SCORE_NOTE, ScoreFile, ScoreRow, scored_row, split_named, truth_of, video_name

COLUMNS = ("video", "task", "score")
OPTIONAL = ("label", "error", "method")
SUFFIXES = (".csv", ".tsv")
_DELIMITERS = ",;\t"
_NO_SCORE = ("", "null", "none", "n/a", "na")


def header_of(line: str) -> tuple[str, list[str]] | None:
    """Return the delimiter and the names of the columns of a first line, or None where it is not the head of a score table."""
    for delimiter in _DELIMITERS:
        names = [name.strip().strip('"').lower() for name in line.lstrip("\ufeff").strip().split(delimiter)]
        if set(COLUMNS) <= set(names):
            return delimiter, names
    return None


def parse_table(text: str, path: Path) -> list[ScoreFile]:
    """Read one table: one part per method, named by the column `method` or, without it, by the file.

    Raises:
        ScoreFileError: naming the file and, where there is one, the line that does not fit.
    """
    head = header_of(text.partition("\n")[0])
    if head is None:
        raise ScoreFileError(f"{path}: the first line does not name the columns {', '.join(COLUMNS)}")
    delimiter, names = head
    if repeated := sorted({name for name in (*COLUMNS, *OPTIONAL) if names.count(name) > 1}):
        raise ScoreFileError(f"{path}: the column '{repeated[0]}' is there twice")
    files: dict[str, ScoreFile] = {}
    for where, cells in _rows(text, names, path, delimiter):
        model = cells.get("method", "").strip() or path.stem
        file = files.setdefault(model, ScoreFile(path, model))
        split, row = _parse_row(cells, where)
        if row.error and not cells.get("error", "").strip():
            file.oddities[NO_SCORE_NOTE] += 1
        file.add(split, row, where)
    if not files:
        raise ScoreFileError(f"{path}: no row below the names of the columns")
    return list(files.values())


def _rows(text: str, names: list[str], path: Path, delimiter: str) -> Iterator[tuple[str, dict[str, str]]]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)  # not splitlines: a cell may hold other ends of lines
    try:
        next(reader)
        for cells in reader:
            where = f"{path}, line {reader.line_num}"
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                raise ScoreFileError(f"{where}: {len(cells)} cells where the first line names {len(names)} columns")
            yield where, dict(zip(names, cells, strict=True))
    except csv.Error as error:
        raise ScoreFileError(f"{path}, line {reader.line_num}: not a row of a table ({error})") from error


def _parse_row(cells: dict[str, str], where: str) -> tuple[str, ScoreRow]:
    split = split_named(cells["task"])
    if split is None:
        raise ScoreFileError(f"{where}: the task is '{cells['task'].strip()}', none of the 15, such as Move_In")
    video = video_name(cells["video"].strip(), where, key="video")
    label, stated = None, cells.get("label", "").strip()
    if stated:
        label = truth_of(stated)
        if label is None:
            raise ScoreFileError(f"{where}: the label is '{stated}', neither Yes nor No")
    score = _score(cells["score"].strip(), where)
    if error := cells.get("error", "").strip():
        return split, ScoreRow(video, label, math.nan, error)
    return split, scored_row(video, label, score, missing=cells["score"].strip().lower() in _NO_SCORE)


def _score(text: str, where: str) -> float:
    if text.lower() in _NO_SCORE:
        return math.nan
    try:
        return float(text)
    except ValueError:
        raise ScoreFileError(f"{where}: the score is '{text[:40]}', not a number; leave the cell empty where the method failed") from None
