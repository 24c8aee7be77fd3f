"""`sfmcam train`: training a network of one's own on rendered clips."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def train() -> None:
    """Train a network on rendered clips."""


@train.command(context_settings={"show_default": True})
@click.argument("pack", metavar="PACK", type=click.Path(path_type=Path))
@click.option("--prepare", is_flag=True, help="Make PACK of rendered clips, and train nothing yet.")
@click.option(
    "--from", "folders", metavar="DIR", multiple=True, type=click.Path(path_type=Path), help="With --prepare: clips to learn from."
)
@click.option("--held-out", metavar="DIR", multiple=True, type=click.Path(path_type=Path), help="With --prepare: clips to validate on.")
@click.option("--clips", metavar="N", type=click.IntRange(1), help="With --prepare: at most N clips of each folder.")
@click.option("--sequences", metavar="N", type=click.IntRange(1), default=1, help="With --prepare: at most N sequences of each clip.")
@click.option("-o", "--out", metavar="DIR", type=click.Path(path_type=Path), help="Where weights, checkpoint, curve and log go.")
@click.option("--device", metavar="NAME", default="cpu", help="cpu, cuda, cuda:1, ...")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="A setting, e.g. minutes=8, batch=12, network.hidden=64.")
def megasam(
    pack: Path,
    prepare: bool,
    folders: tuple[Path, ...],
    held_out: tuple[Path, ...],
    clips: int | None,
    sequences: int,
    out: Path | None,
    device: str,
    settings: tuple[str, ...],
) -> None:
    """Train the update operator of `megasam` on clips of `sfmcam data synthetic`.

    First, `--prepare PACK --from DIR --held-out DIR` cuts rendered clips of the split train (and val, to validate on) to short sequences of
    small pictures, in one file that can be carried to another machine. Then `PACK --out DIR --device cuda` trains on it: half an
    hour on a large GPU. A run that broke off, or whose `minutes` were raised, goes on where it stopped. On a machine that has
    PyTorch and OpenCV but not sfmcam's other packages, `python3 -m sfmcam.estimators.megasam.train PACK -o DIR` does the same.
    """
    if prepare:
        _prepare(pack, folders, held_out, clips=clips, sequences=sequences)
        return
    if folders or held_out or clips is not None:
        raise click.UsageError("--from, --held-out and --clips say what a pack is made of: they need --prepare.")
    if out is None:
        raise click.UsageError("training needs --out DIR, where weights, checkpoint, curve and log go.")
    _train(pack, out, device=device, settings=settings)


def _prepare(pack: Path, folders: tuple[Path, ...], held_out: tuple[Path, ...], *, clips: int | None, sequences: int) -> None:
    from sfmcam.estimators.megasam.train.prepare import PackPlan, prepare

    if not folders:
        raise click.UsageError("--prepare needs --from DIR, with clips that `sfmcam data synthetic --split train` rendered.")
    count, size = prepare(pack, folders, held_out=held_out, plan=PackPlan(sequences=sequences), limit=clips)
    click.echo(f"{pack}: {count} sequences, {size / 1e6:.1f} MB.")


def _train(pack: Path, out: Path, *, device: str, settings: tuple[str, ...]) -> None:
    from sfmcam.errors import MissingDependencyError
    from sfmcam.estimators.megasam.train.config import from_words

    config = from_words([word for setting in settings for word in _option(setting)])
    try:
        from sfmcam.estimators.megasam.train.loop import train
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingDependencyError(
            "training needs PyTorch, which is not installed; get it with `pip install 'sfmcam[learned]'`"
        ) from error
    verdict = train(pack, out, config, device=device)
    flow = f"flow error {verdict.epe_px:.2f} px on average, {verdict.median_px:.2f} px at the median"
    click.echo(f"Held out: {flow}; movers AP {verdict.mover_ap:.2f}.")
    click.echo(f"Written: {out / 'weights.pt'}")


def _option(setting: str) -> tuple[str, str]:
    name, equals, value = setting.partition("=")
    if not equals:
        raise click.UsageError(f"--set {setting}: write NAME=VALUE, e.g. --set minutes=8")
    return f"--{name}", value
