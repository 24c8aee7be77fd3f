"""`sfmcam report` writes the page, tells its warnings, and answers bad input in one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from report.made_report import make

from sfmcam.cli.main import run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("report_command"))


def call(*arguments: object) -> int:
    return run(["report", *map(str, arguments)])


def test_the_page_is_written_and_warnings_are_told(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = made / "page"
    against = [argument for name in ("good", "bad") for argument in ("--against", made / "against" / name)]
    assert call(made / "run", *against, "-o", out, "--bootstrap", 20) == 0
    said = capsys.readouterr()
    assert f"Written: {out / 'index.html'}" in said.out
    assert "4 methods on 5 clips; " in said.out
    assert "did not answer the same rows" in said.err
    assert (out / "index.html").is_file()


def test_an_unfinished_run_is_reported(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(made / "run", tmp_path / "run")
    (tmp_path / "run" / "results.json").unlink()
    assert call(tmp_path / "run", "-o", tmp_path / "page", "--bootstrap", 0, "--no-videos") == 0
    assert "The run is unfinished: 5 of 5 clips are there" in capsys.readouterr().err
    assert "The run is unfinished" in (tmp_path / "page" / "index.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere"], "here is no folder nowhere"),
        (["{made}/set/videos"], "is neither a run of `sfmcam bench`"),
        (["{made}/run", "--against", "{made}/nothing"], "here is no folder"),
        (["{made}/run", "-o", "{made}/run"], "is the run itself"),
        (["{made}/run", "-o", "{made}/set"], "holds other files and no report"),
    ],
)
def test_bad_input_is_one_sentence(made: Path, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*(argument.format(made=made) for argument in arguments), "--bootstrap", 0) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("Error: ")
    assert sentence in said


def test_score_files_alone_make_a_page(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(made / "against", "-o", tmp_path / "page", "--bootstrap", 0) == 0
    assert "2 methods on 5 clips" in capsys.readouterr().out
    assert "Made of score files alone" in (tmp_path / "page" / "index.html").read_text()
