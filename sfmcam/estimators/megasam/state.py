"""What the tracker knows: keyframes with pose, disparity and focal length, and the edges between them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import torch
from torch import Tensor

PER_EDGE = ("ii", "jj", "age", "target", "weight", "static")
FIRST_ETA = 1e-6  # damping of a frame on which the operator has not said anything yet


@dataclass
class Keyframes:
    """K keyframes; row k of every field belongs to the same one, so that one can be dropped without a trace.

    Attributes:
        index: frames of the clip, ascending.
        features: what the operator made of each picture.
        poses: (K, 7) cam_from_world, translation then quaternion xyzw.
        disps: (K, h, w) inverse depth on the 1/8 grid.
        prior_disps: (K, h, w) what a depth prior says; 0 where it says nothing.
        intrinsics: (K, 4) fx fy cx cy in 1/8 pixels.
        eta: (K, h, w) damping of the disparities.
        static_mask: (K, h, w) in 0..1 multiplies the weight of every edge that leaves a frame.
    """

    index: list[int]
    features: list[Any]
    poses: Tensor
    disps: Tensor
    prior_disps: Tensor
    intrinsics: Tensor
    eta: Tensor
    static_mask: Tensor

    def __len__(self) -> int:
        return len(self.index)

    def join(self, other: Self) -> Self:
        """Return these keyframes followed by others."""
        return replace(self, **{f.name: _joined(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)})

    def without(self, k: int) -> Self:
        """Return all but keyframe `k`: its frame number goes with it (spec 2.9, Q3)."""
        rows = [i for i in range(len(self)) if i != k]
        return self.select(rows)

    def select(self, rows: list[int]) -> Self:
        """Return some keyframes, in the order of `rows`."""
        return replace(self, **{f.name: _rows(getattr(self, f.name), rows) for f in fields(self)})


@dataclass(frozen=True)
class Edges:
    """E directed edges between keyframes.

    Attributes:
        ii, jj: (E,) long, source and target keyframe; on the CPU, wherever the rest is, so that nothing has to wait for their values.
        age: (E,) long, revisions since the edge was opened; on the CPU too.
        target: (E, h, w, 2) where the cells of the source are seen in the target, in 1/8 pixels.
        weight: (E, h, w, 2) in 0..1.
        static: (E, h, w) static probability.
        memory: the operator's `EdgeState`; None for retired edges, and where there is no edge.
    """

    ii: Tensor
    jj: Tensor
    age: Tensor
    target: Tensor
    weight: Tensor
    static: Tensor
    memory: Any = None

    def __len__(self) -> int:
        return len(self.ii)

    @classmethod
    def none(cls, like: Tensor) -> Self:
        """Return no edges, for a grid and on the device of `like` (..., h, w)."""
        height, width = like.shape[-2:]
        long = torch.zeros(0, dtype=torch.long)
        grid = like.new_zeros((0, height, width, 2))
        return cls(long, long, long, grid, grid, like.new_zeros((0, height, width)))

    def select(self, mask: Tensor) -> Self:
        """Return the edges where `mask` (E,) holds."""
        memory = None if self.memory is None else self.memory.select(mask)
        return replace(self, **{name: getattr(self, name)[mask] for name in PER_EDGE}, memory=memory)

    def join(self, other: Self) -> Self:
        """Return these edges followed by others; both have a memory or neither has, unless one is empty."""
        if not len(self):
            return other
        if not len(other):
            return self
        memory = None if self.memory is None or other.memory is None else self.memory.join(other.memory)
        joined = {name: torch.cat([getattr(self, name), getattr(other, name)]) for name in PER_EDGE}
        return replace(self, **joined, memory=memory)

    def forget(self) -> Self:
        """Return the edges without the operator's memory, as they are kept once retired."""
        return replace(self, memory=None)

    def without_keyframe(self, k: int) -> Self:
        """Return the edges that do not touch keyframe `k`, those beyond it renumbered."""
        kept = self.select((self.ii != k) & (self.jj != k))
        return replace(kept, ii=kept.ii - (kept.ii > k).long(), jj=kept.jj - (kept.jj > k).long())


@dataclass
class State:
    """The keyframes of a window with their edges: `active` ones are revised, `retired` ones only weigh in the adjustment."""

    keyframes: Keyframes
    active: Edges
    retired: Edges
    log: dict[str, float] = field(default_factory=dict)

    def retire(self, mask: Tensor) -> None:
        """Move the active edges where `mask` (E,) holds to the retired ones."""
        self.retired = self.retired.join(self.active.select(mask).forget())
        self.active = self.active.select(~mask)

    def drop_keyframe(self, k: int) -> None:
        """Forget keyframe `k` and its edges."""
        self.keyframes = self.keyframes.without(k)
        self.active = self.active.without_keyframe(k)
        self.retired = self.retired.without_keyframe(k)


def copy_of(state: State) -> State:
    """Return a state that can be adjusted without changing this one."""
    return State(copy_of_keyframes(state.keyframes), state.active, state.retired)


def copy_of_keyframes(frames: Keyframes) -> Keyframes:
    """Return keyframes that can be moved without moving these."""
    parts: dict[str, Any] = {f.name: getattr(frames, f.name) for f in fields(frames)}
    copied: dict[str, Any] = {name: part.clone() if isinstance(part, Tensor) else list(part) for name, part in parts.items()}
    return replace(frames, **copied)


def _joined(a: Any, b: Any) -> Any:
    return torch.cat([a, b]) if isinstance(a, Tensor) else a + b


def _rows(part: Any, rows: list[int]) -> Any:
    return part[torch.tensor(rows, dtype=torch.long, device=part.device)] if isinstance(part, Tensor) else [part[i] for i in rows]
