"""What a method has said, row by row, whichever kind of file it came from, and the checks that all kinds share."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sfmcam.errors import ScoreFileError
from sfmcam.motion.primitive import PRIMITIVE_BY_SPLIT

NON_FINITE = "non_finite_score"
NO_SCORE = "no_score"
NO_SCORE_NOTE = "without a finite score though 'error' is null, counted as failures"

_SPLIT_BY_NAME = {split.lower(): split for split in PRIMITIVE_BY_SPLIT}


@dataclass(frozen=True)
class ScoreRow:
    """One row: `score` is finite exactly when `error` is None, else NaN; `label` is None where the file states no truth."""

    video: str
    label: bool | None
    score: float
    error: str | None


@dataclass(frozen=True)
class MethodScores:
    """Everything one method has said.

    Attributes:
        name: model and, where there is one, the last part of its checkpoint.
        method_type: family, as the files say.
        folder: the folder or file that was asked for.
        rows: split -> video file name -> row.
        notes: sentences on what was odd in the files.
        model: the model alone; for our own, the method's name in its run.
        scoring: what sfmcam says of its own scores (`depth`, `probability`, ...); else empty.
        source: the folder that the first of the files lies in; None where there is none.
    """

    name: str
    method_type: str
    folder: Path
    rows: dict[str, dict[str, ScoreRow]]
    notes: tuple[str, ...] = ()
    model: str = ""
    scoring: str = ""
    source: Path | None = None


@dataclass
class ScoreFile:
    """One file, or the part of it that is one method's.

    Attributes:
        path: the file.
        model: of the method; with `checkpoint` it tells methods apart.
        checkpoint: empty where there is none.
        method_type: family; may be empty.
        scoring: as in `MethodScores`.
        rows: split -> video -> row.
        oddities: what was odd -> rows.
    """

    path: Path
    model: str
    checkpoint: str = ""
    method_type: str = ""
    scoring: str = ""
    rows: dict[str, dict[str, ScoreRow]] = field(default_factory=dict)
    oddities: Counter[str] = field(default_factory=Counter)

    def add(self, split: str, row: ScoreRow, where: str) -> None:
        """Take a row in.

        Raises:
            ScoreFileError: the video has a row of this task already; `where` names the second.
        """
        of_split = self.rows.setdefault(split, {})
        if row.video in of_split:
            raise ScoreFileError(f"{where}: '{row.video}' has a score already in this file; keep one of the two rows")
        of_split[row.video] = row


def scored_row(video: str, label: bool | None, score: float, *, missing: bool) -> ScoreRow:
    """Return the row of an answer; one that is not finite is a failure, named by whether there was a score at all (`missing`)."""
    if math.isfinite(score):
        return ScoreRow(video, label, score, None)
    return ScoreRow(video, label, math.nan, NO_SCORE if missing else NON_FINITE)


def video_name(value: Any, where: str, *, key: str) -> str:
    """Return the file name at the end of a path.

    Raises:
        ScoreFileError: not text, or no name in it.
    """
    if not isinstance(value, str):
        raise ScoreFileError(f"{where}: the key '{key}' is {'missing' if value is None else 'not text'}")
    name = value if value != "." and "/" not in value else Path(value).name  # a Path for each of 100,000 rows takes a second
    if not name:
        raise ScoreFileError(f"{where}: '{key}' names no file")
    return name


def split_named(text: str) -> str | None:
    """Return the task that `text` names, whatever its case and word breaks (`Move_In`, `move in`, `move-in`); None for none of the 15."""
    return _SPLIT_BY_NAME.get(text.strip().lower().replace(" ", "_").replace("-", "_"))


def truth_of(text: str) -> bool | None:
    """Return True for a yes, False for a no, None for anything else."""
    return {"yes": True, "no": False}.get(text.strip().lower())
