"""How well two pictures of a rendered clip agree with what its stored truth says of them. Kernels of truth.py.

Points are the centres of the depth's cells, where the stored depth is exact. They are chosen by the truth and by the texture round them,
never by the outcome: part of the static scene and in view in both frames, away from movers, bars and letters, not beside an edge of depth
that shows parallax (a window there holds two motions), and with so much texture for the picture's noise that 0.05 px can be expected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sfmcam.datasets.synthetic.reprojection import carried
from sfmcam.datasets.synthetic.stored_truth import StoredTruth
from sfmcam.types import Bool, Float, UInt8

WINDOW_PX = 15  # of the tracker
PATCH_PX, PATCH_ROOM_PX = 24, 4  # of the photometric check, and how far round it is looked
REACH_CELLS = 3  # round a point that must be clean: half a patch
MARGIN_PX = 14
MOST_POINTS = 150
MOST_PATCHES = 40
EXPECTED_PX = 0.05  # one sigma of a window's position by its texture and the picture's noise (Cramer-Rao)
LEAST_NOISE = 2.5  # grey levels, of coding and rounding
BEND_PX = 0.25  # second difference of the motion from cell to cell, above which a window holds two motions
DEPTH_AGREES = 0.03  # relative, of a point's depth carried over and the depth stored there: else something stands in front
FORTH_AND_BACK_PX = 0.5
TRACKER = {"winSize": (WINDOW_PX, WINDOW_PX), "maxLevel": 4, "criteria": (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 40, 0.003)}
ALIGNER = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-4)

Predict = Callable[[StoredTruth, Float, Float], tuple[Float, Float]]


@dataclass(frozen=True)
class Chosen:
    """Points of one pair of frames: `start_px` (M, 2), their `depth_m` (M,), where the truth carries them, `end_px` (M, 2); and the share
    of the otherwise good cells that was left out because the stored depths say that something else stands there in the second frame."""

    start_px: Float
    depth_m: Float
    end_px: Float
    share_hidden: float


def choose_points(truth: StoredTruth, gray: UInt8, *, source: int, target: int, noise: float) -> Chosen:
    """Choose the points of a pair of frames by truth and texture alone (module docstring).

    Args:
        truth: of the clip.
        gray: (H, W) picture of frame `source`.
        source: number of a frame.
        target: number of another one.
        noise: standard deviation of the picture's noise in grey levels.
    """
    cells = truth.cell_centers_px
    depth = truth.depth_m[source]
    end, depth_there = (a.reshape(*depth.shape, -1) for a in _carried_cells(truth, source, target))
    clean = np.isfinite(depth) & _is_smooth(end) & ~_widened(truth.mover[source]) & _inside(cells, truth) & _inside(end, truth)
    clean &= ~_widened(_at_cells(truth.overlaid, cells)) & _textured(gray, cells, noise)
    clean &= ~_looked_up(_widened(truth.mover[target] | _at_cells(truth.overlaid, cells)).astype(np.float32), end, truth).astype(bool)
    stored = _looked_up(np.nan_to_num(1 / truth.depth_m[target]).astype(np.float32), end, truth)
    with np.errstate(invalid="ignore"):
        seen = np.abs(stored * depth_there[..., 0] - 1) < DEPTH_AGREES
    rows, columns = np.nonzero(clean & seen)
    if len(rows) > MOST_POINTS:
        kept = np.sort(np.random.default_rng(source).choice(len(rows), MOST_POINTS, replace=False))
        rows, columns = rows[kept], columns[kept]
    hidden = 1 - float((clean & seen).sum() / clean.sum()) if clean.any() else 0.0
    return Chosen(cells[rows, columns], depth[rows, columns], end[rows, columns], hidden)


def tracked(before: UInt8, after: UInt8, start_px: Float, *, turning: bool = False) -> tuple[Float, Bool]:
    """Follow points (M, 2) from one grey picture to another with OpenCV's pyramidal Lucas-Kanade, which knows nothing of the truth.

    Where the picture is `turning` fast, what is found is improved by fitting an affine window, since Lucas-Kanade's only shifts.

    Returns:
        (M, 2) where they are found, and (M,) which of them come back to within half a pixel when followed backwards.
    """
    points = (start_px - 0.5).astype(np.float32)[:, None]  # OpenCV counts from the first pixel's centre
    found, ok, _ = cv2.calcOpticalFlowPyrLK(before, after, points, None, **TRACKER)
    again, ok_again, _ = cv2.calcOpticalFlowPyrLK(after, before, found, None, **TRACKER)
    back = np.linalg.norm((again - points)[:, 0], axis=1)
    kept = ((ok & ok_again)[:, 0] == 1) & (back < FORTH_AND_BACK_PX)
    end_px = found[:, 0].astype(float) + 0.5
    if turning:
        for index in np.flatnonzero(kept):
            end_px[index] = _affine_end(before, after, start_px[index], end_px[index])
    return end_px, kept & np.isfinite(end_px[:, 0])


def _affine_end(before: UInt8, after: UInt8, start_px: Float, end_px: Float) -> Float:
    """Return where a point (2,) is in `after`, near `end_px`, by aligning the patch round it with an affine map; NaN where that fails."""
    half, reach = PATCH_PX // 2 + PATCH_ROOM_PX, PATCH_PX
    (left, top), (left_after, top_after) = np.rint(start_px).astype(int) - half, np.rint(end_px).astype(int) - reach
    template = before[max(top, 0) : top + 2 * half, max(left, 0) : left + 2 * half]
    around = after[max(top_after, 0) : top_after + 2 * reach, max(left_after, 0) : left_after + 2 * reach]
    if template.shape != (2 * half,) * 2 or around.shape != (2 * reach,) * 2:
        return np.full(2, np.nan)
    inner = start_px - (left, top) - 0.5
    move = np.column_stack([np.eye(2), end_px - (left_after, top_after) - 0.5 - inner]).astype(np.float32)
    try:
        cv2.findTransformECC(template, around, move, cv2.MOTION_AFFINE, ALIGNER, None, 3)
    except cv2.error:
        return np.full(2, np.nan)
    return np.asarray(move[:, :2] @ inner + move[:, 2] + (left_after, top_after) + 0.5, float)


def warped_back(truth: StoredTruth, after: UInt8, *, source: int, target: int) -> UInt8:
    """Return frame `target` (H, W) drawn as frame `source` sees it, by the truth: between the cells' centres the motion is interpolated."""
    width, height = truth.size_px
    rows, columns = truth.depth_m.shape[1:]
    end = _carried_cells(truth, source, target)[0].reshape(rows, columns, 2)
    x = ((np.arange(width) + 0.5) * columns / width - 0.5).astype(np.float32)
    y = ((np.arange(height) + 0.5) * rows / height - 0.5).astype(np.float32)
    positions = cv2.remap(end.astype(np.float32), *np.meshgrid(x, y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    maps = np.nan_to_num(positions - np.float32(0.5), nan=-1e3)
    return np.asarray(cv2.remap(after, maps[..., 0], maps[..., 1], cv2.INTER_CUBIC), np.uint8)


def aligned(before: UInt8, warped: UInt8, centers_px: Float) -> Float:
    """Return by how much (M, 2) patches round `centers_px` are off in `warped`, against `before`; NaN where that does not converge.

    The enhanced correlation coefficient (Evangelidis and Psarakis 2008), which a change of brightness leaves alone.
    """
    out = np.full(centers_px.shape, np.nan)
    for index, (x, y) in enumerate(np.rint(centers_px).astype(int)):
        left, top, room = x - PATCH_PX // 2, y - PATCH_PX // 2, PATCH_ROOM_PX
        template = before[top : top + PATCH_PX, left : left + PATCH_PX]
        around = warped[top - room : top + PATCH_PX + room, left - room : left + PATCH_PX + room]
        move = np.array([[1, 0, room], [0, 1, room]], np.float32)
        if template.shape != (PATCH_PX,) * 2 or around.shape != (PATCH_PX + 2 * room,) * 2:
            continue
        try:
            cv2.findTransformECC(template, around, move, cv2.MOTION_TRANSLATION, ALIGNER, None, 3)
        except cv2.error:
            continue
        out[index] = move[:, 2] - room
    return out


def _carried_cells(truth: StoredTruth, source: int, target: int) -> tuple[Float, Float]:
    return carried(truth, truth.cell_centers_px.reshape(-1, 2), truth.depth_m[source].ravel(), source=source, target=target)


def _inside(positions: Float, truth: StoredTruth) -> Bool:
    with np.errstate(invalid="ignore"):
        return np.asarray(((positions > MARGIN_PX) & (positions < np.array(truth.size_px) - MARGIN_PX)).all(axis=-1))


def _is_smooth(end: Float) -> Bool:
    """Return the cells (h, w) round which the motion `end` (h, w, 2) is known and bends by no more than BEND_PX from cell to cell."""
    bend = np.zeros(end.shape[:2])
    for axis in (0, 1):
        second = np.abs(np.diff(end, 2, axis=axis)).max(axis=2)
        bend = np.maximum(bend, np.pad(second, [(1, 1) if a == axis else (0, 0) for a in (0, 1)], constant_values=np.inf))
    return ~_widened(~(np.nan_to_num(bend, nan=np.inf) < BEND_PX))


def _widened(mask: Bool) -> Bool:
    side = 2 * REACH_CELLS + 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0


def _at_cells(pixels: NDArray, cells: Float) -> NDArray:
    """Return whether any pixel (H, W) of each cell is set."""
    rows, columns = cells.shape[:2]
    return cv2.resize(pixels.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA) > 0


def _looked_up(values: NDArray[np.float32], positions: Float, truth: StoredTruth) -> NDArray[np.float32]:
    """Return values (h, w) of a frame's cells at positions (..., 2) of the picture, by interpolation; 0 outside."""
    scale = np.array(values.shape[::-1]) / np.array(truth.size_px)
    at = np.nan_to_num(positions * scale - 0.5, nan=-1e3).astype(np.float32)
    return np.asarray(cv2.remap(values, at[..., 0], at[..., 1], cv2.INTER_LINEAR))


def _textured(gray: UInt8, cells: Float, noise: float) -> Bool:
    """Return the cells whose window has enough texture: sigma / sqrt(smallest eigenvalue of the sum of gradient products) is small."""
    picture = cv2.GaussianBlur(gray, (3, 3), 0).astype(np.float32)
    gx, gy = (cv2.Sobel(picture, cv2.CV_32F, *order, ksize=1) / 2 for order in ((1, 0), (0, 1)))
    box = {"ddepth": -1, "ksize": (WINDOW_PX, WINDOW_PX), "normalize": False}
    xx, yy, xy = (cv2.boxFilter(product, **box) for product in (gx * gx, gy * gy, gx * gy))
    least = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    column, row = np.floor(cells).astype(int).transpose(2, 0, 1)
    return np.asarray(max(noise, LEAST_NOISE) / np.sqrt(np.maximum(least[row, column], 1e-9)) < EXPECTED_PX)
