"""The figures of `vo` that take minutes, on the data that is there: what `make bench-vo` runs.

    python benchmarks/bench_vo.py --out out/bench-vo [--clips SET] [--synthetic SET] [--limit N] [--jobs 2] [--lengths 3,30]

Each labelled set is run with `vo` alone and afresh, then condensed by record.py, subsets.py and never_invents.py; length.py and warm.py
need no data. The files go to OUT/results, not to results/, so that a quick look overwrites no published figure. What `vo` takes beside
COLMAP and GLOMAP needs a longer run: README.md has its command.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
BENCH = ("-c", "from sfmcam.cli.main import main; main()", "bench")
CLIPS, SYNTHETIC = "vo_clips76", "vo_synthetic"
HOW = {
    CLIPS: "set CLIPS=FOLDER to a labelled set of real clips in CameraBench's layout",
    SYNTHETIC: "make it with `sfmcam data synthetic --to data/synthetic-test --clips 240 --split test`, or set SYNTHETIC=FOLDER",
}


def steps_of_set(name: str, labelled_set: Path, *, out: Path, limit: int | None, jobs: int) -> list[list[str]]:
    """Return the commands that make the figures of one labelled set."""
    run, results = str(out / name), ["--results", str(out / "results")]
    few = [] if limit is None else ["--limit", str(limit)]
    return [
        [*BENCH, str(labelled_set), "-e", "vo", "-o", run, "--jobs", str(jobs), "--overwrite", *few],
        [str(HERE / "record.py"), run, name, *results],
        [str(HERE / "subsets.py"), run, f"{name}_subsets", *results],
        [str(HERE / "never_invents.py"), run, f"{name}_invents", *results],
    ]


def steps_of_time(*, out: Path, lengths: str) -> list[list[str]]:
    """Return the commands that make the figures which need no data."""
    where = ["--work", str(out / "length"), "--results", str(out / "results")]
    return [
        [str(HERE / "warm.py"), *where],
        [str(HERE / "length.py"), "--lengths", lengths, *where],
    ]


def missing(name: str, labelled_set: Path | None) -> str:
    """Return why a set cannot be run and what to do, in a sentence; empty where it can be."""
    if labelled_set is not None and (labelled_set / "binary_classification").is_dir():
        return ""
    where = "no folder was named" if labelled_set is None else f"{labelled_set} is no labelled set"
    return f"Left out: the figures of {name}, since {where}; {HOW[name]}."


def run(steps: Sequence[list[str]]) -> list[str]:
    """Run the steps one after the other; return those that failed."""
    failed = []
    for step in steps:
        title = f"sfmcam bench {step[3]}" if step[0] == "-c" else Path(step[0]).name
        print(f"\n== {title}", flush=True)
        if subprocess.run([sys.executable, *step], check=False).returncode:
            failed.append(title)
    return failed


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/bench-vo"))
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--synthetic", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--lengths", default="3,30")
    given = parser.parse_args()
    steps, absent = [], []
    for name, labelled_set in ((CLIPS, given.clips), (SYNTHETIC, given.synthetic)):
        if sentence := missing(name, labelled_set):
            absent.append(sentence)
            continue
        steps += steps_of_set(name, labelled_set, out=given.out, limit=given.limit, jobs=given.jobs)
    failed = run([*steps, *steps_of_time(out=given.out, lengths=given.lengths)])
    failed += run([[str(HERE / "targets.py"), "--results", str(given.out / "results")]])
    print("", *absent, sep="\n")
    if failed:
        raise SystemExit(f"Error: {len(failed)} of the steps failed: {'; '.join(failed)}")


if __name__ == "__main__":
    main()
