"""Tables of the figures that are made from a rendered set itself: its truth, its labels, what it takes to render it."""

from __future__ import annotations

from typing import Any

from figure_tables import Rows


def truth(figure: dict[str, Any]) -> Rows:
    """How far pictures are from the stored truth, by part of the set, and the clips that were drawn again."""
    looks = [f"{look}: {word}" for look in ("tracker", "photometric") for word in ("median, px", "90 %", "clips below")]
    rows = [["part of the set", "clips", "measured", "moves by, px", *looks]]
    for name, group in figure["groups"].items():
        cells = [str(group["clips"]), str(group["measured"]), _number(group["median_shift_px"], 1)]
        for look in ("tracker", "photometric"):
            spread = group.get(look)
            below = f"{spread['clips_below']} of {group['measured']}" if spread else "-"
            cells += [*(_number(spread[key], 3) if spread else "-" for key in ("median_px", "p90_px")), below]
        rows.append([name, *cells])
    for clip in figure["drawn_again"]:
        words = f"  again without noise and coding: {clip['clip']} (crf {clip['crf']}, noise {clip['noise']:.1f})"
        before, after = ((_number(clip[f"tracker{end}"], 3), _number(clip[f"photometric{end}"], 3)) for end in ("_px", "_again_px"))
        rows.append([words, "", "", "", f"{before[0]} to {after[0]}", "", "", f"{before[1]} to {after[1]}", "", ""])
    return rows


def label_truth(figure: dict[str, Any]) -> Rows:
    """How many labels agree with `motion` applied to the true poses, what its scores get, and what its sentence tells."""
    rows = [["primitive", "yes", "no", "agree", "outside the unsure band", "AP of the true poses", "yes that are told", "no that are told"]]
    for name, counts in {"all": figure["all"], **figure["primitives"]}.items():
        rated = counts["yes"] + counts["no"]
        told = ["-", "-"] if name == "static" else [str(counts["yes_told"]), str(counts["no_told"])]
        cells = [str(counts["yes"]), str(counts["no"]), f"{counts['agree']} of {rated}", f"{counts['strictly']} of {rated}"]
        rows.append([name.replace("_", " "), *cells, _number(counts["ap"], 3), *told])
    return rows


def rendering(figure: dict[str, Any]) -> Rows:
    """Processor time of a rendered set, from a sample of its clips."""
    rows = [
        ["clips", "frames", "timed", "s per clip (median)", "of it the scene", "s per million samples", "processor time, min", "minutes"]
    ]
    seconds = [_number(figure[key], 2) for key in ("median_clip_seconds", "median_build_seconds", "seconds_per_million_samples")]
    minutes = f"{figure['minutes']:.0f} on {figure['processors']} processors"
    rows.append([*(str(figure[key]) for key in ("clips", "frames", "sampled")), *seconds, f"{figure['processor_minutes']:.0f}", minutes])
    return rows


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
