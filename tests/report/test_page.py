"""A report is a folder that stands alone; its tables say what the leaderboard says; names are text, never markup."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from report.made_report import CLIPS, SHOWN

from sfmcam.errors import InputError
from sfmcam.report.content import Content
from sfmcam.report.page import render, write_report
from sfmcam.report.strips import MOMENTS
from sfmcam.workspace import ReportFolder

SECTIONS = ("leaderboard", "primitives", "curves", "calibration", "answers", "confusions", "parts", "runtime", "failures", "clips", "made")


class Page(HTMLParser):
    """Which elements a page has, what it points to, and whether every element is closed."""

    VOID = frozenset({"meta", "link", "input", "br", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.ids += [value for key, value in attrs if key == "id" and value]
        self.targets += [value for key in ("src", "href") if (value := given.get(key))]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def data(path: Path) -> dict:
    match = re.fullmatch(r'report\.receive\("([^"]+)",(.*)\);\n', path.read_text(encoding="utf-8"), re.DOTALL)
    assert match
    return json.loads(match[2])


def test_the_page_has_its_sections_and_is_well_formed(content: Content) -> None:
    page = Page(render(content))
    assert [name for name in page.ids if name in SECTIONS] == list(SECTIONS)
    assert len(page.ids) == len(set(page.ids))
    assert not page.open
    anchors = {target[1:] for target in page.targets if target.startswith("#")}
    assert anchors <= set(page.ids)


def test_names_are_text_and_never_markup(content: Content, written: ReportFolder) -> None:
    page = Page(render(content))
    assert "i" not in page.tags  # the methods are named <i>good</i> and <i>bad</i>
    assert "&lt;i&gt;good&lt;/i&gt;" in render(content)
    assert "<script>alert" not in written.page.read_text(encoding="utf-8")


def test_the_folder_stands_alone(written: ReportFolder) -> None:
    for target in Page(written.page.read_text(encoding="utf-8")).targets:
        if target.startswith(("#", "data:")):
            continue
        assert not re.match(r"[a-z]+:|/", target)
        assert (written.root / target).is_file(), target
    for asset in (written.root / "assets").iterdir():
        assert not re.search(r"https?://(?!www\.w3\.org)", asset.read_text(encoding="utf-8")), asset


def test_there_is_data_for_every_clip_and_a_strip_for_every_video(written: ReportFolder) -> None:
    rows = data(written.data / "clips.js")["rows"]
    assert [data(written.clip(number))["name"] for number in range(len(rows))] == [row[0] for row in rows]
    strips = {row[0]: row[9] for row in rows if row[9]}
    assert set(strips) == {SHOWN}
    with Image.open(written.strips / strips[SHOWN]) as picture:
        assert picture.size == (128 * MOMENTS, 96)


def test_a_second_report_keeps_the_strips_and_drops_old_clips(content: Content, written: ReportFolder) -> None:
    (strip,) = written.strips.iterdir()
    before = strip.stat().st_mtime_ns
    written.clip(99).write_text("old")
    write_report(content, written)
    assert strip.stat().st_mtime_ns == before
    assert not written.clip(99).exists()


def test_leaderboard_csv_says_what_the_board_says(content: Content, written: ReportFolder) -> None:
    rows = table(written.root / "leaderboard.csv")
    for row, method in zip(rows, content.methods, strict=True):
        assert row["method"] == method.name
        assert float(row["ap_all"]) == pytest.approx(method.rated.mean_all.ap, rel=1e-5)
        assert float(row["ap_answered"]) == pytest.approx(method.rated.mean_answered.ap, rel=1e-5)
        assert int(row["failed_rows"]) == sum(method.rated.failures.values())
    assert [row["seconds_median"] for row in rows] == ["1", "6", "", ""]


def test_per_primitive_and_clips_csv(content: Content, written: ReportFolder) -> None:
    primitives = table(written.root / "per_primitive.csv")
    assert len(primitives) == len(content.methods) * len(content.tasks)
    assert {row["primitive"] for row in primitives} >= {"move_in", "static"}
    clips = table(written.root / "clips.csv")
    assert len(clips) == len(content.methods) * len(CLIPS)
    travels = next(row for row in clips if row["clip"] == "travels" and row["method"] == "vo")
    assert (travels["yes"], travels["status"], travels["score_move_in"], travels["score_tilt_up"]) == ("move_in", "ok", "1", "")
    assert "tilt_up" not in travels["no"]
    failed = next(row for row in clips if row["clip"] == "failed" and row["method"] == "vo")
    assert (failed["status"], failed["score_static"]) == ("timeout", "")
    assert not {"video", "task", "score"} <= clips[0].keys()  # else `evaluate` would take the file for a method's scores


def test_markdown_has_the_tables(written: ReportFolder) -> None:
    text = written.markdown.read_text(encoding="utf-8")
    assert text.startswith("# set: vo, glomap, ")
    assert "Clips by status" in text
    assert "AP_all x 100" in text


def test_a_folder_with_other_files_is_left_alone(content: Content, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="holds other files and no report"):
        write_report(content, ReportFolder(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_run_itself_is_no_place_for_the_report(content: Content) -> None:
    with pytest.raises(InputError, match="is the run itself"):
        write_report(content, ReportFolder(content.run.folder.root))


def test_without_videos_there_are_no_strips(content: Content, tmp_path: Path) -> None:
    write_report(content, ReportFolder(tmp_path / "page"), with_videos=False)
    assert not (tmp_path / "page" / "strips").exists()
    assert all(row[9] == "" for row in data(tmp_path / "page" / "data" / "clips.js")["rows"])
