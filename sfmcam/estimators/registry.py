"""The table of estimators. To add one: its file, a line here, and its presets in configs/estimators/<name>.toml.

`external:FOLDER` is not an estimator but a folder of trajectories that another tool estimated; what follows its colon is
the folder, where for the others it is the preset.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from sfmcam.config import FrameConfig, Model, RunConfig, build, config_dir, read_toml
from sfmcam.errors import ConfigError
from sfmcam.estimators.base import Estimator
from sfmcam.io.paths import is_folder


@dataclass(frozen=True)
class EstimatorEntry:
    """Where an estimator is found, each as "module:name" and imported on use only.

    The options have a place of their own because they are validated in the parent process, which pycolmap must not enter
    (docs/adr/0003-*.md).

    Attributes:
        estimator: its class, made as Class(options, run).
        options: the pydantic model of its options, which the class also has as `Options`.
        preload: module that the fork server imports before its clips run, where loading it takes long; empty for none.
        ready: function of the options that raises an SfmcamError where they cannot be run on this machine, without importing what
            they need; called once, before any clip; empty where whatever is valid can be run.
    """

    estimator: str
    options: str
    preload: str = ""
    ready: str = ""


LEARNED = "sfmcam.estimators.colmap.learned.needs:require_ready"
DENSE_NEEDS = "sfmcam.estimators.megasam.needs:require_ready"
DENSE_PRELOAD = "sfmcam.estimators.megasam.preload"
ESTIMATORS: dict[str, EstimatorEntry] = {
    "vo": EstimatorEntry("sfmcam.estimators.vo:Vo", "sfmcam.estimators.vo.options:VoOptions", preload="sfmcam.estimators.vo.preload"),
    "colmap": EstimatorEntry("sfmcam.estimators.colmap:Colmap", "sfmcam.estimators.colmap.options:ColmapOptions", ready=LEARNED),
    "glomap": EstimatorEntry("sfmcam.estimators.colmap:Glomap", "sfmcam.estimators.colmap.options:ColmapOptions", ready=LEARNED),
    "dense": EstimatorEntry(
        "sfmcam.estimators.megasam:Dense", "sfmcam.estimators.megasam.options:DenseOptions", preload=DENSE_PRELOAD, ready=DENSE_NEEDS
    ),
    "megasam": EstimatorEntry("sfmcam.estimators.megasam:Megasam", "sfmcam.estimators.megasam.options:MegasamOptions", ready=DENSE_NEEDS),
    "external": EstimatorEntry("sfmcam.estimators.external:External", "sfmcam.estimators.external:ExternalOptions"),
}
DEFAULT_PRESET = "tuned"
EXTERNAL = "external"


@dataclass(frozen=True)
class EstimatorSpec:
    """An estimator with a preset, written `name` or `name:preset` (a bare name means the preset `tuned`), or `external:FOLDER`.

    `features` are laid over those of the preset, where they are others.
    """

    name: str
    preset: str
    folder: Path | None = None
    features: str = ""

    @property
    def slug(self) -> str:
        """Folder and column name: `glomap` for the preset that a bare name means, `glomap-default` for another, `external-FOLDER`."""
        if self.folder is not None:
            return f"{self.name}-{self.folder.name}"
        if self.features:
            return f"{self.name}-{self.preset}-{self.features}"
        return self.name if self.preset == DEFAULT_PRESET else f"{self.name}-{self.preset}"


def parse_spec(text: str) -> EstimatorSpec:
    """Read `name`, `name:preset` or `external:FOLDER`.

    Raises:
        ConfigError: unknown name or preset, with the nearest known one, or a folder that is not there.
    """
    name, _, preset = text.strip().partition(":")
    if name not in ESTIMATORS:
        raise ConfigError(_unknown("estimator", name, sorted(ESTIMATORS)))
    if name == EXTERNAL:
        return EstimatorSpec(name, DEFAULT_PRESET, _trajectory_folder(preset))
    preset = preset or DEFAULT_PRESET
    presets = sorted(_presets(name))
    if preset not in presets:
        raise ConfigError(_unknown(f"preset of {name}", preset, presets))
    return EstimatorSpec(name, preset)


def with_features(text: str, features: str) -> EstimatorSpec | None:
    """Read `name` or `name:preset` together with the features asked for; None where the estimator has no such choice.

    With a bare name they choose the preset of their name (`sift`: the one that a bare name means); laid over a preset that is named,
    they make a method of its own.

    Raises:
        ConfigError: as `parse_spec`.
    """
    spec = parse_spec(text)
    options_model: type[Model] = _import(ESTIMATORS[spec.name].options)
    if "features" not in options_model.model_fields:
        return None
    if ":" not in text and features in _presets(spec.name):
        spec = replace(spec, preset=features)
    return spec if getattr(load_options(spec), "features") == features else replace(spec, features=features)  # noqa: B009  (any model)


def frame_config(spec: EstimatorSpec, overrides: dict[str, Any]) -> FrameConfig:
    """Return the frames that `spec` wants: defaults, then its preset, then `overrides`."""
    layers = (read_toml(config_dir() / "default.toml")["frames"], _presets(spec.name)[spec.preset].get("frames", {}), overrides)
    return build(FrameConfig, *layers, where=f"frames of {spec.slug}")


def run_config(overrides: dict[str, Any]) -> RunConfig:
    """Return how a clip is run: defaults, then `overrides`."""
    return build(RunConfig, read_toml(config_dir() / "default.toml")["run"], overrides, where="run options")


def load_options(spec: EstimatorSpec) -> Model:
    """Return the validated options of the preset, without importing the estimator."""
    options_model: type[Model] = _import(ESTIMATORS[spec.name].options)
    folder = {} if spec.folder is None else {"folder": spec.folder}
    features = {"features": spec.features} if spec.features else {}
    return build(options_model, _presets(spec.name)[spec.preset].get("options", {}), folder, features, where=f"options of {spec.slug}")


def require_ready(name: str, options: Model) -> None:
    """Check that an estimator of the table can run with its options on this machine.

    Raises:
        SfmcamError: it cannot, and why.
    """
    if ready := ESTIMATORS[name].ready:
        _import(ready)(options)


def estimator_class(name: str) -> Any:
    """Import the class of an estimator of the table."""
    return _import(ESTIMATORS[name].estimator)


def load_estimator(spec: EstimatorSpec, run: RunConfig) -> Estimator:
    """Import and make the estimator of `spec`."""
    return make_estimator(ESTIMATORS[spec.name].estimator, load_options(spec).model_dump(), run)


def modules_to_preload(entries: Iterable[str]) -> list[str]:
    """Return the modules that the fork server should import before estimators at `entries` ("module:class") run."""
    wanted = set(entries)
    return sorted(entry.preload for entry in ESTIMATORS.values() if entry.estimator in wanted and entry.preload)


def make_estimator(entry: str, options: dict[str, Any], run: RunConfig) -> Estimator:
    """Make the estimator at `entry` ("module:class") from plain option values, as a child process gets them."""
    made_of = _import(entry)
    estimator: Estimator = made_of(build(made_of.Options, options, where=f"options of {entry}"), run)
    return estimator


def preset_names(name: str) -> list[str]:
    """Return the presets of an estimator, the default one first."""
    return sorted(_presets(name), key=lambda preset: (preset != DEFAULT_PRESET, preset))


def _import(place: str) -> Any:
    module_name, _, name = place.partition(":")
    return getattr(import_module(module_name), name)


def _trajectory_folder(text: str) -> Path:
    if not text:
        raise ConfigError(f"'{EXTERNAL}' needs the folder of the trajectories, written {EXTERNAL}:FOLDER")
    folder = Path(text).expanduser().resolve()
    if not is_folder(folder, refuse=ConfigError):
        raise ConfigError(f"there is no folder {text} (in {EXTERNAL}:{text})")
    return folder


def _presets(name: str) -> dict[str, Any]:
    """Return the presets of an estimator; one that is `like` another has that one's values where it has none of its own."""
    path = config_dir() / "estimators" / f"{name}.toml"
    presets = read_toml(path)
    for preset, table in presets.items():
        if "like" in table and "like" in presets.get(table["like"], {"like": ""}):
            raise ConfigError(f"{path}: preset '{preset}' is like '{table['like']}', which is no preset with values of its own")
    return {preset: _like(table, presets) for preset, table in presets.items()}


def _like(table: dict[str, Any], presets: dict[str, Any]) -> dict[str, Any]:
    base = presets[table["like"]] if "like" in table else {}
    return {section: base.get(section, {}) | table.get(section, {}) for section in ("frames", "options")}


def _unknown(what: str, given: str, known: list[str]) -> str:
    near = difflib.get_close_matches(given, known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"there is no {what} '{given}'.{hint} Known: {', '.join(known)}."
