"""What `vo` must hold, beside what was measured: every target of its issue, from the files in results/.

    python benchmarks/targets.py [--clips vo_clips76] [--synthetic vo_synthetic] [--results FOLDER]

Reads <clips>.json and <synthetic>.json (record.py), <..>_subsets.json, <..>_invents.json, length.json and warm.json; what is not there is
"not measured". It prints only, and its exit code is 0 whatever holds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figure_tables import SHORT
from kept import RESULTS, print_rows

METHOD = "vo"
ZOOMS = ("Zoom_In", "Zoom_Out")
MOST_MIB = 500e6 / 2**20  # 500 MB


@dataclass(frozen=True)
class Target:
    """One line: what must hold, the figure (None: not measured), and whether larger is better."""

    text: str
    limit: float
    figure: float | None
    at_least: bool = True
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether it holds."""
        if self.figure is None:
            return "not measured"
        return "holds" if (self.figure >= self.limit if self.at_least else self.figure <= self.limit) else "FALLS SHORT"

    def row(self) -> list[str]:
        """Return the line of the table."""
        figure = "-" if self.figure is None else f"{self.figure:.3f}"
        return [self.text, f"{'>=' if self.at_least else '<='} {self.limit:g}", figure, self.verdict, self.note]


@dataclass(frozen=True)
class Kept:
    """The kept files; `of` a name that is not there is an empty one."""

    folder: Path

    def of(self, name: str) -> dict[str, Any]:
        """Return what results/NAME.json holds."""
        path = self.folder / f"{name}.json"
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return kept


def targets(kept: Kept, clips: str, synthetic: str) -> Iterator[Target]:
    """Yield every target that a file can answer."""
    yield from _clips(kept.of(clips))
    yield from _synthetic(kept.of(f"{synthetic}_subsets"))
    yield from _poses(kept.of(clips))
    for name in (clips, synthetic):
        share = _at(kept.of(f"{name}_invents"), "methods", METHOD, "all", "share")
        yield Target(f"{name}: translation within its own bound, share of clips", 0.95, share)
    yield from _speed(kept, clips)


def _clips(run: dict[str, Any]) -> Iterator[Target]:
    scored = _at(run, "methods", METHOD, "scoring", "probability")
    ap = {split: value for split, value in (_at(scored, "ap_all") or {}).items() if value is not None}
    yield Target("clips: mean AP", 0.93, _at(scored, "mean_ap_all"), note=_kinds(run))
    for split in ZOOMS:
        yield Target(f"clips: {SHORT[split]}", 0.85, ap.get(split))
    others = {split: value for split, value in ap.items() if split not in ZOOMS}
    low = [f"{SHORT[split]} {value:.3f}" for split, value in others.items() if value < 0.85]
    yield Target("clips: worst other primitive", 0.85, min(others.values(), default=None), note=", ".join(low))
    yield Target("clips: most memory, MiB", MOST_MIB, _at(run, "methods", METHOD, "cost", "peak_mb_max"), at_least=False)


def _kinds(run: dict[str, Any]) -> str:
    kinds = _at(run, "kinds", "probability") or {}
    means = {name: _at(group, "methods", METHOD, "mean_ap_all") for name, group in kinds.items()}
    return ", ".join(f"{name} {value:.3f}" for name, value in means.items() if value is not None)


def _synthetic(figure: dict[str, Any]) -> Iterator[Target]:
    def of(group: str, key: str) -> float | None:
        value: float | None = _at(figure, "groups", group, "methods", METHOD, key)
        return value

    yield Target("synthetic: mean AP", 0.95, of("all", "mean_ap_all"), note=_left_out(figure, "all"))
    yield Target("synthetic: with a mover, 8-60 %", 0.92, of("mover 8-60 %", "mean_ap_all"), note=_left_out(figure, "mover 8-60 %"))
    yield Target("synthetic: zoom", 0.95, of("all", "zoom"))
    yield Target("synthetic: dolly", 0.90, of("all", "dolly"))


def _left_out(figure: dict[str, Any], group: str) -> str:
    splits = _at(figure, "groups", group, "left_out") or []
    return f"without {', '.join(SHORT[split] for split in splits)}" if splits else ""


def _poses(run: dict[str, Any]) -> Iterator[Target]:
    known = _at(run, "methods", METHOD, "poses")
    part = _at(known, "parts", "RealEstate10K")
    yield Target("poses: mean rotation error, deg", 0.25, _at(known, "summary", "rotation_mean_deg", "mean"), at_least=False)
    yield Target("poses: likewise, RealEstate10K", 0.25, _at(part, "summary", "rotation_mean_deg", "mean"), at_least=False)
    direction = _at(part, "summary", "direction_mean_deg", "mean")
    yield Target("poses: mean direction error, RealEstate10K, deg", 1.2, direction, at_least=False)
    lost = known["clips"] - known["solved"] if known and known["clips"] else None
    yield Target("poses: lost clips", 0, lost, at_least=False)


def _speed(kept: Kept, clips: str) -> Iterator[Target]:
    ratios = _at(kept.of(clips), "speed") or _at(kept.of(f"{clips}_speed"), "speed")
    for slug, limit in (("colmap-default", 12), ("glomap-default", 18)):
        for stage in ("total", "estimate"):
            ratio = _at(ratios, "against", slug, "all", stage, "ratio_of_medians")
            yield Target(f"times faster than {slug}, {'whole clip' if stage == 'total' else 'estimate alone'}", limit, ratio)
    for name, clip in (_at(kept.of("warm"), "clips") or {"3 s at 24 fps": {}}).items():
        note = f"processor time {clip['processor']['whole']:.3f}" if clip else ""
        yield Target(f"warm, {name}: whole, s", 0.35, _at(clip, "wall", "whole"), at_least=False, note=note)
    yield from _length(kept)


def _length(kept: Kept) -> Iterator[Target]:
    figure = kept.of("length")
    cases: dict[str, Any] = _at(figure, "cases") or {}
    memory = [case["peak_mb"] for case in cases.values() if case["peak_mb"] is not None]
    yield Target("peak memory over all lengths, MiB", MOST_MIB, max(memory, default=None), at_least=False)
    steps = _at(figure, "growth") or []
    slope = steps[-1]["total_s"] / steps[0]["total_s"] if len(steps) > 1 and steps[0]["total_s"] > 0 else None
    yield Target("cost of a further second, longest over shortest", 1.25, slope, at_least=False)
    failed = [f"{name} {case['status']}" for name, case in cases.items() if case["status"] not in ("ok", "rotation_only", "still")]
    yield Target("odd clips that fail (1 fps, 16 frames, 4K)", 0, len(failed) if cases else None, at_least=False, note=", ".join(failed))


def _at(value: Any, *keys: str) -> Any:
    """Return what lies under `keys`, None where any is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", default="vo_clips76")
    parser.add_argument("--synthetic", default="vo_synthetic")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    rows = [target.row() for target in targets(Kept(given.results), given.clips, given.synthetic)]
    print_rows([["what must hold", "target", "measured", "", ""], *rows])


if __name__ == "__main__":
    main()
