"""The tables of the page that lie beyond average precision, from the JSON values of `evaluation.beyond`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from sfmcam.evaluation.leaderboard_text import SHORT_NAMES
from sfmcam.report.page_table import (
    NOTHING,
    Cell,
    Column,
    PageTable,
    columns,
    count_cell,
    interval_cell,
    method_cell,
    number_cell,
    percent_cell,
    text_cell,
)

RULES = {"cross_validated": "fitted threshold", "half": "yes above 0.5", "letter": "its own answer"}
SCALES = {"probability": "probability", "answer": "yes or no", "raw": "score"}
Json = dict[str, Any]


def decision_table(beyond: Json) -> PageTable:
    """Right and wrong answers at each method's thresholds, under the row of always saying No."""
    heads = columns(
        "Method",
        ("[Rule]", "how a score becomes a yes"),
        ("Accuracy", "share of all labels answered rightly, failed rows counted as wrong; x 100"),
        ("Accuracy, answered", "the same over the labels that have a score"),
        ("Balanced accuracy", "mean over primitives of the mean of both classes' accuracy: 50 is guessing; x 100"),
        ("F1", "mean over primitives; x 100"),
        ("Best F1", "with the threshold that is best on these very labels: no method would know it; x 100"),
    )
    always, mean = beyond["baseline"]["micro"], beyond["baseline"]["mean"]
    rows = [
        (
            text_cell(beyond["baseline"]["name"]),
            text_cell(""),
            *(percent_cell(value) for value in (always["accuracy"], always["accuracy"], mean["balanced_accuracy"], mean["f1"])),
            text_cell(""),
        )
    ]
    rows += [_decision_row(position, method, decision) for position, method in _methods(beyond) for decision in method["decisions"]]
    return PageTable("Answers as yes and no, x 100", heads, tuple(rows))


def _decision_row(position: int, method: Json, decision: Json) -> tuple[Cell, ...]:
    micro, mean = decision["micro"], decision["mean"]
    return (
        method_cell(method["name"], position),
        text_cell(RULES.get(decision["rule"], str(decision["rule"])), decision["rule_text"]),
        interval_cell(micro["accuracy"], micro.get("accuracy_interval")),
        percent_cell(micro.get("accuracy_answered")),
        interval_cell(mean["balanced_accuracy"], mean.get("balanced_accuracy_interval")),
        interval_cell(mean["f1"], mean.get("f1_interval")),
        percent_cell(mean.get("f1_best")),
    )


def calibration_table(beyond: Json) -> PageTable:
    """How far each method's probabilities can be believed."""
    heads = columns(
        "Method",
        ("[Its scores are]", "only probabilities can be held to what they say"),
        ("Calibration error", "expected calibration error over ten bins: by how much a stated probability is off; x 100, lower is better"),
        ("Brier score", "mean squared distance of probability and answer, lower is better"),
        ("Brier, base rate", "what stating the share of yes would get"),
        ("Labels", "answered labels"),
    )
    rows = []
    for position, method in _methods(beyond):
        head = (method_cell(method["name"], position), text_cell(SCALES.get(method["scale"], str(method["scale"])), method["scale_reason"]))
        known = (method.get("reliability") or {}).get("all")
        if not known:
            rows.append((*head, *(text_cell("") for _ in heads[2:])))
            continue
        brier = (number_cell(known["brier"], 3), number_cell(known["brier_base"], 3))
        rows.append((*head, percent_cell(known["ece"]), *brier, count_cell(known["labels"])))
    return PageTable("How far probabilities can be believed", heads, tuple(rows))


def confusion_tables(beyond: Json) -> list[PageTable]:
    """Per method: on the clips of each primitive, which primitive comes out on top."""
    return [_confusion(method) for _, method in _methods(beyond) if method.get("confusion")]


def _confusion(method: Json) -> PageTable:
    tasks = method["confusion"]["tasks"]
    heads = (
        Column("What is true"),
        Column("Clips", "positive clips of the primitive"),
        *(Column(SHORT_NAMES[split], f"{split.replace('_', ' ')} comes out on top") for split in SHORT_NAMES),
        Column("Failed"),
        Column("None", "nothing was said to be there, or there was nothing that it could be taken for"),
    )
    rows = []
    for split, task in tasks.items():
        total = task["positives"]
        cells = [_share_cell(task["wins"].get(other, 0.0), total, is_true=other == split) for other in SHORT_NAMES]
        none = task.get("none", 0.0) + task.get("unrivalled", 0)
        rows.append((text_cell(split.replace("_", " ")), count_cell(total), *cells, count_cell(task["failed"]), _share_cell(none, total)))
    return PageTable(f"{method['name']}, by {method['confusion']['by']}", heads, tuple(rows))


