"""What a rendered set says of one clip, read back from its files alone: poses, focal lengths, depth, mover masks, lens and shutter."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sfmcam.datasets.synthetic.finish import Edit, Finish, Lettering
from sfmcam.datasets.synthetic.stage import DEPTH_CELL_PX
from sfmcam.datasets.synthetic.writer import clip_files, depth_file
from sfmcam.errors import InputError
from sfmcam.io.npz import open_npz
from sfmcam.io.reference import read_reference
from sfmcam.types import Bool, CameraTrajectory, Float

ManifestEntry = dict[str, Any]


@dataclass(frozen=True)
class StoredTruth:
    """The truth of one clip of N frames.

    Attributes:
        id: its name.
        size_px: (width, height).
        fps: frames per second.
        trajectory: poses in metres, at the middle row of each frame, and focal lengths.
        depth_m: (N, H//4, W//4) along the optical axis at the cells' centres, static scene; NaN where there is none.
        mover: (N, H//4, W//4) where a mover is seen.
        finish: lens, shutter, bars and lettering.
        seed: the clip's own, which decides its lettering.
    """

    id: str
    size_px: tuple[int, int]
    fps: float
    trajectory: CameraTrajectory
    depth_m: Float
    mover: Bool
    finish: Finish
    seed: int

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.depth_m)

    @cached_property
    def cell_centers_px(self) -> Float:
        """(H//4, W//4, 2) where `depth_m` and `mover` hold, the first pixel's centre being (0.5, 0.5)."""
        rows, columns = self.depth_m.shape[1:]
        x, y = np.arange(0.5, columns) * (self.size_px[0] / columns), np.arange(0.5, rows) * (self.size_px[1] / rows)
        return np.stack(np.meshgrid(x, y), axis=-1)

    @cached_property
    def overlaid(self) -> Bool:
        """(H, W) pixels that show no scene in every frame: bars, and the lettering at either of its times."""
        out = np.ones(self.size_px[::-1], bool)
        out[self.finish.picture_rows_and_columns(self.size_px)] = False
        return out | Edit(self.finish, self.size_px, self.seed).lettered


def read_manifest(folder: Path) -> dict[str, ManifestEntry]:
    """Return the manifest's entries of a rendered set by clip; of a set that is not finished, those of the clips that are.

    Raises:
        InputError: there is no rendered set.
    """
    try:
        path = folder / "manifest.json"
        files = [path] if path.is_file() else sorted((folder / "clips").glob("*.json"))
        found = [json.loads(file.read_text(encoding="utf-8")) for file in files]
        entries = {entry["id"]: entry for entry in (found[0] if path.is_file() else found)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder} has a manifest that cannot be read ({error}); render it again with `sfmcam data synthetic`") from error
    if not entries:
        raise InputError(f"{folder} holds no rendered clip; make some with `sfmcam data synthetic --to {folder} --clips 10`")
    return entries


def set_seed(folder: Path) -> int | None:
    """Return the seed from which a random set was drawn, as its generator.json has it; None where it does not say."""
    try:
        seed = json.loads((folder / "generator.json").read_text(encoding="utf-8"))["drawn_from"]["seed"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # of an older version, not random, or not finished
    return seed if isinstance(seed, int) else None


def read_truth(folder: Path, entry: ManifestEntry) -> StoredTruth:
    """Return the truth of one clip of a rendered set with depth.

    Args:
        folder: root of the set.
        entry: the clip's line of the manifest.

    Raises:
        InputError: a file is missing, or its number of frames is not the manifest's.
        TrajectoryFileError: a file is damaged, or its pictures are not of the manifest's size.
    """
    name, size_px = str(entry["id"]), (int(entry["width"]), int(entry["height"]))
    _, poses, intrinsics = clip_files(folder, name)
    trajectory = read_reference(poses, intrinsics, image_size_px=size_px)
    depth, mover = _read_depth(depth_file(folder, name), size_px)
    if not len(trajectory) == len(depth) == len(mover) == entry["n_frames"]:
        counts = f"{len(trajectory)} poses, {len(depth)} depths and {len(mover)} masks for {entry['n_frames']} frames"
        raise InputError(f"{folder}: {name} has {counts}; delete its files in clips/ and render the set again")
    finish = entry["finish"]
    return StoredTruth(
        id=name,
        size_px=size_px,
        fps=float(entry["fps"]),
        trajectory=trajectory,
        depth_m=depth,
        mover=mover,
        finish=Finish(**finish | {"lettering": Lettering(finish["lettering"])}),
        seed=int(entry["seed"]),
    )


def _read_depth(path: Path, size_px: tuple[int, int]) -> tuple[Float, Bool]:
    if not path.is_file():
        raise InputError(f"there is no {path}; only random sets have depth: `sfmcam data synthetic --clips N`")
    shape = (None, size_px[1] // DEPTH_CELL_PX, size_px[0] // DEPTH_CELL_PX)
    with open_npz(path, advice="; delete it and render the set again") as npz:
        return npz.array("depth", shape).astype(float), npz.array("mover", shape).astype(bool)
