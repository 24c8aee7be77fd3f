"""Score files in CameraBench's schema: one JSON file per task, from our estimators as from a video-language model.

    {"metadata": {"method_type", "model_name", "checkpoint", "split_name", "generation_timestamp", ...},
     "scores": [{"sample_id", "video_path", "question", "ground_truth_label", "method", "score", "error"}, ...]}

`error` is null for an answered row; CameraBench's own evaluator drops the others. This file writes; `score_reader` reads.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sfmcam.datasets.labelled_set import LabelledSet, LabelRow
from sfmcam.errors import InputError
from sfmcam.io.text_file import write_text
from sfmcam.motion.primitive import PRIMITIVES
from sfmcam.types import Status

logger = logging.getLogger(__name__)

FAILED_SCORE = -1e10  # what CameraBench's evaluator itself puts in place of a score that is not finite; NaN is not JSON
NOT_RUN = "not_run"  # `error` of a row that no run has reached

FILE_PREFIX = "classification_scores_"

JsonValue = str | int | float | bool | None


@dataclass(frozen=True)
class ClipScores:
    """What one method says about one clip.

    Attributes:
        status: success or the reason of the failure.
        scores: primitive id -> finite score, higher is more evidence; all 15 for a success, ignored for a failure.
    """

    status: Status
    scores: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status.is_success:
            bad = [p.id for p in PRIMITIVES if not math.isfinite(self.scores.get(p.id, math.nan))]
            if bad:
                raise ValueError(f"status {self.status} needs 15 finite scores; not so: {', '.join(bad)}")


@dataclass(frozen=True)
class MethodLabel:
    """How a method is named in its score files.

    Attributes:
        model_name: such as `glomap`.
        checkpoint: weights or variant; empty where there is none.
        method_type: family, `geometry` for ours.
    """

    model_name: str
    checkpoint: str = ""
    method_type: str = "geometry"

    @property
    def text(self) -> str:
        """One line for the `method` field of a row."""
        return f"{self.model_name}_{self.checkpoint}" if self.checkpoint else self.model_name


def write_score_files(
    folder: Path,
    *,
    labelled_set: LabelledSet,
    results: Mapping[str, ClipScores],
    method: MethodLabel,
    timestamp: str | None = None,
    extra: Mapping[str, JsonValue] | None = None,
) -> tuple[Path, ...]:
    """Write `classification_scores_<Task>.json` for every task that has labels.

    Every labelled row is written. A clip without a result is `missing_video` where the video is not there, else `not_run`; both, like
    every failure, keep their row with the lowest score and the status in `error`.

    Args:
        folder: made if needed; the score files in it are replaced, and those of tasks that are not written now removed.
        labelled_set: the rows.
        results: clip id -> what the method says.
        method: how it is named.
        timestamp: ISO 8601, for files that must not differ between runs; now without it.
        extra: more metadata (version, configuration hash, seed).

    Returns:
        The files, in the order of the tasks. A task without rows has none, which is logged.

    Raises:
        InputError: the folder cannot be written.
    """
    metadata: dict[str, JsonValue] = {
        "method_type": method.method_type,
        "model_name": method.model_name,
        "checkpoint": method.checkpoint,
        "split_name": "",
        "generation_timestamp": timestamp or datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if clash := metadata.keys() & (extra or {}).keys():
        raise ValueError(f"extra metadata may not replace {sorted(clash)}")
    outcomes = _outcomes(labelled_set, results)
    written = []
    for primitive in PRIMITIVES:
        rows = labelled_set.rows.get(primitive.split_name, ())
        if not rows:
            logger.info("%s has no labels for %s: no score file for that task", labelled_set.name, primitive.split_name)
            continue
        entries = [_entry(row, outcomes[row.video], primitive_id=primitive.id, method=method.text) for row in rows]
        document = {"metadata": {**metadata, **(extra or {}), "split_name": primitive.split_name}, "scores": entries}
        path = folder / f"{FILE_PREFIX}{primitive.split_name}.json"
        write_text(path, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        written.append(path)
    _remove_score_files(folder, keep=written)
    return tuple(written)


def _remove_score_files(folder: Path, *, keep: Sequence[Path]) -> None:
    """Remove what an earlier run on more clips or another set left: a reader of the folder would take it for part of this one."""
    for path in set(folder.glob(f"{FILE_PREFIX}*.json")).difference(keep):
        try:
            path.unlink()
        except OSError as error:
            raise InputError(f"cannot remove {path}, which an earlier run wrote: {(error.strerror or str(error)).lower()}") from error


@dataclass(frozen=True)
class _Outcome:
    """Scores by primitive id and no error, or an error and no scores."""

    scores: Mapping[str, float]
    error: str | None


def _outcomes(labelled_set: LabelledSet, results: Mapping[str, ClipScores]) -> dict[str, _Outcome]:
    """Return what became of every labelled video, by file name."""
    outcomes = dict.fromkeys(labelled_set.videos, _Outcome({}, NOT_RUN))
    outcomes |= dict.fromkeys(labelled_set.missing_videos, _Outcome({}, Status.MISSING_VIDEO.value))
    for clip in labelled_set.clips:
        if result := results.get(clip.id):
            outcomes[clip.path.name] = _Outcome(result.scores, None) if result.status.is_success else _Outcome({}, result.status.value)
    return outcomes


def _entry(row: LabelRow, outcome: _Outcome, *, primitive_id: str, method: str) -> dict[str, JsonValue]:
    return {
        "sample_id": Path(row.video).stem,
        "video_path": row.video,
        "question": row.question,
        "ground_truth_label": "Yes" if row.label else "No",
        "method": method,
        "score": float(outcome.scores[primitive_id]) if outcome.error is None else FAILED_SCORE,
        "error": outcome.error,
    }
