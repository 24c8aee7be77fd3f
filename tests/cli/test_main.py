"""The command line's root: help at once, one sentence and the right exit code for every mistake, and zlib before pycolmap."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from sfmcam import __version__
from sfmcam.cli import main as root
from sfmcam.cli import options
from sfmcam.errors import ConfigError, InputError
from sfmcam.results import SCORINGS

HELP_SECONDS = 0.4  # the limit; measured 0.05 to 0.1 on two cores


def raising(error: Exception) -> click.Command:
    @click.command()
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ConfigError("there is no\nestimator 'x'"), 2, "Error: There is no estimator 'x'\n"),
        (InputError("no video"), 1, "Error: No video\n"),
        (click.UsageError("missing argument"), 2, "Error: missing argument\n"),
        (PermissionError(13, "Permission denied", "/x/y"), 1, "Error: The system refused /x/y: permission denied\n"),
        (OSError(28, "No space left on device"), 1, "Error: The system refused: no space left on device\n"),
        (TimeoutError(), 1, "Error: The system refused: TimeoutError\n"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (BrokenPipeError(), 1, ""),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, code: int, text: str
) -> None:
    monkeypatch.setattr(root.LazyGroup, "get_command", lambda self, ctx, name: raising(error))
    assert root.run(["estimators"]) == code
    assert capsys.readouterr().err.strip().lower() == text.strip().lower()


def test_what_the_system_refused_can_be_traced(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(root.LazyGroup, "get_command", lambda self, ctx, name: raising(OSError(28, "No space left on device")))
    with caplog.at_level("INFO"):
        root.run(["estimators"])
    assert "Traceback" in caplog.text


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    """`sfmcam ... | head -1`: the pipe is closed before the first word is written."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "sfmcam.cli.main", "estimators", "glomap"]
    done = subprocess.run(command, stdout=write_end, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root.LazyGroup, "get_command", lambda self, ctx, name: raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        root.run(["estimators"])


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--help"], 0, "Commands:"),
        (["--version"], 0, __version__),
        (["benhc"], 2, "did you mean 'bench'?"),
        (["--colour"], 2, "No such option"),
        (["trajectory", "--help"], 0, "--max-frames"),
        (["bench", "--help"], 0, "--retry-failed"),
        (["trajectory"], 2, "VIDEO"),
    ],
)
def test_root(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, text: str) -> None:
    assert root.run(arguments) == code
    captured = capsys.readouterr()
    assert text in captured.out + captured.err
    assert "Traceback" not in captured.err


def test_every_command_of_the_table_can_be_imported() -> None:
    context = click.Context(root.cli)
    for name in root.COMMANDS:
        command = root.cli.get_command(context, name)
        assert isinstance(command, click.Command), name
        assert command.help, name


def test_help_is_shown_at_once_and_loads_nothing_heavy() -> None:
    code = "import sys, sfmcam.cli.main as m; m.run(['--help']); print([x for x in ('numpy', 'rich', 'pydantic') if x in sys.modules])"
    spent = []
    for _ in range(3):
        begin = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        spent.append(time.perf_counter() - begin)
    assert done.stdout.strip().endswith("[]")
    assert min(spent) < HELP_SECONDS


def test_zlib_works_after_pycolmap_in_a_fresh_process() -> None:
    """pycolmap's wheel corrupts a libz that is loaded after it; the package loads zlib first (dependencies: pycolmap 4.2.1)."""
    code = "import sfmcam.cli.main, pycolmap, zlib; print(len(zlib.decompress(zlib.compress(b'x' * 100000))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "100000"), done.stderr


def test_choices_of_scoring_are_the_results_own() -> None:
    assert options.SCORING_CHOICES == SCORINGS


@pytest.mark.parametrize(("given", "default", "threads"), [(None, None, 1), (None, 6, 6), (3, None, 3), (3, 6, 3)])
def test_threads_are_those_given_or_the_commands_default_or_the_configurations(
    given: int | None, default: int | None, threads: int
) -> None:
    none_given = dict.fromkeys((*options.FRAME_KEYS, *options.RUN_KEYS))
    (method,) = options.plan_methods("glomap", none_given | {"threads": given}, threads=default)
    assert method.run.threads == threads


@pytest.mark.parametrize("arguments", [["estimators"], ["estimators", "glomap"], ["estimators", "external"]])
def test_estimators_lists_presets_and_options(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert root.run(arguments) == 0
    printed = capsys.readouterr().out
    assert "tuned" in printed
    assert ("max_frames" in printed) is (len(arguments) == 2)


def test_a_value_that_some_presets_change_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["estimators", "glomap"]) == 0
    printed = capsys.readouterr().out
    (row,) = [line for line in printed.splitlines() if line.startswith("features ")]
    assert row.split()[1] == "sift"
    assert "disk: disk" in printed


def test_an_unknown_estimator_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["estimators", "glmap"]) == 2
    assert "Did you mean 'glomap'?" in capsys.readouterr().err
