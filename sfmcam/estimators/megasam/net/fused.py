"""The update operator for inference: the same sums as `update.py` in fewer, larger convolutions, in the type of one's choice.

What is different, and why the result is not:

- The context of a source frame never changes, so its part of the three gates is computed once per frame, not once per edge and update.
- Update and reset gate share their inputs and become one convolution; so do the first layers of the four heads.
- The picture's mean state, which the motion head sees as a constant map, is convolved by summing the taps that lie inside the
  picture: nine different sums (corners, borders, inside) instead of a convolution.
- The last layers of the flow and weight heads become one with a block-diagonal kernel.
- The layers that no result depends on are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (what everybody calls it)

from sfmcam.estimators.megasam.net.grouping import group_means
from sfmcam.estimators.megasam.net.motion_head import NORM_EPS
from sfmcam.estimators.megasam.net.network import Network
from sfmcam.estimators.megasam.net.update import DAMPING_SCALE, Update


@dataclass(frozen=True)
class Kernel:
    """Weight and bias of a convolution that keeps the size of its map."""

    weight: Tensor
    bias: Tensor | None

    def __call__(self, x: Tensor) -> Tensor:
        """Return (N, outputs, h, w)."""
        return F.conv2d(x, self.weight, self.bias, padding=self.weight.shape[-1] // 2)


@dataclass(frozen=True)
class Norm:
    """A norm over channels with its scale and shift."""

    weight: Tensor
    bias: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Return (N, C, h, w); a view of channels-last memory in, one out."""
        return F.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, NORM_EPS).permute(0, 3, 1, 2)


