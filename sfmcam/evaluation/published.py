"""What others have published on CameraBench's own pools; published.json holds the numbers and where they come from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class PublishedRow:
    """One published row.

    Attributes:
        method: name as published.
        family: `baseline`, `geometry` or `vlm`.
        source: `paper` or `leaderboard`.
        ap: split -> average precision in 0 to 1.
        mean: as published, in 0 to 1.
        note: what to know about the row; mostly empty.
    """

    method: str
    family: str
    source: str
    ap: dict[str, float]
    mean: float
    note: str = ""


@cache
def published_rows() -> tuple[PublishedRow, ...]:
    """Return the published rows, in their order: baseline, geometry, video-language models."""
    return tuple(
        PublishedRow(
            method=row["method"],
            family=row["family"],
            source=row["source"],
            ap={split: value / 100 for split, value in row["ap"].items()},
            mean=row["mean"] / 100,
            note=row.get("note", ""),
        )
        for row in _document()["rows"]
    )


def published_sources() -> dict[str, str]:
    """Return a citation for each value of `PublishedRow.source`."""
    return {name: f"{source['title']}, {source['url']}" for name, source in _document()["sources"].items()}


@cache
def _document() -> dict[str, dict]:
    text = Path(__file__).with_name("published.json").read_text(encoding="utf-8")
    document: dict[str, dict] = json.loads(text)
    return document
