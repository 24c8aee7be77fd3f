"""Which keyframes are compared: edges by neighbourhood and by distance, and which to retire. Pure functions on arrays.

The selection is that of DROID-SLAM (Teed and Deng 2021), section 3.3: the nearest pairs first, and none beside one that is taken already.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_NEVER = 100.0  # a pair farther apart than this is never compared
Edges = NDArray[np.int64]  # (E, 2), from and to


def neighbourhood_edges(first: int, past: int, *, radius: int) -> Edges:
    """Return the edges (E, 2) between different frames of [first, past) at most `radius` apart, both directions, by source."""
    frames = np.arange(first, past)
    ii, jj = (axis.ravel() for axis in np.meshgrid(frames, frames, indexing="ij"))
    apart = np.abs(ii - jj)
    return np.stack([ii, jj], 1)[(apart > 0) & (apart <= radius)]


def proximity_edges(
    distances: NDArray[np.floating],
    existing: Edges,
    *,
    radius: int,
    suppression: int,
    threshold: float,
    most: int,
    first_row: int = 0,
    first_column: int = 0,
) -> Edges:
    """Return the edges (E, 2) worth having, in the order they were chosen, those that exist already among them.

    Args:
        distances: (F, F) between all frames; from frame i >= first_row to frame j >= first_column is read. Only j <= i - radius is chosen
            by distance; the neighbours before a frame, radius + 1 of them, are always taken.
        existing: (N, 2) edges, active or not, beside which nothing is chosen.
        radius: see above.
        suppression: how far, in frames, no other pair is chosen beside one that is taken.
        threshold: largest distance.
        most: stop once there are more edges than this.
        first_row: of the frames that edges are sought for.
        first_column: of the frames that they are sought to.
    """
    frames = len(distances)
    free = np.array(distances, dtype=np.float64)
    rows, columns = np.indices((frames, frames))
    near = rows - max(radius, 1) < columns  # a frame itself never, whatever the radius
    free[near | ~(free <= _NEVER) | (rows < first_row) | (columns < first_column)] = np.inf
    for i, j in np.asarray(existing, dtype=np.int64).reshape(-1, 2):
        _suppress(free, i, j, suppression)
    chosen: list[tuple[int, int]] = []
    for i in range(first_row, frames):
        for j in range(max(i - radius - 1, 0), i):
            chosen += [(i, j), (j, i)]
            free[i, j] = np.inf
    order = np.argsort(free, axis=None, kind="stable")
    for i, j in zip(*np.unravel_index(order[free.ravel()[order] <= threshold], free.shape), strict=True):
        if len(chosen) > most:
            break
        if free[i, j] <= threshold:
            chosen += [(int(i), int(j)), (int(j), int(i))]
            _suppress(free, i, j, suppression)
    return np.array(chosen, dtype=np.int64).reshape(-1, 2)


def _suppress(free: NDArray[np.float64], i: int, j: int, suppression: int) -> None:
    """Take (i, j) and the pairs around it out: a diamond, smaller the nearer the two frames are, so that neighbours stay pairs."""
    reach = max(min(abs(int(i) - int(j)) - 2, suppression), 0)
    size = len(free)
    for di in range(-reach, reach + 1):
        row, rest = i + di, reach - abs(di)
        if 0 <= row < size:
            free[row, max(j - rest, 0) : j + rest + 1] = np.inf


def without(edges: Edges, existing: Iterable[Edges]) -> Edges:
    """Return the edges that are in none of the existing ones, each once, in their order."""
    seen = {tuple(edge) for group in existing for edge in np.asarray(group).reshape(-1, 2).tolist()}
    kept = []
    for edge in map(tuple, np.asarray(edges).reshape(-1, 2).tolist()):
        if edge not in seen:
            seen.add(edge)
            kept.append(edge)
    return np.array(kept, dtype=np.int64).reshape(-1, 2)


def retired(ages: NDArray[np.integer], *, past_age: int | None = None, incoming: int = 0, most: int | None = None) -> NDArray[np.bool_]:
    """Return which edges (E,) to retire: those older than past_age, and the oldest of the rest until `incoming` more make at most `most`.

    Of equal age the earlier in the list goes first.
    """
    ages = np.asarray(ages)
    leave = np.zeros(len(ages), bool) if past_age is None else ages > past_age
    if most is None:
        return leave
    excess = max(int((~leave).sum()) + incoming - most, 0)
    oldest = np.argsort(-ages, kind="stable")
    leave[oldest[~leave[oldest]][:excess]] = True
    return leave
