"""The folder of a report: the page, its scripts and data, the strips, and the figures for other programs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from sfmcam import __version__
from sfmcam.errors import InputError
from sfmcam.evaluation.leaderboard_text import LEGEND, notes, published_notes
from sfmcam.io.json_file import finite
from sfmcam.io.paths import is_file, is_folder, list_folder
from sfmcam.io.text_file import make_folder, write_text
from sfmcam.motion.primitive import PRIMITIVE_BY_SPLIT
from sfmcam.report import beyond_tables, spreadsheets, tables
from sfmcam.report.clip_data import documents, index, video_links
from sfmcam.report.content import Content
from sfmcam.report.figures import figures
from sfmcam.report.strips import make_strips
from sfmcam.workspace import ReportFolder

NO_STRIPS: dict[str, str] = {}


@dataclass(frozen=True)
class Progress:
    """How far the writing is: `begin` a stage of so many steps, `advance` by one."""

    begin: Callable[[str, int], None] = field(default=lambda stage, total: None)
    advance: Callable[[], None] = field(default=lambda: None)


def write_report(content: Content, folder: ReportFolder, *, with_videos: bool = True, progress: Progress | None = None) -> None:
    """Write everything.

    Args:
        content: what is told.
        folder: where to.
        with_videos: make strips of the videos and link to them.
        progress: told of every clip.

    Raises:
        InputError: the folder holds something else, or cannot be written.
    """
    progress = progress or Progress()
    _refuse_foreign(folder, content)
    strips, links = NO_STRIPS, NO_STRIPS
    if with_videos:
        progress.begin("thumbnails", len(content.run.labelled_set.clips))
        strips = make_strips(content.run.labelled_set.clips, folder.strips, advance=progress.advance)
        links = video_links(content, folder.root)
    _write_data(content, folder, strips=strips, links=links, progress=progress)
    _write_figures(content, folder)
    _copy_assets(folder)
    write_text(folder.page, render(content))


def render(content: Content) -> str:
    """Return the page: its tables are in it, its curves and clips are read from `data/` when they come into view."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("sfmcam.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("index.html").render(_view(content))


def _view(content: Content) -> dict[str, Any]:
    run, board = content.run, content.board
    beyond: dict[str, Any] = content.beyond.to_json()
    has = {key: bool(beyond.get(key)) for key in ("methods", "comparisons", "parts")}
    return {
        "title": f"{run.labelled_set.name}: {', '.join(method.name for method in content.methods)}",
        "set_name": run.labelled_set.name,
        "made": run.made,
        "origin": run.origin,
        "scoring": run.scoring,
        "version": __version__,
        "counts": {"clips": len(content.videos), "labels": board.pool.num_rows, "methods": len(content.methods)},
        "warnings": content.warnings,
        "method_names": [method.name for method in content.methods],
        "tasks": {split: PRIMITIVE_BY_SPLIT[split].id.replace("_", " ") for split in content.tasks},
        "legend": LEGEND,
        "notes": notes(board)[1:],
        "leaderboard": tables.leaderboard_table(content),
        "heat_all": tables.primitive_table(content, answered_only=False),
        "heat_answered": tables.primitive_table(content, answered_only=True),
        "statuses": tables.status_table(content),
        "cost": tables.cost_rows(content),
        "published": tables.published_table(content) if board.published else None,
        "published_notes": published_notes(board) if board.published else [],
        "published_compares": board.is_camerabench,
        "decisions": beyond_tables.decision_table(beyond) if has["methods"] else None,
        "calibration": beyond_tables.calibration_table(beyond) if has["methods"] else None,
        "any_reliability": any(method.get("reliability") for method in beyond.get("methods", [])),
        "confusions": beyond_tables.confusion_tables(beyond) if has["methods"] else [],
        "comparisons": beyond_tables.comparison_table(beyond) if has["comparisons"] else None,
        "parts": beyond_tables.part_table(beyond) if has["parts"] else None,
        "parts_source": beyond.get("parts_source", ""),
        "between": content.apart_between,
        "level": 95,
    }


def _write_data(content: Content, folder: ReportFolder, *, strips: dict[str, str], links: dict[str, str], progress: Progress) -> None:
    _write_script(folder.clips, "clips", index(content, strips))
    _write_script(folder.figures, "figures", finite(figures(content)))
    progress.begin("clips", len(content.videos))
    written = set()
    for number, document in enumerate(documents(content, links)):
        _write_script(folder.clip(number), f"clips/{number}", document)
        written.add(folder.clip(number))
        progress.advance()
    for path in list_folder(folder.clip(0).parent) if written else []:
        if path not in written and path.suffix == ".js":
            path.unlink(missing_ok=True)  # of an earlier report on more clips


def _write_script(path: Path, name: str, value: dict[str, Any]) -> None:
    """Write data as a script: a page that is opened from disk may load scripts, but may not read JSON files."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    write_text(path, f"report.receive({json.dumps(name)},{text});\n")


def _write_figures(content: Content, folder: ReportFolder) -> None:
    write_text(folder.leaderboard, spreadsheets.leaderboard_csv(content))
    write_text(folder.primitives, spreadsheets.per_primitive_csv(content))
    write_text(folder.clip_table, spreadsheets.clips_csv(content))
    write_text(folder.markdown, spreadsheets.report_md(content))


def _copy_assets(folder: ReportFolder) -> None:
    target = make_folder(folder.assets)
    with as_file(files("sfmcam.report") / "assets") as source:
        for path in source.iterdir():
            if path.suffix in (".css", ".js"):
                shutil.copyfile(path, target / path.name)


def _refuse_foreign(folder: ReportFolder, content: Content) -> None:
    """A folder that holds something else stays as it is: nobody wants a page spread among their files."""
    root = folder.root
    if root.resolve() == content.run.folder.root.resolve():
        raise InputError(f"{root} is the run itself; choose a folder of its own for the report with --out")
    foreign = (
        {path.name for path in list_folder(root)} - {folder.assets.name, folder.data.name, folder.strips.name} if is_folder(root) else set()
    )
    if foreign and not is_file(folder.clips):
        raise InputError(f"{root} holds other files and no report; choose a new or empty folder with --out")
    if is_file(root):
        raise InputError(f"{root} is a file; choose a folder for the report with --out")
