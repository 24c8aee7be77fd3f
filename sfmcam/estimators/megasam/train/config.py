"""Everything that a training run can be told, as one dataclass, so that the machine with the GPU needs no further package."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sfmcam.errors import ConfigError
from sfmcam.estimators.megasam.net.config import NetworkConfig


def small_network() -> NetworkConfig:
    """Return widths that train to use within minutes on a large GPU: 3 million parameters, 6 MB."""
    return NetworkConfig(stem=24, features=96, hidden=96, context=96, flow=48, dead_heads=False)


@dataclass(frozen=True)
class LossWeights:
    """What each loss counts. Flow and reprojection are in cells of the 1/8 grid, rotation in radians, translation in scene depths.

    DROID-SLAM (2021, 3.3) weighs pose 10, residual 0.01 and flow 0.05 in pixels of the full size; MegaSaM (2025, 3.2) adds the
    cross entropy of the motion probability at 0.1 beside a flow loss at 0.02.
    """

    flow: float = 1.0
    weight: float = 0.1
    motion: float = 0.5
    reprojection: float = 0.5
    pose: float = 4.0


@dataclass(frozen=True)
class TrainConfig:
    """A training run.

    Attributes:
        minutes: time limit, for everything after the data is read; the learning rate's cycle ends with it.
        steps: limit of the number of steps; whichever limit is nearer ends the run.
        batch: sequences per step; 0 takes what fits into the device's memory, at most `most_batch`.
        most_batch: see `batch`.
        frames: of a sequence.
        radius: edges join frames at most so far apart.
        width: of the pictures, a multiple of 8.
        height: likewise.
        updates: of the operator per step.
        solves: Gauss-Newton steps after each update, where there are any.
        guided: share of the run without bundle adjustment, in which poses and depths come closer to the truth by themselves.
        rate: highest learning rate.
        warm: share of the run in which it is reached.
        decay: AdamW's.
        clip: largest norm of the gradient.
        gamma: weight of an update's losses over the next one's.
        seed: of everything random.
        save_every_s: time between checkpoints.
        say_every_s: time between lines of progress.
        validate_every_s: time between validations.
        validation: sequences that are held out for it, at most.
        start: file of weights that a new run begins with, of the same widths; empty: random ones.
        bf16: whether the network's layers run in bfloat16 on a GPU.
        losses: see there.
        network: widths.
    """

    minutes: float = 30.0
    steps: int = 1_000_000
    batch: int = 0
    most_batch: int = 8
    frames: int = 5
    radius: int = 2
    width: int = 256
    height: int = 192
    updates: int = 6
    solves: int = 2
    guided: float = 0.6
    rate: float = 5e-4
    warm: float = 0.05
    decay: float = 1e-5
    clip: float = 1.0
    gamma: float = 0.85
    seed: int = 0
    save_every_s: float = 60.0
    say_every_s: float = 15.0
    validate_every_s: float = 60.0
    validation: int = 24
    start: str = ""
    bf16: bool = True
    losses: LossWeights = field(default_factory=LossWeights)
    network: NetworkConfig = field(default_factory=small_network)

    def __post_init__(self) -> None:
        """Refuse what cannot be run.

        Raises:
            ConfigError: naming the first such value.
        """
        whole = {"steps": 1, "batch": 0, "most_batch": 1, "radius": 1, "updates": 1, "solves": 1, "validation": 1, "frames": 3}
        for name, least in whole.items():
            if getattr(self, name) < least:
                raise ConfigError(f"training: {name} is {getattr(self, name)}; it must be at least {least}")
        for name in ("minutes", "rate", "clip", "gamma", "save_every_s", "say_every_s", "validate_every_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"training: {name} is {getattr(self, name)}; it must be more than 0")
        for name in ("width", "height"):
            if getattr(self, name) % 8 or getattr(self, name) < 64:
                raise ConfigError(f"training: {name} is {getattr(self, name)}; it must be a multiple of 8, and at least 64")
        if not (0 <= self.guided <= 1 and 0 <= self.warm < 1):
            raise ConfigError("training: guided and warm are shares of the run, between 0 and 1")


def from_words(words: Sequence[str]) -> TrainConfig:
    """Return the configuration of words as `--minutes 8 --network.hidden 64`.

    Raises:
        ConfigError: a word is no option, has no value, or one of another kind.
    """
    if len(words) % 2:
        raise ConfigError(f"training: {words[-1]} has no value; options come as --name value")
    config = TrainConfig()
    for option, value in zip(words[::2], words[1::2], strict=True):
        config = _with(config, option, option.removeprefix("--").replace("-", "_").split("."), value)
    return config


def _with(config: Any, option: str, path: list[str], value: str) -> Any:
    names = [f.name for f in dataclasses.fields(config)]
    if not option.startswith("--") or path[0] not in names:
        raise ConfigError(f"training: there is no option {option}; there are {', '.join('--' + name for name in names)}")
    current = getattr(config, path[0])
    if dataclasses.is_dataclass(current) != (len(path) > 1):
        raise ConfigError(f"training: {option} names no single value; write e.g. --network.hidden 96 or --losses.pose 4")
    new = _with(current, f"--{'.'.join(path[1:])}", path[1:], value) if len(path) > 1 else _parsed(option, current, value)
    return dataclasses.replace(config, **{path[0]: new})


def _parsed(option: str, current: Any, value: str) -> Any:
    try:
        if isinstance(current, bool):
            return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}[value.lower()]
        return type(current)(value)
    except (ValueError, KeyError) as error:
        kind = "yes or no" if isinstance(current, bool) else "a whole number" if isinstance(current, int) else "a number"
        raise ConfigError(f"training: {option} is {value}; it must be {kind}") from error
