"""`sfmcam weights`: trained weights of others, fetched only when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

MEGABYTE = 1e6


@click.group()
def weights() -> None:
    """Fetch trained weights of others; nothing is downloaded unless you say so here."""


@weights.command(name="list")
def list_weights() -> None:
    """List what there is: size, licence, address, and whether it is here."""
    from sfmcam.io.weights import weights_folder, weights_list

    folder = weights_folder()
    for name, entry in weights_list().items():
        size = f"{entry.size_bytes / MEGABYTE:.1f} MB" if entry.size_bytes else "size unknown"
        here = "here" if (folder / entry.file).is_file() else "not here"
        click.echo(f"{name}: {entry.what}")
        click.echo(f"  {entry.file}, {size}, {here}; licence: {entry.licence}")
        click.echo(f"  {entry.url}")
        click.echo(f"  sha256: {entry.sha256 or 'unknown'}")
    click.echo(f"Folder: {folder} (SFMCAM_WEIGHTS chooses another)")
    _list_depth_models()


@weights.command()
@click.argument("name")
@click.option("--from", "file", metavar="FILE", type=click.Path(path_type=Path), help="Take this file instead of downloading.")
def get(name: str, file: Path | None) -> None:
    """Fetch NAME, or go on where an earlier call stopped.

    The SHA-256 is compared where it is known, and shown where it is not, for you to compare. A depth model, by its name in the list
    or as OWNER/NAME of Hugging Face, goes into Hugging Face's cache (HF_HOME).
    """
    from sfmcam.estimators.megasam.depth_models import KNOWN
    from sfmcam.io.weights import accept_weights, fetch_weights, weights_entry, weights_path

    if name in KNOWN or "/" in name:
        _get_depth_model(name, file)
        return
    entry = weights_entry(name, also=KNOWN)
    if file is not None:
        digest, how = accept_weights(name, file), f"copied from {file}"
    else:
        click.echo(f"{name}: {entry.what}; licence: {entry.licence}; {entry.home}", err=True)
        with _progress() as on_progress:
            digest, how = fetch_weights(name, on_progress=on_progress), f"fetched from {entry.url}"
    compared = "as expected" if entry.sha256 else "not compared: none is known"
    target = weights_path(name)
    click.echo(f"{target}: {how}; sha256 {digest} ({compared})")
    if entry.size_bytes and (size := target.stat().st_size) != entry.size_bytes:
        click.echo(f"Warning: it has {size} bytes, {entry.size_bytes} are listed; the project may have published another file.", err=True)


@weights.command()
@click.argument("name")
def path(name: str) -> None:
    """Print where the file of NAME is, or the folder of a depth model."""
    from sfmcam.errors import InputError
    from sfmcam.estimators.megasam.depth_models import KNOWN, find_model
    from sfmcam.io.weights import weights_entry, weights_path

    if name in KNOWN or "/" in name:
        click.echo(find_model(name))
        return
    weights_entry(name, also=KNOWN)
    file = weights_path(name)
    if not file.is_file():
        raise InputError(f"{name} is not here (it would be {file}); `sfmcam weights get {name}` fetches it")
    click.echo(file)


def _list_depth_models() -> None:
    from sfmcam.errors import SfmcamError
    from sfmcam.estimators.megasam.depth_models import KNOWN, find_model

    click.echo("Depth models, for priors; in Hugging Face's cache (HF_HOME chooses another):")
    for name, model in KNOWN.items():
        try:
            here = f"here: {find_model(name)}"
        except SfmcamError:  # not fetched, not whole, or nothing installed that knows the cache
            here = "not here"
        click.echo(f"  {name}: {model.gives}; {model.size_mb} MB; licence: {model.licence}; {model.page}; {here}")


def _get_depth_model(name: str, file: Path | None) -> None:
    from sfmcam.estimators.megasam.depth_models import KNOWN, fetch_model

    if file is not None:
        raise click.UsageError(
            "--from takes single files; name a depth model's folder in the options instead (prior.relative, prior.metric)."
        )
    if name in KNOWN:
        click.echo(f"{name}: {KNOWN[name].gives}, {KNOWN[name].size_mb} MB; licence: {KNOWN[name].licence}; {KNOWN[name].page}", err=True)
    click.echo(f"{fetch_model(name)}: here")


@contextmanager
def _progress() -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar on standard error; yield what moves it."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("weights", total=None)
        yield lambda arrived, total: bar.update(task, completed=arrived, total=total)
