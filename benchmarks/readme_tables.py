"""Write the tables of README.md and docs/figures.md from benchmarks/results/*.json, between their markers.

With --check, fail where they differ.

python benchmarks/readme_tables.py [--check]
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import figure_tables
import megasam_tables
import set_tables

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "figures.md")
RESULTS = ROOT / "benchmarks" / "results"
MARKER = re.compile(r"(<!-- table: (\S+) (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


TABLES: dict[str, Callable[[dict[str, Any]], figure_tables.Rows]] = {
    table.__name__: table
    for table in (
        figure_tables.accuracy,
        figure_tables.primitives,
        figure_tables.cost,
        figure_tables.poses,
        figure_tables.kinds,
        figure_tables.speed,
        figure_tables.subsets,
        figure_tables.parts,
        figure_tables.never_invents,
        figure_tables.length,
        figure_tables.warm,
        figure_tables.report_scale,
        figure_tables.evaluate_scale,
        figure_tables.install_sizes,
        set_tables.truth,
        set_tables.label_truth,
        set_tables.rendering,
        megasam_tables.megasam_speed,
        megasam_tables.megasam_train,
        megasam_tables.megasam_tracking,
        megasam_tables.megasam_poses,
    )
}


def render(page: str) -> str:
    """Return `page` with every marked table made anew."""

    def table(match: re.Match[str]) -> str:
        run = json.loads((RESULTS / f"{match[3]}.json").read_text())
        head, *body = TABLES[match[2]](run)
        lines = [head, ["---"] * len(head), *body]
        text = "\n".join("| " + " | ".join(row) + " |" for row in lines)
        return f"{match[1]}{text}\n\n`{run['command']}`, sfmcam {run['sfmcam_version']}, {run['finished'][:10]}.\n{match[4]}"

    return MARKER.sub(table, page)


def main() -> None:
    """Read the command line."""
    for path in PAGES:
        old = path.read_text()
        new = render(old)
        if "--check" not in sys.argv[1:]:
            path.write_text(new)
        elif new != old:
            raise SystemExit(f"{path.name}: its tables are not those of benchmarks/results; run `python benchmarks/readme_tables.py`")


if __name__ == "__main__":
    main()
