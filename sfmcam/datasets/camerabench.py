"""CameraBench's binary test: what its pools hold, and where `sfmcam data camerabench` puts it.

Lin et al., "Towards Understanding Camera Motions in Any Video", NeurIPS 2025 (arXiv 2504.15376). Labels: CC BY 4.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sfmcam.datasets.folder import LABELS_FOLDER, data_root, load_folder
from sfmcam.datasets.labelled_set import LabelledSet
from sfmcam.errors import LabelError

NUM_VIDEOS = 969
# split -> (rows, positives), counted in the label files at the commit that `camerabench_download` names
POOLS: dict[str, tuple[int, int]] = {
    "Move_In": (549, 161),
    "Move_Out": (549, 53),
    "Move_Up": (430, 29),
    "Move_Down": (430, 37),
    "Move_Right": (487, 77),
    "Move_Left": (488, 56),
    "Zoom_In": (450, 50),
    "Zoom_Out": (452, 46),
    "Pan_Right": (512, 77),
    "Pan_Left": (512, 79),
    "Tilt_Up": (458, 58),
    "Tilt_Down": (456, 35),
    "Roll_Clockwise": (470, 42),
    "Roll_Counterclockwise": (470, 48),
    "Static": (966, 94),
}


def camerabench_folder() -> Path:
    """Return where CameraBench is looked for."""
    return data_root() / "camerabench"


def is_camerabench(pools: Mapping[str, tuple[int, int]]) -> bool:
    """Tell by `(rows, positives)` per split whether a pool is CameraBench's own, so that the published numbers compare with it."""
    return dict(pools) == POOLS


def load_camerabench(*, allow_missing: bool = False) -> LabelledSet:
    """Read CameraBench from `camerabench_folder()`.

    Raises:
        LabelError: not downloaded, or not all of its videos (unless `allow_missing`), or damaged.
    """
    folder = camerabench_folder()
    if not (folder / LABELS_FOLDER).is_dir():
        raise LabelError(
            f"CameraBench is not in {folder}; fetch it with `sfmcam data camerabench`, or set SFMCAM_DATA to the folder that holds it"
        )
    labelled_set = load_folder(folder, name="camerabench", allow_missing=True)
    missing = labelled_set.missing_videos
    if missing and not allow_missing:
        raise LabelError(
            f"{folder} lacks {len(missing)} of {NUM_VIDEOS} videos (first: {missing[0]}); `sfmcam data camerabench` fetches them"
        )
    return labelled_set
