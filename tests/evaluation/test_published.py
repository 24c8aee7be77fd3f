"""The published numbers are kept as published: their means fit their columns, or a note says by how much they do not."""

from __future__ import annotations

import json

import numpy as np
import pytest
from shared_data import SHARED, needs_shared

from sfmcam.evaluation.published import PublishedRow, published_rows, published_sources
from sfmcam.motion.primitive import PRIMITIVES

SPLITS = [p.split_name for p in PRIMITIVES]
ROUNDING = 0.0005 + 0.0005  # the columns and the mean are each given to 0.1 of 100


@pytest.mark.parametrize("row", published_rows(), ids=lambda row: f"{row.method}-{row.source}")
def test_means_fit_the_columns(row: PublishedRow) -> None:
    assert list(row.ap) == SPLITS
    assert all(0 < value < 1 for value in row.ap.values())
    assert (abs(np.mean(list(row.ap.values())) - row.mean) <= ROUNDING) == (not row.note)


def test_every_row_names_a_source_and_is_there_once() -> None:
    rows = published_rows()
    assert {row.source for row in rows} == set(published_sources()) == {"paper", "leaderboard"}
    assert len({(row.method, row.source) for row in rows}) == len(rows) == 15
    assert {row.family for row in rows} == {"baseline", "geometry", "vlm"}
    assert len({source[0] for source in published_sources()}) == 2  # the tables mark a source by its first letter


@needs_shared("camerabench", "published.json")
def test_equal_to_the_collected_numbers() -> None:
    assert SHARED is not None
    collected = json.loads((SHARED / "camerabench" / "published.json").read_text())
    assert collected["columns"] == SPLITS
    for ours, theirs in zip(published_rows(), collected["rows"], strict=True):
        assert (ours.method, ours.source) == (theirs["method"], theirs["source"])
        np.testing.assert_allclose([100 * value for value in (*ours.ap.values(), ours.mean)], [*theirs["ap"], theirs["mean"]], atol=1e-9)
