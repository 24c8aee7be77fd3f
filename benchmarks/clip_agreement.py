"""One rendered clip against its stored truth: which pairs of frames, what errors, and how errors of the truth itself would look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
from picture_agreement import MOST_PATCHES, Chosen, aligned, choose_points, tracked, warped_back

from sfmcam.datasets.synthetic.chance import Chance, Split
from sfmcam.datasets.synthetic.finish import Lettering
from sfmcam.datasets.synthetic.random_specs import random_spec
from sfmcam.datasets.synthetic.rendered_set import clip_digest
from sfmcam.datasets.synthetic.reprojection import carried
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.datasets.synthetic.stage import build_stage
from sfmcam.datasets.synthetic.stored_truth import ManifestEntry, StoredTruth
from sfmcam.errors import InputError
from sfmcam.types import Float, UInt8

SOURCES = (0.15, 0.5, 0.8)  # shares of the clip's time at which a pair begins
FARTHEST_PX, FARTHEST_FRAMES = 6.0, 8  # a pair is as far apart as the median motion stays below
MOST_BENT = 0.04  # and windows turn, grow or lean by no more than this, if they can: the tracker only shifts them
FEWEST_POINTS = 20
ALONGSIDE = ("principal_x_px", "principal_y_px", "focal_percent", "depth_percent")  # what the errors are explained by
NUDGE_PX, NUDGE = 0.5, 0.01

Pictures = dict[int, UInt8]  # frame number -> (H, W) grey


@dataclass(frozen=True)
class ClipAgreement:
    """One clip.

    Attributes:
        id: its name.
        shift_px: (M,) how far the truth says that the tracked points move.
        tracker_px: (M, 2) where the tracker finds them, minus where the truth says.
        photometric_px: (P, 2) by how much patches of the warped picture are off.
        slopes: (M, 2, 4) by how much the truth's positions would change with each of ALONGSIDE.
        followed: share of the chosen points that the tracker followed forth and back.
        hidden: share of the cells that the stored depths themselves say are hidden in the second frame, or disagree about.
    """

    id: str
    shift_px: Float
    tracker_px: Float
    photometric_px: Float
    slopes: Float
    followed: float
    hidden: float

    @property
    def tracker_median_px(self) -> float:
        """Median error of the tracked points."""
        return median_length(self.tracker_px)

    @property
    def photometric_median_px(self) -> float:
        """Median shift of the patches."""
        return median_length(self.photometric_px)

    @property
    def is_measured(self) -> bool:
        """Whether there were enough points."""
        return len(self.tracker_px) >= FEWEST_POINTS


def median_length(vectors: Float) -> float:
    """Return the median length of vectors (M, 2), NaN of none."""
    return float(np.median(np.linalg.norm(vectors, axis=1))) if len(vectors) else float("nan")


def frame_pairs(truth: StoredTruth) -> list[tuple[int, int]]:
    """Return the pairs of frames in which pictures and truth are compared; up to three."""
    last = len(truth) - 1
    if truth.finish.readout:
        last -= 1  # beyond the last pose nobody knows the rows' own
    pairs = {}
    for share in SOURCES:
        source = min(round(share * last), last - 1)
        gaps = range(min(FARTHEST_FRAMES, last - source), 0, -1)
        pairs[source] = source + next((gap for gap in gaps if _is_trackable(truth, source, source + gap)), 1)
    return sorted(pairs.items())


def agreement(truth: StoredTruth, pictures: Pictures, *, noise: float) -> ClipAgreement:
    """Compare pictures with the truth over `frame_pairs`; `noise` is the pictures' standard deviation in grey levels."""
    parts = [_pair(truth, pictures, pair, noise) for pair in frame_pairs(truth)]
    shift, tracker, photometric, slopes = (np.concatenate(columns) for columns in zip(*(part[:4] for part in parts), strict=True))
    chosen, hidden = sum(part[4] for part in parts), [part[5] for part in parts]
    return ClipAgreement(truth.id, shift, tracker, photometric, slopes, len(tracker) / max(chosen, 1), float(np.median(hidden)))


