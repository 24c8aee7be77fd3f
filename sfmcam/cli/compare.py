"""`sfmcam compare`: one camera path against another, or a folder of them against another folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfmcam.cli.score import FORMAT_CHOICES

if TYPE_CHECKING:
    from sfmcam.evaluation.compare_batch import Batch
    from sfmcam.evaluation.compare_files import CompareOptions, FileComparison

# the values of Alignment and Pairing, which would make --help slow; a test holds them equal
ALIGN_CHOICES = ("sim3", "se3", "scale", "none")
PAIR_CHOICES = ("time", "index")


class _PictureSize(click.ParamType):
    """WIDTHxHEIGHT."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        width, _, height = str(value).lower().partition("x")
        if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
            self.fail(f"'{value}' is no picture size; write WIDTHxHEIGHT, such as 640x360", param, ctx)
        return int(width), int(height)


@click.command(context_settings={"show_default": True})
@click.argument("estimate", metavar="EST", type=click.Path(path_type=Path))
@click.argument("reference", metavar="REF", type=click.Path(path_type=Path))
@click.option("--align", type=click.Choice(ALIGN_CHOICES), default="sim3", help="What may be changed in EST before positions are compared.")
@click.option("--pair", type=click.Choice(PAIR_CHOICES), default="time", help="Pair the frames by their times, or first with first.")
@click.option("--batch", is_flag=True, help="EST and REF are folders with one trajectory per clip, paired by name.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the tables.")
@click.option("--plot", is_flag=True, help="Draw both paths and the error over time into OUT/<clip>_compare.png.")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("out"), help="Folder of the pictures.")
@click.option("--format", "fmt", type=click.Choice(FORMAT_CHOICES), default="auto", help="What wrote EST; auto tells by its content.")
@click.option("--ref-format", "ref_fmt", type=click.Choice(FORMAT_CHOICES), default="auto", help="What wrote REF.")
@click.option("--fps", type=float, metavar="F", help="Rate of the poses, for kitti, colmap, megasam and vipe.  [default: 30]")
@click.option(
    "--max-diff", "tolerance_s", type=click.FloatRange(0), metavar="S",
    help="Largest difference in time of a pair, in seconds.  [default: half of REF's frame interval]",
)  # fmt: skip
@click.option("--time-offset", "offset_s", type=float, metavar="S", default=0.0, help="Added to EST's times, in seconds.")
@click.option(
    "--still", "still_extent", type=click.FloatRange(0), metavar="LENGTH", default=0.0,
    help="A true path no larger than this, in REF's unit, is that of a still camera: what needs a translation is undefined.",
)  # fmt: skip
@click.option(
    "--intrinsics", type=click.Path(path_type=Path), metavar="PATH",
    help="REF's focal lengths: a file with `fx fy cx cy` per pose, or a folder of <clip>.txt.  [default: as in a labelled set, "
    "intrinsics/<clip>.txt beside poses/<clip>.tum]",
)  # fmt: skip
@click.option(
    "--size", "size_px", type=_PictureSize(), metavar="WxH",
    help="Size of the picture that REF's focal lengths refer to.  [default: that of videos/<clip> beside poses/<clip>.tum]",
)  # fmt: skip
def compare(estimate: Path, reference: Path, *, batch: bool, as_json: bool, plot: bool, out: Path, **given: Any) -> int:
    """Compare the camera path in EST with the one in REF.

    Both are trajectory files of any tool that `sfmcam score` reads. Errors: APE (ATE) and RPE as evo computes them; RotErr, TransErr
    and CamMC as camera-controlled video generators are rated by; RRE, RTE and their AUC over all pairs of frames; direction of
    translation; focal length. With --batch a table over all clips of REF, with means and medians over the clips that EST answers,
    the success rate, and the reason for every clip without an answer.
    """
    options = _options(given)
    if batch:
        return _compare_folders(estimate, reference, options, as_json=as_json, pictures=out if plot else None)
    from sfmcam.evaluation.compare_batch import clip_name
    from sfmcam.evaluation.compare_files import compare_files, refuse_idle_rate

    compared = compare_files(estimate, reference, options)
    refuse_idle_rate([compared], options)
    picture = _draw(compared, clip_name(estimate), out) if plot else None
    if as_json:
        _print_json({**compared.to_json(), "picture": None if picture is None else str(picture)})
        return 0
    _print(compared)
    if picture is not None:
        click.echo(f"picture: {picture}")
    return 0


