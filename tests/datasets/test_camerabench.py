"""The counts that tell CameraBench's own pool from any other are those of its label files."""

from __future__ import annotations

from shared_data import SHARED, needs_shared

from sfmcam.datasets.camerabench import NUM_VIDEOS, POOLS, is_camerabench
from sfmcam.datasets.folder import load_folder
from sfmcam.motion.primitive import PRIMITIVE_BY_SPLIT


def test_counts_are_those_of_the_paper() -> None:
    assert list(POOLS) == list(PRIMITIVE_BY_SPLIT)
    assert sum(rows for rows, _ in POOLS.values()) == 7679
    assert sum(positives for _, positives in POOLS.values()) == 942


def test_another_pool_is_not_camerabench() -> None:
    assert is_camerabench(POOLS)
    assert not is_camerabench({**POOLS, "Static": (966, 93)})
    assert not is_camerabench({split: counts for split, counts in POOLS.items() if split != "Static"})


@needs_shared("camerabench", "binary_classification")
def test_counts_are_those_of_the_label_files() -> None:
    assert SHARED is not None
    labelled_set = load_folder(SHARED / "camerabench", allow_missing=True)
    assert is_camerabench({split: (len(rows), sum(row.label for row in rows)) for split, rows in labelled_set.rows.items()})
    assert len(labelled_set.videos) == NUM_VIDEOS