def _pair(truth: StoredTruth, pictures: Pictures, pair: tuple[int, int], noise: float) -> tuple[Float, Float, Float, Float, int, float]:
    source, target = pair
    points = choose_points(truth, pictures[source], source=source, target=target, noise=noise)
    if not len(points.start_px):
        return np.empty(0), np.empty((0, 2)), np.empty((0, 2)), np.empty((0, 2, len(ALONGSIDE))), 0, points.share_hidden
    turning = not _is_trackable(truth, source, target)
    found, kept = tracked(pictures[source], pictures[target], points.start_px, turning=turning)
    warped = warped_back(truth, pictures[target], source=source, target=target)
    patches = aligned(pictures[source], warped, points.start_px[:: max(len(points.start_px) // MOST_PATCHES, 1)])
    slopes = _slopes(truth, points, pair)
    shift = np.linalg.norm(points.end_px - points.start_px, axis=1)
    return (
        shift[kept],
        (found - points.end_px)[kept],
        patches[np.isfinite(patches[:, 0])],
        slopes[kept],
        len(kept),
        points.share_hidden,
    )


def _slopes(truth: StoredTruth, points: Chosen, pair: tuple[int, int]) -> Float:
    """Return (M, 2, 4) the change of the truth's positions per pixel of the principal point and per percent of focal length and depth."""

    def moved(positions: Float, depth: Float, of: StoredTruth = truth) -> Float:
        return carried(of, positions, depth, source=pair[0], target=pair[1])[0]

    start, depth, end = points.start_px, points.depth_m, points.end_px
    longer = replace(truth, trajectory=replace(truth.trajectory, focal_px=truth.trajectory.focal_px * (1 + NUDGE)))
    columns = [(moved(start - nudge, depth) + nudge - end) / NUDGE_PX for nudge in NUDGE_PX * np.eye(2)]
    percent = NUDGE * 100
    columns += [(moved(start, depth, longer) - end) / percent, (moved(start, depth * (1 + NUDGE)) - end) / percent]
    return np.stack(columns, axis=-1)


def _is_trackable(truth: StoredTruth, source: int, target: int) -> bool:
    """Return whether the scene's median motion between two frames is short, and hardly more than a shift for the single window."""
    cells, depth = truth.cell_centers_px, truth.depth_m[source]
    end, _ = carried(truth, cells.reshape(-1, 2), depth.ravel(), source=source, target=target)
    shift = end.reshape(cells.shape) - cells
    if not np.isfinite(shift).any():
        return False
    bent = [np.nanmedian(np.linalg.norm(np.diff(shift, axis=axis), axis=-1)) for axis in (0, 1)]
    spacing = np.array(truth.size_px) / depth.shape[::-1]
    return bool(np.nanmedian(np.linalg.norm(shift, axis=-1)) <= FARTHEST_PX and np.hypot(*bent) <= MOST_BENT * spacing.mean())


def read_pictures(video: Path, frames: set[int]) -> Pictures:
    """Return grey pictures (H, W) of a video by frame number.

    Raises:
        InputError: the video cannot be read, or is too short.
    """
    try:
        with av.open(str(video)) as container:
            found = {i: f.to_ndarray(format="gray") for i, f in enumerate(container.decode(video=0)) if i in frames}
    except (OSError, av.FFmpegError) as error:
        raise InputError(f"{video} cannot be read ({error}); render the set again") from error
    if missing := frames - set(found):
        raise InputError(f"{video} has no frame {min(missing)}; render the set again")
    return found


def recipe_of(entry: ManifestEntry, set_seed: int) -> ClipSpec:
    """Return the recipe of a random clip by its name.

    Raises:
        InputError: it is no random clip of that seed and of this generator.
    """
    parts = str(entry["id"]).split("_")
    if parts[0] in list(Split) and len(parts) > 1 and parts[1].isdigit():
        spec = random_spec(Chance(Split(parts[0]), set_seed, int(parts[1])))
        if clip_digest(spec) == entry.get("digest"):
            return spec
    raise InputError(f"{entry['id']} is no clip of seed {set_seed} of this generator; name the set's seed with --seed")


def drawn_again(spec: ClipSpec, frames: set[int], *, gray: Callable[[UInt8], UInt8]) -> Pictures:
    """Return the same frames without noise, lettering and coding, and in full light: the pictures that the truth is about."""
    stage = build_stage(replace(spec, noise=0.0, exposure=1.0, finish=replace(spec.finish, lettering=Lettering.NONE)))
    return {i: gray(stage.frame(float(spec.timestamps_s[i]), np.random.default_rng(0))) for i in sorted(frames)}
