"""The small JSON files that are kept in results/, and how the commands of this folder end: a table, a file, or one sentence."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shlex
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfmcam import __version__
from sfmcam.errors import SfmcamError
from sfmcam.io.json_file import finite

if TYPE_CHECKING:
    from run_folder import Run  # brings most of the package, which a machine with a GPU and little else may lack

RESULTS = Path(__file__).resolve().parent / "results"
DIGITS = 5

Rows = list[list[str]]
Figure = dict[str, Any]


def hide_folders(command: str) -> str:
    """Return `command` without the folders of the machine that it ran on."""
    return " ".join(re.sub(r"(?<![\w.])/[^\s,]*/", "", word) for word in command.split())


def rounded(value: Any) -> Any:
    """Return the JSON value with every float cut to DIGITS places, and None for what is not finite."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return finite(round(value, DIGITS)) if isinstance(value, float) else value


def own_command() -> str:
    """Return the command line of this process."""
    return hide_folders(f"python benchmarks/{Path(sys.argv[0]).name} {shlex.join(sys.argv[1:])}".rstrip())


def figure_of_run(figure: str, run: Run, value: Figure) -> Figure:
    """Return `value` with what made it: a run of `sfmcam bench`."""
    results = run.results
    made = {
        "figure": figure,
        "sfmcam_version": results["sfmcam_version"],
        "finished": results["finished"],
        "command": hide_folders(results["command"]),
        "made_by": own_command(),
        "dataset": results["dataset"] | {"missing_videos": len(results["dataset"]["missing_videos"])},
    }
    return made | value


def figure_of_machine(figure: str, value: Figure) -> Figure:
    """Return `value` with what made it: this process on this machine, and how busy that was."""
    made = {
        "figure": figure,
        "sfmcam_version": __version__,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": own_command(),
        "machine": {"system": platform.platform(), "processors": os.cpu_count(), "load_1min": os.getloadavg()[0]},
    }
    return made | value


def keep(figure: Figure, name: str, *, folder: Path) -> Path:
    """Write `folder`/NAME.json and return its path."""
    target = folder / f"{name}.json"
    folder.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(rounded(figure), indent=1) + "\n", encoding="utf-8")
    return target


def print_rows(rows: Rows) -> None:
    """Print a table whose first row is its head, the first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others = (cell.ljust(w) if k == 0 else cell.rjust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True)))
        print("  ".join([first, *others]).rstrip())


def run_parser(description: str | None) -> argparse.ArgumentParser:
    """Return the command line that the figures made from a run share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder that `sfmcam bench` wrote (its --out)")
    parser.add_argument("name", help="name of the file in results/, without its suffix")
    parser.add_argument("--labels", type=Path, help="the labelled set of the run, where its videos have moved since")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the file, instead of results/")
    return parser


def show_figure_of_run(figure: str, given: argparse.Namespace, *, make: Callable[[Run], Figure], table: Callable[[Figure], Rows]) -> None:
    """Open the run, print the table and keep the file; what is wrong with the input ends it in one sentence."""
    from run_folder import open_run

    try:
        run = open_run(given.run, given.labels)
        made = rounded(figure_of_run(figure, run, make(run)))
    except SfmcamError as error:
        raise SystemExit(f"Error: {error}") from error
    print_rows(table(made))
    print(f"Written: {keep(made, given.name, folder=given.results)}")
