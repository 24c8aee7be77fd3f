"""`Beyond` as sections: a table or several with the sentences below them, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sfmcam.evaluation.beyond import Beyond
from sfmcam.evaluation.beyond_text import (
    calibration_table,
    comparison_lines,
    comparison_tables,
    confusion_table,
    cost_table,
    decision_notes,
    decision_table,
    failure_lines,
    part_notes,
    part_tables,
)
from sfmcam.evaluation.leaderboard_text import LEGEND, TextTable


@dataclass(frozen=True)
class Section:
    """Tables, and sentences below them."""

    tables: tuple[TextTable, ...]
    notes: tuple[str, ...] = ()


def accuracy_sections(found: Beyond) -> Iterator[Section]:
    """Yield right answers, calibration, confusion and cost."""
    yield Section((decision_table(found),), (*decision_notes(found), *failure_lines(found)))
    if table := calibration_table(found):
        note = "ECE: expected calibration error over ten bins. Of base: the Brier score of saying the share of Yes to every label."
        yield Section((table,), (note,))
    note = (
        "On clips labelled Yes for a primitive: it wins where it has the highest value among itself and the primitives that the same clip "
        "is labelled No for. Ties are shared. Closest wrong ones: the highest of those labelled No, whether or not they win."
    )
    yield Section(tuple(confusion_table(method) for method in found.methods), (note, LEGEND))
    if any(method.cost for method in found.methods):
        yield Section((cost_table(found),), ("A dash: its score files lie in no run of `sfmcam bench`, which alone measures times.",))


def part_sections(found: Beyond) -> Iterator[Section]:
    """Yield the parts of the pool, or why there are none."""
    if found.parts:
        yield Section(tuple(part_tables(found)), tuple(part_notes(found)))
    else:
        yield Section(
            (), (f"No parts: {found.pool.name} has neither a manifest.json nor CameraBench's vqa_and_retrieval/ to tell its clips apart.",)
        )


def comparison_sections(found: Beyond) -> Iterator[Section]:
    """Yield the pairs that were asked for."""
    for pair in found.asked_for:
        yield Section(tuple(comparison_tables(pair)), tuple(comparison_lines(pair, found.resamples)))


def to_markdown(found: Beyond) -> str:
    """Return everything as GitHub Markdown."""
    parts = ["".join(f"- **Note:** {text}\n" for text in found.warnings)] if found.warnings else []
    parted = part_sections(found) if found.parts else ()
    for section in (*accuracy_sections(found), *parted, *comparison_sections(found)):
        parts += [table.markdown() for table in section.tables]
        parts.append("".join(f"- {line}\n" for line in section.notes))
    return "\n".join(parts)
