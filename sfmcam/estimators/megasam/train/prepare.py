"""From rendered clips to a pack: which clips and frames are taken, and how their pictures and truth are cut to one small size.

Left out: clips with lens distortion or a rolling shutter, in which no pinhole camera explains the picture, and clips of
fewer than four frames. Bars are cut away; letters stay, marked as what does not belong to the scene.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sfmcam.config import FrameConfig
from sfmcam.datasets.synthetic.chance import Split
from sfmcam.datasets.synthetic.reprojection import carried
from sfmcam.datasets.synthetic.stored_truth import ManifestEntry, StoredTruth, read_manifest, read_truth
from sfmcam.errors import InputError
from sfmcam.estimators.megasam.train.pack import CELL_PX, MOVER, OVERLAID, Float32, PackedSequence, write_pack
from sfmcam.geometry.rotation import quaternion_xyzw_from_rotation
from sfmcam.types import Float, UInt8
from sfmcam.video.reading import read_frames

logger = logging.getLogger(__name__)

SKY_M = 1500.0  # the renderer's sky is a box of about this size round the scene; its depth is not stored
LEAST_FRAMES = 4
STEP_PX = (4.0, 16.0)  # how far the picture moves from one frame taken to the next, drawn per clip
LONGEST_STEP_S = 1.0  # of a camera that hardly moves
SAME_SURFACE = 0.05  # disparities that differ by more are not averaged


@dataclass(frozen=True)
class PackPlan:
    """How much of each clip a pack takes.

    Attributes:
        size_px: (width, height) of the pictures, multiples of 8.
        frames: most frames of one sequence.
        sequences: most sequences of one clip.
        seed: of the steps.
    """

    size_px: tuple[int, int] = (320, 240)
    frames: int = 9
    sequences: int = 1
    seed: int = 0


def prepare(path: Path, folders: Sequence[Path], *, held_out: Sequence[Path], plan: PackPlan, limit: int | None = None) -> tuple[int, int]:
    """Write a pack from sets of rendered clips; return the number of its sequences and its size in bytes.

    Args:
        path: of the pack.
        folders: sets of the split train, with depth.
        held_out: sets of the split val, for validation.
        plan: how much of each clip.
        limit: at most so many clips of each folder.

    Raises:
        InputError: a folder has no clip that can be used, or the pack cannot be written.
    """
    sequences = []
    for folder, is_held_out in [*((f, False) for f in folders), *((f, True) for f in held_out)]:
        found = [s for entry in usable(folder)[:limit] for s in clip_sequences(folder, entry, plan=plan, held_out=is_held_out)]
        if not found:
            raise InputError(
                f"{folder} has no clip to train on; render some with `sfmcam data synthetic --to {folder} --clips 100 --split train`"
            )
        sequences += found
    return len(sequences), write_pack(path, sequences)


def usable(folder: Path) -> list[ManifestEntry]:
    """Return the manifest's entries of the clips that a pinhole camera explains.

    Raises:
        InputError: there is no rendered set, or it is one to judge by.
    """
    entries = read_manifest(folder).values()
    if any(str(entry["id"]).startswith(f"{Split.TEST}_") for entry in entries):
        raise InputError(f"{folder} is of the split test, which is kept to judge by; render others with `--split train`")
    straight = [e for e in entries if not (e["finish"]["distortion"] or e["finish"]["readout"]) and e["n_frames"] >= LEAST_FRAMES]
    logger.info("%s: %d of %d clips can be used", folder, len(straight), len(entries))
    return straight


def clip_sequences(folder: Path, entry: ManifestEntry, *, plan: PackPlan, held_out: bool) -> Iterator[PackedSequence]:
    """Yield the sequences of one clip."""
    truth = read_truth(folder, entry)
    cut = Cut.of(truth, plan.size_px)
    rng = np.random.default_rng([plan.seed, truth.seed % 2**32])
    chosen = _windows(taken_frames(truth, float(rng.uniform(*STEP_PX)) / cut.scale), plan)
    wanted = {int(n) for window in chosen for n in window}
    config = FrameConfig(fps=None, max_frames=100000, long_side_px=8192, shots="single")
    pictures = {n: cut.picture(p) for n, p in read_frames(folder / "videos" / f"{truth.id}.mp4", config, wanted, threads=1)}
    for window in chosen:
        yield PackedSequence(
            name=truth.id,
            held_out=held_out,
            pictures=np.stack([pictures[int(n)] for n in window]),
            poses=_poses(truth.trajectory.cam_from_world[window]),
            focals_px=truth.trajectory.focal_px[window] * cut.scale,
            disparity=np.stack([cut.disparity(truth.depth_m[n]) for n in window]),
            mask=np.stack([cut.mask(truth.mover[n], truth.overlaid) for n in window]),
        )


def taken_frames(truth: StoredTruth, step_px: float) -> NDArray[np.intp]:
    """Return the numbers of the frames between which the picture moves by about `step_px` (pixels of the clip), at most 1 s apart."""
    points = truth.cell_centers_px[::4, ::4].reshape(-1, 2)
    way = np.zeros(len(truth))
    for n in range(1, len(truth)):
        depth = np.nan_to_num(truth.depth_m[n - 1][::4, ::4].ravel(), nan=SKY_M)
        moved = np.linalg.norm(carried(truth, points, depth, source=n - 1, target=n)[0] - points, axis=1)
        way[n] = way[n - 1] + np.nan_to_num(np.nanmean(moved))
    longest = max(1, round(LONGEST_STEP_S * truth.fps), -(-len(truth) // 40))
    taken = [0]
    for n in range(1, len(truth)):
        if way[n] - way[taken[-1]] >= step_px or n - taken[-1] >= longest:
            taken.append(n)
    return (
        np.array(taken) if len(taken) >= LEAST_FRAMES else np.unique(np.linspace(0, len(truth) - 1, LEAST_FRAMES + 1).round().astype(int))
    )


def _windows(taken: NDArray[np.intp], plan: PackPlan) -> list[NDArray[np.intp]]:
    count = min(plan.sequences, max(1, len(taken) // plan.frames))
    starts = np.linspace(0, max(len(taken) - plan.frames, 0), count + 2 if count > 1 else 3)[1:-1].round().astype(int)
    return [taken[s : s + plan.frames] for s in starts]


def _poses(cam_from_world: Float) -> Float:
    return np.concatenate([cam_from_world[:, :3, 3], quaternion_xyzw_from_rotation(cam_from_world[:, :3, :3])], axis=1)


@dataclass(frozen=True)
class Cut:
    """The largest centred part of a clip's pictures that has the right shape and no bars, and its reduction to the size wanted.

    Attributes:
        corner_px: (x, y) of the part in the clip's pixels.
        part_px: (width, height) of the part.
        size_px: (width, height) that it gets.
        clip_px: (width, height) of the clip.
    """

    corner_px: tuple[int, int]
    part_px: tuple[int, int]
    size_px: tuple[int, int]
    clip_px: tuple[int, int]

    @classmethod
    def of(cls, truth: StoredTruth, size_px: tuple[int, int]) -> Cut:
        """Return the cut of a clip."""
        rows, columns = truth.finish.picture_rows_and_columns(truth.size_px)
        top, bottom, _ = rows.indices(truth.size_px[1])
        left, right, _ = columns.indices(truth.size_px[0])
        scale = max(size_px[0] / (right - left), size_px[1] / (bottom - top))
        width, height = (min(round(s / scale), full) for s, full in zip(size_px, (right - left, bottom - top), strict=True))
        return cls(((left + right - width) // 2, (top + bottom - height) // 2), (width, height), size_px, truth.size_px)

    @property
    def scale(self) -> float:
        """Pixels of the result per pixel of the clip."""
        return self.size_px[0] / self.part_px[0]

    def picture(self, picture: UInt8) -> UInt8:
        """Return the part of a picture (H, W, 3) of the clip, reduced."""
        part = self._part(picture)
        return np.asarray(cv2.resize(part, self.size_px, interpolation=cv2.INTER_AREA if self.scale < 1 else cv2.INTER_LINEAR), np.uint8)

    def disparity(self, depth_m: Float) -> Float32:
        """Return 1/m at the cells' centres of stored depth (H//4, W//4): linear within a surface, the nearest at its edges."""
        disparity = (1 / np.nan_to_num(depth_m, nan=SKY_M)).astype(np.float32)
        x, y = self._cells(depth_m.shape)
        smooth = cv2.remap(disparity, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        nearest = cv2.remap(disparity, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        return np.where(np.abs(smooth - nearest) < SAME_SURFACE * nearest, smooth, nearest).astype(np.float32)

    def mask(self, mover: NDArray[np.bool_], overlaid: NDArray[np.bool_]) -> UInt8:
        """Return what the cells show, of stored movers (H//4, W//4) and the clip's pixels (H, W) that show no scene."""
        moving = cv2.remap(mover.astype(np.uint8), *self._cells(mover.shape), cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        cells = self.size_px[0] // CELL_PX, self.size_px[1] // CELL_PX
        written = cv2.resize(self._part(overlaid.astype(np.float32)), cells, interpolation=cv2.INTER_AREA) > 0.25
        return np.where(written, OVERLAID, np.where(moving > 0, MOVER, 0)).astype(np.uint8)

    def _part(self, picture: NDArray) -> NDArray:
        (x, y), (width, height) = self.corner_px, self.part_px
        return picture[y : y + height, x : x + width]

    def _cells(self, stored: tuple[int, ...]) -> tuple[Float32, Float32]:
        """Return the columns and rows, with fractions, of stored cells at the centres of the result's cells."""
        x = (np.arange(0.5, self.size_px[0] // CELL_PX) * CELL_PX * (self.part_px[0] / self.size_px[0]) + self.corner_px[0]) / self.clip_px[
            0
        ]
        y = (np.arange(0.5, self.size_px[1] // CELL_PX) * CELL_PX * (self.part_px[1] / self.size_px[1]) + self.corner_px[1]) / self.clip_px[
            1
        ]
        columns, rows = np.meshgrid(x * stored[1] - 0.5, y * stored[0] - 0.5)
        return columns.astype(np.float32), rows.astype(np.float32)
