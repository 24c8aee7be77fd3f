"""`sfmcam estimators`: what there is to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sfmcam.estimators.registry import EstimatorSpec


@click.command()
@click.argument("name", required=False)
def estimators(name: str | None) -> None:
    """List the estimators with their presets; with NAME, every option of one.

    A preset is written NAME:PRESET wherever an estimator is asked for; NAME alone means its preset `tuned`.
    """
    from sfmcam.estimators.registry import ESTIMATORS, parse_spec

    # a name of the table is shown as it is: `external` would ask for its folder
    names = sorted(ESTIMATORS) if name is None else [name if name in ESTIMATORS else parse_spec(name).name]
    for position, known in enumerate(names):
        if position:
            click.echo()
        _show(known, with_options=name is not None)


def _show(name: str, *, with_options: bool) -> None:
    """Print one estimator: what it is, its presets, and where asked its options under each of them."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from sfmcam.config import FrameConfig
    from sfmcam.estimators.registry import EstimatorSpec, estimator_class, frame_config, preset_names

    console = Console(highlight=False)
    what = (estimator_class(name).__doc__ or "").strip().split("\n")[0]
    presets = preset_names(name)
    console.print(Text.assemble((name, "bold"), f"  {what}"), soft_wrap=True)
    console.print(Text(f"  presets: {', '.join(presets)}"), soft_wrap=True)
    if not with_options:
        return
    specs = [EstimatorSpec(name, preset) for preset in presets]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("option", no_wrap=True)  # a name that is broken in two cannot be copied
    table.add_column("value")
    table.add_column("meaning")
    for field, info in estimator_class(name).Options.model_fields.items():
        table.add_row(field, _values({spec.preset: _value(spec, field) for spec in specs}), Text(info.description or ""))
    for field, info in FrameConfig.model_fields.items():
        told = {spec.preset: str(getattr(frame_config(spec, {}), field)) for spec in specs}
        table.add_row(field, _values(told), Text(info.description or ""))
    console.print(table)


def _values(of_preset: dict[str, str]) -> str:
    """Return the value of the first preset, and below it the other values with the presets that have them."""
    first, *_ = of_preset.values()
    others: dict[str, list[str]] = {}
    for preset, value in of_preset.items():
        if value != first:
            others.setdefault(value, []).append(preset)
    return "\n".join([first, *(f"{', '.join(presets)}: {value}" for value, presets in others.items())])


def _value(spec: EstimatorSpec, field: str) -> str:
    """Return an option under a preset; for `external`, which cannot be made without its folder, the default."""
    from sfmcam.estimators.registry import EXTERNAL, estimator_class, load_options

    if spec.name != EXTERNAL:
        return str(getattr(load_options(spec), field))
    info = estimator_class(spec.name).Options.model_fields[field]
    return "FOLDER" if info.is_required() else str(info.default)
