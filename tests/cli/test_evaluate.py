"""`sfmcam evaluate` prints the whole table whoever reads it, writes the same to files, and answers bad input in one sentence."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from label_folder import make_label_folder
from method_scores import noisy_results
from rich.console import Console

from sfmcam.cli.evaluate import evaluate
from sfmcam.cli.tables import print_leaderboard
from sfmcam.datasets.folder import load_folder
from sfmcam.errors import LabelError, ScoreFileError
from sfmcam.evaluation.leaderboard import leaderboard
from sfmcam.io.score_file import MethodLabel, write_score_files
from sfmcam.io.score_reader import read_score_dir
from sfmcam.motion.primitive import PRIMITIVES

LONG_NAME = "very-long-method-name-of-a-video-language-model-72b"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A labelled set of 30 clips under `set`, and score files of two methods under `colmap` and `vlm`."""
    truth = {p.split_name: {f"{clip}.mp4": clip % 15 == i for clip in range(30)} for i, p in enumerate(PRIMITIVES)}
    labelled_set = load_folder(make_label_folder(tmp_path / "set", truth))
    for name, model, noise in (("colmap", "colmap", 0.2), ("vlm", LONG_NAME, 0.9)):
        results = noisy_results(labelled_set, noise=noise, num_failed=3)
        write_score_files(tmp_path / name, labelled_set=labelled_set, results=results, method=MethodLabel(model))
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(evaluate, [*map(str, arguments), "--bootstrap", "50"])


def test_piped_output_is_whole_and_plain(folder: Path) -> None:
    result = run(folder / "colmap", folder / "vlm", "--labels", folder / "set")
    assert result.exit_code == 0
    assert "\x1b" not in result.output
    assert "…" not in result.output
    row = next(line for line in result.output.splitlines() if line.startswith(LONG_NAME))
    assert len(row.split()) == 1 + 15 + 1 + 5  # name, tasks, mean, its interval, AP_answered, its interval, AUC, coverage
    assert "they do not compare with the rows above" in result.output
    assert "MegaSAM (l)" in result.output
    assert "Failed rows by reason: timeout 45." in result.output
    assert re.search(r"colmap leads very-long\S* by [\d.]+ points of mean AP_all \[", result.output)


def test_published_rows_can_be_left_out(folder: Path) -> None:
    assert "MegaSAM" not in run(folder / "colmap", "--no-published").output


def test_files_hold_the_same_numbers(folder: Path) -> None:
    result = run(folder / "colmap", "--json", folder / "new" / "r.json", "--markdown", folder / "new" / "r.md")
    assert result.exit_code == 0
    document = json.loads((folder / "new" / "r.json").read_text())
    mean = f"{100 * document['methods'][0]['mean_all']['ap']:.1f}"
    assert mean in result.output
    assert f"| {mean} |" in (folder / "new" / "r.md").read_text()
    assert document["bootstrap"] == {"resamples": 50, "seed": 0, "level": 0.95, "unit": "video"}


def test_one_folder_above_all_methods_is_enough_and_none_counts_twice(folder: Path) -> None:
    assert run(folder, folder).output == run(folder / "colmap", folder / "vlm").output


@pytest.mark.parametrize("width", [100, 120, 160, 200])
def test_a_window_never_cuts_a_number(width: int, folder: Path) -> None:
    board = leaderboard(read_score_dir(folder), load_folder(folder / "set"), resamples=20)
    buffer = io.StringIO()
    print_leaderboard(Console(file=buffer, width=width, force_terminal=False), board)
    lines = buffer.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    (first,) = [line for line in lines if line.startswith("MegaSAM (l)")]
    assert " ".join(first.split()[2:]) == "87.0 58.3 43.0 48.4 59.1 58.0 11.1 10.2 77.9 82.4 75.6 57.7 67.4 76.9 60.1 58.2"
    joined = any("Mean" in line and "Cover" in line for line in lines)
    assert joined == (width == 200)


def test_square_brackets_in_a_name_are_shown(folder: Path) -> None:
    labelled_set = load_folder(folder / "set")
    results = noisy_results(labelled_set, noise=0.5, num_failed=0)
    write_score_files(folder / "x", labelled_set=labelled_set, results=results, method=MethodLabel("net[bold]2"))
    assert "net[bold]2" in run(folder / "x").output


def test_bad_input_is_one_sentence(folder: Path) -> None:
    for arguments, kind in (
        ((folder / "nowhere",), ScoreFileError),
        ((folder / "set",), ScoreFileError),
        ((folder / "colmap", "--labels", "nothing"), LabelError),
    ):
        result = run(*arguments)
        assert isinstance(result.exception, kind)
        assert "\n" not in str(result.exception)


@pytest.mark.parametrize("arguments", [[], ["x", "--bootstrap", "-1"], ["x", "--seed", "a"], ["x", "--bootstrap", "1e9"]])
def test_bad_options_are_usage_errors(arguments: list[str]) -> None:
    assert CliRunner().invoke(evaluate, arguments).exit_code == 2
