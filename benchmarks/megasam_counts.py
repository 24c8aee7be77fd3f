"""How much an update operator was asked, and a network of random weights that works in earnest while optical flow answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from torch import Tensor

from sfmcam.estimators.megasam.operator import STRIDE, Revision, Sight, UpdateOperator


@dataclass
class Asked:
    """Frames encoded, pairs compared by the motion filter, edges opened, edges revised (each as often as it was), and calls for that."""

    encoded: int = 0
    compared: int = 0
    opened: int = 0
    revised: int = 0
    calls: int = 0


@dataclass(frozen=True)
class BothEdges:
    """Edges as the operator that works has them, and as the one that answers."""

    worked: Any
    told: Any

    def __len__(self) -> int:
        return len(self.worked)

    def select(self, mask: Tensor) -> Self:
        """See `operator.EdgeState`."""
        return replace(self, worked=self.worked.select(mask), told=self.told.select(mask))

    def join(self, other: Self) -> Self:
        """See `operator.EdgeState`."""
        return replace(self, worked=self.worked.join(other.worked), told=self.told.join(other.told))


@dataclass
class Counted:
    """Passes every question to `operator`, and counts; `grid` is that of the latest picture, (h, w). See `operator.UpdateOperator`."""

    operator: UpdateOperator
    asked: Asked = field(default_factory=Asked)
    grid: tuple[int, int] = (0, 0)

    def encode(self, image: Tensor, index: int) -> Any:
        """See `operator.UpdateOperator`."""
        self.asked.encoded += 1
        self.grid = image.shape[-2] // STRIDE, image.shape[-1] // STRIDE
        return self.operator.encode(image, index)

    def flow(self, a: Any, b: Any) -> Tensor:
        """See `operator.UpdateOperator`."""
        self.asked.compared += 1
        return self.operator.flow(a, b)

    def open(self, sources: Sequence[Any], targets: Sequence[Any]) -> Any:
        """See `operator.UpdateOperator`."""
        self.asked.opened += len(sources)
        return self.operator.open(sources, targets)

    def revise(self, edges: Any, sight: Sight) -> tuple[Any, Revision]:
        """See `operator.UpdateOperator`."""
        self.asked.calls += 1
        self.asked.revised += len(edges)
        return self.operator.revise(edges, sight)

    def told(self) -> dict[str, int]:
        """Return the counts, and begin anew."""
        told, self.asked = asdict(self.asked), Asked()
        return told


@dataclass
class Answered:
    """Lets `worker` do all its work and throws the answers away: what is said is what `teller` says; see `operator.UpdateOperator`.

    A network with random weights sees no motion, so that the tracker would stop early and take few keyframes: its time would flatter.
    """

    worker: UpdateOperator
    teller: UpdateOperator

    def encode(self, image: Tensor, index: int) -> Any:
        """See `operator.UpdateOperator`."""
        return self.worker.encode(image, index), self.teller.encode(image, index)

    def flow(self, a: Any, b: Any) -> Tensor:
        """See `operator.UpdateOperator`."""
        self.worker.flow(a[0], b[0])
        return self.teller.flow(a[1], b[1])

    def open(self, sources: Sequence[Any], targets: Sequence[Any]) -> BothEdges:
        """See `operator.UpdateOperator`."""
        worked, told = (one.open([s[k] for s in sources], [t[k] for t in targets]) for k, one in enumerate((self.worker, self.teller)))
        return BothEdges(worked, told)

    def revise(self, edges: BothEdges, sight: Sight) -> tuple[BothEdges, Revision]:
        """See `operator.UpdateOperator`."""
        worked, _ = self.worker.revise(edges.worked, sight)
        told, said = self.teller.revise(edges.told, sight)
        return BothEdges(worked, told), said
