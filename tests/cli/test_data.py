"""`sfmcam data` fetches and renders: it says what it fetched, and without a network says so in one sentence and leaves nothing behind."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from label_folder import make_label_folder

from sfmcam.cli.main import run
from sfmcam.datasets import camerabench_download
from sfmcam.datasets.camerabench_download import DownloadReport
from sfmcam.datasets.synthetic import embedded, random_set
from sfmcam.datasets.synthetic.chance import Split


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send every request to a proxy that is not there, also where the machine has a network."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(urllib.request, "_opener", None)  # it remembers the proxies of its first call


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("options", [[], ["--labels-only"], ["--limit", "3"]])
def test_offline(options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "camerabench", "--to", str(tmp_path / "cb"), *options]) == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("Error: Cannot reach https://raw.githubusercontent.com/linzhiqiu/t2v_metrics/")
    assert error.endswith("this needs a network connection: check it and run the same command again")
    assert "\n" not in error
    assert not (tmp_path / "cb").exists()


def test_says_what_is_here_and_what_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: dict[str, Any] = {}

    def fake(root: Path, *, on_progress: camerabench_download.Progress, **options: Any) -> DownloadReport:
        asked.update(options, root=root)
        on_progress(1, 2)
        return DownloadReport(15, 40, 968, ("lost.mp4",))

    monkeypatch.setattr(camerabench_download, "download_camerabench", fake)
    monkeypatch.setenv("SFMCAM_DATA", str(tmp_path))
    assert run(["data", "camerabench", "--limit", "969"]) == 0
    assert asked == {"root": tmp_path / "camerabench", "labels_only": False, "limit": 969}
    captured = capsys.readouterr()
    assert "40 videos fetched, 968 here" in captured.out
    assert "videos that the server does not have: 1 (first: lost.mp4)" in captured.err


@pytest.mark.parametrize("options", [[], ["--to", "elsewhere"]])
def test_the_embedded_set_is_rendered(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def render(folder: Path, *, progress: Callable[[int, int], None], workers: int | None) -> Path:
        assert workers is None
        progress(0, 1)
        make_label_folder(folder, {"Static": {"a.mp4": True}, "Pan_Left": {"a.mp4": False}})
        progress(1, 1)
        return folder

    monkeypatch.setattr(embedded, "ensure_embedded_set", render)
    monkeypatch.setenv("SFMCAM_DATA", "mine")
    monkeypatch.chdir(tmp_path)
    assert run(["data", "synthetic", *options]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{'elsewhere' if options else 'mine/synthetic'}: 1 clips with 2 labels.\n"
    assert "Rendering 1 clips" in captured.err


def test_random_clips_are_rendered_as_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[Any] = []

    def render(folder: Path, split: Split, **options: Any) -> Path:
        options.pop("progress")(0, 9)
        asked.append((folder, split, options))
        make_label_folder(folder, {"Static": {"a.mp4": True}, "Pan_Left": {"a.mp4": False}})
        return folder

    monkeypatch.setattr(random_set, "ensure_random_set", render)
    out = tmp_path / "r"
    assert run(["data", "synthetic", "--out", str(out), "--clips", "9", "--seed", "4", "--split", "val", "--jobs", "2"]) == 0
    assert run(["data", "synthetic", "--to", str(tmp_path / "s"), "--clips", "9"]) == 0
    assert asked == [
        (out, Split.VAL, {"seed": 4, "count": 9, "workers": 2}),
        (tmp_path / "s", Split.TEST, {"seed": 0, "count": 9, "workers": None}),
    ]
    assert "1 clips with 2 labels" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (["--seed", "1"], "--clips"),
        (["--split", "val"], "--clips"),
        (["--clips", "5"], "--to DIR"),
        (["--clips", "0", "--to", "x"], "range"),
        (["--clips", "5", "--to", "x", "--split", "dev"], "train"),
        (["--clips", "5", "--to", "x", "--seed", "-1"], "range"),
    ],
)
def test_options_that_do_not_fit_together(options: list[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "synthetic", *options]) == 2
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--limit", "0"], ["--limit", "x"], ["--from", "y"]])
def test_bad_options(options: list[str]) -> None:
    assert run(["data", "camerabench", *options]) == 2


def test_help_names_the_data_sets(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "--help"]) == 0
    assert "camerabench" in capsys.readouterr().out
