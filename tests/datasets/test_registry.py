"""A data set is found by its name or its folder, and an unknown one is answered with what there is."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from label_folder import make_label_folder

from sfmcam.datasets.registry import DATASETS, load_dataset
from sfmcam.errors import LabelError


def test_a_folder(tmp_path: Path) -> None:
    root = make_label_folder(tmp_path / "mine", {"Static": {"a.mp4": True}})
    assert load_dataset(str(root)).name == "mine"


def test_the_table_names_functions() -> None:
    for target in DATASETS.values():
        module_name, function_name = target.split(":")
        assert callable(getattr(import_module(module_name), function_name))


def test_unknown_name_with_the_nearest() -> None:
    with pytest.raises(LabelError, match=r"there is no data set 'camerbench': .*camerabench, synthetic; did you mean 'camerabench'"):
        load_dataset("camerbench")


def test_camerabench_from_sfmcam_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_label_folder(tmp_path / "camerabench", {"Static": {"a.mp4": True, "b.mp4": False}}, videos=("a.mp4",))
    monkeypatch.setenv("SFMCAM_DATA", str(tmp_path))
    with pytest.raises(LabelError, match=r"lacks 1 of 969 videos \(first: b\.mp4\); `sfmcam data camerabench` fetches them"):
        load_dataset("camerabench")
    labelled_set = load_dataset("camerabench", allow_missing=True)
    assert (labelled_set.name, labelled_set.missing_videos) == ("camerabench", ("b.mp4",))


def test_camerabench_absent_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SFMCAM_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LabelError, match="CameraBench is not in data/camerabench; fetch it with `sfmcam data camerabench`"):
        load_dataset("camerabench")
