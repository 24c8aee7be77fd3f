"""An update of few edges is some eighty small kernels: on a large GPU launching them takes longer than running them.

A CUDA graph records the launches once and repeats them with one call. It fits one size only, so the edges are padded to the next size of
a ladder: the padding forms a source frame of its own, which nothing is pooled with.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sfmcam.estimators.megasam.net.update import Update

logger = logging.getLogger(__name__)

UpdateCall = Callable[[Tensor, Tensor, tuple[Tensor, Tensor], tuple[Tensor, Tensor] | None], Update]

EDGES_STEP, SOURCES_STEP = 8, 4  # rungs of the ladder
MOST_RECORDED = 12  # sizes
MOST_EDGES = 64  # beyond, a GPU is busy longer than the launches take
WARM_UPS = 2


@dataclass(frozen=True)
class Padded:
    """The inputs of an update with padding at the end: hidden, gates, lookup, motion, rows, members."""

    tensors: tuple[Tensor, ...]

    def call(self, update: UpdateCall) -> Update:
        """Return the update of these inputs."""
        hidden, gates, lookup, motion, rows, members = self.tensors
        return update(hidden, gates, (lookup, motion), (rows, members))


class ReplayedUpdate:
    """Does what `update` does, from recordings; where recording fails, it says so once and calls `update` itself from then on."""

    def __init__(self, update: UpdateCall) -> None:
        """Record nothing yet."""
        self._update = update
        self._records: OrderedDict[tuple[torch.Size, ...], tuple[torch.cuda.CUDAGraph, Padded, Update]] = OrderedDict()
        self._pool: Any = None  # a handle, whose type PyTorch keeps to itself
        self._works = True

    def __call__(self, hidden: Tensor, gates: Tensor, seen: tuple[Tensor, Tensor], groups: tuple[Tensor, Tensor] | None) -> Update:
        """Return the update of E edges; see `fused.FusedUpdate`."""
        if groups is None or not self._works or len(hidden) > MOST_EDGES:
            return self._update(hidden, gates, seen, groups)
        padded = pad((hidden, gates, *seen, *groups))
        try:
            out = self._replay(padded)
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            self._works = False
            self._records.clear()
            logger.warning("CUDA graphs do not work here (%s); updates are launched one by one", str(error).splitlines()[0])
            return self._update(hidden, gates, seen, groups)
        return cut(out, edges=len(hidden), sources=len(gates))

    def _replay(self, padded: Padded) -> Update:
        key = tuple(tensor.shape for tensor in padded.tensors)
        if key not in self._records:
            self._records[key] = self._record(padded)
            while len(self._records) > MOST_RECORDED:
                self._records.popitem(last=False)
        self._records.move_to_end(key)
        graph, inputs, out = self._records[key]
        for held, given in zip(inputs.tensors, padded.tensors, strict=True):
            held.copy_(given)
        graph.replay()
        return out

    def _record(self, padded: Padded) -> tuple[torch.cuda.CUDAGraph, Padded, Update]:
        inputs = Padded(tuple(tensor.clone() for tensor in padded.tensors))
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):  # libraries choose their algorithms and get their memory before the recording
            for _ in range(WARM_UPS):
                inputs.call(self._update)
        torch.cuda.current_stream().wait_stream(beside)
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):  # one pool for all: what a recording leaves is copied before the next one runs
            out = inputs.call(self._update)
        return graph, inputs, out


def pad(tensors: tuple[Tensor, ...]) -> Padded:
    """Return hidden, gates, lookup, motion, rows and members with edges and source frames padded to the next rung."""
    hidden, gates, lookup, motion, rows, members = tensors
    edges, sources = _rung(len(hidden), EDGES_STEP), _rung(len(gates) + 1, SOURCES_STEP)
    more_edges, more_sources = edges - len(hidden), sources - len(gates)
    rows = torch.cat([rows, rows.new_full((more_edges,), len(gates))])
    members = torch.nn.functional.pad(members, (0, more_edges, 0, more_sources))
    members[len(gates), len(hidden) :] = 1
    grown = [
        _with_zeros(hidden, more_edges),
        _with_zeros(gates, more_sources),
        _with_zeros(lookup, more_edges),
        _with_zeros(motion, more_edges),
    ]
    return Padded((*grown, rows, members))


def cut(update: Update, *, edges: int, sources: int) -> Update:
    """Return copies of what is not padding: the next replay writes over the recording's own memory."""

    def first(tensor: Tensor | None, count: int) -> Tensor | None:
        return None if tensor is None else tensor[:count].clone()

    hidden, delta, raw_weight = (tensor[:edges].clone() for tensor in (update.hidden, update.delta, update.raw_weight))
    logit, eta, aggregated = first(update.static_logit, edges), first(update.eta, sources), first(update.aggregated, sources)
    return Update(hidden, delta, raw_weight, logit, eta, aggregated)


def _rung(count: int, step: int) -> int:
    return -(-count // step) * step


def _with_zeros(tensor: Tensor, more: int) -> Tensor:
    return torch.cat([tensor, tensor.new_zeros(more, *tensor.shape[1:])]) if more else tensor
