"""What lies in the folder that `sfmcam trajectory` or `sfmcam bench` wrote for a clip: its trajectory, or why there is none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfmcam.io.paths import is_file, is_folder, list_folder
from sfmcam.types import Status
from sfmcam.workspace import ClipFolder, ShotFolder


@dataclass(frozen=True)
class ClipAnswer:
    """The trajectory that speaks for a clip, or None with the reason; `note` says which of several shots it is from."""

    trajectory: Path | None
    reason: str = ""
    note: str = ""


def clip_answer(folder: Path) -> ClipAnswer | None:
    """Return what the results in `folder` answer; None where it is no folder of this package's results.

    Of several shots the longest that was solved speaks for the clip, the earliest of equals (docs/outputs.md).
    """
    if not is_folder(folder):
        return None
    shots = [ShotFolder(path) for path in list_folder(folder) if path.name.startswith("shot_") and is_folder(path)]
    if not shots and not is_file(ShotFolder(folder).motion):
        return ClipAnswer(None, "no trajectory was written; run.log may say why") if is_file(ClipFolder(folder).log) else None
    told = [(shot, _told(shot)) for shot in shots or [ShotFolder(folder)]]
    solved = [(shot, motion) for shot, motion in told if _is_solved(motion) and is_file(shot.trajectory)]
    if not solved:
        return ClipAnswer(None, "; ".join(dict.fromkeys(_reason(shot, motion) for shot, motion in told)))
    longest = max(solved, key=lambda pair: float(pair[1].get("end_s") or 0) - float(pair[1].get("start_s") or 0))[0]
    note = (
        f"the video was cut into {len(shots)} shots, of which {longest.root.name} is compared: the longest that was solved" if shots else ""
    )
    return ClipAnswer(longest.trajectory, note=note)


def _told(shot: ShotFolder) -> dict[str, Any]:
    try:
        value = json.loads(shot.motion.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_solved(motion: dict[str, Any]) -> bool:
    status = motion.get("status")
    return status in {str(known) for known in Status} and Status(status).is_success


def _reason(shot: ShotFolder, motion: dict[str, Any]) -> str:
    if "status" not in motion:
        return f"{shot.motion} cannot be read, and there is no trajectory beside it"
    if _is_solved(motion):
        return f"{shot.root} has no {shot.trajectory.name}"
    return ": ".join(filter(None, (str(motion["status"]), str(motion.get("message") or ""))))
