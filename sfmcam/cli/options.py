"""Options that several commands share, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sfmcam.jobs import Method

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT_ESTIMATOR = "vo"
# the features of sfmcam.estimators.colmap.options, which would bring pydantic into --help; a test holds them equal
FEATURE_CHOICES = ("sift", "disk", "aliked", "loftr")
# sfmcam.results.SCORINGS, which would bring numpy into --help; a test holds them equal
SCORING_CHOICES = ("depth", "probability", "camerabench")

_RUN_OPTIONS = (
    click.option("--fps", type=float, metavar="F", help="Frames per second to take from the video.  [default: the preset's]"),
    click.option("--max-frames", type=int, metavar="N", help="Cap for one shot; the rate is lowered evenly to meet it."),
    click.option("--long-side", "long_side_px", type=int, metavar="PX", help="Longer side of the frames used."),
    click.option("--shots", type=click.Choice(["auto", "single"]), help="auto: cut at shot boundaries; single: the file is one shot."),
    click.option(
        "--features",
        type=click.Choice(FEATURE_CHOICES),
        help="Features of colmap and glomap; all but sift are learned, and need weights (`sfmcam weights`).  [default: the preset's]",
    ),
    click.option("--timeout", "timeout_s", type=float, metavar="S", help="Time limit for one clip under one estimator, in seconds."),
    click.option("--seed", type=int, metavar="S", help="Seed of everything random."),
    click.option(
        "--threads",
        type=int,
        metavar="N",
        help="Processors for one clip; changes no result.  [default: 1; for `sfmcam trajectory` all of them, up to 8]",
    ),
    click.option(
        "--scoring",
        type=click.Choice(SCORING_CHOICES),
        default="probability",
        show_default=True,
        help="Scores to show. probability: that a labeller says yes; depth: translation against scene depth, with a noise floor; "
        "camerabench: first against last pose, as the benchmark's authors did. All are always written.",
    ),
)
FRAME_KEYS = ("fps", "max_frames", "long_side_px", "shots")
RUN_KEYS = ("timeout_s", "seed", "threads")


def run_options(command: Command) -> Command:
    """Add the options that say which frames are used and how a clip is run."""
    for option in reversed(_RUN_OPTIONS):
        command = option(command)
    return command


def plan_methods(names: str, given: dict[str, Any], *, threads: int | None = None) -> list[Method]:
    """Return the methods named in a comma-separated list, with the options that were given on the command line.

    `threads` is used where none were given, for one clip; without it, the configuration's. They change no result.

    Raises:
        ConfigError: unknown or repeated name, or a value out of range.
        SfmcamError: a method cannot run on this machine: something that it needs is not here.
    """
    from sfmcam.errors import ConfigError
    from sfmcam.jobs import plan_method

    frames, run = ({key: given[key] for key in keys if given[key] is not None} for keys in (FRAME_KEYS, RUN_KEYS))
    if threads is not None:
        run.setdefault("threads", threads)
    features = given.get("features")
    methods = [plan_method(name, frames=frames, run=run, features=features) for name in names.split(",")]
    if features is not None and not any("features" in method.options for method in methods):
        raise ConfigError(f"--features is a choice of colmap and glomap; '{names}' has none")
    slugs = [method.slug for method in methods]
    if repeated := sorted({slug for slug in slugs if slugs.count(slug) > 1}):
        raise ConfigError(f"the estimator '{repeated[0]}' is named twice in '{names}'")
    return methods
