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
from sfmcam.cli.tables import print_leaderboard, print_sections
from sfmcam.datasets.folder import load_folder
from sfmcam.datasets.parts import parts_of
from sfmcam.errors import ConfigError, LabelError, ScoreFileError
from sfmcam.evaluation.beyond import beyond
from sfmcam.evaluation.beyond_page import accuracy_sections, comparison_sections, part_sections
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


@pytest.mark.parametrize("width", [100, 200])
def test_a_window_cuts_nothing_of_what_is_beyond_either(width: int, folder: Path) -> None:
    entries = [{"id": str(clip), "kind": "real" if clip < 15 else "rendered", "subsets": ["pan_against_truck"]} for clip in range(30)]
    (folder / "set" / "manifest.json").write_text(json.dumps(entries))
    labels = load_folder(folder / "set")
    rows = [f"p,{row.video},{split},{0.93 - 0.9 * row.label}" for split, of_split in labels.rows.items() for row in of_split]
    (folder / "p.csv").write_text("\n".join(["method,video,task,score", *rows]))
    methods = read_score_dir(folder)
    found = beyond(leaderboard(methods, labels, resamples=20), methods, parts=parts_of(labels), compare=[("colmap", LONG_NAME)])
    buffer = io.StringIO()
    sections = [*accuracy_sections(found), *part_sections(found), *comparison_sections(found)]
    print_sections(Console(file=buffer, width=width, force_terminal=False), sections)
    text = buffer.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert sum(len(section.tables) for section in sections) == 1 + 1 + 3 + 1 + 2  # decisions, calibration, confusion, parts, pair
    assert "Calibration" in text


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


def test_the_default_stays_short_and_says_what_more_there_is(folder: Path) -> None:
    output = run(folder / "colmap").output
    assert "Right answers" not in output
    assert output.rstrip().splitlines()[-1].startswith("More: --beyond")
    assert "More: --beyond" not in run(folder / "colmap", "--beyond").output


def test_beyond_shows_right_answers_beside_always_no(folder: Path) -> None:
    result = run(folder, "--labels", folder / "set", "--beyond")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    (constant,) = [line for line in lines if line.startswith("always No")]
    assert constant.split() == ["always", "No", "never", "93.3", "-", "50.0", "-", "0.0", "-", "-", "0"]
    (colmap,) = [line for line in lines if line.startswith("colmap  ") and "cross-val." in line]
    assert colmap.split()[-1] == "45"
    assert re.search(r"colmap failed: timeout, 45 rows of 3 videos \(\S+, \S+, \S+\)\.", result.output)
    assert "colmap: which primitive wins, by share of No clips scored lower" in result.output
    assert "Calibration" not in result.output  # no method says probabilities
    assert "Accuracy and cost" not in result.output  # no run is near


def test_subsets_follow_the_manifest_or_say_that_there_is_none(folder: Path) -> None:
    assert "No parts: set has neither a manifest.json" in run(folder / "colmap", "--labels", folder / "set", "--subsets").output
    entries = [{"id": str(clip), "kind": "real" if clip < 15 else "rendered"} for clip in range(30)]
    (folder / "set" / "manifest.json").write_text(json.dumps(entries))
    output = run(folder / "colmap", "--labels", folder / "set", "--subsets").output
    assert re.search(r"kind: real\s+15\s+15\s+15\s+[\d.]+", output)
    without = run(folder / "colmap", "--subsets")
    assert isinstance(without.exception, ConfigError)
    assert "--subsets needs --labels" in str(without.exception)


def test_compare_says_which_is_better_and_on_which_rows(folder: Path) -> None:
    output = run(folder, "--labels", folder / "set", "--compare", "very-long", "colmap").output
    assert f"A: {LONG_NAME}, B: colmap; AP x 100 on all 450 rows, failed clips last" in output
    assert f"Rows answered by both 405, by {LONG_NAME} alone 0, by colmap alone 0, by neither 45." in output
    assert re.search(rf"colmap is better than {LONG_NAME} on the mean, by [\d.]+ points of AP, p = 0\.0\d+\.", output)
    assert "AP x 100 on the 405 rows that both answered" in output


def test_files_hold_everything_whatever_is_shown(folder: Path) -> None:
    result = run(folder, "--labels", folder / "set", "--json", folder / "r.json", "--markdown", folder / "r.md")
    assert "Right answers" not in result.output
    document = json.loads((folder / "r.json").read_text())
    assert document["beyond"]["format"] == 1
    assert [method["name"] for method in document["beyond"]["methods"]] == [method["name"] for method in document["methods"]]
    assert "### Right answers on set, x 100" in (folder / "r.md").read_text()


def test_answers_and_a_table_meet_score_files_in_one_comparison(folder: Path) -> None:
    """A letter per row, a CSV without truth, and score files, each told by its content; nothing is left out in silence."""
    labels = load_folder(folder / "set")
    rows = [
        {"problem_id": f"{split}_{k}", "options": ["A. No", "B. Yes"], "solution": f"<answer>{'AB'[row.label]}</answer>", "path": row.video,
         "output": "<answer>ERROR</answer>" if k == 0 else f"<answer>{'AB'[row.label]}</answer>"}
        for split, of_split in labels.rows.items() for k, row in enumerate(of_split)
    ]  # fmt: skip
    (folder / "letters.json").write_text(json.dumps({"results": rows, "meta": {"model_path": "x/letters"}}))
    lines = [f"{row.video},Pan_Left,{0.9 if row.label else 0.2}" for row in labels.rows["Pan_Left"]]
    (folder / "table.csv").write_text("\n".join(["video,task,score", *lines]))
    arguments = (folder / "colmap", folder / "letters.json", folder / "table.csv", "--labels", folder / "set")
    result = run(*arguments, "--beyond", "--json", folder / "r.json")
    assert result.exit_code == 0, result.exception
    assert "Warning: table: 14 of 15 tasks without any row, all 420 labels counted as failures (not_run): Move_In, " in result.output
    assert "letters failed: error, 15 rows of 1 videos (0.mp4)." in result.output
    colmap, letters, table = json.loads((folder / "r.json").read_text())["beyond"]["methods"]
    assert [m["rows"]["pool"] for m in (colmap, letters, table)] == [450, 450, 450]
    assert letters["decisions"][0]["micro"]["accuracy"] == pytest.approx(435 / 450)
    assert table["rows"] == {"pool": 450, "answered": 30, "failed": 420}
    untold = run(folder / "table.csv")
    assert isinstance(untold.exception, ScoreFileError)
    assert "name the labelled set with --labels" in str(untold.exception)


def test_a_pair_that_is_not_there_is_one_sentence(folder: Path) -> None:
    result = run(folder, "--compare", "colmap", "nobody")
    assert isinstance(result.exception, ConfigError)
    assert "--compare: there is no method 'nobody' among colmap, " in str(result.exception)
