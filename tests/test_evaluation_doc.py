"""docs/evaluation.md names every key of `evaluate --json`'s `beyond`, every rule and every kind of score."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from method_scores import method_scores

from sfmcam.evaluation.beyond import beyond
from sfmcam.evaluation.leaderboard import leaderboard
from sfmcam.evaluation.lineup import Scale
from sfmcam.evaluation.method_decisions import Rule
from sfmcam.io.run_cost import RunCost
from sfmcam.io.table_scores import COLUMNS, OPTIONAL
from sfmcam.motion.primitive import PRIMITIVE_BY_SPLIT

TEXT = (Path(__file__).parents[1] / "docs" / "evaluation.md").read_text(encoding="utf-8")


def keys_of(value: Any) -> Iterator[str]:
    """Yield every key in a JSON value but the names of tasks."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in PRIMITIVE_BY_SPLIT:
                yield key
            yield from keys_of(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from keys_of(inner)


def document() -> dict[str, Any]:
    rows = {"Move_In": {"a": (True, 0.9), "b": (False, 0.3), "c": (False, "timeout")}}
    methods = [method_scores("x", rows), method_scores("y", rows)]
    return beyond(leaderboard(methods, resamples=5), methods, compare=[("x", "y")]).to_json()


@pytest.mark.parametrize("key", sorted({*keys_of(document()), *RunCost.__dataclass_fields__}))
def test_keys(key: str) -> None:
    assert f"`{key}`" in TEXT


@pytest.mark.parametrize("word", [*Scale, *Rule, *COLUMNS, *OPTIONAL, "options", "problem_id", "solution", "path"])
def test_words(word: str) -> None:
    assert f"`{word}`" in TEXT