def _share_cell(count: float, total: int, *, is_true: bool = False) -> Cell:
    """Return a number of clips, shaded by its share; the diagonal, where the true one wins, is marked."""
    if not count:
        return Cell("·" if is_true else "", 0.0)
    text = f"{count:.0f}" if math.isclose(count, round(count), abs_tol=0.05) else f"{count:.1f}"
    return Cell(f"✓ {text}" if is_true else text, count, shade=count / total if total else None)


def comparison_table(beyond: Json) -> PageTable:
    """Every pair of methods: difference of mean AP_all, and whether another draw of clips would turn it."""
    heads = columns(
        "Better",
        "[Other]",
        ("Leads by", "difference of mean AP_all; x 100, with its 95 % interval by paired bootstrap over videos"),
        ("p", "two-sided, paired bootstrap over videos"),
        ("[Better on]", "primitives with p below 0.05 after Holm's correction, and their positive clips: with a handful, p says little"),
        ("[Worse on]", "the same the other way round"),
    )
    positions = {method["name"]: position for position, method in _methods(beyond)}
    positives = {split: task["positives"] for split, task in beyond["methods"][0]["confusion"]["tasks"].items()}
    rows = [_comparison_row(pair, positions, positives) for pair in beyond["comparisons"]]
    return PageTable("Paired differences on the same clips, x 100", heads, tuple(rows))


def _comparison_row(pair: Json, positions: dict[str, int], positives: dict[str, int]) -> tuple[Cell, ...]:
    gain, low, high = _signed(pair["mean"])
    sure = {sign: [split for split, task in pair["tasks"].items() if _is_sure(task, sign)] for sign in (1, -1)}
    names, sign = (pair["a"], pair["b"]), 1
    if gain < 0:
        names, sign, gain, low, high = (pair["b"], pair["a"]), -1, -gain, -high, -low
    within = "" if math.isnan(low) else f" ({100 * low:.1f} to {100 * high:.1f})"
    p = math.nan if pair["mean"]["p"] is None else pair["mean"]["p"]
    return (
        *(method_cell(name, positions[name]) for name in names),
        Cell(f"{100 * gain:.1f}{within}", gain),
        Cell(NOTHING if math.isnan(p) else f"{p:.3f}" if p >= 0.001 else "< 0.001", p),
        text_cell(_words(sure[sign], positives)),
        text_cell(_words(sure[-sign], positives)),
    )


def part_table(beyond: Json) -> PageTable:
    """Mean AP_all by part of the set, each rated as a set of its own."""
    names = [method["name"] for method in beyond["methods"]]
    heads = (
        Column("Part of the set"),
        Column("Clips"),
        Column("Primitives rated", "a primitive without a positive or without a negative there is left out"),
        *(Column(name, "mean AP_all x 100 with its 95 % interval") for name in names),
    )
    rows = []
    for part in beyond["parts"]:
        left_out = part["left_out"]
        by_name = {method["name"]: method for method in part["methods"]}
        rated = text_cell(str(15 - len(left_out)), "left out: " + (_words(left_out) or "none"))
        cells = [_part_cell(by_name.get(name)) for name in names]
        label = f"{part['group']}: {part['name']}" if part["group"] not in ("", part["name"]) else part["name"]
        rows.append((text_cell(label), count_cell(part["videos"]), rated, *cells))
    return PageTable("Mean AP_all by part of the set, x 100", heads, tuple(rows))


def _part_cell(method: Json | None) -> Cell:
    return interval_cell(method["mean_ap_all"], method["interval"], shaded=True) if method else text_cell("")


def _methods(beyond: Json) -> Iterator[tuple[int, Json]]:
    return iter(enumerate(beyond["methods"]))


def _signed(figure: Json) -> tuple[float, float, float]:
    low, high = figure["interval"] or (None, None)
    return figure["difference"] or 0.0, math.nan if low is None else low, math.nan if high is None else high


def _is_sure(task: Json, sign: int) -> bool:
    p, difference = task.get("p_holm"), task.get("difference")
    return p is not None and difference is not None and p < 0.05 and difference * sign > 0


def _words(splits: list[str], positives: dict[str, int] | None = None) -> str:
    """Return the primitives in words, with their positive clips where these are given."""
    counts = {split: f" ({positives[split]})" for split in splits} if positives else dict.fromkeys(splits, "")
    return ", ".join(split.replace("_", " ").lower() + counts[split] for split in splits)
