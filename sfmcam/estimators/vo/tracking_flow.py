"""From one frame to another: a coarse displacement per point by pyramidal Lucas-Kanade, made precise by its patch, and checked.

Where many points are lost, the jump was large: they are searched for again from where phase correlation of the whole picture, then the
motion of those that were found, says they should be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from sfmcam.estimators.vo.features import Box, Float32, Surface
from sfmcam.estimators.vo.tracking_patches import Aligned, Patches, align
from sfmcam.types import Bool, Int, UInt8

WINDOW_PX, LEVELS = 9, 3  # one more than a multiple of 8: what OpenCV's vector code is quick at
AGAIN_WINDOW_PX, AGAIN_LEVELS = 17, 1
STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 6, 0.06)  # the patches make it precise
MEAN, DEVIATION, MIN_DEVIATION = 128.0, 50.0, 8.0  # grey levels that every frame is brought to, against changes of exposure

ENOUGH = 0.75  # share of the points found, below which they are searched for again
THUMB_PX = 96
FIT_TOLERANCE_PX, FIT_POINTS = 4.0, 8

ODD_PX = 4.0  # motion apart from that of most points, which is checked ...
MAX_RETURN_PX = 1.0  # ... by following the point back to within this
MAX_CORRECTION_PX = 1.5  # by the patch, of what Lucas-Kanade found
MAX_LAST_STEP_PX = 0.3
MAX_GROWTH = 2.5  # of the patch's area, either way
NOISE_SHARE = 0.17  # of the noise's variance that is left after smoothing
LEAST_LIKENESS = 0.7


@dataclass(frozen=True)
class View:
    """One frame: `surface` to measure in, `plain` (H, W) of standard brightness and contrast to search in."""

    surface: Surface
    plain: UInt8

    @staticmethod
    def of(image: UInt8, box: Box) -> View:
        """Prepare a grey picture (H, W); brightness and contrast are judged inside `box`."""
        surface = Surface.of(image)
        mean, deviation = cv2.meanStdDev(image if box.is_empty else image[box.y0 : box.y1, box.x0 : box.x1])
        gain = DEVIATION / max(float(deviation[0, 0]), MIN_DEVIATION)
        plain = np.clip(surface.level * np.float32(gain) + np.float32(MEAN - gain * float(mean[0, 0])), 0, 255)
        return View(surface, plain.astype(np.uint8))


@dataclass(frozen=True)
class Flock:
    """Points that are followed together.

    Attributes:
        view: the frame that they were last seen in.
        points: (N, 2) where; OpenCV's coordinates.
        tracks: (N,) their track numbers.
        patches: their first looks.
    """

    view: View
    points: Float32
    tracks: Int
    patches: Patches

    def __len__(self) -> int:
        return len(self.tracks)

    def take(self, which: Bool) -> Flock:
        """Return some of them."""
        return replace(self, points=self.points[which], tracks=self.tracks[which], patches=self.patches.take(which))

    def joined(self, more: Flock) -> Flock:
        """Return these and `more`, of the same view."""
        points, tracks = np.concatenate([self.points, more.points]), np.concatenate([self.tracks, more.tracks])
        return replace(self, points=points, tracks=tracks, patches=self.patches.joined(more.patches))


@dataclass(frozen=True)
class Sight:
    """What became of N points: `points` (N, 2) and `affine` (N, 2, 2) warps where `found` (N,)."""

    points: Float32
    affine: Float32
    found: Bool

    def completed(self, missing: Bool, again: Sight) -> Sight:
        """Return this with a second try at the `missing` ones."""
        points, affine, found = self.points.copy(), self.affine.copy(), self.found.copy()
        points[missing], affine[missing], found[missing] = again.points, again.affine, again.found
        return Sight(points, affine, found)


def follow(flock: Flock, view: View, box: Box, *, min_likeness: float, noise: float) -> tuple[Flock, Bool]:
    """Find the flock in another frame.

    Args:
        flock: what to find.
        view: where.
        box: points that leave it count as lost.
        min_likeness: correlation with its first look that a patch must keep, were there no noise.
        noise: of the frames, see `Surface.noise`.

    Returns:
        Those that were found, in the other frame, and which of all they are (N,).
    """
    if not len(flock):
        return replace(flock, view=view), np.zeros(0, bool)
    limits = np.maximum(LEAST_LIKENESS, min_likeness - NOISE_SHARE * (noise / flock.patches.contrast) ** 2)
    sight = _search(flock, view, box, limits=limits, guess=None)
    for predict in (_by_shift, _by_neighbours):
        missing = ~sight.found
        if missing.mean() <= 1 - ENOUGH:
            break
        guess = predict(flock, view, sight)
        if guess is not None:
            sight = sight.completed(missing, _search(flock.take(missing), view, box, limits=limits[missing], guess=guess[missing]))
    found = _confirmed(flock, view, sight)
    moved = replace(flock, view=view, points=sight.points, patches=replace(flock.patches, affine=sight.affine))
    return moved.take(found), found


def _search(flock: Flock, view: View, box: Box, *, limits: Float32, guess: Float32 | None) -> Sight:
    """Search from `guess` (N, 2), or from where the points were."""
    moved, tracked = _flow(flock.view, view, flock.points, guess=guess)
    coarse = np.where(tracked[:, None], moved, flock.points)
    aligned = align(view.surface, coarse, flock.patches)
    found = tracked & _is_sound(aligned, coarse, limits) & box.contains(aligned.points)
    return Sight(aligned.points, aligned.affine, found)


def _flow(before: View, after: View, points: Float32, *, guess: Float32 | None = None) -> tuple[Float32, Bool]:
    """Return pyramidal Lucas-Kanade's answer (N, 2), from `guess` where there is one, and where it has any (N,)."""
    start, window, levels, flags = points.copy(), WINDOW_PX, LEVELS, 0
    if guess is not None:
        start, window, levels, flags = guess.copy(), AGAIN_WINDOW_PX, AGAIN_LEVELS, cv2.OPTFLOW_USE_INITIAL_FLOW
    moved, status, _ = cv2.calcOpticalFlowPyrLK(
        before.plain, after.plain, points, start, winSize=(window, window), maxLevel=levels, criteria=STOP, flags=flags
    )
    return np.asarray(moved, np.float32), np.asarray(status)[:, 0] == 1


