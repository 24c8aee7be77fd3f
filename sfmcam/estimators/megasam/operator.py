"""The update operator as an interface: what the tracker asks of a network, or of dense optical flow.

An edge is an ordered pair of frames, source to target. For each grid cell of the source the operator says where that cell
is seen in the target, and how much this is to be believed. What an operator keeps from one revision to the next (hidden
state, correlation pyramid, flow) lives in its `EdgeState`, one entry per edge, so that keyframes can be renumbered, and
edges retired or joined, without the tracker knowing what is inside.

Pixels are those of the 1/8 grid, cell u centred on picture pixel 8u; (x, y) is the order of the last axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from torch import Tensor

STRIDE = 8  # picture pixels per grid cell


@dataclass(frozen=True)
class Sight:
    """What the bundle adjustment believes just now of the E edges that are to be revised.

    Attributes:
        ii: (E,) long, the source frame of each edge: edges of one source may be looked at together.
        coords: (E, h, w, 2) where the poses and disparities put each cell of the source in the target.
        target: (E, h, w, 2) where the last revision put it; for a new edge the same as `coords`.
    """

    ii: Tensor
    coords: Tensor
    target: Tensor


@dataclass(frozen=True)
class Revision:
    """What the operator says of E edges.

    Attributes:
        target: (E, h, w, 2) where each cell of the source is seen in the target frame.
        weight: (E, h, w, 2) in 0..1 how much that is to be believed in x and in y, already times `static_probability`.
        static_probability: (E, h, w) in 0..1 that the cell shows something that does not move.
        eta: (S, h, w) damping of the disparity of each source frame; rows follow the sorted unique `ii` of the sight.
    """

    target: Tensor
    weight: Tensor
    static_probability: Tensor
    eta: Tensor


class EdgeState(Protocol):
    """What an operator keeps per edge, opaque to the tracker."""

    def __len__(self) -> int:
        """Return the number of edges."""
        ...

    def select(self, mask: Tensor) -> Self:
        """Return the edges where the (E,) bool `mask` holds, in their order (a long index also selects and orders)."""
        ...

    def join(self, other: Self) -> Self:
        """Return these edges followed by those of `other`."""
        ...


class UpdateOperator(Protocol):
    """Looks at pictures and at the present belief, and says where the cells of one frame are seen in another."""

    def encode(self, image: Tensor, index: int) -> Any:
        """Return the features of a picture.

        Args:
            image: (3, H, W) uint8 RGB, H and W multiples of 8.
            index: which frame of the clip it is.
        """
        ...

    def flow(self, a: Any, b: Any) -> Tensor:
        """Return (h, w, 2) how far each cell of picture `a` has moved in picture `b`, in 1/8 pixels, for the motion filter."""
        ...

    def open(self, sources: Sequence[Any], targets: Sequence[Any]) -> Any:
        """Return the `EdgeState` of new edges, one per pair of `sources` and `targets` (features as `encode` returns them)."""
        ...

    def revise(self, edges: Any, sight: Sight) -> tuple[Any, Revision]:
        """Return the edges' next state, and what the operator now says of them.

        All edges of one source frame must be revised in one call, as operators pool over them.
        """
        ...
