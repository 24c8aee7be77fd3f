"""Two trajectory files, read and compared; what `sfmcam compare EST REF` does before it prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sfmcam.datasets.folder import VIDEO_SUFFIXES, VIDEOS_FOLDER
from sfmcam.errors import ConfigError, InputError, TrajectoryFileError
from sfmcam.evaluation.compare import Comparison, compare_trajectories
from sfmcam.evaluation.evo_bridge import Alignment
from sfmcam.evaluation.frame_pairs import FramePairs, Pairing, pair_by_index, pair_by_time
from sfmcam.io.paths import is_file, is_folder
from sfmcam.io.reference import read_reference
from sfmcam.io.trajectory_file import DEFAULT_FPS, READERS, detect_format, read_trajectory
from sfmcam.types import CameraTrajectory
from sfmcam.video.probe import probe

FARTHEST = 1e100  # from the origin; squares of larger numbers overflow
FREE = "a straight path or a spot leaves a turn open: of those that fit equally well, the nearest to the true orientations is taken"
POSES_FOLDER, INTRINSICS_FOLDER = "poses", "intrinsics"


@dataclass(frozen=True)
class CompareOptions:
    """How files are read and compared.

    Attributes:
        alignment: what may be changed in the estimate.
        pairing: how frames are paired.
        fmt: format of the estimate; `auto` tells it by the content.
        ref_fmt: format of the reference.
        fps: rate of the poses in formats that only count them; None for DEFAULT_FPS.
        tolerance_s: largest difference in time of a pair; None for half of the reference's frame interval.
        offset_s: added to the estimate's times.
        intrinsics: the reference's `fx fy cx cy` per pose: a file, or a folder with one <clip>.txt each.
        size_px: (width, height) of the picture that they refer to.
        still_extent: a true path no larger than this counts as that of a still camera, in the reference's unit.
    """

    alignment: Alignment = Alignment.SIM3
    pairing: Pairing = Pairing.TIME
    fmt: str = "auto"
    ref_fmt: str = "auto"
    fps: float | None = None
    tolerance_s: float | None = None
    offset_s: float = 0.0
    intrinsics: Path | None = None
    size_px: tuple[int, int] | None = None
    still_extent: float = 0.0


@dataclass(frozen=True)
class PathFile:
    """A trajectory and the file that it is from."""

    path: Path
    fmt: str
    trajectory: CameraTrajectory


@dataclass(frozen=True)
class FileComparison:
    """Two files compared: `notes` are sentences on how their frames were paired that a reader should know."""

    estimate: PathFile
    reference: PathFile
    pairing: Pairing
    result: Comparison
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return JSON values (docs/compare.md); undefined figures are NaN."""
        result = self.result
        return {
            "estimate": str(self.estimate.path),
            "estimate_format": self.estimate.fmt,
            "reference": str(self.reference.path),
            "reference_format": self.reference.fmt,
            "align": result.alignment.value,
            "scale": result.scale,
            "pair": self.pairing.value,
            "max_diff_s": result.pairs.tolerance_s,
            "apart_s": result.pairs.apart_s,
            "num_frames": len(result.pairs),
            "num_estimate": result.num_estimate,
            "num_reference": result.num_reference,
            "coverage": result.coverage,
            **result.figures,
            "compared": {metric.name: {metric.counted: metric.count} for metric in result.metrics},
            "reasons": {metric.name: metric.reason for metric in result.metrics if metric.reason},
            "notes": list(self.notes),
        }


def compare_files(estimate: Path, reference: Path, options: CompareOptions) -> FileComparison:
    """Read and compare two files.

    Raises:
        InputError: a file cannot be read, or no frame of one belongs to a frame of the other.
        ConfigError: an option that does not fit the files.
        MissingDependencyError: evo is not installed.
    """
    try:
        own, true = read_estimate(estimate, options), read_true(reference, options)
    except InputError as error:
        if is_folder(estimate) and is_folder(reference):
            raise InputError(f"{error}; folders with one trajectory per clip are compared with --batch") from error
        raise
    return compare_read(own, true, options)


def compare_read(own: PathFile, true: PathFile, options: CompareOptions, *, note: str = "") -> FileComparison:
    """Compare two trajectories that have been read; `note` is kept with the result. Raises as `compare_files`."""
    pairs = _pair(own, true, options)
    notes = [*filter(None, [note]), *_notes(own, true, options)]
    result = compare_trajectories(own.trajectory, true.trajectory, pairs, alignment=options.alignment, still_extent=options.still_extent)
    if result.aligned is not None and not result.aligned.is_unique and np.isfinite(result.scale):
        notes.append(FREE)
    return FileComparison(own, true, options.pairing, result, tuple(notes))


def refuse_idle_rate(compared: Sequence[FileComparison], options: CompareOptions) -> None:
    """Refuse a frame rate that no file has a use for.

    Raises:
        ConfigError: every file holds times.
    """
    files = [file for comparison in compared for file in (comparison.estimate, comparison.reference)]
    if options.fps is not None and files and all(READERS[file.fmt].has_times for file in files):
        formats = " and ".join(sorted({file.fmt for file in files}))
        raise ConfigError(f"a frame rate has no meaning for the format {formats}, whose files hold times")


