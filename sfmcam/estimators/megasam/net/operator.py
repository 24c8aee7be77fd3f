"""The learned update operator: the network behind the interface that the tracker asks (`megasam/operator.py`)."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sfmcam.estimators.megasam.net.edges import Correlated, FrameContext, FrameFeatures, LearnedEdges, correlate
from sfmcam.estimators.megasam.net.fused import FusedUpdate
from sfmcam.estimators.megasam.net.grouping import membership, pack_sources
from sfmcam.estimators.megasam.net.network import Network
from sfmcam.estimators.megasam.net.replay import ReplayedUpdate, UpdateCall
from sfmcam.estimators.megasam.net.update import Update, cell_grid, motion_features
from sfmcam.estimators.megasam.operator import Revision, Sight

logger = logging.getLogger(__name__)

EDGES_PER_PASS = {"cpu": 16, "cuda": 128}  # activations take 15 MB per edge of 48x64 cells in bfloat16
EDGES_PER_LOOK = {"cpu": 1, "cuda": 16}
CPU_VOLUME_BYTES = 4 * 2**30  # 48 edges of 48x64 cells take 2.4 GB in float32
GPU_VOLUME_SHARE = 0.3  # of the card's memory; joining edges needs as much again for a moment


@dataclass(frozen=True)
class OperatorOptions:
    """How the network is run; nothing here changes a result but for rounding.

    Attributes:
        device: where.
        dtype: of the convolutions: float32, bfloat16 or float16. Coordinates, targets, weights and correlations stay float32.
        volume_dtype: that correlation volumes are kept in; float16 halves their memory on a GPU.
        volume_bytes: memory for volumes; correlations of further edges are made anew at every revision. None: by the device.
        edges_per_pass: edges whose activations are in memory together, at least those of one source frame. None: by the device.
        graphs: record the launches of an update once per size, and replay them (CUDA graphs).
    """

    device: torch.device
    dtype: torch.dtype = torch.float32
    volume_dtype: torch.dtype = torch.float32
    volume_bytes: int | None = None
    edges_per_pass: int | None = None
    graphs: bool = False


@dataclass(frozen=True)
class Pass:
    """Edges that go through the network together.

    Attributes:
        edges: (E',) long positions; None for all edges in their order.
        first: position of one edge of each source frame, frames ascending.
        rows: (E',) long, place of each edge's source in `first`.
        members: (S, E') `membership`.
    """

    edges: Tensor | None
    first: tuple[int, ...]
    rows: Tensor
    members: Tensor


class LearnedOperator:
    """Looks at frames through the network; see `operator.UpdateOperator`."""

    def __init__(self, network: Network, options: OperatorOptions) -> None:
        """Copy the network to its device; `network` itself stays as it is."""
        self.options, self.config = options, network.config
        self._fused = FusedUpdate(network, device=options.device, dtype=options.dtype)
        self._run: UpdateCall = ReplayedUpdate(self._fused) if options.graphs and options.device.type == "cuda" else self._fused
        self._encoders = copy.deepcopy(network).to(options.device).to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self._limit = options.edges_per_pass or _of_device(EDGES_PER_PASS, options.device)
        self._plan: tuple[Tensor, int, int, list[Pass]] | None = None

    @torch.no_grad()
    def encode(self, image: Tensor, index: int) -> FrameFeatures:
        """See `operator.UpdateOperator`."""
        image = image.to(self.options.device)
        with self._autocast():
            features = self._encoders.features(_batch(image))[0]
        return FrameFeatures(image, index, features.to(self.options.volume_dtype).contiguous())

    @torch.no_grad()
    def flow(self, a: FrameFeatures, b: FrameFeatures) -> Tensor:
        """See `operator.UpdateOperator`: one update from the grid itself, as the published motion filter has it."""
        context = self._context(a)
        height, width = a.features.shape[-2:]
        grid = cell_grid(height, width, like=torch.empty(0, device=self.options.device))[None]
        edge = self.open([a], [b])
        lookup = edge.look_up(grid, levels=self.config.levels, radius=self.config.radius, dtype=self.options.dtype)
        motion = torch.zeros(1, 4, height, width, device=self.options.device)
        return self._fused(context.hidden[None], context.gates[None], (lookup, motion), None).delta[0]

    @torch.no_grad()
    def open(self, sources: Sequence[FrameFeatures], targets: Sequence[FrameFeatures]) -> LearnedEdges:
        """See `operator.UpdateOperator`. Edges beyond the memory for volumes are kept as features."""
        hidden = torch.stack([self._context(source).hidden for source in sources])
        joined = self.options.device.type != "cpu"
        at_once = _of_device(EDGES_PER_LOOK, self.options.device)
        here, there = tuple(f.features for f in sources), tuple(f.features for f in targets)
        size = len(sources) if joined else 1
        blocks = []
        for k in range(0, len(sources), size):
            ends = here[k : k + size], there[k : k + size]
            kept = (k + size) * self._bytes_of_edge(here[0]) <= self._volume_bytes()
            blocks.append(Correlated(*ends, correlate(*ends, self.config.levels) if kept else None, at_once))
        return LearnedEdges(tuple(sources), hidden, tuple(blocks), joined, self._volume_bytes())

    @torch.no_grad()
    def revise(self, edges: LearnedEdges, sight: Sight) -> tuple[LearnedEdges, Revision]:
        """See `operator.UpdateOperator`. Where memory ends, the edges are worked through in smaller passes.

        `sight.ii` is best kept on the CPU, or the same tensor as long as the edges are: its values are needed here.
        """
        while True:
            try:
                return self._revise(edges, sight)
            except torch.OutOfMemoryError:
                if self._limit <= 1:
                    raise
                self._limit, self._plan = self._limit // 2, None
                torch.cuda.empty_cache()
                logger.warning("not enough memory on the GPU: at most %d edges are now revised at once", self._limit)

    def _revise(self, edges: LearnedEdges, sight: Sight) -> tuple[LearnedEdges, Revision]:
        coords, target = (x.to(self.options.device, torch.float32) for x in (sight.coords, sight.target))
        lookup = edges.look_up(coords, levels=self.config.levels, radius=self.config.radius, dtype=self.options.dtype)
        seen = lookup, motion_features(coords, target)
        passes = self._passes(sight.ii)
        updates = [self._update(edges, seen, part) for part in passes]
        whole = _together(updates, passes)
        assert whole.eta is not None
        static = whole.static_probability
        revision = Revision(coords + whole.delta, whole.raw_weight * static[..., None], static, whole.eta)
        return replace(edges, hidden=whole.hidden), revision

    def _update(self, edges: LearnedEdges, seen: tuple[Tensor, Tensor], part: Pass) -> Update:
        gates = torch.stack([self._context(edges.sources[k]).gates for k in part.first])
        if part.edges is None:
            return self._run(edges.hidden, gates, seen, (part.rows, part.members))
        lookup, motion = (x[part.edges] for x in seen)
        return self._run(edges.hidden[part.edges], gates, (lookup, motion), (part.rows, part.members))

    def _context(self, frame: FrameFeatures) -> FrameContext:
        if frame.context is None:
            with self._autocast():
                hidden, context = self._encoders.context(_batch(frame.image))
            frame.context = FrameContext(hidden[0].to(self.options.dtype), self._fused.gates(context)[0])
        return frame.context

    def _passes(self, ii: Tensor) -> list[Pass]:
        if self._plan is not None and self._plan[0] is ii and self._plan[1:3] == (ii._version, self._limit):
            return self._plan[3]
        passes = _plan_passes(ii.tolist(), self._limit, self.options.device)
        self._plan = (ii, ii._version, self._limit, passes)
        return passes

    def _autocast(self) -> torch.autocast:
        reduced = self.options.dtype != torch.float32
        return torch.autocast(self.options.device.type, self.options.dtype if reduced else torch.bfloat16, enabled=reduced)

    def _volume_bytes(self) -> int:
        if self.options.volume_bytes is not None:
            return self.options.volume_bytes
        if self.options.device.type != "cuda":
            return CPU_VOLUME_BYTES
        return int(GPU_VOLUME_SHARE * torch.cuda.get_device_properties(self.options.device).total_memory)

    def _bytes_of_edge(self, features: Tensor) -> int:
        cells = features.shape[-2] * features.shape[-1]
        return cells * cells * 4 // 3 * features.element_size()


def _plan_passes(sources: list[int], limit: int, device: torch.device) -> list[Pass]:
    plan = pack_sources(sources, limit)
    if len(plan) == 1:
        plan = [list(range(len(sources)))]
    out = []
    for edges in plan:
        frames = sorted({sources[k] for k in edges})
        row = {frame: n for n, frame in enumerate(frames)}
        first = {sources[k]: k for k in reversed(edges)}
        rows = torch.tensor([row[sources[k]] for k in edges], dtype=torch.long, device=device)
        index = torch.tensor(edges, dtype=torch.long, device=device) if len(plan) > 1 else None
        out.append(Pass(index, tuple(first[frame] for frame in frames), rows, membership(rows, len(frames))))
    return out


def _together(updates: list[Update], passes: list[Pass]) -> Update:
    """Return one update of all edges in their own order, source frames ascending."""
    if len(updates) == 1:
        return updates[0]
    order = torch.argsort(torch.cat([part.edges for part in passes if part.edges is not None]))

    def gather(name: str) -> Tensor:
        return torch.cat([getattr(update, name) for update in updates])[order]

    logit = None if updates[0].static_logit is None else gather("static_logit")
    eta = torch.cat([update.eta for update in updates if update.eta is not None])
    return Update(gather("hidden"), gather("delta"), gather("raw_weight"), logit, eta)


def _batch(image: Tensor) -> Tensor:
    return image[None].contiguous(memory_format=torch.channels_last)


def _of_device(table: dict[str, int], device: torch.device) -> int:
    return table.get(device.type, table["cpu"])
