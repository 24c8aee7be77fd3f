"""How long `sfmcam report` takes on a large run, and how soon its page can be read, in a real Chromium.

    python benchmarks/report_scale.py [NAME] [--clips 1000] [--methods 8] [--work out/report_scale] [--results FOLDER]

Writes results/NAME.json (by default report_scale.json). The run is made up: four geometric methods with a path of every clip, the others
score files of language models; the videos are tiny. Three reports: without videos, with thumbnails to be made, and once more with
thumbnails that are there. The page is opened from disk five times; the median counts.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from figure_tables import report_scale
from headless import chromium, complaints, first_paint_s, missing, open_page
from kept import RESULTS, figure_of_machine, keep, print_rows, rounded
from made_run import MadeRun, make_run

OPENINGS = 5
REPORT_LIMIT_S, PAINT_LIMIT_S = 60.0, 2.0
WAIT_S = 20.0
READ_CLIP = """
const done = arguments[0], start = performance.now();
const row = document.querySelector("#clip-list tbody tr");
row.click();
const look = () => (document.querySelector("#clip .motion svg") ? done(performance.now() - start) : requestAnimationFrame(look));
look();
"""
SORT_CLIPS = """
const done = arguments[0], select = document.getElementById("f-sort"), start = performance.now();
select.value = "1";
select.dispatchEvent(new Event("change", { bubbles: true }));
requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
"""


def measure(made: MadeRun, folder: Path) -> dict[str, Any]:
    """Write the reports and open the last one."""
    shutil.rmtree(folder, ignore_errors=True)
    cases = {
        "without videos": _report(made, folder, "--no-videos"),
        "with thumbnails to be made": _report(made, folder),
        "with thumbnails that are there": _report(made, folder),
    }
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    figures = {"report": cases, "peak_mib": peak_mib, "files": len(sizes), "mib": sum(sizes) / 2**20}
    return figures | {"page_kib": (folder / "index.html").stat().st_size / 1024, "page": _open(folder / "index.html")}


def _report(made: MadeRun, folder: Path, *options: str) -> dict[str, float]:
    """Write one report; wall seconds, and processor seconds, which tell what a quiet machine would take at most."""
    command = [
        sys.executable,
        "-m",
        "sfmcam.cli.main",
        "report",
        str(made.run),
        "--against",
        str(made.against),
        "-o",
        str(folder),
        *options,
    ]
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": time.monotonic() - start, "processor_s": processor_s}


def _open(page: Path) -> dict[str, Any]:
    paints, lists, sorts, clips = [], [], [], []
    with chromium() as driver:
        for _ in range(OPENINGS):
            open_page(driver, page)
            paints.append(first_paint_s(driver))
            lists.append(_list_s(driver))
            sorts.append(driver.execute_async_script(SORT_CLIPS) / 1000)
            clips.append(driver.execute_async_script(READ_CLIP) / 1000)
        said = complaints(driver)
        version = driver.capabilities["browserVersion"]
    if said:
        raise SystemExit(f"Error: the page complains: {said[0]}")
    figures = {"first_paint_s": paints, "list_of_clips_s": lists, "sort_s": sorts, "open_clip_s": clips}
    return {"chromium": version, "openings": OPENINGS} | {name: median(values) for name, values in figures.items()}


def _list_s(driver: Any) -> float:
    """Return how long the clips take to be listed, from the moment when somebody goes there."""
    start = time.monotonic()
    driver.execute_script("document.getElementById('clips').scrollIntoView({ behavior: 'instant' })")
    while not driver.execute_script("return document.querySelectorAll('#clip-list tbody tr').length"):
        if time.monotonic() - start > WAIT_S:
            raise SystemExit(f"Error: no clip was listed within {WAIT_S:.0f} s")
        time.sleep(0.01)
    return time.monotonic() - start


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="report_scale", help="name of the file in results/, without its suffix")
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--methods", type=int, default=8)
    parser.add_argument("--work", type=Path, default=Path("out/report_scale"), help="folder for the made-up run; what it holds is replaced")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the file, instead of results/")
    given = parser.parse_args()
    if lacking := missing():
        raise SystemExit(f"Error: {lacking}")
    shutil.rmtree(given.work, ignore_errors=True)
    made = make_run(given.work, clips=given.clips, methods=given.methods)
    figures = measure(made, given.work / "report")
    limits = {"limit_report_s": REPORT_LIMIT_S, "limit_first_paint_s": PAINT_LIMIT_S}
    figure = rounded(figure_of_machine("report_scale", {"clips": given.clips, "methods": given.methods, **limits, **figures}))
    print_rows(report_scale(figure))
    print(f"Written: {keep(figure, given.name, folder=given.results)}")


if __name__ == "__main__":
    main()
