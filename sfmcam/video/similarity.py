"""Do two small pictures show the same scene from about the same place? Asked across a suspected cut."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain, starmap

import cv2
import numpy as np
from numpy.typing import NDArray

from sfmcam.types import Float, UInt8

Float32 = NDArray[np.float32]

THUMB_SIZE = (32, 18)
MINIATURE_SIZE = (64, 36)
MAX_SHIFT = 0.35  # of the miniature; less overlap would correlate by chance
BLACK_LEVEL = 20  # grey level; darker in both pictures is a bar or a border
BLANK_CONTRAST = 4.0  # grey levels of standard deviation
SAME_CORRELATION = 0.85  # thumbnails of different scenes stayed below 0.6
MIN_COMMON_AREA = 0.1
MAX_FEATURES = 400
MIN_CONTRAST = 0.02
MATCH_RATIO = 0.8  # Lowe 2004, section 7.1
MATCH_TOLERANCE = 0.0235  # of the longer side; loose: parallax and movers bend the picture
MIN_MATCHES = 10  # different scenes gave 4 at most, neighbouring frames 20 and more
GRID = 4
MIN_SPREAD = 0.4  # of the cells with features; a caption or logo that stays over a cut fills less


@dataclass(frozen=True)
class Look:
    """One small picture and what is compared of it.

    Attributes:
        gray: (H, W) uint8, longer side some 256 pixels.
    """

    gray: UInt8

    @cached_property
    def miniature(self) -> Float32:
        """(36, 64) grey levels, for the search of a shift."""
        return np.asarray(cv2.resize(self.gray, MINIATURE_SIZE, interpolation=cv2.INTER_AREA), np.float32)

    @cached_property
    def thumb(self) -> Float32:
        """(18 * 32,) grey levels of the picture in little."""
        return np.asarray(cv2.resize(self.miniature, THUMB_SIZE, interpolation=cv2.INTER_AREA), np.float32).ravel()

    @cached_property
    def unit_miniature(self) -> Float32:
        """(36 * 64,) what `unit` makes of the miniature."""
        return unit(self.miniature)

    @cached_property
    def unit_thumb(self) -> Float32:
        """(18 * 32,) what `unit` makes of the thumbnail."""
        return unit(self.thumb)

    @cached_property
    def is_blank(self) -> bool:
        """True for a picture of one tone, such as the black of a fade."""
        return not self.unit_thumb.any()

    @cached_property
    def half(self) -> Look:
        """The picture at half its size, on which features cost a quarter."""
        height, width = self.gray.shape
        size = (max(1, width // 2), max(1, height // 2))
        return Look(np.asarray(cv2.resize(self.gray, size, interpolation=cv2.INTER_AREA), np.uint8))

    @cached_property
    def features(self) -> tuple[Float32, Float32]:
        """(M, 2) positions in pixels and (M, 128) unit RootSIFT descriptors (Arandjelovic and Zisserman 2012)."""
        keypoints, descriptors = cv2.SIFT.create(nfeatures=MAX_FEATURES, contrastThreshold=MIN_CONTRAST).detectAndCompute(self.gray, None)
        if descriptors is None:
            return np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32)
        sums = np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-6)
        return np.array([k.pt for k in keypoints], np.float32), np.sqrt(descriptors / sums)


def unit(picture: Float32) -> Float32:
    """Return the grey levels of `picture`, flat, less their mean and over their norm; zeros for a picture of one tone.

    The scalar product of two such is their correlation, and 0 where one of them is of one tone.
    """
    centred = (picture - picture.mean()).ravel()
    norm = math.sqrt(np.vdot(centred, centred))
    return centred / norm if norm >= BLANK_CONTRAST * math.sqrt(centred.size) else np.zeros_like(centred)


def change(one: Look, other: Look) -> float:
    """Return the mean absolute difference of two pictures of one size, in grey levels."""
    return float(cv2.norm(one.gray, other.gray, cv2.NORM_L1)) / one.gray.size


def continuity(one: Look, other: Look, *, enough: float = 1.0) -> float:
    """Return the correlation of two miniatures, as they are or shifted onto each other, whichever is higher; NaN for blank pictures.

    A pan of some frames keeps it near 1, where different scenes lie around 0. The shift is that of phase correlation, and is not
    searched for where the miniatures correlate by `enough` as they are.
    """
    if one.is_blank or other.is_blank:
        return float("nan")
    unmoved = float(np.vdot(one.unit_miniature, other.unit_miniature))
    if unmoved >= enough:
        return unmoved
    a, b = one.miniature, other.miniature
    height, width = a.shape
    (dx, dy), _ = cv2.phaseCorrelate(a.copy(), b.copy(), _hanning_window())  # it overwrites its inputs
    x, y = round(dx), round(dy)
    if abs(x) > MAX_SHIFT * width or abs(y) > MAX_SHIFT * height:
        return unmoved
    common = a[max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)]
    shifted = b[max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)]
    return max(unmoved, float(np.vdot(unit(common), unit(shifted))))


def same_scene(pairs: Sequence[tuple[Look, Look]]) -> bool:
    """Return True where in any pair the composition is the same, or features all over the picture move together by one similarity.

    The cheaper questions are asked first, of all pairs.
    """
    halves = ((one.half, other.half) for one, other in pairs)
    return any(chain(starmap(_same_composition, pairs), starmap(_moves_together, halves), starmap(_moves_together, pairs)))


def _same_composition(one: Look, other: Look) -> bool:
    """Return True where the thumbnails, as they are, correlate as those of different scenes do not."""
    return correlation(one, other) > SAME_CORRELATION


def correlation(one: Look, other: Look) -> float:
    """Return the correlation of the thumbnails over what is not black in both; NaN where that is too little or of one tone."""
    lit = np.maximum(one.thumb, other.thumb) > BLACK_LEVEL
    if lit.mean() < MIN_COMMON_AREA:
        return float("nan")
    a, b = (look.thumb[lit] - look.thumb[lit].mean() for look in (one, other))
    if min(a.std(), b.std()) < BLANK_CONTRAST:
        return float("nan")
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


@cache
def _hanning_window() -> Float32:
    return np.asarray(cv2.createHanningWindow(MINIATURE_SIZE, cv2.CV_32F), np.float32)


def _moves_together(one: Look, other: Look) -> bool:
    """Return True where features all over the first picture move together by one similarity."""
    source, target = _matches(one, other)
    if len(source) < MIN_MATCHES:
        return False
    cv2.setRNGSeed(0)
    _, mask = cv2.estimateAffinePartial2D(
        source, target, method=cv2.RANSAC, ransacReprojThreshold=MATCH_TOLERANCE * max(one.gray.shape), maxIters=500
    )
    agreeing = source[mask.ravel() > 0] if mask is not None else source[:0]
    everywhere = _cells(one.features[0], one.gray)
    return len(agreeing) >= MIN_MATCHES and len(_cells(agreeing, one.gray)) >= MIN_SPREAD * len(everywhere)


def _matches(one: Look, other: Look) -> tuple[Float32, Float32]:
    """Return the (K, 2) positions of mutual nearest neighbours that pass the ratio test."""
    (points, descriptors), (other_points, other_descriptors) = one.features, other.features
    if min(len(points), len(other_points)) < MIN_MATCHES:
        return points[:0], other_points[:0]
    distance = 2 - 2 * descriptors @ other_descriptors.T  # squared
    nearest, row = distance.argmin(axis=1), np.arange(len(points))
    second, best = np.partition(distance, 1, axis=1)[:, 1], distance[row, nearest]
    good = (distance.argmin(axis=0)[nearest] == row) & (best < MATCH_RATIO**2 * second)
    return points[good], other_points[nearest[good]]


def _cells(points: Float32, gray: UInt8) -> Float:
    height, width = gray.shape
    columns, rows = np.clip(points / (width, height) * GRID, 0, GRID - 1).astype(int).T
    return np.unique(rows * GRID + columns)
