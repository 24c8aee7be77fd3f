"""`--view` without a display ends with one sentence instead of waiting for ever."""

from __future__ import annotations

import importlib.util

import pytest
from viz_paths import path

from sfmcam.errors import MissingDependencyError, SfmcamError
from sfmcam.viz.display import has_display
from sfmcam.viz.window import show_trajectory


@pytest.mark.parametrize("display", ["", ":987"])
def test_without_a_display_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch, display: str) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not has_display()
    with pytest.raises(SfmcamError, match=r"needs a display .*trajectory\.png"):
        show_trajectory(path(), None, title="t")


def test_without_open3d_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match="pip install"):
        show_trajectory(path(), None)