def _options(given: dict[str, Any]) -> CompareOptions:
    import math

    from sfmcam.errors import ConfigError
    from sfmcam.evaluation.compare_files import CompareOptions
    from sfmcam.evaluation.evo_bridge import Alignment
    from sfmcam.evaluation.frame_pairs import Pairing

    for name, option in (("tolerance_s", "--max-diff"), ("offset_s", "--time-offset"), ("still_extent", "--still")):
        if given[name] is not None and not math.isfinite(given[name]):
            raise ConfigError(f"{option} must be a finite number, not {given[name]}")
    return CompareOptions(alignment=Alignment(given.pop("align")), pairing=Pairing(given.pop("pair")), **given)


def _draw(compared: FileComparison, clip: str, folder: Path) -> Path:
    from sfmcam.evaluation.compare_text import number
    from sfmcam.viz.compare_plot import plot_comparison_png
    from sfmcam.workspace import compare_picture, make_folder

    make_folder(folder)
    path = compare_picture(folder, clip)
    result = compared.result
    rmse = result.figures["APE_rmse"]
    plot_comparison_png(
        path,
        result,
        estimate=compared.estimate.trajectory,
        reference=compared.reference.trajectory,
        pairing=compared.pairing,
        title=f"{clip}, aligned by {result.alignment.value}" + (f": APE {number(rmse)} (rmse, reference's unit)" if rmse == rmse else ""),
    )
    return path


def _print_json(document: dict[str, Any]) -> None:
    from sfmcam import __version__
    from sfmcam.io.json_file import finite

    click.echo(json.dumps(finite({"sfmcam_version": __version__, **document}), indent=1, allow_nan=False))


def _print(compared: FileComparison) -> None:
    from sfmcam.cli.tables import make_console, print_table
    from sfmcam.evaluation.compare_text import figure_table, heading_lines, remark_lines, share_table

    console = make_console()
    for line in heading_lines(compared):
        click.echo(line)
    click.echo()
    for table in (figure_table(compared), share_table(compared)):
        if table.rows:
            print_table(console, table, left=("unit",))
    for line in remark_lines(compared):
        click.echo(line)


def _compare_folders(estimates: Path, references: Path, options: CompareOptions, *, as_json: bool, pictures: Path | None) -> int:
    """Compare folders; return 1 where no clip was answered, so that a script notices."""
    from sfmcam.evaluation.compare_batch import compare_folders

    batch = compare_folders(estimates, references, options)
    found = [(row.clip, row.compared) for row in batch.rows if row.compared is not None]
    drawn = {} if pictures is None else {clip: _draw(compared, clip, pictures) for clip, compared in found}
    if as_json:
        document = batch.to_json()
        for clip in document["clips"]:
            clip["picture"] = str(drawn[clip["clip"]]) if clip["clip"] in drawn else None
        _print_json(document)
    else:
        _print_batch(batch)
        if drawn:
            click.echo(f"pictures: {pictures}/<clip>_compare.png")
    return 0 if batch.answered else 1


def _print_batch(batch: Batch) -> None:
    from sfmcam.cli.tables import make_console, print_table, split_table
    from sfmcam.evaluation.compare_batch_text import batch_heading, batch_table, reason_lines

    for line in batch_heading(batch):
        click.echo(line)
    click.echo()
    console = make_console()
    for table in split_table(batch_table(batch), width=console.width, repeated=2):
        print_table(console, table)
    for line in reason_lines(batch):
        click.echo(line)
