"""What the tracker is given: the pictures of a clip at its size, encoded on demand, and what is known beforehand."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sfmcam.estimators.megasam.operator import UpdateOperator

MOST_KEPT = 160  # encoded frames in memory


@dataclass(frozen=True)
class Given:
    """What is known of N frames before tracking, on the 1/8 grid (h, w).

    Attributes:
        intrinsics: (N, 4) fx fy cx cy in 1/8 pixels.
        prior_disps: (N, h, w) inverse depth; 0 where nothing is known.
        poses: (N, 7) cam_from_world to start from; None: nothing is known.
        static_mask: (N, h, w) in 0..1; None: everything may be static.
        focal_known: the intrinsics are more than a guess, so that no others are tried.
    """

    intrinsics: Tensor
    prior_disps: Tensor
    poses: Tensor | None = None
    static_mask: Tensor | None = None
    focal_known: bool = False


class Clip:
    """The pictures of a clip; encodes a frame when it is asked for and keeps the latest ones."""

    def __init__(self, picture: Callable[[int], Tensor], operator: UpdateOperator, *, timestamps_s: Tensor) -> None:
        """Take a function that returns the picture (3, H, W) uint8 RGB of a frame, and the times (N,) of all frames in seconds."""
        self.picture, self.operator, self.timestamps_s = picture, operator, timestamps_s
        self._kept: OrderedDict[int, Any] = OrderedDict()

    def __len__(self) -> int:
        return len(self.timestamps_s)

    def features(self, index: int) -> Any:
        """Return what the operator makes of a frame."""
        if index in self._kept:
            self._kept.move_to_end(index)
        else:
            self._kept[index] = self.operator.encode(self.picture(index), index)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return self._kept[index]


def mean_flow(flow: Tensor) -> float:
    """Return the mean length of a flow field (h, w, 2)."""
    return float(torch.linalg.vector_norm(flow, dim=-1).mean())
