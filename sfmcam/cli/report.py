"""`sfmcam report`: a finished run, and other methods beside it, as a page that opens from disk."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfmcam.cli.options import SCORING_CHOICES

if TYPE_CHECKING:
    from sfmcam.report.content import Content


@click.command(context_settings={"show_default": True})
@click.argument("run", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--against",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Score files of other methods on the same clips, such as a language model's; may be given several times.",
)
@click.option("-o", "--out", metavar="DIR", default=Path("out/report"), type=click.Path(path_type=Path), help="Folder of the page.")
@click.option("--scoring", type=click.Choice(SCORING_CHOICES), help="Scores of the run to show.  [default: those that the run showed]")
@click.option("--labels", metavar="DATASET", help="The labelled set: where it has moved since the run, or for score files without truth.")
@click.option("--videos/--no-videos", default=True, help="Thumbnails of the videos in the page, and links to them.")
@click.option("--bootstrap", metavar="N", type=click.IntRange(0, 100_000), default=1000, help="Resamples behind the intervals; 0 for none.")
def report(run: Path, against: tuple[Path, ...], out: Path, **given: Any) -> None:
    """Write a page on a run of `sfmcam bench`: tables, curves and every clip.

    OUT is the --out of the run, or a folder of score files alone. The page opens from disk without network: DIR/index.html. Beside it
    are the same figures as report.md and as CSV. A run that has not come to its end is reported as far as it is. The videos stay where
    they are and are linked; thumbnails go into the page's folder.
    """
    from sfmcam.cli.report_progress import show_writing
    from sfmcam.report.content import collect
    from sfmcam.report.page import write_report
    from sfmcam.report.run import open_run
    from sfmcam.workspace import ReportFolder

    opened = open_run(run, scoring=given["scoring"], labels=given["labels"])
    content = collect(opened, against, resamples=given["bootstrap"])
    for warning in content.warnings:
        click.echo(f"Warning: {warning}", err=True)
    folder = ReportFolder(out)
    with show_writing() as progress:
        write_report(content, folder, with_videos=given["videos"], progress=progress)
    _print(content, folder.page)


def _print(content: Content, page: Path) -> None:
    rated = [method for method in content.methods if not math.isnan(method.rated.mean_all.ap)]
    counts = f"{len(content.methods)} methods on {len(content.videos)} clips"
    if rated:
        best = max(rated, key=lambda method: method.rated.mean_all.ap)
        counts += f"; {best.name} leads with a mean AP_all of {best.rated.mean_all.ap:.3f}"
    click.echo(f"{counts}.\nWritten: {page}")
