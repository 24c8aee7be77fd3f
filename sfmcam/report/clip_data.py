"""The clip browser's data: one index of all clips, and one document per clip that is read when the clip is opened."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sfmcam.io.paths import clip_id
from sfmcam.io.score_file import NOT_RUN
from sfmcam.report.content import ANSWERED, Content, ReportMethod
from sfmcam.report.paths import method_path, reference_path
from sfmcam.results import ClipResult
from sfmcam.types import STATUS_MEANING, Status

YES, NO, UNLABELLED = "1", "0", "-"
TOLD = ("kind", "scene", "steadiness", "speed", "dynamic_scene", "moving_subject_dominates", "mover_share", "notes")  # of the manifest
DIGITS = 4


def index(content: Content, strips: Mapping[str, str]) -> dict[str, Any]:
    """Return what `data/clips.js` holds: a row per clip with all that the list sorts, filters and shows.

    A row is `[name, labels, gap, task of the gap, sign, hardness, errors by method, statuses by method, subsets, strip]`; `labels` has a
    letter per task, statuses and subsets are positions in the lists of the same names.
    """
    statuses: dict[str, int] = {}
    subsets: dict[str, int] = {}
    rows = []
    for row, video in enumerate(content.videos):
        name = clip_id(Path(video))
        states = [statuses.setdefault(of_method[row], len(statuses)) for of_method in content.statuses]
        named = [subsets.setdefault(str(subset), len(subsets)) for subset in content.run.manifest.get(name, {}).get("subsets", ())]
        rows.append(
            [
                name,
                _letters(content, row),
                _number(content.apart.gap[row]),
                int(content.apart.task[row]),
                int(math.copysign(1, content.apart.signed[row])),
                _number(content.hardness[row]),
                [_number(method.error[row]) for method in content.methods],
                states,
                named,
                strips.get(name, ""),
            ]
        )
    return {
        "tasks": list(content.tasks),
        "methods": [{"name": method.name, "family": str(method.family)} for method in content.methods],
        "between": content.apart_between,
        "statuses": [{"name": name, "solved": is_solved(name), "meaning": meaning(name)} for name in statuses],
        "subsets": list(subsets),
        "rows": rows,
    }


def documents(content: Content, videos: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield per clip, in the order of the index, what its part of the page shows.

    Args:
        content: the report.
        videos: clip id -> link to its video; absent where it is not reachable.
    """
    for row, video in enumerate(content.videos):
        name = clip_id(Path(video))
        entry = content.run.manifest.get(name, {})
        yield {
            "name": name,
            "file": video,
            "video": videos.get(name, ""),
            "about": {key: entry[key] for key in TOLD if entry.get(key) not in (None, "")},
            "reference": reference_path(content.run, name),
            "methods": [_said(content, method, row, name) for method in content.methods],
        }


def video_links(content: Content, page: Path) -> dict[str, str]:
    """Return clip id -> link from the page to its video, for the files that are there. A folder of images has none."""
    start = page.resolve()
    return {clip.id: quote(os.path.relpath(clip.path.resolve(), start)) for clip in content.run.labelled_set.clips if clip.path.is_file()}


def is_solved(status: str) -> bool:
    """Return whether a status of a run or of a score file means that the method answered."""
    return status == ANSWERED or (status in STATUS_MEANING and Status(status).is_success)


def meaning(status: str) -> str:
    """Return what a status says to a person; empty for a reason that another tool gave."""
    if status == ANSWERED:
        return "Every label of the clip has a score."
    if status == NOT_RUN:
        return "The method has nothing on this clip."
    return STATUS_MEANING[Status(status)] if status in STATUS_MEANING else ""


def _said(content: Content, method: ReportMethod, row: int, clip: str) -> dict[str, Any]:
    result = method.results.get(clip)
    return {
        "scores": [_number(value) for value in method.scores_of[row]],
        "leaning": [_number(value) for value in method.leaning[row]],
        **(_measured(content, method, result) if result else {}),
    }


def _measured(content: Content, method: ReportMethod, result: ClipResult) -> dict[str, Any]:
    shot = result.main_shot
    return {
        "message": result.message,
        "sentence": shot.sentence if shot else "",
        "frames": result.num_frames,
        "posed": sum(s.num_posed for s in result.shots),
        "seconds": round(result.seconds.total, 2),
        "drawn": method_path(content.run, method.scores.name, result),
    }


def _letters(content: Content, row: int) -> str:
    return "".join(UNLABELLED if math.isnan(label) else YES if label else NO for label in content.labels[row])


def _number(value: float) -> float | None:
    """Return four significant digits: scores of all sizes, probabilities near 0 too, in little space."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
