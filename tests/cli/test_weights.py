"""`sfmcam weights` lists, fetches only when asked, and takes a local file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sfmcam.cli.main import run
from sfmcam.config import read_toml
from sfmcam.estimators.megasam import depth_models
from sfmcam.io import weights

CONTENT = b"weights"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights of our own, and the real list with the hash of CONTENT for `droid`."""
    real = read_toml(weights._list_file())
    real["droid"] |= {"size_bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}
    monkeypatch.setattr(weights, "read_toml", lambda _: real)
    monkeypatch.setenv("SFMCAM_WEIGHTS", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.pth"
    path.write_bytes(CONTENT)
    return path


def test_list_fetches_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["weights", "list"]) == 0
    said = capsys.readouterr().out
    assert "megasam: MegaSaM's network" in said
    assert "megasam_final.pth, 20.8 MB, not here; licence: CC BY 4.0" in said
    assert "sha256: unknown" in said
    assert str(folder) in said
    assert not folder.exists()


def test_a_local_file_whose_hash_is_known(folder: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["weights", "get", "droid", "--from", str(file)]) == 0
    assert "(as expected)" in capsys.readouterr().out
    assert (folder / "droid.pth").read_bytes() == CONTENT
    assert run(["weights", "path", "droid"]) == 0
    assert capsys.readouterr().out.strip() == str(folder / "droid.pth")
    assert run(["weights", "get", "droid", "--from", str(folder / "droid.pth")]) == 0


def test_a_local_file_whose_hash_is_not(folder: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["weights", "get", "megasam", "--from", str(file)]) == 0
    said = capsys.readouterr()
    assert f"sha256 {hashlib.sha256(CONTENT).hexdigest()} (not compared: none is known)" in said.out
    assert "Warning: it has 7 bytes, 20812149 are listed" in said.err


def test_a_local_file_that_is_another(folder: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(b"another")
    assert run(["weights", "get", "droid", "--from", str(file)]) == 1
    assert "SHA-256" in capsys.readouterr().err
    assert not folder.exists()


def test_fetched(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fake(url: str, target: Path, *, expected: object, on_progress: object) -> str:
        target.parent.mkdir()
        target.write_bytes(CONTENT)
        return "abc"

    monkeypatch.setattr(weights, "download", fake)
    assert run(["weights", "get", "megasam"]) == 0
    said = capsys.readouterr()
    assert "licence: CC BY 4.0" in said.err
    assert "fetched from https://raw.githubusercontent.com/mega-sam/mega-sam/" in said.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["get", "megasm"], 2, "did you mean 'megasam'"),
        (["path", "zzz"], 2, "known: megasam, droid"),
        (["path", "megasam"], 1, "`sfmcam weights get megasam` fetches it"),
        (["get", "megasam", "--from", "nowhere.pth"], 1, "there is no file nowhere.pth"),
    ],
)
def test_mistakes(arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["weights", *arguments]) == code
    assert said in capsys.readouterr().err.replace("There", "there")


def test_the_folder_is_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SFMCAM_WEIGHTS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert weights.weights_path("megasam") == tmp_path / "sfmcam" / "weights" / "megasam_final.pth"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weights.weights_folder() == tmp_path / ".cache" / "sfmcam" / "weights"


def test_depth_models_are_listed_and_fetched_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    constants = pytest.importorskip("huggingface_hub.constants", reason="the extra `data` is not installed")
    asked: list[str] = []

    def fetch(name: str) -> Path:
        asked.append(name)
        return tmp_path

    monkeypatch.setattr(depth_models, "fetch_model", fetch)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert run(["weights", "list"]) == 0
    assert "depth-anything-v2-small: relative disparity; 99 MB; licence: Apache-2.0; https://huggingface.co/" in capsys.readouterr().out
    assert not asked
    assert run(["weights", "get", "depth-anything-v2-small"]) == 0
    assert run(["weights", "get", "somebody/some-model"]) == 0
    assert asked == ["depth-anything-v2-small", "somebody/some-model"]
    assert "licence: Apache-2.0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["get", "depth-pro", "--from", "x"], "--from takes single files; name a depth model's folder in the options"),
        (["get", "depth-anything-v2-smal"], "here are no weights 'depth-anything-v2-smal'; did you mean 'depth-anything-v2-small'?"),
        (["path", "depth-pro"], "he depth model depth-pro is not on this machine"),
    ],
)
def test_what_is_wrong_with_a_depth_model_is_said(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    constants = pytest.importorskip("huggingface_hub.constants", reason="the extra `data` is not installed")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert run(["weights", *arguments]) in {1, 2}
    assert said in " ".join(capsys.readouterr().err.split())
