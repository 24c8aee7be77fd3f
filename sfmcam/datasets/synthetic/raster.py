"""The renderer's inner loops, compiled: spans of rectangles in the rows of a grid, the depth buffer, and places in the texture atlas.

They keep to the arithmetic of numpy, operation by operation and type by type (no fused or reordered sums), so that a clip has the same
pixels as when these loops were array operations: rendered sets stay comparable from version to version.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sfmcam.compiled import can_keep_machine_code
from sfmcam.types import Bool, Float, UInt8

Index = NDArray[np.intp]
Float32 = NDArray[np.float32]


def _here() -> None:
    """Do nothing, in this file, beside which machine code is to be kept."""


EXACT: dict[str, Any] = {
    "cache": can_keep_machine_code(_here),
    "nogil": True,
    "error_model": "numpy",
}  # no fastmath: see the module's docstring


@njit(**EXACT)
def spans(edges: Float, x: Float, y: Float, step_px: float) -> tuple[Index, Index]:
    """Return, per rectangle and row, the first column inside its `edges` (S, 4, 3) and the first one past it: two (S, H) arrays.

    Edges are lines l with l (x, y, 1) >= 0 on the inside; `x` (W,) and `y` (H,) are the grid's positions.
    """
    columns = len(x)
    first, last = np.empty((len(edges), len(y)), np.intp), np.empty((len(edges), len(y)), np.intp)
    for s in range(len(edges)):
        for r in range(len(y)):
            low, high, outside = -np.inf, np.inf, False
            for e in range(4):
                slope = edges[s, e, 0]
                height = edges[s, e, 1] * y[r]
                height = height + edges[s, e, 2]
                if slope == 0:
                    outside |= height < 0
                elif slope > 0:
                    low = max(low, -height / slope)
                else:
                    high = min(high, -height / slope)
            start, stop = np.ceil((low - x[0]) / step_px), np.floor((high - x[0]) / step_px) + 1
            first[s, r] = columns if outside else int(min(max(start, 0.0), columns))
            last[s, r] = 0 if outside else int(min(max(stop, 0.0), columns))
    return first, last


@njit(**EXACT)
def bounds(first: Index, last: Index) -> Index:
    """Return top, bottom, left and right (S, 4) of the spans (S, H), bottom and right past the end; all 0 for a rectangle without any."""
    out = np.zeros((len(first), 4), np.intp)
    for s in range(len(first)):
        for r in range(first.shape[1]):
            if first[s, r] >= last[s, r]:
                continue
            if out[s, 1] == 0:
                out[s] = r, r + 1, first[s, r], last[s, r]
            out[s, 1], out[s, 2], out[s, 3] = r + 1, min(out[s, 2], first[s, r]), max(out[s, 3], last[s, r])
    return out


@njit(**EXACT)
def is_nearest(inverse_depth: Float32, across: Float32, down: Float32, first: Index, last: Index) -> bool:
    """Return whether a rectangle is nearer than what `inverse_depth` (H, W) has anywhere in its spans (H,).

    Its own inverse depth is `across` (W,) of the column plus `down` (H,) of the row.
    """
    for r in range(len(first)):
        for c in range(first[r], last[r]):
            if across[c] + down[r] > inverse_depth[r, c]:
                return True
    return False


@njit(**EXACT)
def enter(
    seen: tuple[Index, Float32],
    order: Index,
    start: int,
    names: Index,
    has_cutout: Bool,
    lines: tuple[Float32, Float32],
    spans: tuple[Index, Index],
) -> int:
    """Enter rectangles into surface and inverse depth, both (H, W), in place, wherever each is the nearest so far.

    Args:
        seen: surface and inverse depth.
        order: rectangles in the order in which they are entered.
        start: place in `order` of the first one.
        names: (S,) what is written into the surface.
        has_cutout: (S,) which have an outline cut out.
        lines: inverse depth of column (S, W) and of row (S, H), to be added up.
        spans: first column and the one past the last, both (S, H).

    Returns:
        Place in `order` of the first rectangle with a cut-out that is nearest somewhere, which is not entered; the end if there is none.
    """
    surface, inverse_depth = seen
    (across, down), (first, last) = lines, spans
    for place in range(start, len(order)):
        i = order[place]
        if has_cutout[i]:
            if is_nearest(inverse_depth, across[i], down[i], first[i], last[i]):
                return place
            continue
        for r in range(first.shape[1]):
            for c in range(first[i, r], last[i, r]):
                nearness = across[i, c] + down[i, r]
                if nearness > inverse_depth[r, c]:
                    surface[r, c], inverse_depth[r, c] = names[i], nearness
    return len(order)


@njit(**EXACT)
def enter_cutout(
    seen: tuple[Index, Float32], index: int, across: Float32, down: Float32, first: Index, last: Index, alpha: UInt8, threshold: float
) -> None:
    """Enter a rectangle as `enter` does, where its opacity is above `threshold`.

    `alpha` covers the rectangle's `bounds`: its first entry belongs to the topmost row and the leftmost column.
    """
    surface, inverse_depth = seen
    top, left = -1, len(across)
    for r in range(len(first)):
        if first[r] < last[r]:
            top, left = (r if top < 0 else top), min(left, first[r])
    for r in range(len(first)):
        for c in range(first[r], last[r]):
            nearness = across[c] + down[r]
            if nearness > inverse_depth[r, c] and alpha[r - top, c - left] > threshold:
                surface[r, c], inverse_depth[r, c] = index, nearness


@njit(**EXACT)
def texels(
    surface: Index,
    nearness: Float32,
    log2_nearness: Float32,
    rows: Float32,
    level: Float32,
    first_level: Index,
    x: Float32,
    y: Float32,
    size: Float32,
    origin: Float32,
    bias: float,
    levels: int,
) -> tuple[Float32, Float32]:
    """Return the atlas positions (H, W) in x and y of what is seen.

    Args:
        surface: (H, W) rectangles.
        nearness: (H, W) inverse depths.
        log2_nearness: (H, W) their logarithms.
        rows: (S, 3, 3) plane maps.
        level: (S,) of `visibility.texel_level`.
        first_level: (S,) each rectangle's first level in the atlas.
        x: (W,) positions.
        y: (H,) positions.
        size: (L, 2) of the atlas' levels in texels.
        origin: (L, 2) of the atlas' levels.
        bias: added to the mip level.
        levels: how many each texture has.
    """
    out_x, out_y = np.empty(nearness.shape, np.float32), np.empty(nearness.shape, np.float32)
    gain, shift = np.float32(1.5), np.float32(bias)
    lowest, highest = np.float32(0), np.float32(levels - 1)
    for r in range(nearness.shape[0]):
        for c in range(nearness.shape[1]):
            s = surface[r, c]
            wanted = np.float32(level[s] - np.float32(gain * log2_nearness[r, c]))
            entry = int(min(max(np.float32(wanted + shift), lowest), highest)) + first_level[s]
            along_x = np.float32(rows[s, 0, 0] * x[c]) + np.float32(rows[s, 0, 1] * y[r])
            along_y = np.float32(rows[s, 1, 0] * x[c]) + np.float32(rows[s, 1, 1] * y[r])
            out_x[r, c] = (along_x + rows[s, 0, 2]) / nearness[r, c] * size[entry, 0] + origin[entry, 0]
            out_y[r, c] = (along_y + rows[s, 1, 2]) / nearness[r, c] * size[entry, 1] + origin[entry, 1]
    return out_x, out_y
