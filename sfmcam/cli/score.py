"""`sfmcam score`: the motion and the 15 scores of a camera trajectory that another tool wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfmcam.cli.options import SCORING_CHOICES
from sfmcam.cli.percent import percent

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sfmcam.results import ShotResult
    from sfmcam.types import CameraTrajectory

FORMAT_CHOICES = ("auto", "tum", "kitti", "colmap", "megasam", "vipe", "sfmcam")  # those of READERS, which would make --help slow
BAR_WIDTH = 20
DEPTH_WORDS = {
    "points": "translation over the scene depth in the file",
    "path extent": "no scene depth in the file, so translation over the size of the path",
    "nominal metric": "no scene depth in the file, so metres over a nominal depth",
    "none": "no translation",
}


@click.command(context_settings={"show_default": True})
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--format", "fmt", type=click.Choice(FORMAT_CHOICES), default="auto", help="What wrote FILE; auto tells by its content.")
@click.option("--fps", type=float, metavar="F", help="Rate of the poses, for kitti, colmap, megasam and vipe.  [default: 30]")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Write motion.json, scores.json, trajectory.tum and .npz to OUT/<FILE's name>/."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the summary.")
@click.option(
    "--scoring",
    type=click.Choice(SCORING_CHOICES),
    default="probability",
    help="Scores to show. probability: that a labeller says yes; depth: translation against scene depth, with a noise floor; "
    "camerabench: first against last pose, as the benchmark's authors did. All are always written.",
)
def score(file: Path, fmt: str, fps: float | None, out: Path | None, as_json: bool, scoring: str) -> None:
    """Score the camera trajectory in FILE, whichever tool estimated it.

    FILE is a TUM or KITTI file, the folder of a COLMAP model (text or binary), an archive of MegaSAM, a pose file of ViPE
    (its intrinsics and depth are found beside it), or the trajectory.npz of sfmcam. Poses that a file only counts get times
    from --fps.
    """
    from sfmcam.io.paths import clip_id
    from sfmcam.io.trajectory_file import detect_format

    fmt = detect_format(file) if fmt == "auto" else fmt
    trajectory, result = _judge(file, fmt, fps=fps)
    folder = None if out is None else _write(out / clip_id(file), result, trajectory)
    if as_json:
        click.echo(json.dumps(_document(file, fmt, result, scoring=scoring, folder=folder), indent=1, allow_nan=False))
        return
    from rich.console import Console

    Console(highlight=False).print(_summary(file, fmt, result, scoring=scoring, folder=folder), soft_wrap=True)


def _judge(file: Path, fmt: str, *, fps: float | None) -> tuple[CameraTrajectory, ShotResult]:
    """Read, measure and score.

    Raises:
        InputError: the file cannot be read, or has fewer than two poses.
        ConfigError: a frame rate for a format that has times, or one that is not positive.
    """
    from sfmcam.errors import InputError
    from sfmcam.estimators.external import estimate_from_file
    from sfmcam.judgement import judge_estimate

    estimate = estimate_from_file(file, fmt, fps)
    assert estimate.trajectory is not None
    times_s = estimate.trajectory.timestamps_s
    result = judge_estimate(estimate, start_s=float(times_s[0]), end_s=float(times_s[-1]), num_frames=len(times_s))
    if not result.status.is_success:
        raise InputError(f"{file}: {result.message}; a motion needs at least two")
    return estimate.trajectory, result


def _write(root: Path, result: ShotResult, trajectory: CameraTrajectory) -> Path:
    from sfmcam.judgement import write_shot
    from sfmcam.workspace import ShotFolder

    write_shot(ShotFolder(root), result, trajectory=trajectory, problems=())
    return root


def _document(file: Path, fmt: str, result: ShotResult, *, scoring: str, folder: Path | None) -> dict[str, Any]:
    """What --json prints (docs/outputs.md)."""
    from sfmcam.io.json_file import finite
    from sfmcam.judgement import motion_document

    document: dict[str, Any] = finite(
        {
            **motion_document(result, problems=()),
            "file": str(file),
            "format": fmt,
            "scoring": scoring,
            "scores": result.scores[scoring],
            "folder": None if folder is None else str(folder),
        }
    )
    return document


def _summary(file: Path, fmt: str, result: ShotResult, *, scoring: str, folder: Path | None) -> RenderableType:
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    from sfmcam.io.paths import clip_id

    parts: list[RenderableType] = [
        Text.assemble((clip_id(file), "bold"), f"  {fmt}"),
        Text(f"  {result.sentence}", style="bold"),
        Text(f"  {_basis(result)}"),
        Padding(_score_table(result.scores[scoring], result.scores["probability"], scoring=scoring), (0, 0, 0, 2)),
    ]
    if folder is not None:
        parts.append(Text(f"  files: {folder}/"))
    return Group(*parts)


def _basis(result: ShotResult) -> str:
    """What the numbers rest on."""
    focal = "focal length unknown" if result.focal_px is None else f"focal length {result.focal_px:.0f} px"
    poses = f"{result.num_posed} of {result.num_frames} poses over {result.duration_s:.2f} s"
    return f"{poses}; {focal}; {DEPTH_WORDS[result.motion['depth_source']]}"


def _score_table(scores: dict[str, float], probable: dict[str, float], *, scoring: str) -> RenderableType:
    """All 15 scores and probabilities, strongest direction first, `static` (on a scale of its own) last; bars relate to the strongest."""
    from rich.table import Table
    from rich.text import Text

    longest = max((value for name, value in scores.items() if name != "static"), default=0.0)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    with_score = scoring != "probability"
    for name in ("primitive", "likely", *([f"score ({scoring})"] if with_score else []), ""):
        table.add_column(name, justify="right" if name not in ("primitive", "") else "left")
    for name, value in sorted(scores.items(), key=lambda item: (item[0] == "static", -item[1])):
        of_longest = value if not with_score else 0.0 if name == "static" or longest <= 0 else value / longest
        bar = Text("#" * max(0, round(BAR_WIDTH * of_longest)), style="cyan")
        table.add_row(name, percent(probable[name]), *([f"{value:+.4f}"] if with_score else []), bar)
    return table
