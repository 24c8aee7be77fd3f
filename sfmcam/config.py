"""Configuration: pydantic models filled from TOML presets. An unknown key or a value out of range is an error.

`configs/default.toml` is complete; a preset under `configs/estimators/` holds differences only.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sfmcam.errors import ConfigError


class Model(BaseModel):
    """Base of every configuration: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FrameConfig(Model):
    """Which frames an estimator gets."""

    fps: float | None = Field(default=6.0, gt=0, allow_inf_nan=False, description="frames per second to take; None takes every frame")
    max_frames: int = Field(default=24, ge=2, description="cap for one shot; the frame rate is lowered evenly to meet it")
    long_side_px: int = Field(default=512, ge=64, le=8192, description="longer side of the frames; smaller videos are not enlarged")
    pixels: Literal["rgb", "gray"] = Field(default="rgb", description="gray: luma alone, a third of the memory and quicker to decode")
    shots: Literal["auto", "single"] = Field(default="auto", description="auto: cut at shot boundaries; single: treat the file as one shot")


class RunConfig(Model):
    """How one clip is run."""

    timeout_s: float = Field(default=300.0, gt=0, allow_inf_nan=False, description="limit for one clip under one estimator")
    seed: int = Field(default=0, ge=0)
    threads: int = Field(default=1, ge=1, description="threads inside one worker")


AnyModel = TypeVar("AnyModel", bound=Model)


def config_dir() -> Path:
    """Return the folder of the presets: inside the package when installed (setup.py puts it there), beside it in a checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "configs", package.parent / "configs"):
        if (folder / "default.toml").is_file():
            return folder
    raise ConfigError("the folder configs/ of sfmcam is missing; reinstall the package")


def read_toml(path: Path) -> dict[str, Any]:
    """Read one TOML file.

    Raises:
        ConfigError: missing, unreadable or malformed.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read the configuration {path}: {error}") from error


def build(model: type[AnyModel], *layers: dict[str, Any], where: str) -> AnyModel:
    """Merge `layers`, later ones winning, and validate them as `model`.

    Raises:
        ConfigError: naming `where` and every key that does not fit.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        merged |= layer
    try:
        return model.model_validate(merged)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"{where}: {faults}") from error
