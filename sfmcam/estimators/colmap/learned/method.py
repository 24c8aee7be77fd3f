"""What finds and matches features, seen from the database: one look at every frame, one at every pair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from sfmcam.estimators.colmap.learned.tables import FeatureTable, FramePair, LocalFeatures, PointPairs, merge_points

Image = NDArray[np.uint8]  # (H, W, 3) RGB or (H, W) luma
Given = TypeVar("Given")
Made = TypeVar("Made")
FramesSeen = TypeVar("FramesSeen")


class SparseMethod(Protocol):
    """Keypoints with descriptors, and a matcher of them. Both are called by several threads at once."""

    def encode(self, image: Image) -> LocalFeatures:
        """Find and describe the keypoints of a frame."""
        ...

    def match(self, first: LocalFeatures, second: LocalFeatures) -> NDArray[np.uint32]:
        """Return (M, 2) rows of the first and of the second frame's keypoints; no row twice on either side."""
        ...


class SemiDenseMethod(Protocol[FramesSeen]):
    """A matcher of two frames that needs no keypoints. Both calls are made by several threads at once."""

    def encode(self, image: Image) -> FramesSeen:
        """Return what can be known of a frame by itself."""
        ...

    def match(self, first: FramesSeen, second: FramesSeen) -> PointPairs:
        """Return the points that both frames show."""
        ...


def sparse_table(method: SparseMethod, images: Sequence[Image], pairs: Sequence[FramePair], *, threads: int) -> FeatureTable:
    """Run a sparse method over frames and pairs of frame numbers. The result is the same for any number of `threads`."""
    features = _map(method.encode, images, threads)
    matches = _map(lambda pair: method.match(features[pair[0]], features[pair[1]]), pairs, threads)
    return FeatureTable(
        tuple(f.xy_px for f in features), dict(zip(pairs, matches, strict=True)), descriptors=tuple(f.descriptors for f in features)
    )


def semi_dense_table(
    method: SemiDenseMethod[FramesSeen], images: Sequence[Image], pairs: Sequence[FramePair], *, threads: int, max_per_frame: int
) -> FeatureTable:
    """Run a semi-dense method over pairs of frame numbers, and merge what it finds into keypoints.

    What was seen of a frame is kept until its last pair is done, so that memory is bound by the longest step between paired frames.
    """
    last = {number: position for position, pair in enumerate(pairs) for number in pair}
    seen: dict[int, FramesSeen] = {}
    found: dict[FramePair, PointPairs] = {}
    for start in range(0, len(pairs), threads):
        batch = pairs[start : start + threads]
        unseen = sorted({number for pair in batch for number in pair} - seen.keys())
        seen.update(zip(unseen, _map(method.encode, [images[number] for number in unseen], threads), strict=True))
        points = _map(lambda pair: method.match(seen[pair[0]], seen[pair[1]]), batch, threads)
        found.update(zip(batch, points, strict=True))
        for number in [number for number in seen if last[number] < start + threads]:
            del seen[number]
    return merge_points(found, num_frames=len(images), max_per_frame=max_per_frame)


def _map(work: Callable[[Given], Made], items: Sequence[Given], threads: int) -> list[Made]:
    if threads == 1 or len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))
