"""A folder of estimated paths against a folder of known ones, clip by clip; no clip is ever left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from sfmcam.errors import ConfigError, InputError, TrajectoryFileError
from sfmcam.estimators.external import find_file
from sfmcam.evaluation.clip_results import ClipAnswer, clip_answer
from sfmcam.evaluation.compare_files import (
    POSES_FOLDER,
    CompareOptions,
    FileComparison,
    compare_read,
    read_estimate,
    read_true,
    refuse_idle_rate,
)
from sfmcam.io.paths import is_file, is_folder, list_folder
from sfmcam.workspace import ShotFolder

SUFFIXES = (".npz", ".tum", ".txt")
MEGASAM_ENDINGS = ("_sgd_cvd_hr", "_droid")
RUN_FOLDER = "clips"  # of one estimator, in the folder of a bench run
LEAST_FRAMES = 2  # with fewer in common nothing relative can be said


class ClipStatus(StrEnum):
    """What became of one clip."""

    ANSWERED = "answered"
    MISSING = "missing"
    FAILED = "failed"
    UNREADABLE = "unreadable"
    NO_COMMON_FRAMES = "no_common_frames"
    BAD_REFERENCE = "bad_reference"
    NO_REFERENCE = "no_reference"


COUNTED = frozenset(ClipStatus) - {ClipStatus.BAD_REFERENCE, ClipStatus.NO_REFERENCE}  # what the success rate is over


@dataclass(frozen=True)
class ClipRow:
    """One clip: `compared` exactly where it was answered, else `reason` is a sentence."""

    clip: str
    status: ClipStatus
    reason: str = ""
    compared: FileComparison | None = None

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; undefined figures are NaN."""
        return {"clip": self.clip, "status": self.status.value, "reason": self.reason, **(self.compared.to_json() if self.compared else {})}


@dataclass(frozen=True)
class Summary:
    """One figure over the answered clips for which it is defined."""

    mean: float
    median: float
    num_clips: int


@dataclass(frozen=True)
class Batch:
    """All clips: those of the references by name, then estimates that have none."""

    estimates: Path
    references: Path
    options: CompareOptions
    rows: tuple[ClipRow, ...]

    @property
    def answered(self) -> tuple[FileComparison, ...]:
        """The comparisons that were made."""
        return tuple(row.compared for row in self.rows if row.compared is not None)

    @property
    def num_clips(self) -> int:
        """Clips with a reference that can be used."""
        return sum(row.status in COUNTED for row in self.rows)

    @property
    def success_rate(self) -> float:
        """Share of them that were answered; NaN where there is none."""
        return len(self.answered) / self.num_clips if self.num_clips else float("nan")

    @property
    def coverage(self) -> float:
        """Mean share of the reference's frames that were compared, a clip without an answer counting as 0."""
        return sum(compared.result.coverage for compared in self.answered) / self.num_clips if self.num_clips else float("nan")

    def summaries(self) -> dict[str, Summary]:
        """Return every figure's mean and median over the answered clips."""
        figures = [compared.result.figures for compared in self.answered]
        return {key: _summary([of_clip[key] for of_clip in figures]) for key in (figures[0] if figures else ())}

    def to_json(self) -> dict[str, Any]:
        """Return JSON values (docs/compare.md); undefined figures are NaN."""
        summaries = self.summaries()
        return {
            "estimates": str(self.estimates),
            "references": str(self.references),
            "align": self.options.alignment.value,
            "pair": self.options.pairing.value,
            "num_clips": self.num_clips,
            "num_answered": len(self.answered),
            "success_rate": self.success_rate,
            "coverage": self.coverage,
            "statuses": {status.value: sum(row.status is status for row in self.rows) for status in ClipStatus},
            "mean": {key: summary.mean for key, summary in summaries.items()},
            "median": {key: summary.median for key, summary in summaries.items()},
            "clips_defined": {key: summary.num_clips for key, summary in summaries.items()},
            "clips": [row.to_json() for row in self.rows],
        }


