"""What a labelled set of clips is: the clips that are there, and what people said about each, per task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path


@dataclass(frozen=True)
class Clip:
    """One video that is there.

    Attributes:
        id: name of the file without its last suffix; unique in its set.
        path: the video file, or a folder of images.
        poses: reference camera path (TUM, camera-to-world, OpenCV axes), or None.
        intrinsics: reference `fx fy cx cy` in pixels, or None.
    """

    id: str
    path: Path
    poses: Path | None = None
    intrinsics: Path | None = None


@dataclass(frozen=True)
class LabelRow:
    """One line of a label file.

    Attributes:
        video: file name of the video, without folder.
        question: the question as it is put to a video-language model.
        label: True for "Yes".
        task: name of the task in words, "Move In".
        label_name: dotted name of the label in the annotators' taxonomy.
    """

    video: str
    question: str
    label: bool
    task: str
    label_name: str


@dataclass(frozen=True)
class LabelledSet:
    """Clips with labels.

    Attributes:
        name: for people and for result files.
        root: the folder.
        clips: every clip that a label names or that has reference poses, by name.
        rows: CameraBench's split name (`Move_In`) -> its rows; at most one row per video. A split that is absent has no label file.
    """

    name: str
    root: Path
    clips: tuple[Clip, ...]
    rows: dict[str, tuple[LabelRow, ...]]

    @property
    def num_rows(self) -> int:
        """Number of labels over all tasks."""
        return sum(map(len, self.rows.values()))

    @property
    def videos(self) -> tuple[str, ...]:
        """File names of all labelled videos, in the order in which the label files first name them."""
        return tuple(dict.fromkeys(row.video for rows in self.rows.values() for row in rows))

    @property
    def missing_videos(self) -> tuple[str, ...]:
        """Labelled videos that are not there."""
        present = {clip.path.name for clip in self.clips}
        return tuple(video for video in self.videos if video not in present)

    def limited(self, num_clips: int) -> LabelledSet:
        """Return the same set with at most `num_clips` of its labelled clips, spread over the tasks, and only their rows."""
        present = {clip.path.name for clip in self.clips}
        chosen = set([video for video in spread_videos(self.rows) if video in present][:num_clips])
        rows = {split: tuple(row for row in rows if row.video in chosen) for split, rows in self.rows.items()}
        return replace(self, clips=tuple(clip for clip in self.clips if clip.path.name in chosen), rows=rows)


def spread_videos(rows: dict[str, tuple[LabelRow, ...]]) -> tuple[str, ...]:
    """Order the labelled videos so that every beginning of the list is spread over the tasks.

    Label files may list their positives first, so the first N lines of one file would be one motion only. Here the tasks take turns,
    each with its next positive; the negatives that are left follow in the same way.
    """
    columns = [[row.video for row in sorted(rows[split], key=lambda row: not row.label)] for split in rows]
    return tuple(dict.fromkeys(video for turn in zip_longest(*columns) for video in turn if video is not None))