class FusedUpdate:
    """The update operator of a trained network."""

    def __init__(self, network: Network, *, device: torch.device, dtype: torch.dtype) -> None:
        """Copy the weights to `device` and `dtype`, joined."""
        self.device, self.dtype = device, dtype
        self.config = network.config
        block, width, context = network.update, self.config.hidden, self.config.context
        gates = [block.gru.convz, block.gru.convr, block.gru.convq]
        past = slice(width, width + context)
        self.context_gates = self._kernel([gate.weight[:, past] for gate in gates], [gate.bias for gate in gates])
        without = [torch.cat([gate.weight[:, :width], gate.weight[:, width + context :]], dim=1) for gate in gates]
        self.update_and_reset, self.proposal = self._kernel(without[:2]), self._kernel(without[2:])
        overall = [block.gru.convz_glo, block.gru.convr_glo, block.gru.convq_glo]
        self.gate_of_mean, self.overall_gates = self._of(block.gru.w), self._of(*overall)
        self.corr = [self._of(layer) for layer in (block.corr_encoder[0], block.corr_encoder[2])]
        self.flow = [self._of(layer) for layer in (block.flow_encoder[0], block.flow_encoder[2])]
        self._join_heads(network)

    def _join_heads(self, network: Network) -> None:
        block, width = network.update, self.config.hidden
        first = _convolutions(block.delta[0], block.weight[0], block.agg.conv1)
        weights, biases = [layer.weight for layer in first], [layer.bias for layer in first]
        self.alone = self._kernel(weights[:2], biases[:2])
        self.motion = block.agg_motion is not None
        if block.agg_motion is not None:
            head = block.agg_motion
            weights.append(head.conv0.weight[:, :width])
            biases.append(head.conv0.bias)
            self.taps = head.conv0.weight[:, width : 2 * width].detach().to(self.device, self.dtype).permute(2, 3, 0, 1).contiguous()
            self.of_weight = self._kernel([head.conv0.weight[:, 2 * width :]])
            self.norms = [self._norm(norm) for norm in (head.norm_0, head.norm_1, head.norm_3, head.norm_5)]
            self.deep = [self._of(layer) for layer in (head.conv1, head.conv3, head.conv5, head.logits_2[0], head.logits_2[2])]
        self.first = self._kernel(weights, biases)
        self.second = self._of(block.agg.conv2)
        self.eta = self._of(block.agg.eta[0])
        delta, weight = _convolutions(block.delta[2], block.weight[2])
        nothing = torch.zeros_like(delta.weight)
        joined = [torch.cat([delta.weight, nothing], dim=1), torch.cat([nothing, weight.weight], dim=1)]
        self.flow_and_weight = self._kernel(joined, [delta.bias, weight.bias])

    def _kernel(self, weights: list[Tensor], biases: Sequence[Tensor | None] = ()) -> Kernel:
        weight = torch.cat(weights).detach().to(self.device, self.dtype).contiguous(memory_format=torch.channels_last)
        known = [bias.detach() for bias in biases if bias is not None]
        return Kernel(weight, torch.cat(known).to(self.device, self.dtype) if known else None)

    def _of(self, *layers: nn.Module) -> Kernel:
        convolutions = _convolutions(*layers)
        return self._kernel([layer.weight for layer in convolutions], [layer.bias for layer in convolutions])

    def _norm(self, norm: nn.LayerNorm) -> Norm:
        return Norm(norm.weight.detach().to(self.device, self.dtype), norm.bias.detach().to(self.device, self.dtype))

    def gates(self, context: Tensor) -> Tensor:
        """Return (N, 3 hidden, h, w): what the context of N frames adds to the three gates of each of their edges, biases included."""
        return self.context_gates(self._ready(context))

    def __call__(self, hidden: Tensor, gates: Tensor, seen: tuple[Tensor, Tensor], groups: tuple[Tensor, Tensor] | None) -> Update:
        """Return the update of E edges.

        Args:
            hidden: (E, hidden, h, w) recurrent state.
            gates: (S, 3 hidden, h, w) of the S source frames, as `gates` gives them.
            seen: the (E, correlations, h, w) lookup and the (E, 4, h, w) motion features.
            groups: the (E,) row of each edge's source in `gates`, and (S, E) `membership`. None: edges of one source, without what is
                pooled over them.
        """
        rows = groups[0] if groups is not None else torch.zeros(len(hidden), dtype=torch.long, device=hidden.device)
        hidden, width = self._recur(self._ready(hidden), gates, seen, rows), self.config.hidden
        ahead = self.alone(hidden) if groups is None else self.first(hidden)
        heads = torch.relu(ahead[:, : 3 * width])
        both = self.flow_and_weight(heads[:, : 2 * width]).float()
        weight = torch.sigmoid(both[:, 2:])
        delta, raw_weight = both[:, :2].permute(0, 2, 3, 1), weight.permute(0, 2, 3, 1)
        if groups is None:
            return Update(hidden, delta, raw_weight)
        pooled = torch.relu(self.second(group_means(heads[:, 2 * width :], groups[1])))
        eta = DAMPING_SCALE * F.softplus(self.eta(pooled)[:, 0].float())
        logit = self._motion_logit(hidden, ahead[:, 3 * width :], weight, groups) if self.motion else None
        return Update(hidden, delta, raw_weight, logit, eta, pooled)

    def _recur(self, hidden: Tensor, gates: Tensor, seen: tuple[Tensor, Tensor], rows: Tensor) -> Tensor:
        width = self.config.hidden
        correlation = torch.relu(self.corr[1](torch.relu(self.corr[0](self._ready(seen[0])))))
        flow = torch.relu(self.flow[1](torch.relu(self.flow[0](self._ready(seen[1])))))
        overall = (torch.sigmoid(self.gate_of_mean(hidden)) * hidden).mean(dim=(2, 3), keepdim=True)
        steady = (gates[rows] if len(gates) > 1 else gates) + self.overall_gates(overall)
        inputs = torch.cat([hidden, correlation, flow], dim=1)
        both = torch.sigmoid(self.update_and_reset(inputs) + steady[:, : 2 * width])
        update, reset = both[:, :width], both[:, width:]
        inputs[:, :width].mul_(reset)  # the proposal sees the same inputs but for this
        proposal = torch.tanh(self.proposal(inputs) + steady[:, 2 * width :])
        return torch.lerp(hidden, proposal, update)

    def _motion_logit(self, hidden: Tensor, first: Tensor, weight: Tensor, groups: tuple[Tensor, Tensor]) -> Tensor:
        rows, members = groups
        x = first + self.of_weight(self._ready(weight)) + self._constant_map(hidden)
        x = F.gelu(self.norms[0](x))
        x = F.gelu(self.norms[1](self.deep[0](x))) + x
        x = F.gelu(self.norms[2](self.deep[1](x))) + x
        shared = F.gelu(self.norms[3](self.deep[2](group_means(x, members))))
        return self.deep[4](F.gelu(self.deep[3](x + shared[rows])))[:, 0].float()

    def _constant_map(self, hidden: Tensor) -> Tensor:
        """Return (E, hidden, h, w): the 3x3 convolution, zero padded, of a map that is the mean of `hidden` everywhere."""
        height, width = hidden.shape[-2:]
        taps = torch.einsum("yxoi,ei->eyxo", self.taps, hidden.mean(dim=(2, 3)))
        by_row = _sums_inside(taps, height, axis=1)
        return _sums_inside(by_row, width, axis=2).permute(0, 3, 1, 2)

    def _ready(self, x: Tensor) -> Tensor:
        return x.to(self.device, self.dtype).contiguous(memory_format=torch.channels_last)


def _sums_inside(taps: Tensor, size: int, *, axis: int) -> Tensor:
    """Return `taps` summed along `axis` (of 3 taps) for each of `size` places, without the taps that lie outside there."""
    before, at, after = taps.unbind(axis)
    inside = torch.arange(size, device=taps.device)
    shape = [1] * taps.ndim
    shape[axis] = size
    has_before, has_after = ((inside > 0).view(shape), (inside < size - 1).view(shape))
    return at.unsqueeze(axis) + before.unsqueeze(axis) * has_before + after.unsqueeze(axis) * has_after


def _convolutions(*layers: nn.Module) -> list[nn.Conv2d]:
    return [layer for layer in layers if isinstance(layer, nn.Conv2d)]
