"""The table of data sets known by name. To add one: its file and a line here; any other text is taken as a folder."""

from __future__ import annotations

import difflib
from importlib import import_module
from pathlib import Path

from sfmcam.datasets.folder import data_root, load_folder
from sfmcam.datasets.labelled_set import LabelledSet
from sfmcam.errors import LabelError
from sfmcam.io.paths import is_folder

# name -> "module:function"; called as function(allow_missing=...). Imported on use: the synthetic set brings a renderer.
DATASETS: dict[str, str] = {
    "camerabench": "sfmcam.datasets.camerabench:load_camerabench",
    "synthetic": "sfmcam.datasets.registry:load_synthetic",
}


def load_dataset(text: str, *, allow_missing: bool = False) -> LabelledSet:
    """Read the data set that `text` names: one of `DATASETS`, or else a folder (write `./camerabench` for a folder of such a name).

    Args:
        text: name or path.
        allow_missing: keep the rows of videos that are not there instead of refusing the set.

    Raises:
        LabelError: no such set, or its labels and videos do not fit together.
    """
    if text in DATASETS:
        module_name, function_name = DATASETS[text].split(":")
        labelled_set: LabelledSet = getattr(import_module(module_name), function_name)(allow_missing=allow_missing)
        return labelled_set
    if not is_folder(Path(text), refuse=LabelError):
        near = difflib.get_close_matches(text, DATASETS, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise LabelError(f"there is no data set '{text}': it is neither a folder nor one of {', '.join(sorted(DATASETS))}{hint}")
    return load_folder(Path(text), allow_missing=allow_missing)


def load_synthetic(*, allow_missing: bool = False) -> LabelledSet:
    """Return the embedded set, rendering it on first use into the folder `synthetic` of the data root."""
    from sfmcam.datasets.synthetic.embedded import ensure_embedded_set

    return load_folder(ensure_embedded_set(synthetic_folder()), name="synthetic", allow_missing=allow_missing)


def synthetic_folder() -> Path:
    """Return where the embedded set belongs: `synthetic` below the data root."""
    return data_root() / "synthetic"