def compare_folders(estimates: Path, references: Path, options: CompareOptions) -> Batch:
    """Compare every clip of `references` with the trajectory of the same name in `estimates`.

    A labelled set may be given for the references (its `poses/` is taken), and the folder of an estimator in a finished run
    for the estimates (its `clips/`).

    Raises:
        InputError: a folder is not there, or `references` holds no trajectory.
        ConfigError: an option that fits none of the clips.
        MissingDependencyError: evo is not installed.
    """
    own, true = _inner(estimates, RUN_FOLDER), _inner(references, POSES_FOLDER)
    if options.intrinsics is not None and not is_folder(options.intrinsics):
        raise ConfigError(f"with --batch, --intrinsics is a folder with one <clip>.txt each; {options.intrinsics} is none")
    clips = clip_names(true)
    if not clips:
        raise InputError(f"{true} holds no trajectory; expected <clip>.tum, .txt or .npz, or a folder per clip")
    rows = [_compare_clip(clip, own, true, options) for clip in clips]
    refuse_idle_rate([row.compared for row in rows if row.compared is not None], options)
    extra = [clip for clip in clip_names(own) if clip not in clips]
    rows += [ClipRow(clip, ClipStatus.NO_REFERENCE, f"{true} has no trajectory of this name") for clip in extra]
    return Batch(estimates, references, options, tuple(rows))


def clip_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the clips of which `folder` holds a trajectory, or a folder for one, sorted.

    Raises:
        InputError: the folder cannot be read.
    """
    inside = folder / "pose" if is_folder(folder / "pose") else folder  # ViPE
    return tuple(sorted({name for path in list_folder(inside) if (name := _clip_of(path))}))


def clip_name(path: Path) -> str:
    """Return the name of the clip that a trajectory file belongs to: the folder's, for the files of `sfmcam trajectory`."""
    own_files = {ShotFolder(path).trajectory.name, ShotFolder(path).trajectory.with_suffix(".tum").name}
    absolute = path.absolute()
    return absolute.parent.name if path.name in own_files else absolute.name if absolute.is_dir() else _without_ending(absolute)


def _inner(folder: Path, usual: str) -> Path:
    if not is_folder(folder):
        raise InputError(f"{folder} is a file; --batch compares folders" if is_file(folder) else f"there is no folder {folder}")
    return folder / usual if is_folder(folder / usual) else folder


def _clip_of(path: Path) -> str:
    if path.name.startswith("."):
        return ""
    if is_folder(path):
        return path.name
    return _without_ending(path) if path.suffix in SUFFIXES else ""


def _without_ending(path: Path) -> str:
    stem = path.stem
    for ending in MEGASAM_ENDINGS if path.suffix == ".npz" else ():
        stem = stem.removesuffix(ending)
    return stem


def _compare_clip(clip: str, estimates: Path, references: Path, options: CompareOptions) -> ClipRow:
    try:
        reference = find_file(references, clip)
        if reference is None:
            return ClipRow(clip, ClipStatus.BAD_REFERENCE, f"{references / clip} holds no trajectory")
        true = read_true(reference, options)
    except InputError as error:
        return ClipRow(clip, ClipStatus.BAD_REFERENCE, str(error))
    try:
        estimate = find_file(estimates, clip)
        if estimate is None:
            return ClipRow(clip, ClipStatus.MISSING, f"{estimates} has no trajectory of this name")
        answer = clip_answer(estimate) or ClipAnswer(estimate)
        if answer.trajectory is None:
            return ClipRow(clip, ClipStatus.FAILED, answer.reason)
        compared = compare_read(read_estimate(answer.trajectory, options), true, options, note=answer.note)
    except TrajectoryFileError as error:
        return ClipRow(clip, ClipStatus.UNREADABLE, str(error))
    except InputError as error:
        return ClipRow(clip, ClipStatus.NO_COMMON_FRAMES, str(error))
    if (n := len(compared.result.pairs)) < LEAST_FRAMES:
        return ClipRow(clip, ClipStatus.NO_COMMON_FRAMES, f"{n} frame in common, and every error is relative to another frame")
    return ClipRow(clip, ClipStatus.ANSWERED, compared=compared)


def _summary(values: Sequence[float]) -> Summary:
    known = np.array([value for value in values if np.isfinite(value)])
    if not len(known):
        return Summary(float("nan"), float("nan"), 0)
    return Summary(float(known.mean()), float(np.median(known)), len(known))