def read_estimate(path: Path, options: CompareOptions) -> PathFile:
    """Read the estimate.

    Raises:
        TrajectoryFileError: it cannot be read.
    """
    return _read(path, options.fmt, options)


def read_true(path: Path, options: CompareOptions) -> PathFile:
    """Read the reference, with its focal lengths where they are given or lie beside it as in a labelled set.

    Raises:
        TrajectoryFileError: it or its intrinsics cannot be read.
        ConfigError: intrinsics are given for a format other than TUM, which has no focal lengths of its own.
    """
    file = _read(path, options.ref_fmt, options)
    if file.fmt != "tum":
        if options.intrinsics is not None:
            raise ConfigError(f"--intrinsics goes with a TUM reference; {path} is read as {file.fmt}")
        return file if options.size_px is None else replace(file, trajectory=replace(file.trajectory, image_size_px=options.size_px))
    intrinsics = _intrinsics_of(path, options)
    if intrinsics is None:
        return file
    size_px = options.size_px or _size_of_clip(path)
    return replace(file, trajectory=read_reference(path, intrinsics, image_size_px=size_px))


def _read(path: Path, fmt: str, options: CompareOptions) -> PathFile:
    fmt = detect_format(path) if fmt == "auto" else fmt
    fps = None if fmt in READERS and READERS[fmt].has_times else options.fps
    trajectory = read_trajectory(path, fmt, fps=fps)
    farthest = float(np.abs(trajectory.cam_from_world[trajectory.valid, :3, 3]).max(initial=0.0))
    if not farthest < FARTHEST:
        raise TrajectoryFileError(f"{path} has a camera {farthest:.0e} away from the origin, too far to compute with; is it damaged?")
    return PathFile(path, fmt, trajectory)


def _intrinsics_of(poses: Path, options: CompareOptions) -> Path | None:
    """Return the file of a reference's intrinsics: the one that is given, or `intrinsics/<clip>.txt` beside `poses/<clip>.tum`."""
    given = options.intrinsics
    if given is not None:
        return _if_there(given / f"{poses.stem}.txt") if is_folder(given) else given
    beside = poses.absolute().parent
    if beside.name != POSES_FOLDER:
        return None
    return _if_there(beside.parent / INTRINSICS_FOLDER / f"{poses.stem}.txt")


def _if_there(path: Path) -> Path | None:
    return path if is_file(path) else None


def _size_of_clip(poses: Path) -> tuple[int, int] | None:
    """Return the picture size of `videos/<clip>` beside `poses/<clip>.tum`; None where there is no such video, or none that is read."""
    root = poses.absolute().parent.parent / VIDEOS_FOLDER
    for suffix in sorted(VIDEO_SUFFIXES):
        if is_file(video := root / f"{poses.stem}{suffix}"):
            try:
                return probe(video).size_px
            except InputError:
                return None
    return None


def _pair(own: PathFile, true: PathFile, options: CompareOptions) -> FramePairs:
    if options.pairing is Pairing.INDEX:
        if options.tolerance_s is not None or options.offset_s:
            raise ConfigError("--max-diff and --time-offset go with --pair time; frames paired by their number have no times")
        pairs = pair_by_index(own.trajectory, true.trajectory)
    else:
        pairs = pair_by_time(own.trajectory, true.trajectory, tolerance_s=options.tolerance_s, offset_s=options.offset_s)
    if len(pairs) == 0:
        raise InputError(_no_overlap(own, true, pairs, options))
    return pairs


def _no_overlap(own: PathFile, true: PathFile, pairs: FramePairs, options: CompareOptions) -> str:
    for file in (own, true):
        if file.trajectory.num_valid == 0:
            return f"{file.path} has no frame with a pose"
    if options.pairing is Pairing.INDEX:
        return f"no frame has a pose in both {own.path} and {true.path}"
    mine, other = (_span(file.trajectory, offset_s) for file, offset_s in ((own, options.offset_s), (true, 0.0)))
    return (
        f"no pose of {own.path} ({mine}) lies within {pairs.tolerance_s:.3g} s of one of {true.path} ({other}); "
        "compare by number with --pair index, or shift the estimate with --time-offset"
    )


def _span(trajectory: CameraTrajectory, offset_s: float) -> str:
    times_s = trajectory.timestamps_s[trajectory.valid] + offset_s
    return f"{times_s[0]:.3f} to {times_s[-1]:.3f} s"


def _notes(own: PathFile, true: PathFile, options: CompareOptions) -> Sequence[str]:
    notes = []
    counting = [file for file in (own, true) if not READERS[file.fmt].has_times]
    if options.pairing is Pairing.TIME and counting:
        names = " and ".join(str(file.path) for file in counting)
        rate = DEFAULT_FPS if options.fps is None else options.fps
        notes.append(f"{names} only count{'s' if len(counting) == 1 else ''} frames: their times are taken at {rate:g} per second (--fps)")
    if options.pairing is Pairing.INDEX and len(own.trajectory) != len(true.trajectory):
        longer = own if len(own.trajectory) > len(true.trajectory) else true
        extra = abs(len(own.trajectory) - len(true.trajectory))
        notes.append(f"the last {extra} frame{'' if extra == 1 else 's'} of {longer.path} {'has' if extra == 1 else 'have'} no partner")
    return notes