def _confirmed(flock: Flock, view: View, sight: Sight) -> Bool:
    """Return which points were found (N,), without those that went another way than most and do not come back when searched in reverse."""
    found = sight.found.copy()
    motion = sight.points[found] - flock.points[found]
    odd = np.flatnonzero(found)[np.linalg.norm(motion - np.median(motion, axis=0), axis=1) > ODD_PX] if found.any() else []
    if len(odd):
        back, tracked = _flow(view, flock.view, sight.points[odd])
        found[odd] = tracked & (np.linalg.norm(back - flock.points[odd], axis=1) < MAX_RETURN_PX)
    return found


def _is_sound(aligned: Aligned, coarse: Float32, limits: Float32) -> Bool:
    """Return which patches still look as they did, came to rest, and neither jumped nor grew beyond belief."""
    a = aligned.affine
    area = a[:, 0, 0] * a[:, 1, 1] - a[:, 0, 1] * a[:, 1, 0]
    calm = (np.abs(aligned.points - coarse).max(axis=1) < MAX_CORRECTION_PX) & (aligned.last_step_px < MAX_LAST_STEP_PX)
    return np.asarray((aligned.likeness > limits) & calm & (area < MAX_GROWTH) & (area > 1 / MAX_GROWTH))


def _by_shift(flock: Flock, view: View, sight: Sight) -> Float32 | None:
    """Guess that everything moved alike, by the phase correlation of the whole pictures."""
    height, width = view.plain.shape
    size = (THUMB_PX, max(round(THUMB_PX * height / width), 1))
    before, after = (cv2.resize(v.plain, size, interpolation=cv2.INTER_AREA).astype(np.float32) for v in (flock.view, view))
    shift, _ = cv2.phaseCorrelate(before, after, cv2.createHanningWindow(size, cv2.CV_32F))
    return np.asarray(flock.points + np.array(shift) * (width / THUMB_PX), np.float32)


def _by_neighbours(flock: Flock, view: View, sight: Sight) -> Float32 | None:
    """Guess that the rest moved as those that were found, by an affine map."""
    if sight.found.sum() < FIT_POINTS:
        return None
    fit, _ = cv2.estimateAffine2D(flock.points[sight.found], sight.points[sight.found], ransacReprojThreshold=FIT_TOLERANCE_PX)
    return None if fit is None else np.asarray(flock.points @ fit[:, :2].T + fit[:, 2], np.float32)
