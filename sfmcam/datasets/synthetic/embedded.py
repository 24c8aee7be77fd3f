"""The embedded set: rendered on the spot, once, so that a fresh machine has labelled clips to run the main job on."""

from __future__ import annotations

from pathlib import Path

from sfmcam.datasets.synthetic.embedded_specs import embedded_specs
from sfmcam.datasets.synthetic.rendered_set import Progress, ensure_set


def ensure_embedded_set(folder: Path, *, progress: Progress | None = None, workers: int | None = None) -> Path:
    """Make sure that the embedded set lies in `folder`, and return `folder`; arguments as for `rendered_set.ensure_set`.

    Raises:
        InputError: `folder` cannot be written.
        SfmcamError: a rendering process died.
    """
    return ensure_set(folder, embedded_specs(), progress=progress, workers=workers)
