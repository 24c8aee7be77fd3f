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
    if report.questions_missing:
        count, first = len(report.questions_missing), report.questions_missing[0]
        click.echo(f"Warning: {count} files that tell parts of the set apart could not be fetched (first: {first}).", err=True)
    if labels_only:
        return
    click.echo(f"{folder}: {report.videos_fetched} videos fetched, {report.videos_present} here (third-party material, for research).")
    if report.unavailable:
        count, first = len(report.unavailable), report.unavailable[0]
        click.echo(f"Warning: videos that the server does not have: {count} (first: {first}); they will count as missing_video.", err=True)


@data.command()
@click.option(
    "--to", "--out", "folder", metavar="DIR", type=click.Path(path_type=Path), help="Folder to render into.  [default: data/synthetic]"
)
@click.option("--clips", metavar="N", type=click.IntRange(1), help="Render N random clips instead of the embedded set; needs --to.")
@click.option("--seed", metavar="S", type=click.IntRange(0), help="Which random clips.  [default: 0]")
@click.option("--split", type=click.Choice(["train", "val", "test"]), help="What they are for; splits share nothing.  [default: test]")
@click.option(
    "--jobs", metavar="N", type=click.IntRange(1), help="Clips rendered at the same time.  [default: one per processor, at most 4]"
)
def synthetic(folder: Path | None, clips: int | None, seed: int | None, split: str | None, jobs: int | None) -> None:
    """Render short clips with known camera paths, and labels that follow from them.

    Without --clips it renders the embedded set. `sfmcam bench synthetic` looks for that one in data/synthetic, or in synthetic below
    the folder that SFMCAM_DATA names, and renders there what it does not find. With --clips it draws clips at random, of every
    motion, in every light: tune on one split, judge on another.

    Only what is missing is rendered, so a run that broke off is resumed by running it again.
    """
    from sfmcam.cli.bench_progress import show_rendering
    from sfmcam.datasets.folder import load_folder
    from sfmcam.datasets.registry import synthetic_folder
    from sfmcam.datasets.synthetic.chance import Split
    from sfmcam.datasets.synthetic.embedded import ensure_embedded_set
    from sfmcam.datasets.synthetic.random_set import ensure_random_set

    if clips is None and (seed is not None or split is not None):
        raise click.UsageError("--seed and --split choose among random clips: say with --clips how many to render.")
    if clips is not None and folder is None:
        raise click.UsageError("--clips needs --to DIR, so that random clips do not replace the embedded set.")
    folder = folder or synthetic_folder()
    with show_rendering() as progress:
        if clips is None:
            ensure_embedded_set(folder, progress=progress, workers=jobs)
        else:
            ensure_random_set(folder, Split(split or Split.TEST), seed=seed or 0, count=clips, progress=progress, workers=jobs)
    labelled_set = load_folder(folder)
    click.echo(f"{folder}: {len(labelled_set.clips)} clips with {labelled_set.num_rows} labels.")


def _silence_huggingface_hub() -> None:
    """Keep its own bar per file out of ours; that it is not installed is for the download to say."""
    try:
        from huggingface_hub.utils import disable_progress_bars
    except ImportError:
        return
    disable_progress_bars()
