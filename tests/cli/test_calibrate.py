"""Claims: `sfmcam calibrate` prints how far its probabilities can be believed, writes what can be used, and complains in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from finished_run import make_run

from sfmcam.cli.main import run
from sfmcam.cli.percent import percent
from sfmcam.io.probability_file import ANY, read_probability_file


def test_calibrate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [str(make_run(tmp_path / name, clips=120, dataset=name, seed=k)) for k, name in enumerate(("train", "more"))]
    out = tmp_path / "p.json"
    assert run(["calibrate", *runs, "-o", str(out)]) == 0
    told = capsys.readouterr().out
    assert "Probabilities of any, clips left out of the fit" in told
    assert "vo on more: 118 clips; 1 failed and 1 of several shots left out" in told
    provenance = read_probability_file(out).models[ANY].provenance
    assert [part["dataset"] for part in provenance["runs"]] == ["train", "more"]


def test_update_keeps_the_others(tmp_path: Path) -> None:
    """The shipped file has models of several estimators, fitted to runs that are not all made anew."""
    out = tmp_path / "p.json"
    assert run(["calibrate", str(make_run(tmp_path / "run", clips=90)), "-o", str(out)]) == 0
    before = read_probability_file(out).models
    more = make_run(tmp_path / "more", ("glomap",), clips=90, dataset="more", seed=1)
    assert run(["calibrate", str(more), "-o", str(out), "--update"]) == 0
    after = read_probability_file(out).models
    assert after.keys() == {"glomap", ANY}
    assert after["glomap"].provenance["runs"][0]["dataset"] == "more"
    assert after[ANY].provenance == before[ANY].provenance


def test_update_of_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calibrate", str(make_run(tmp_path / "run", clips=120)), "-o", str(tmp_path / "p.json"), "--update"]) == 2
    assert "Cannot use the coefficients" in capsys.readouterr().err


def test_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calibrate", str(tmp_path), "-o", str(tmp_path / "p.json")]) == 1
    assert capsys.readouterr().err.startswith(f"Error: {tmp_path} is no finished run")
    assert not (tmp_path / "p.json").exists()


@pytest.mark.parametrize("arguments", [["calibrate"], ["calibrate", "x"], ["calibrate", "x", "-o", "y", "--l2", "0"]])
def test_wrong_calls(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().err


@pytest.mark.parametrize(
    ("probability", "text"), [(0.0, "< 1 %"), (0.004, "< 1 %"), (0.006, "1 %"), (0.5, "50 %"), (0.994, "99 %"), (1.0, "> 99 %")]
)
def test_percentages(probability: float, text: str) -> None:
    assert percent(probability) == text
