"""Plain tables: columns in any order, one or several methods, failures kept, every bad line named."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from sfmcam.errors import ScoreFileError
from sfmcam.io.score_reader import MethodScores, read_scores


def read(tmp_path: Path, text: str, *, name: str = "mine.csv") -> tuple[MethodScores, ...]:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return read_scores(path)


@pytest.mark.parametrize(
    "text",
    [
        "video,task,score\na.mp4,Move_In,0.5\nb.mp4,move in,-1e-3\n",
        "\ufeffScore;Video;Task\r\n0.5;videos/a.mp4;MOVE_IN\r\n-0.001;b.mp4;move-in\r\n",
        'task\tscore\tvideo\nMove_In\t0.5\t"a.mp4"\n\nMove_In\t-0.001\tb.mp4',
    ],
    ids=["comma", "semicolon, BOM, other order", "tab, empty line"],
)
def test_delimiters_and_order(text: str, tmp_path: Path) -> None:
    (method,) = read(tmp_path, text)
    assert (method.name, method.notes) == ("mine", ())
    assert {video: (row.score, row.label) for video, row in method.rows["Move_In"].items()} == {
        "a.mp4": (0.5, None),
        "b.mp4": (-0.001, None),
    }


def test_failures_keep_their_rows(tmp_path: Path) -> None:
    text = "video,task,score,error\na,Static,,\nb,Static,NaN,\nc,Static,null,\nd,Static,0.3,timeout\ne,Static,inf,\nf,Static,1,\n"
    (method,) = read(tmp_path, text)
    rows = method.rows["Static"]
    assert [row.error for row in rows.values()] == ["no_score", "non_finite_score", "no_score", "timeout", "non_finite_score", None]
    assert [math.isnan(row.score) for row in rows.values()] == [True] * 5 + [False]
    assert method.notes == ("4 rows without a finite score though 'error' is null, counted as failures",)


def test_methods_and_labels_in_columns(tmp_path: Path) -> None:
    text = "method,video,task,score,label\nx,a,Static,1,Yes\ny,a,Static,0,yes\nx,b,Static,1,no\n"
    x, y = read(tmp_path, text)
    assert (x.name, y.name) == ("x", "y")
    assert [row.label for row in x.rows["Static"].values()] == [True, False]


BAD = {
    "text as score": ("a,Static,high", "line 2: the score is 'high', not a number; leave the cell empty where the method failed"),
    "decimal comma": ('a,Static,"0,5"', "line 2: the score is '0,5', not a number"),
    "no task": ("a,Dolly,1", "line 2: the task is 'Dolly', none of the 15"),
    "no video": (",Static,1", "line 2: 'video' names no file"),
    "short line": ("a,Static", "line 2: 2 cells where the first line names 3 columns"),
    "long line": ("a,Static,1,2", "line 2: 4 cells where the first line names 3 columns"),
    "twice": ("a,Static,1\nvideos/a,Static,2", "line 3: 'a' has a score already in this file"),
}


@pytest.mark.parametrize(("lines", "sentence"), BAD.values(), ids=BAD.keys())
def test_a_bad_line_is_named(lines: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ScoreFileError, match=re.escape(f"mine.csv, {sentence}")):
        read(tmp_path, f"video,task,score\n{lines}\n")


def test_a_bad_label(tmp_path: Path) -> None:
    with pytest.raises(ScoreFileError, match=r"line 2: the label is 'unsure', neither Yes nor No"):
        read(tmp_path, "video,task,score,label\na,Static,1,unsure\n")


def test_tables_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(ScoreFileError, match="no row below the names of the columns"):
        read(tmp_path, "video,task,score\n")
    with pytest.raises(ScoreFileError, match="the column 'score' is there twice"):
        read(tmp_path, "video,task,score,score\na,Static,1,1\n")


def test_other_tables_in_a_folder_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_text("method,mean\nx,1\n")
    (tmp_path / "mine.tsv").write_text("video\ttask\tscore\na\tStatic\t1\n")
    (method,) = read_scores(tmp_path)
    assert method.name == "mine"


def test_a_line_separator_inside_a_cell_ends_no_row(tmp_path: Path) -> None:
    (method,) = read(tmp_path, 'video,task,score,error\na.mp4,Static,0.5,"gave up\u2028here"\nb.mp4,Static,0.25,\n')
    assert [row.error for row in method.rows["Static"].values()] == ["gave up\u2028here", None]
