"""`sfmcam trajectory`: how the camera moved in one or several videos."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfmcam.cli.options import DEFAULT_ESTIMATOR, plan_methods, run_options

if TYPE_CHECKING:
    from sfmcam.jobs import Method
    from sfmcam.results import ClipResult

MAX_THREADS = 8  # one clip does not keep more busy


@click.command(context_settings={"show_default": True})
@click.argument("videos", metavar="VIDEO...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-e", "--estimator", default=DEFAULT_ESTIMATOR, help="NAME or NAME:PRESET; `sfmcam estimators` lists them.")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("out"), help="Results go to OUT/<video's name>/.")
@run_options
@click.option("--plot/--no-plot", "draw", default=True, help="Draw trajectory.png, motion.png and tracks.png.")
@click.option("--view", is_flag=True, help="Open the trajectory in a window (needs Open3D and a display).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the summary.")
def trajectory(videos: tuple[Path, ...], estimator: str, out: Path, **given: Any) -> int:
    """Show how the camera moved in each VIDEO (a video file, or a folder of images).

    Writes OUT/<video's name>/: the poses (trajectory.tum, trajectory.npz), the motion in numbers and words (motion.json), the
    scores of the 15 camera primitives (scores.json) and pictures. A file whose name begins with a dash goes after `--`.
    """
    from sfmcam.errors import ConfigError

    methods = plan_methods(estimator, given, threads=min(os.cpu_count() or 1, MAX_THREADS))
    if len(methods) > 1:
        raise ConfigError("`sfmcam trajectory` takes one estimator; `sfmcam bench` compares several")
    folders = name_folders(videos, out=out)
    results = [_run(video, methods[0], folder=folder, draw=given["draw"]) for video, folder in folders.items()]
    _report(results, tuple(folders.values()), method=methods[0], given=given)
    return 0 if all(result.status.is_success for result in results) else 1


def name_folders(videos: tuple[Path, ...], *, out: Path) -> dict[Path, Path]:
    """Return the folder of each video's results, made and writable.

    Raises:
        InputError: a video is not there, two would share a folder, or a folder cannot be made or is the video itself.
    """
    from sfmcam.errors import VideoError
    from sfmcam.io.paths import clip_id, exists, is_folder
    from sfmcam.workspace import make_folder

    folders: dict[Path, Path] = {}
    for video in videos:
        if not exists(video, refuse=VideoError):
            raise VideoError(f"there is no video {video}")
        folder = out / clip_id(video, refuse=VideoError)
        if folder in folders.values():
            raise VideoError(
                f"two videos are named '{folder.name}', so that their results would share the folder {folder}; run them one by one"
            )
        if is_folder(video, refuse=VideoError) and folder.resolve() == video.resolve():
            raise VideoError(f"the results of {video} would be written among its images; choose another folder with --out")
        folders[video] = folder
    for folder in folders.values():
        make_folder(folder)
    return folders


def _run(video: Path, method: Method, *, folder: Path, draw: bool) -> ClipResult:
    """Run one video in a child process, with a spinner where somebody watches."""
    from rich.console import Console
    from rich.text import Text

    from sfmcam.batch.local import LocalExecutor, memory_limit_bytes
    from sfmcam.jobs import ClipJob

    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="sfmcam-") as scratch, console.status(Text(f"{video.name}: {method.slug} is at work")):
        job = ClipJob(
            clip_id=folder.name,
            source=video,
            method=method,
            folder=folder,
            scratch=Path(scratch) / "clip",
            draw=draw,
            memory_bytes=memory_limit_bytes(1),
        )
        ((_, result),) = LocalExecutor(1).run([job])
    return result


def _report(results: list[ClipResult], folders: tuple[Path, ...], *, method: Method, given: dict[str, Any]) -> None:
    """Print the results, and show them in a window if asked. Every failure is also a sentence on standard error."""
    if given["as_json"]:
        for result in results:
            _complain(result)
        click.echo(json.dumps(_document(results, folders, method=method, scoring=given["scoring"]), indent=1, allow_nan=False))
    else:
        from rich.console import Console

        from sfmcam.cli.summary import summarise
        from sfmcam.types import Status

        for result, folder in zip(results, folders, strict=True):
            _complain(result)
            if result.failure is Status.UNREADABLE_VIDEO:
                continue  # the sentence says it all
            Console().print(summarise(result, folder=folder, scoring=given["scoring"]), soft_wrap=True)
    if given["view"]:
        for result, folder in zip(results, folders, strict=True):
            _view(result, folder=folder)


def _complain(result: ClipResult) -> None:
    """Say on standard error why a video failed: a file that cannot be read in its own sentence, the rest with the video's name."""
    if result.status.is_success:
        return
    from sfmcam.cli.complaint import complain
    from sfmcam.types import Status

    if result.failure is Status.UNREADABLE_VIDEO:
        complain(result.message)
    else:
        detail = f" ({result.message})" if result.message else ""
        complain(f"{result.clip_id}: {result.status.meaning.removesuffix('.')}{detail}")


def _document(results: list[ClipResult], folders: tuple[Path, ...], *, method: Method, scoring: str) -> dict[str, Any]:
    """What --json prints (docs/outputs.md)."""
    from sfmcam import __version__
    from sfmcam.io.json_file import finite

    clips = [
        {
            "clip": result.clip_id,
            "status": result.status.value,
            "message": result.message,
            "sentence": result.main_shot.sentence if result.main_shot else "",
            "scores": result.scores(scoring),
            "folder": str(folder),
            **result.to_json(),
        }
        for result, folder in zip(results, folders, strict=True)
    ]
    header = {"sfmcam_version": __version__, "estimator": method.slug, "scoring": scoring}
    document: dict[str, Any] = finite({**header, "clips": clips})
    return document


def _view(result: ClipResult, *, folder: Path) -> None:
    """Open the window on the main shot of a clip; a failed one has nothing to show."""
    if result.main_shot is None or not result.status.is_success:
        return
    from sfmcam.io.point_file import read_points
    from sfmcam.io.trajectory_file import read_trajectory
    from sfmcam.viz.window import show_trajectory
    from sfmcam.workspace import ClipFolder

    shot = ClipFolder(folder).shot(result.main_shot.index, num_shots=len(result.shots))
    points = read_points(shot.points) if shot.points.is_file() else None
    show_trajectory(read_trajectory(shot.trajectory, "sfmcam"), points, title=result.clip_id)
