"""What is to be run: a method (an estimator with its preset, frames and limits) on a clip. Plain values that cross into a child process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfmcam.config import FrameConfig, RunConfig
from sfmcam.estimators.registry import ESTIMATORS, frame_config, load_options, parse_spec, require_ready, run_config, with_features


@dataclass(frozen=True)
class Method:
    """One estimator with everything that can change its results.

    Attributes:
        slug: name of its folder and column.
        entry: where the estimator is, "module:class".
        options: its validated options as plain values.
        frames: which frames it gets.
        run: time limit, seed, threads.
    """

    slug: str
    entry: str
    options: dict[str, Any]
    frames: FrameConfig
    run: RunConfig


@dataclass(frozen=True)
class ClipJob:
    """All that a child process needs to know.

    Attributes:
        clip_id: name of the clip in its set, or the video's stem.
        source: video file or image folder.
        method: what to run on it.
        folder: where the results go; made by whoever runs the job.
        scratch: folder for the temporary files of this job alone; made and removed by whoever runs the job.
        draw: whether to draw the pictures.
        memory_bytes: limit of the child's data; None for no limit.
        source_hash: tells whether the source is still the one that a kept result came from; empty where nothing is kept.
    """

    clip_id: str
    source: Path
    method: Method
    folder: Path
    scratch: Path
    draw: bool = False
    memory_bytes: int | None = None
    source_hash: str = ""

    @property
    def checkpoint(self) -> Path:
        """What was finished, should the process die later."""
        return self.scratch / "checkpoint.json"


def plan_method(text: str, *, frames: dict[str, Any], run: dict[str, Any], features: str | None = None) -> Method:
    """Return the method that `name` or `name:preset` means, with `frames` and `run` laid over its preset.

    `features` are those that an estimator with a choice of features is to use; the others go without.

    Raises:
        ConfigError: unknown name or preset, or a value out of range.
        SfmcamError: the method cannot run on this machine.
    """
    spec = (with_features(text, features) if features else None) or parse_spec(text)
    options = load_options(spec)
    require_ready(spec.name, options)
    plain = options.model_dump(mode="json")
    return Method(spec.slug, ESTIMATORS[spec.name].estimator, plain, frame_config(spec, frames), run_config(run))
