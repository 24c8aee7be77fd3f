"""`--features` chooses among the presets of colmap and glomap, and says at once what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from sfmcam.cli import main as root
from sfmcam.cli.options import FEATURE_CHOICES, FRAME_KEYS, RUN_KEYS, plan_methods
from sfmcam.errors import ConfigError, InputError, MissingDependencyError
from sfmcam.estimators.colmap.learned import needs
from sfmcam.estimators.colmap.options import ColmapOptions
from sfmcam.jobs import Method

NONE_GIVEN = dict.fromkeys((*FRAME_KEYS, *RUN_KEYS))


@pytest.fixture
def with_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if packages and weights were here."""
    monkeypatch.setattr(needs, "require_learned", lambda _: None)


def plan(names: str, features: str | None) -> list[Method]:
    return plan_methods(names, NONE_GIVEN | {"features": features})


def test_the_choices_are_those_of_the_options() -> None:
    assert get_args(ColmapOptions.model_fields["features"].annotation) == FEATURE_CHOICES


@pytest.mark.usefixtures("with_everything")
@pytest.mark.parametrize(
    ("names", "features", "slug", "found"),
    [
        ("glomap", None, "glomap", "sift"),
        ("glomap", "sift", "glomap", "sift"),
        ("glomap", "disk", "glomap-disk", "disk"),
        ("glomap:disk", None, "glomap-disk", "disk"),
        ("glomap:disk", "disk", "glomap-disk", "disk"),
        ("glomap:disk", "sift", "glomap-disk-sift", "sift"),
        ("colmap:default", "loftr", "colmap-default-loftr", "loftr"),
        ("colmap:tuned", "aliked", "colmap-tuned-aliked", "aliked"),
    ],
)
def test_the_features_make_the_method_and_its_name(names: str, features: str | None, slug: str, found: str) -> None:
    (method,) = plan(names, features)
    assert (method.slug, method.options["features"]) == (slug, found)


@pytest.mark.usefixtures("with_everything")
def test_an_estimator_without_features_stays_as_it_is_beside_one_with() -> None:
    vo, glomap = plan("vo,glomap", "disk")
    assert (vo.slug, glomap.slug) == ("vo", "glomap-disk")
    with pytest.raises(ConfigError, match=r"^--features is a choice of colmap and glomap; 'vo' has none$"):
        plan("vo", "disk")


def test_missing_weights_are_said_before_any_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("kornia", reason="without it, that is what is said to be missing")
    monkeypatch.setenv("SFMCAM_WEIGHTS", str(tmp_path))
    with pytest.raises(InputError, match="`sfmcam weights get loftr-outdoor`"):
        plan("glomap:loftr", None)
    assert root.run(["trajectory", str(tmp_path), "-e", "glomap", "--features", "disk", "-o", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_said_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"need torch and kornia, not installed here: pip install 'sfmcam\[learned\]'"):
        plan("glomap:disk", None)
