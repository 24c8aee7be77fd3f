"""Small labelled folders in CameraBench's layout, for tests; the videos are empty files, since nothing here decodes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path


def label_line(video: str, label: str = "Yes", *, split: str = "Move_In", **changes: object) -> str:
    """Return one line of a label file; `changes` replace or, as None, remove a key."""
    row: dict[str, object] = {
        "image": video,
        "question": f"Is it {split}?",
        "label": label,
        "task": split.replace("_", " "),
        "label_name": f"cam_motion.{split.lower()}",
    }
    row |= changes
    return json.dumps({key: value for key, value in row.items() if value is not None})


def make_label_folder(root: Path, truth: Mapping[str, Mapping[str, bool]], *, videos: tuple[str, ...] | None = None) -> Path:
    """Write labels (split -> video -> truth) and their videos, or the `videos` given, and return `root`."""
    (root / "binary_classification").mkdir(parents=True)
    (root / "videos").mkdir()
    for split, labels in truth.items():
        lines = [label_line(video, "Yes" if label else "No", split=split) for video, label in labels.items()]
        (root / "binary_classification" / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    for video in {video for labels in truth.values() for video in labels} if videos is None else videos:
        (root / "videos" / video).touch()
    return root
