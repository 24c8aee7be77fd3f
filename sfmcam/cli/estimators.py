"""`sfmcam estimators`: what there is to choose from."""

from __future__ import annotations

import click


@click.command()
@click.argument("name", required=False)
def estimators(name: str | None) -> None:
    """List the estimators with their presets; with NAME, every option of one.

    A preset is written NAME:PRESET wherever an estimator is asked for; NAME alone means its preset `tuned`.
    """
    from sfmcam.estimators.registry import ESTIMATORS, parse_spec

    names = sorted(ESTIMATORS) if name is None else [parse_spec(name).name]
    for position, known in enumerate(names):
        if position:
            click.echo()
        _show(known, with_options=name is not None)


def _show(name: str, *, with_options: bool) -> None:
    """Print one estimator: what it is, its presets, and where asked its options under each of them."""
    from rich.console import Console
    from rich.table import Table

    from sfmcam.estimators.registry import EstimatorSpec, estimator_class, frame_config, load_options, preset_names

    console = Console(highlight=False, width=None)
    what = (estimator_class(name).__doc__ or "").strip().split("\n")[0]
    presets = preset_names(name)
    console.print(f"[bold]{name}[/bold]  {what}", soft_wrap=True)
    console.print(f"  presets: {', '.join(presets)}", soft_wrap=True)
    if not with_options:
        return
    specs = [EstimatorSpec(name, preset) for preset in presets]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("option", *presets, "meaning"):
        table.add_column(column)
    for models in ([load_options(spec) for spec in specs], [frame_config(spec, {}) for spec in specs]):
        for field, info in type(models[0]).model_fields.items():
            table.add_row(field, *(str(getattr(model, field)) for model in models), info.description or "")
    console.print(table)
