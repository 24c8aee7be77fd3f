"""How much an installation of sfmcam takes, with each of its extras: distributions and their unpacked size, downloading nothing.

    python benchmarks/install_sizes.py

Which distributions an extra brings is read from setup.cfg and from what the installed distributions require on this machine; their
sizes are what is written in this environment's records (bytecode, which Python makes later, left out). What is not installed here is
named, and not counted.
"""

from __future__ import annotations

import argparse
import configparser
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from figure_tables import install_sizes as table
from kept import RESULTS, figure_of_machine, keep, print_rows, rounded
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

SETUP = Path(__file__).resolve().parents[1] / "setup.cfg"
MEGABYTE = 1e6
LARGEST_NAMED = 4
BASE = ""  # no extra
NOT_SHOWN = {"dev"}

Wanted = tuple[str, frozenset[str]]  # a distribution and the extras of it that are asked for


@dataclass(frozen=True)
class Closure:
    """Everything that some requirements bring, by normalised name."""

    installed: dict[str, Distribution]
    missing: frozenset[str]


def requirements() -> dict[str, list[Requirement]]:
    """Return what setup.cfg requires by extra, under `BASE` for no extra; sfmcam's own extras in `all` are spelt out."""
    config = configparser.ConfigParser()
    config.read(SETUP, encoding="utf-8")
    found = {BASE: _lines(config["options"]["install_requires"])}
    found |= {extra: _lines(text) for extra, text in config["options.extras_require"].items()}
    for extra, needs in found.items():
        own = [need for need in needs if need.name == "sfmcam"]
        found[extra] = [n for n in needs if n.name != "sfmcam"] + [n for need in own for inner in sorted(need.extras) for n in found[inner]]
    return found


def _lines(text: str) -> list[Requirement]:
    return [Requirement(line) for line in text.splitlines() if line.strip()]


def closure(needs: list[Requirement]) -> Closure:
    """Follow requirements through the installed distributions, as their markers apply here."""
    queue: list[Wanted] = [(canonicalize_name(need.name), frozenset(need.extras)) for need in needs]
    seen: set[Wanted] = set()
    installed: dict[str, Distribution] = {}
    missing: set[str] = set()
    while queue:
        wanted = queue.pop()
        if wanted in seen:
            continue
        seen.add(wanted)
        name, extras = wanted
        try:
            installed[name] = distribution(name)
        except PackageNotFoundError:
            missing.add(name)
            continue
        for line in installed[name].requires or []:
            need = Requirement(line)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                queue.append((canonicalize_name(need.name), frozenset(need.extras)))
    return Closure(installed, frozenset(missing))


def size_bytes(found: Distribution) -> int:
    """Return the unpacked size that the distribution's record states."""
    return sum(entry.size or 0 for entry in found.files or [])


def measure() -> dict[str, Any]:
    """Return the figures of every extra."""
    needs = requirements()
    base = closure(needs[BASE])
    rows = {}
    for extra in sorted(needs.keys() - NOT_SHOWN, key=lambda extra: (extra != BASE, extra == "all", extra)):
        whole = closure(needs[BASE] + needs[extra])
        added = {name: size_bytes(found) for name, found in whole.installed.items() if extra == BASE or name not in base.installed}
        largest = sorted(added, key=lambda name: (-added[name], name))[:LARGEST_NAMED]
        rows[extra] = {
            "asks_for": [need.name for need in needs[extra]],
            "distributions": len(added),
            "megabytes": sum(added.values()) / MEGABYTE,
            "largest": {f"{name} {whole.installed[name].version}": added[name] / MEGABYTE for name in largest},
            "not_installed_here": sorted(whole.missing - (frozenset() if extra == BASE else base.missing)),
        }
    return {"extras": rows}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="install_sizes", help="name of the file in results/, without its suffix")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the file, instead of results/")
    given = parser.parse_args()
    figure = rounded(figure_of_machine("install_sizes", measure()))
    print_rows(table(figure))
    print(f"Written: {keep(figure, given.name, folder=given.results)}")


if __name__ == "__main__":
    main()
