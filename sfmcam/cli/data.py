"""`sfmcam data`: fetching and making labelled sets."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def data() -> None:
    """Fetch or make labelled sets of clips."""


@data.command()
@click.option("--to", "folder", metavar="DIR", type=click.Path(path_type=Path), help="Folder to fetch into.  [default: data/camerabench]")
@click.option("--labels-only", is_flag=True, help="Leave the videos out: enough for `sfmcam evaluate --labels`.")
@click.option("--limit", metavar="N", type=click.IntRange(1), help="At most N videos, spread over the 15 tasks.")
def camerabench(folder: Path | None, labels_only: bool, limit: int | None) -> None:
    """Fetch CameraBench's labels (GitHub) and videos (Hugging Face).

    Only what is missing is fetched, so a run that broke off is resumed by running it again. `sfmcam bench camerabench` looks in
    data/camerabench, or in camerabench below the folder that SFMCAM_DATA names.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from sfmcam.datasets.camerabench import camerabench_folder
    from sfmcam.datasets.camerabench_download import download_camerabench

    _silence_huggingface_hub()
    folder = folder or camerabench_folder()
    columns = (TextColumn("videos"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("videos", total=None)

        def on_progress(present: int, wanted: int) -> None:
            progress.update(task, completed=present, total=wanted)

        report = download_camerabench(folder, labels_only=labels_only, limit=limit, on_progress=on_progress)
    click.echo(f"{folder}: {report.labels_fetched} label files fetched (CC BY 4.0).")
    if labels_only:
        return
    click.echo(f"{folder}: {report.videos_fetched} videos fetched, {report.videos_present} here (third-party material, for research).")
    if report.unavailable:
        count, first = len(report.unavailable), report.unavailable[0]
        click.echo(f"Warning: videos that the server does not have: {count} (first: {first}); they will count as missing_video.", err=True)


@data.command()
@click.option("--to", "folder", metavar="DIR", type=click.Path(path_type=Path), help="Folder to render into.  [default: data/synthetic]")
def synthetic(folder: Path | None) -> None:
    """Render the embedded set: short clips with known camera paths, and labels that follow from them.

    Only what is missing is rendered, so a run that broke off is resumed by running it again. `sfmcam bench synthetic` looks in
    data/synthetic, or in synthetic below the folder that SFMCAM_DATA names, and renders there what it does not find.
    """
    from sfmcam.cli.bench_progress import show_rendering
    from sfmcam.datasets.folder import load_folder
    from sfmcam.datasets.registry import synthetic_folder
    from sfmcam.datasets.synthetic.embedded import ensure_embedded_set

    folder = folder or synthetic_folder()
    with show_rendering() as progress:
        ensure_embedded_set(folder, progress=progress)
    labelled_set = load_folder(folder)
    click.echo(f"{folder}: {len(labelled_set.clips)} clips with {labelled_set.num_rows} labels.")


def _silence_huggingface_hub() -> None:
    """Keep its own bar per file out of ours; that it is not installed is for the download to say."""
    try:
        from huggingface_hub.utils import disable_progress_bars
    except ImportError:
        return
    disable_progress_bars()
