"""Random clips in number: for tuning, choosing and judging, each from a split of its own."""

from __future__ import annotations

from pathlib import Path

from sfmcam.datasets.synthetic.chance import Split
from sfmcam.datasets.synthetic.random_specs import random_specs
from sfmcam.datasets.synthetic.rendered_set import Progress, ensure_set


def ensure_random_set(
    folder: Path, split: Split, *, seed: int, count: int, progress: Progress | None = None, workers: int | None = None
) -> Path:
    """Make sure that `count` random clips of a split lie in `folder`, with depth and mover masks, and return `folder`.

    A larger set of the same split and seed begins with the clips of a smaller one. Splits share nothing, whatever their seeds (see
    `chance`). Other arguments as for `rendered_set.ensure_set`.

    Raises:
        InputError: `folder` cannot be written.
        SfmcamError: a rendering process died.
    """
    drawn_from: dict[str, str | int] = {"split": str(split), "seed": seed}
    specs = random_specs(split, seed, count)
    return ensure_set(folder, specs, with_depth=True, drawn_from=drawn_from, progress=progress, workers=workers)
