"""The presets are complete and valid, are found wherever the package lies, and what does not fit is an error that names it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import sfmcam
from sfmcam.config import FrameConfig, Model, RunConfig, build, config_dir, read_toml
from sfmcam.errors import ConfigError
from sfmcam.estimators import registry
from sfmcam.estimators.registry import ESTIMATORS, EXTERNAL, EstimatorSpec, estimator_class, frame_config, load_options, preset_names

SPECS = [(name, preset) for name in sorted(ESTIMATORS) for preset in preset_names(name)]
ROOT = Path(sfmcam.__file__).resolve().parents[1]


@pytest.mark.parametrize(("section", "model"), [("frames", FrameConfig), ("run", RunConfig)])
def test_the_defaults_are_complete_and_those_of_the_models(section: str, model: type[Model]) -> None:
    written = read_toml(config_dir() / "default.toml")[section]
    assert written.keys() == model.model_fields.keys()
    assert build(model, written, where=section) == model()


def test_the_defaults_hold_nothing_else() -> None:
    assert read_toml(config_dir() / "default.toml").keys() == {"frames", "run"}


def test_every_estimator_has_presets_and_every_file_an_estimator() -> None:
    assert {path.stem for path in (config_dir() / "estimators").glob("*.toml")} == set(ESTIMATORS)


@pytest.mark.parametrize(("name", "preset"), SPECS)
def test_every_preset_builds(name: str, preset: str, tmp_path: Path) -> None:
    spec = EstimatorSpec(name, preset, tmp_path if name == EXTERNAL else None)
    assert isinstance(load_options(spec), estimator_class(name).Options)
    assert isinstance(frame_config(spec, {}), FrameConfig)
    assert read_toml(config_dir() / "estimators" / f"{name}.toml")[preset].keys() <= {"frames", "options", "like"}


@pytest.mark.parametrize("preset", ["disk", "aliked", "loftr"])
@pytest.mark.parametrize("name", ["colmap", "glomap"])
def test_a_preset_like_another_differs_in_what_it_says(name: str, preset: str) -> None:
    like, itself = (load_options(EstimatorSpec(name, p)).model_dump() for p in ("tuned", preset))
    assert itself == like | {"features": preset, "matching": "sequential"}


@pytest.mark.parametrize(("base", "named"), [("nowhere", "a"), ("a", "a"), ("b", "a")], ids=["unknown", "itself", "a chain"])
def test_a_preset_like_nothing_is_named(base: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "estimators").mkdir()
    (tmp_path / "estimators" / "glomap.toml").write_text(f'[tuned]\n[a]\nlike = "{base}"\n[b]\nlike = "tuned"\n')
    monkeypatch.setattr(registry, "config_dir", lambda: tmp_path)
    with pytest.raises(ConfigError, match=f"glomap.toml: preset '{named}' is like '{base}', which is no preset"):
        preset_names("glomap")


def test_an_unknown_key_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^frames of glomap: fsp: Extra inputs are not permitted$"):
        frame_config(EstimatorSpec("glomap", "tuned"), {"fsp": 3.0})


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_an_unknown_option_of_any_estimator_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no_such_option: Extra inputs are not permitted"):
        build(estimator_class(name).Options, {"no_such_option": 1} | ({"folder": tmp_path} if name == EXTERNAL else {}), where=name)


@pytest.mark.parametrize(("model", "key"), [(FrameConfig, "fps"), (RunConfig, "timeout_s")])
@pytest.mark.parametrize("value", ["inf", "nan", "-inf"])
def test_a_number_without_end_is_refused(model: type[Model], key: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"here: {key}: Input should be"):
        build(model, {key: float(value)}, where="here")


def test_a_malformed_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("fps = \n")
    for name in ("bad.toml", "nowhere.toml"):
        with pytest.raises(ConfigError, match=rf"cannot read the configuration .*{name}"):
            read_toml(tmp_path / name)


@pytest.mark.parametrize("place", ["configs", "sfmcam/configs"], ids=["checkout", "installed"])
def test_the_presets_are_found_beside_the_package_and_inside_it(place: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "sfmcam", tmp_path / "sfmcam", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(config_dir(), tmp_path / place)
    code = "from sfmcam.config import config_dir; print(config_dir())"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert Path(done.stdout.strip()) == (tmp_path / place).resolve()


@pytest.mark.skipif(not (ROOT / "setup.py").is_file(), reason="an installed package has no setup.py")
def test_the_presets_are_installed_with_the_package(tmp_path: Path) -> None:
    """`setup.py build` copies what an installation would hold; a package that is not listed, or a preset, would be missing there."""
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("sfmcam", "configs", "third_party"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "setup.py", "-q", "build", "--build-lib", "built"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    built = {path.relative_to(tmp_path / "built") for path in (tmp_path / "built").rglob("*") if path.is_file()}
    modules = {path.relative_to(ROOT) for path in (ROOT / "sfmcam").rglob("*.py")}
    presets = {Path("sfmcam", path.relative_to(ROOT)) for path in (ROOT / "configs").rglob("*.*")}
    page = {path.relative_to(ROOT) for part in ("assets", "templates") for path in (ROOT / "sfmcam" / "report" / part).iterdir()}
    others = {Path("sfmcam", name) for name in ("py.typed", "evaluation/published.json", "third_party/weights.toml")}
    assert modules | presets | page | others == built
    assert tomllib.loads((tmp_path / "built/sfmcam/configs/default.toml").read_text())["run"]["threads"] == 1
